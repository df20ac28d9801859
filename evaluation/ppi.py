"""A judge model's grades, corrected by those that were also graded by the truth.

Prediction-powered inference (Angelopoulos et al. 2023) with the weight that minimises variance
(PPI++, 2024): the judge's many grades say how the mean moves, the few doubly graded ones say how
wrong the judge is. The interval is right however bad the judge; a useless judge only gains nothing.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from evaluation.tally import FloatArray


@dataclass(frozen=True, slots=True)
class Corrected:
    """Mean of the true grade with its interval; `weight` is how much the judge counts, in [0, 1].

    `judge_bias` is the judge's mean error on the doubly graded answers.
    """

    value: float
    low: float
    high: float
    weight: float
    judge_bias: float
    doubly_graded: int
    judged_only: int


def prediction_powered_mean(
    truth: FloatArray, judge: FloatArray, unlabelled: FloatArray, *, level: float = 0.95
) -> Corrected:
    """Estimate the mean true grade.

    Args:
        truth: grades by the truth, (n,), n ≥ 2.
        judge: the judge's grades of the same answers, (n,).
        unlabelled: the judge's grades of other answers from the same traffic, (N,).
        level: of the normal interval.

    Raises:
        ValueError: fewer than two answers are doubly graded, or the two differ in number.
    """
    n, many = truth.size, unlabelled.size
    if n != judge.size or n < 2:
        raise ValueError(f"{n} true grades and {judge.size} of the judge; at least two of both")
    weight = 0.0
    if many > 1:
        spread = float(np.concatenate([judge, unlabelled]).var(ddof=1))
        covariance = float(np.cov(truth, judge, ddof=1)[0, 1])
        if spread > 0:
            weight = min(1.0, max(0.0, covariance / ((1 + n / many) * spread)))
    value = float(truth.mean())
    variance = float((truth - weight * judge).var(ddof=1)) / n
    if many:
        value += weight * (float(unlabelled.mean()) - float(judge.mean()))
        variance += weight**2 * (float(unlabelled.var(ddof=1)) / many if many > 1 else 0.0)
    half = NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt(variance)
    return Corrected(
        value, max(0.0, value - half), min(1.0, value + half), weight,
        float((judge - truth).mean()), n, many,
    )  # fmt: skip
