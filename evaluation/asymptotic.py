"""Means of values without bounds, as seconds and dollars are, at any time one looks."""

import math
from collections.abc import Sequence

import numpy as np

LEAST, LEAST_ALIKE = 20, 200
"""Values below which nothing is said: of any, and of those that are all the same."""


def asymptotic(
    values: Sequence[float] | np.ndarray, *, alpha: float = 0.05, tightest_at: int = 200
) -> tuple[float, float]:
    """Confidence sequence for the mean of values without bounds, as seconds and dollars are.

    Robbins' normal mixture with estimated variance: an asymptotic confidence sequence
    (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, theorem 2.2). It may be looked at after
    every value; being asymptotic, it says nothing before there are twenty, or two hundred that are
    all the same. Its variance counts four values more, as far off as the farthest: without them
    heavy tails and rare events were missed in up to a third of simulated runs.

    Args:
        values: in the order in which they became known; independent, with finite variance.
        alpha: the probability that it ever misses the mean.
        tightest_at: the number of values at which it is narrowest beside others of its kind.
    """
    n = len(values)
    found = np.asarray(values, np.float64)
    alike = n > 0 and bool((found == found[0]).all())
    if n < (LEAST_ALIKE if alike else LEAST):
        return -math.inf, math.inf
    spread = -2 * math.log(alpha)
    rho = (spread + math.log(spread + 1)) / tightest_at  # the square of the paper's rho
    inside = 2 * (n * rho + 1) / (n * n * rho) * math.log(math.sqrt(n * rho + 1) / alpha)
    mean = float(found.mean())
    off = np.abs(found - mean)
    half = math.sqrt((float((off**2).sum()) + 4 * float(off.max()) ** 2) / n * inside)
    return mean - half, mean + half
