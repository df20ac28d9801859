"""Multiple choice, by letter or by text: MMMU, SEED, MMBench, ScienceQA, AI2D, BLINK."""

import re
from collections.abc import Sequence

from evaluation.metrics.normalise import vqa_normalise

_ALONE = re.compile(r"^\s*[(\[]?([A-Za-z])[)\].:,]*\s*$")
_NAMED = re.compile(
    r"\b(?:[Aa]nswer|[Oo]ption|[Cc]hoice|ANSWER)\b(?: is| would be)?:?\s*"
    r"(?:(?:[Oo]ption|[Cc]hoice)\s*)?[(\[]?(?:([A-Z])\b|([a-z])(?=[)\].:,]|\s*$))"
)
_IN_BRACKETS = re.compile(r"[(\[]([A-Za-z])[)\]]")
_IN_FRONT = re.compile(r"^\s*([A-Za-z])[).:,]")
_CAPITAL = re.compile(r"(?<![\w'])(?:([B-HJ-Z])\b(?!['\w])|([AI])(?=[).:,]|\s*$))")
"""A capital on its own; `A` and `I` are words as well, unless something ends behind them."""


def choice(answer: str, references: Sequence[str], choices: Sequence[str]) -> float:
    """Return 1.0 when the answer names the right option by letter or by its text.

    The letter is looked for as MMMU's script does (Yue et al. 2024): in brackets, in front, alone;
    where several are named, the last one counts, unless one is named as the answer.

    Args:
        answer: what the model said; `(B)`, `B.`, `I think it is B` and the option's text count.
        references: the right option, as its text or its letter.
        choices: the options in order; A is the first.

    >>> choice("(B) two", ("two",), ("one", "two"))
    1.0
    >>> choice("a cat", ("a dog",), ("a dog", "a cat"))
    0.0
    >>> choice("(A) is wrong, so (B)", ("B",), ("one", "two"))
    1.0
    """
    right = {_chosen(reference, choices) for reference in references} - {None}
    return float(_chosen(answer, choices) in right)


def _chosen(said: str, choices: Sequence[str]) -> int | None:
    plain = vqa_normalise(said)
    texts = [vqa_normalise(option) for option in choices]
    if plain and plain in texts:
        return texts.index(plain)
    for pattern in (_ALONE, _NAMED, _IN_BRACKETS, _IN_FRONT, _CAPITAL):
        letters = [next(filter(None, found.groups())) for found in pattern.finditer(said)]
        indices = [ord(letter.upper()) - ord("A") for letter in letters]
        known = [index for index in indices if index < len(choices)]
        if known:
            return known[-1]
    inside = [
        i for i, text in enumerate(texts) if text and re.search(rf"\b{re.escape(text)}\b", plain)
    ]
    return inside[0] if len(inside) == 1 else None
