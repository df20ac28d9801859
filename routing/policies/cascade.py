"""Ask the cheap backbone first, and the better one only where its confidence is too low.

Two decisions, each with its own propensity: `odds` chooses whom to ask first, `escalation` whom to
ask next once the first answer's calibrated confidence is known. Of two answers the surer is given
where both can be waited for; with errors that differ that is right more often than either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.domain import Feedback, Offer
from routing.odds import Odds
from routing.offers import exchange_rate
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Cascade:
    """Starts with the cheapest; `threshold` None means the cost–quality optimum."""

    threshold: float | None = None
    name: str = "cascade/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:  # noqa: ARG002
        return Odds.of({min(offers, key=lambda o: (o.cost, -o.accuracy)).card.id: 1.0})

    def escalation(
        self, asked: Asked, offers: Sequence[Offer], first: Offer, confidence: float
    ) -> Offer | None:
        """Return the offer to ask next, or None to keep the first answer.

        Asking `o` as well is worth its price when it is expected to be right more often than the
        first answer is: accuracy(o) − confidence > λ · cost(o) / dearest.

        Args:
            asked: the query, with what the first answer has left of its limits.
            offers: what the others would give.
            first: whose answer there is.
            confidence: the calibrated probability that the answer is right.
        """
        dearest = max(o.cost for o in offers)
        rate = exchange_rate(asked.limits.quality)
        best: tuple[float, Offer] | None = None
        for offer in offers:
            if offer.card.id == first.card.id:
                continue
            limits = asked.limits
            if offer.cost > limits.max_cost or offer.latency_s > limits.deadline_s:
                continue
            price = rate * offer.cost / dearest if dearest > 0 else 0.0
            gain = offer.accuracy - confidence - price
            if self.threshold is not None:
                gain = self.threshold - confidence + offer.accuracy * 1e-6
            if gain > 0 and (best is None or gain > best[0]):
                best = (gain, offer)
        return best[1] if best else None

    def learn(self, feedback: Feedback) -> "Cascade":  # noqa: ARG002
        return self
