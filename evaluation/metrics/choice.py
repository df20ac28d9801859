"""Multiple choice, by letter or by text: MMMU, SEED, MMBench, ScienceQA, AI2D, BLINK."""

import re
from collections.abc import Sequence

from evaluation.metrics.normalise import vqa_normalise

_LETTER = re.compile(
    r"^\s*(?:[(\[]([A-Za-z])[)\]]|([A-Za-z])(?:[).:,]|\s*$))"
    r"|\b(?:answer|option|choice)\b(?: is)?:?\s*\(?([A-Za-z])(?:[).:,]|\s*$)",
    re.IGNORECASE,
)


def choice(answer: str, references: Sequence[str], choices: Sequence[str]) -> float:
    """Return 1.0 when the answer names the right option by letter or by its text.

    Args:
        answer: what the model said; `(B)`, `B.`, `The answer is B` and the option's text count.
        references: the right option, as its text or its letter.
        choices: the options in order; A is the first.

    >>> choice("(B) two", ("two",), ("one", "two"))
    1.0
    >>> choice("a cat", ("a dog",), ("a dog", "a cat"))
    0.0
    """
    right = {_chosen(reference, choices) for reference in references} - {None}
    return float(_chosen(answer, choices) in right)


def _chosen(said: str, choices: Sequence[str]) -> int | None:
    plain = vqa_normalise(said)
    texts = [vqa_normalise(option) for option in choices]
    if plain in texts:
        return texts.index(plain)
    found = _LETTER.search(said)
    if found:
        letter = next(group for group in found.groups() if group)
        index = ord(letter.upper()) - ord("A")
        if index < len(choices):
            return index
    inside = [
        i for i, text in enumerate(texts) if text and re.search(rf"\b{re.escape(text)}\b", plain)
    ]
    return inside[0] if len(inside) == 1 else None
