"""Pairs of outcomes as the simulations draw them."""

from typing import Any

import numpy as np


def outcomes(rng: np.random.Generator, n: int, old: float, new: float, both: float) -> Any:
    """Paired right-or-wrong outcomes, (n, 2), with correlation through a shared difficulty."""
    shared = rng.random(n) < both
    u, v = rng.random(n), rng.random(n)
    v = np.where(shared, u, v)
    return np.stack([u < old, v < new], axis=1).astype(float)
