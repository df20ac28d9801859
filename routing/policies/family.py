"""Reasoning-heavy tasks go to the newest backbone, vision-heavy ones to the cheapest."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.domain import Family, Feedback, ModelCard, Offer
from routing.odds import Odds
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class ByFamily:
    """The study's finding as a rule; it needs no data and learns nothing."""

    name: str = "by-family/2"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        cards = [o.card for o in offers]
        if asked.scores.family is Family.REASONING:
            best = max(cards, key=lambda card: (card.generation, -_price(card)))
        else:
            best = min(cards, key=lambda card: (_price(card), card.generation))
        return Odds.of({best.id: 1.0})

    def learn(self, feedback: Feedback) -> "ByFamily":  # noqa: ARG002
        return self


def _price(card: ModelCard) -> float:
    return card.price_in + card.price_out
