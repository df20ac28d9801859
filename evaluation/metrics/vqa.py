"""VQA's soft accuracy over several annotators: VQAv2, TextVQA, VizWiz."""

from collections.abc import Sequence

from evaluation.metrics.normalise import vqa_normalise

_ENOUGH = 3


def vqa_accuracy(answer: str, references: Sequence[str]) -> float:
    """Mean over every leave-one-out set of annotators of min(1, agreeing / 3).

    This is the official form (Antol et al. 2015, section "Accuracy"), in [0, 1]. One reference
    alone counts as unanimous.

    >>> vqa_accuracy("red", ["red", "red", "dark red"] + ["maroon"] * 7)
    0.6
    """
    said = vqa_normalise(answer)
    agrees = [said == vqa_normalise(reference) for reference in references]
    if len(agrees) < _ENOUGH:
        return float(any(agrees))
    total = sum(agrees)
    return round(sum(min(1.0, (total - own) / _ENOUGH) for own in agrees) / len(agrees), 10)
