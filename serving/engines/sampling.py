"""Draw the next token of every row of a batch."""

from collections.abc import Sequence

import torch

from serving.engines.base import Sampling

COLDEST = 1e-4
"""Temperatures below this are zero: dividing by them leaves no numbers to draw from."""


def choose(
    logits: torch.Tensor, rows: Sequence[tuple[Sampling, torch.Generator | None]]
) -> torch.Tensor:
    """Choose one token id per row: the likeliest at temperature 0, else a draw within top-p.

    Args:
        logits: (batch, vocabulary), float32.
        rows: each row's settings, and its generator when it asked for a seed.
    """
    ids = logits.argmax(-1)
    for row, (sampling, generator) in enumerate(rows):
        if sampling.temperature > COLDEST:
            kept = nucleus(logits[row] / sampling.temperature, sampling.top_p)
            ids[row] = torch.multinomial(kept, 1, generator=generator)[0]
    return ids


def nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Probabilities over the smallest set that holds `top_p` of the mass (Holtzman et al. 2020).

    The likeliest token always stays. One row: (vocabulary,).
    """
    probabilities = logits.softmax(-1)
    if top_p >= 1:
        return probabilities
    ordered, order = probabilities.sort(descending=True)
    before = ordered.cumsum(-1) - ordered
    ordered = torch.where(before < top_p, ordered, 0.0)
    ordered[0] = ordered[0].clamp(min=1e-12)
    return torch.zeros_like(probabilities).scatter(0, order, ordered)
