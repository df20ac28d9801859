"""ANLS, the measure of DocVQA and InfographicVQA."""

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein


def anls(answer: str, references: Sequence[str], *, threshold: float = 0.5) -> float:
    """Average normalised Levenshtein similarity of one answer (Biten et al. 2019), in [0, 1].

    Args:
        answer: what the model said; case and outer white space do not count.
        references: accepted answers; the closest one counts. Must not be empty.
        threshold: a normalised distance from here on scores zero.

    >>> anls("Hello", ("hello", "hi"))
    1.0
    """
    said = " ".join(answer.lower().split())
    return max(_similarity(said, " ".join(r.lower().split()), threshold) for r in references)


def _similarity(a: str, b: str, threshold: float) -> float:
    alike: float = Levenshtein.normalized_similarity(a, b, score_cutoff=1 - threshold)
    return alike if alike > 1 - threshold else 0.0
