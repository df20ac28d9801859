"""What another policy would have earned, from the logs of the one that served.

Every event carries the propensity with which its backbone was drawn; the target policy's
probability for the same backbone over it is the event's weight.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from evaluation.tally import FloatArray

LEAST_EFFECTIVE = 20
"""Effective events below which nothing is said of the value: its interval is [0, 1]."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, in [0, 1], and the effective number of events (Kish 1965)."""

    value: float
    low: float
    high: float
    effective_n: float


def ips(rewards: FloatArray, weights: FloatArray, *, level: float = 0.95) -> Estimate:
    """Inverse propensity score (Horvitz & Thompson 1952): the mean of weight × reward.

    Args:
        rewards: in [0, 1], (n,).
        weights: target probability of the logged action over its propensity, (n,).
        level: of the normal interval.
    """
    terms = weights * rewards
    return _interval(float(terms.mean()), terms - terms.mean(), weights, level)


def snips(rewards: FloatArray, weights: FloatArray, *, level: float = 0.95) -> Estimate:
    """Self-normalised IPS (Swaminathan & Joachims 2015); the interval by the delta method."""
    total = float(weights.mean())
    if total == 0:
        return Estimate(0.0, 0.0, 1.0, 0.0)
    value = float((weights * rewards).mean()) / total
    return _interval(value, weights * (rewards - value) / total, weights, level)


def doubly_robust(
    rewards: FloatArray,
    weights: FloatArray,
    logged: FloatArray,
    target: FloatArray,
    *,
    level: float = 0.95,
) -> Estimate:
    """Doubly robust (Dudík et al. 2011): a model's prediction, corrected where it was observed.

    Args:
        rewards: in [0, 1], (n,).
        weights: as for `ips`.
        logged: the model's reward for the logged action; must not have been fitted on that event.
        target: the model's expected reward under the target policy, (n,).
        level: of the normal interval.
    """
    terms = target + weights * (rewards - logged)
    return _interval(float(terms.mean()), terms - terms.mean(), weights, level)


def _interval(value: float, influence: FloatArray, weights: FloatArray, level: float) -> Estimate:
    n = influence.size
    error = math.sqrt(float((influence**2).sum()) / max(1, n - 1) / n)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    squares = float((weights**2).sum())
    effective = float(weights.sum()) ** 2 / squares if squares else 0.0
    kept = min(1.0, max(0.0, value))  # a mean of rewards; the sums behind it may leave [0, 1]
    if effective < LEAST_EFFECTIVE:  # a normal interval would be a guess
        return Estimate(kept, 0.0, 1.0, effective)
    low, high = min(value, 1.0) - z * error, max(value, 0.0) + z * error
    return Estimate(kept, max(0.0, low), min(1.0, high), effective)


def cross_fitted_means(
    rewards: FloatArray, cells: np.ndarray[tuple[int], np.dtype[np.int64]], folds: int = 5
) -> FloatArray:
    """Mean reward per cell, seen from other folds only; (folds, cells), 1/2 where nothing was.

    A cell is one backbone × task; event i belongs to fold i mod `folds`.
    """
    size = int(cells.max()) + 1 if cells.size else 0
    fold = np.arange(rewards.size) % folds
    means = np.empty((folds, size))
    for k in range(folds):
        others = fold != k
        n = np.bincount(cells[others], minlength=size)
        total = np.bincount(cells[others], rewards[others], size)
        means[k] = (total + 0.5) / (n + 1)
    return means
