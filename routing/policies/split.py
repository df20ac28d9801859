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
        able = {o.card.id: self.weights.get(o.card.id, 0.0) for o in offers}
        if sum(able.values()) <= 0:  # nobody with a weight can take it: share it evenly
            able = dict.fromkeys(able, 1.0)
        return Odds.of(able)

    def learn(self, feedback: Feedback) -> "Split":  # noqa: ARG002
        return self
