"""What is kept of many graded answers: a histogram over confidence that replicas can add up.

Constant in size however many answers it has seen, and addition is exact, so two gateways give the
figures of one. Everything in `calibration` is read off it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BINS = 256


def bin_of(confidence: ArrayLike) -> NDArray[np.int64]:
    """Return the bin of each confidence in [0, 1]; bin k covers [k, k + 1) / BINS.

    >>> bin_of([0.0, 0.5, 1.0]).tolist()
    [0, 128, 255]
    """
    values = np.asarray(confidence, dtype=np.float64)
    return np.clip((values * BINS).astype(np.int64), 0, BINS - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Sums per bin of confidence, each (BINS,): answers, scores, their squares, confidences.

    `squares` is Σ(confidence − score)² over all answers.
    """

    n: FloatArray
    score: FloatArray
    score_squares: FloatArray
    confidence: FloatArray
    squares: float

    @classmethod
    def empty(cls) -> Self:
        """Nothing seen yet."""
        return cls(np.zeros(BINS), np.zeros(BINS), np.zeros(BINS), np.zeros(BINS), 0.0)

    @classmethod
    def of(cls, confidence: ArrayLike, score: ArrayLike) -> Self:
        """Tally paired confidences and scores, both in [0, 1], both (n,).

        Raises:
            ValueError: the two differ in length, or a value is outside [0, 1] or not a number.
        """
        sure, right = np.asarray(confidence, np.float64), np.asarray(score, np.float64)
        if sure.shape != right.shape:
            raise ValueError(f"{sure.shape} confidences for {right.shape} scores")
        if sure.size and not (_inside(sure) and _inside(right)):
            raise ValueError("confidences and scores must lie in [0, 1]")
        at = bin_of(sure)
        return cls(
            np.bincount(at, minlength=BINS).astype(np.float64),
            sums_by(at, right, BINS),
            sums_by(at, right**2, BINS),
            sums_by(at, sure, BINS),
            float(((sure - right) ** 2).sum()),
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.n + other.n,
            self.score + other.score,
            self.score_squares + other.score_squares,
            self.confidence + other.confidence,
            self.squares + other.squares,
        )

    @property
    def count(self) -> int:
        """How many answers were graded."""
        return round(float(self.n.sum()))

    @property
    def accuracy(self) -> float:
        """Mean score; 0 when nothing was seen."""
        return float(self.score.sum() / max(1.0, self.n.sum()))

    @property
    def variance(self) -> float:
        """Variance of one score (population form); p(1 − p) for right-or-wrong scores."""
        total = max(1.0, self.n.sum())
        return max(0.0, float(self.score_squares.sum() / total) - self.accuracy**2)


def sums_by(group: NDArray[np.int64], values: FloatArray, size: int) -> FloatArray:
    """Sum `values` (n,) by group number (n,) in 0..size − 1; (size,)."""
    return np.bincount(group, values, size).astype(np.float64)


def _inside(values: FloatArray) -> bool:
    return bool((values >= 0).all() and (values <= 1).all())
