"""A judge model's grades, corrected by those that were also graded by the truth.

Prediction-powered inference (Angelopoulos et al. 2023) with the weight that minimises variance
(PPI++, 2024): the judge's many grades say how the mean moves, the few doubly graded ones say how
wrong the judge is. The interval is right however bad the judge, as long as the doubly graded
answers are a random part of the traffic; a useless judge only gains nothing. It is one of Student's
t, needs `LEAST` doubly graded answers, and counts four more than there were, one of each kind that
there can be: right or wrong, by the truth and by the judge (as Agresti and Coull's counts two right
and two wrong ones): a sample without an error does not prove that there is none.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from evaluation.tally import FloatArray

LEAST = 20
"""Doubly graded answers below which the interval would be a guess."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Mean of the true grade with its interval; `weight` is how much the judge counts, in [0, 1].

    `judge_bias` is the judge's mean error on the doubly graded answers, `judge_error` its mean
    absolute one: of verdicts, how often it is wrong.
    """

    value: float
    low: float
    high: float
    weight: float
    judge_bias: float
    judge_error: float
    doubly_graded: int
    judged_only: int


def prediction_powered_mean(
    truth: FloatArray, judge: FloatArray, unlabelled: FloatArray, *, level: float = 0.95
) -> Corrected:
    """Estimate the mean true grade.

    Args:
        truth: grades by the truth, (n,), n ≥ `LEAST`.
        judge: the judge's grades of the same answers, (n,).
        unlabelled: the judge's grades of other answers from the same traffic, (N,).
        level: of the interval.

    Raises:
        ValueError: fewer than `LEAST` answers are doubly graded, or the two differ in number.
    """
    n, many = truth.size, unlabelled.size
    if n != judge.size or n < LEAST:
        raise ValueError(f"{n} true grades and {judge.size} of the judge; {LEAST} of both needed")
    weight = 0.0
    if many > 1:
        spread = float(np.concatenate([judge, unlabelled]).var(ddof=1))
        covariance = float(np.cov(truth, judge, ddof=1)[0, 1])
        if spread > 0:
            weight = min(1.0, max(0.0, covariance / ((1 + n / many) * spread)))
    kinds = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    rest = np.concatenate([truth, kinds[0]]) - weight * np.concatenate([judge, kinds[1]])
    value, variance = float(rest.mean()), float(rest.var(ddof=1)) / rest.size
    if many:
        value += weight * float(unlabelled.mean())
        variance += weight**2 * (float(unlabelled.var(ddof=1)) / many if many > 1 else 0.0)
    half = float(stdtrit(n - 1, 0.5 + level / 2)) * math.sqrt(variance)
    return Corrected(
        min(1.0, max(0.0, value)), max(0.0, value - half), min(1.0, value + half), weight,
        float((judge - truth).mean()), float(np.abs(judge - truth).mean()), n, many,
    )  # fmt: skip
