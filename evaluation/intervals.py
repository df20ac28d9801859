"""Intervals for display at one fixed moment; decisions that peek use `sequences`."""

import math
from statistics import NormalDist


def wilson(score_sum: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's (1927) interval for a proportion; (0, 1) when nothing was seen.

    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = score_sum / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
