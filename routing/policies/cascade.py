"""Ask a cheap backbone first, and a better one only where the first one's confidence is too low.

Two decisions, each with its own propensity: `odds` chooses whom to ask first, `escalation` whom to
ask next once the first answer's calibrated confidence is known. Of two answers the surer is given
where both can be waited for; with errors that differ that is right more often than either.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from routing.domain import Feedback, Offer
from routing.odds import Odds
from routing.offers import exchange_rate, utility
from routing.policy import Asked

RESCUED = 0.7
"""What a second backbone makes of a first one's wrong answer, as a share of its own accuracy."""


@dataclass(frozen=True, slots=True)
class Cascade:
    """Starts where it is worth most; `threshold` None means the cost–quality optimum.

    With a threshold it starts with the cheapest, always.
    """

    threshold: float | None = None
    name: str = "cascade/2"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        """Choose whom to ask first: the cheapest, unless it is likely to have been asked in vain.

        A start is worth its own answer and, where that is wrong, what the best second one is
        expected to rescue: accuracy(o) − λ cost(o) + (1 − accuracy(o)) max(0, maxₚ RESCUED
        accuracy(p) − λ cost(p)), with costs as shares of the dearest.
        """
        if self.threshold is not None:
            return Odds.of({min(offers, key=lambda o: (o.cost, -o.accuracy)).card.id: 1.0})
        dearest = max(o.cost for o in offers)
        rate = exchange_rate(asked.limits.quality)

        def worth(first: Offer) -> float:
            rest = [o for o in offers if o.card.id != first.card.id]
            second = [utility(RESCUED * o.accuracy, o.cost, dearest, rate) for o in rest]
            own = utility(first.accuracy, first.cost, dearest, rate)
            return own + (1 - first.accuracy) * max([0.0, *second])

        return Odds.of({max(offers, key=lambda o: (worth(o), -o.cost, o.accuracy)).card.id: 1.0})

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
