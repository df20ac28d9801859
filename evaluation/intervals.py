"""Intervals for display at one fixed moment; decisions that peek use `sequences`."""

import math
from statistics import NormalDist


def wilson(score_sum: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's (1927) interval for a proportion, with continuity correction; (0, 1) of nothing.

    Method 4 of Newcombe (1998). Without the correction it covers less than it says near 0 and 1
    (at 95 %: 79 % for some accuracy and number of answers); with it never less than 94.5 %.

    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.541, 0.995)
    """
    if n <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = score_sum / n
    return (
        _lower(p, n, z) if score_sum > 0 else 0.0,
        1.0 - _lower(1 - p, n, z) if score_sum < n else 1.0,
    )


def _lower(p: float, n: float, z: float) -> float:
    root = z * z - 2 - 1 / n + 4 * p * (n * (1 - p) + 1)
    low = (2 * n * p + z * z - 1 - z * math.sqrt(max(0.0, root))) / (2 * (n + z * z))
    return max(0.0, low)
