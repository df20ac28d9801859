"""How sure a model was of its answer, from the log-probabilities of its tokens."""

import math
from collections.abc import Iterable


def sequence_probability(logprobs: Iterable[float]) -> float:
    """Probability of exactly this token sequence, in [0, 1]: exp(Σ log p(tokenᵢ | tokens before)).

    The log-probabilities are natural and taken at temperature 1 over the whole vocabulary, before
    top-p or temperature; the end-of-sequence token counts when the model produced it. It is not
    normalised by length (Malinin & Gales 2021 discuss both): a short answer is an event.

    >>> round(sequence_probability([math.log(0.5), math.log(0.8)]), 3)
    0.4
    """
    return min(1.0, math.exp(math.fsum(logprobs)))
