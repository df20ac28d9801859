"""Exact match after VQA normalisation: GQA, OK-VQA, easy-VQA and other short answers."""

from collections.abc import Sequence

from evaluation.metrics.normalise import vqa_normalise


def exact(answer: str, references: Sequence[str]) -> float:
    """Return 1.0 when the normalised answer is one of the references, else 0.0.

    >>> exact("Teal.", ("teal",))
    1.0
    """
    said = vqa_normalise(answer)
    if not said:  # an article alone is normalised to nothing: as `A` it may still be the answer
        return float(any(answer.strip() == reference.strip() for reference in references))
    return float(any(said == vqa_normalise(reference) for reference in references))


def contains(answer: str, references: Sequence[str]) -> float:
    """OCRBench's containment (Liu et al. 2023): a reference stands somewhere in the answer.

    >>> contains("it says BARN today", ("barn",))
    1.0
    """
    said = " ".join(answer.lower().split())
    return float(any(" ".join(r.lower().split()) in said for r in references if r.strip()))
