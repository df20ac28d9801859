"""A weighted split: for A/B tests, canaries and plain load sharing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.domain import Feedback, ModelId, Offer
from routing.odds import Odds
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Split:
    """Draws backbones in the ratio of `weights`; those without a weight get nothing."""

    weights: Mapping[ModelId, float]
    name: str = "split/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:  # noqa: ARG002
        here = {o.card.id for o in offers}
        able = {m: w for m, w in self.weights.items() if m in here}  # in the weights' own order
        if sum(able.values()) <= 0:  # nobody with a weight can take it: share it evenly
            able = {o.card.id: 1.0 for o in offers}
        return Odds.of(able)

    def learn(self, feedback: Feedback) -> "Split":  # noqa: ARG002
        return self
