"""Thompson sampling as odds: each backbone with the probability that it has the best utility."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from routing.domain import Feedback, ModelId, Offer, Task
from routing.odds import Odds
from routing.policy import Asked

_GRID = 200


@dataclass(frozen=True, slots=True)
class Thompson:
    """Keeps a Beta posterior per task and backbone and matches probabilities (Thompson 1933).

    An offer's expected accuracy is the prior, worth as many outcomes as the quality table has
    behind it, so exploration dies down as the table learns; `seen` adds (Σ reward, n) which the
    table does not hold. `share` of the traffic is drawn so, the rest goes to the best mean.
    """

    share: float = 1.0
    seen: Mapping[tuple[Task, ModelId], tuple[float, int]] = field(default_factory=dict)
    name: str = "thompson/1"

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        shifts = [o.utility - o.accuracy for o in offers]
        posteriors = [self._posterior(asked.task, o) for o in offers]
        chances = _best_of(posteriors, shifts)
        drawn = Odds.of({o.card.id: c for o, c in zip(offers, chances, strict=True)})
        if self.share >= 1:
            return drawn
        means = [a / (a + b) + s for (a, b), s in zip(posteriors, shifts, strict=True)]
        best = offers[max(range(len(offers)), key=means.__getitem__)].card.id
        return Odds.of({best: 1.0}).mixed(drawn, share=self.share)

    def _posterior(self, task: Task, offer: Offer) -> tuple[float, float]:
        reward, n = self.seen.get((task, offer.card.id), (0.0, 0))
        mean = min(0.99, max(0.01, offer.accuracy))
        prior = max(2.0, offer.evidence)
        return mean * prior + reward, (1 - mean) * prior + n - reward

    def learn(self, feedback: Feedback) -> "Thompson":
        key = (feedback.task, feedback.model)
        reward, n = self.seen.get(key, (0.0, 0))
        return replace(self, seen={**self.seen, key: (reward + feedback.reward, n + 1)})


def _best_of(posteriors: Sequence[tuple[float, float]], shifts: Sequence[float]) -> list[float]:
    """P(backbone k has the largest shifted draw), by integrating over its own density."""
    places = [(i + 0.5) / _GRID for i in range(_GRID)]
    densities, heads = [], []
    for a, b in posteriors:
        logs = [(a - 1) * math.log(x) + (b - 1) * math.log(1 - x) for x in places]
        top = max(logs)
        weights = [math.exp(v - top) for v in logs]
        total = sum(weights)
        density = [w / total for w in weights]
        head, reached = [0.0], 0.0
        for w in density:
            reached += w
            head.append(min(1.0, reached))
        densities.append(density)
        heads.append(head)
    chances = []
    for k, density in enumerate(densities):
        chance = 0.0
        for x, w in zip(places, density, strict=True):
            if w < 1e-9:
                continue
            others = 1.0
            for j, head in enumerate(heads):
                if j != k:
                    others *= _below(head, x + shifts[k] - shifts[j])
            chance += w * others
        chances.append(max(chance, 1e-6))
    return chances


def _below(head: Sequence[float], x: float) -> float:
    """P(draw < x), linear between the grid's cells."""
    place = min(float(_GRID), max(0.0, x * _GRID))
    cell = min(_GRID - 1, int(place))
    low, high = next(pairwise(head[cell : cell + 2]))
    return low + (place - cell) * (high - low)
