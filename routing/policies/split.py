"""A weighted split: for A/B tests, canaries and plain load sharing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from routing.domain import Feedback, ModelId, Offer
from routing.odds import Odds
from routing.policy import Asked


@dataclass(frozen=True, slots=True)
class Split:
    """Draws backbones in the ratio of `weights`; those without a weight get nothing.

    While one cannot answer, the others share its draws and keep their own: a sticky user moves
    only when their own backbone is away.
    """

    weights: Mapping[ModelId, float]
    name: str = "split/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:  # noqa: ARG002
        here = {o.card.id for o in offers}
        able = {m: w for m, w in self.weights.items() if m in here}  # in the weights' own order
        if sum(able.values()) <= 0:  # nobody with a weight can take it: share it evenly
            return Odds.of({o.card.id: 1.0 for o in offers})
        odds, total = Odds.of(able), sum(self.weights.values())
        segments: list[tuple[ModelId, float]] = []
        for model, weight in self.weights.items():
            heirs = {model: 1.0} if model in here else odds.probability
            segments += [(heir, share * weight / total) for heir, share in heirs.items()]
        return replace(odds, segments=tuple(segments))

    def learn(self, feedback: Feedback) -> "Split":  # noqa: ARG002
        return self
