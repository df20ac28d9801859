"""What a quality table promises at every setting of the dial: the cost–quality frontier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.domain import Limits, ModelCard, Offer, Query, Task
from routing.features import Features
from routing.offers import offers
from routing.policies.utility import Utility
from routing.policy import Asked, Policy
from routing.quality import QualityTable
from routing.tasks import TaskScores

DIALS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Settings of the dial at which frontiers are drawn."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Expected accuracy and dollars of one request; `quality` is None for one backbone alone."""

    name: str
    quality: float | None
    accuracy: float
    cost: float


def frontier(
    cards: Sequence[ModelCard],
    table: QualityTable,
    mix: Mapping[Task, float],
    *,
    prompt_tokens: int,
    policy: Policy | None = None,
) -> tuple[Promise, ...]:
    """Every backbone alone, and a policy at every dial, over a mix of tasks.

    Args:
        cards: the backbones; at least one.
        table: its posteriors count, its success predictors do not: no question is at hand.
        mix: how much of the traffic each task is; any positive scale.
        prompt_tokens: of a usual request, the image's included; whether a context has room for them
            is not asked here.
        policy: whose choices; the utility policy unless given.

    Raises:
        ValueError: the mix is empty.
    """
    total = sum(mix.values())
    if total <= 0:
        raise ValueError("a mix of tasks needs some traffic")
    table, policy = table.by_task_alone(), policy or Utility()
    query = Query("", prompt_tokens={c.id: prompt_tokens for c in cards})
    alone = {c.id: [0.0, 0.0] for c in cards}
    dialled = {q: [0.0, 0.0] for q in DIALS}
    for task, weight in mix.items():
        scores = TaskScores({task: 1.0})
        found: tuple[Offer, ...] = ()
        for q in DIALS:
            limits = Limits(quality=q)
            found = offers(query, scores, Features((), ()), cards, table, limits)
            for model, share in policy.odds(Asked(scores, limits), found).probability.items():
                offer = next(o for o in found if o.card.id == model)
                _add(dialled[q], offer, share * weight / total)
        for offer in found:
            _add(alone[offer.card.id], offer, weight / total)
    return (
        *(Promise(model, None, *sums) for model, sums in alone.items()),
        *(Promise(policy.name, q, *sums) for q, sums in dialled.items()),
    )


def _add(sums: list[float], offer: Offer, weight: float) -> None:
    sums[0] += weight * offer.accuracy
    sums[1] += weight * offer.cost
