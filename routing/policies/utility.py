"""The best value for money: expected accuracy less what the dial says its price is worth."""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.domain import Feedback, Offer
from routing.odds import Odds
from routing.offers import tie
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Utility:
    """The highest utility; of those within ε of it, the cheapest.

    `explore` of the traffic is spread evenly over all able backbones (ε-greedy), so that every
    backbone keeps being measured on every task; the propensity says so on each event.
    """

    explore: float = 0.0
    name: str = "utility/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        best = max(o.utility for o in offers)
        near = [o for o in offers if o.utility >= best - tie(asked.limits.quality)]
        chosen = min(near, key=lambda o: (o.cost, -o.accuracy))
        greedy = Odds.of({chosen.card.id: 1.0})
        if self.explore <= 0:
            return greedy
        return greedy.mixed(Odds.of({o.card.id: 1.0 for o in offers}), share=self.explore)

    def learn(self, feedback: Feedback) -> "Utility":  # noqa: ARG002
        return self
