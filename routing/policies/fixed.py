"""Always the same backbone: a request that names its model, and every other policy's baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.domain import Feedback, ModelId, Offer
from routing.odds import Odds
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Fixed:
    """Sends everything to `model`, or to the first offer when `model` cannot take it."""

    model: ModelId
    name: str = "fixed"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:  # noqa: ARG002
        able = [o.card.id for o in offers]
        return Odds.of({self.model if self.model in able else able[0]: 1.0})

    def learn(self, feedback: Feedback) -> "Fixed":  # noqa: ARG002
        return self
