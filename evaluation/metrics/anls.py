"""ANLS, the measure of DocVQA and InfographicVQA."""

from collections.abc import Sequence


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
    longest = max(len(a), len(b))
    if longest == 0:
        return 1.0
    distance = levenshtein(a, b) / longest
    return 1.0 - distance if distance < threshold else 0.0


def levenshtein(a: str, b: str) -> int:
    """Count the insertions, deletions and substitutions that turn `a` into `b`.

    >>> levenshtein("kitten", "sitting")
    3
    """
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, start=1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, start=1):
            cost = min(row[j] + 1, row[j - 1] + 1, before + (left != right))
            before, row[j] = row[j], cost
    return row[-1]
