"""Replay labelled traffic through routing policies, and measure what routing is worth.

Every backbone's answer to every item was recorded once; a policy is judged on which of them it
would have given and paid for. Measures: RouteLLM's APGR and CPT (Ong et al. 2024) and
VL-RouterBench's rank score, beside accuracy and cost.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.offline import Answered
from evaluation.tally import FloatArray
from routing.domain import Limits, ModelCard, ModelId, Query, Task
from routing.features import Features, images_from, text_slots
from routing.policies.cascade import Cascade
from routing.policy import Asked, Policy, State, decide
from routing.quality import QualityTable
from routing.tasks import TaskModel, TaskScores, scored

_EVENLY = (5**0.5 - 1) / 2
"""The golden ratio's fraction: its multiples spread evenly over [0, 1)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One item: every backbone's answer, and what routing may know of it."""

    query: Query
    scores: TaskScores
    features: Features
    answers: dict[str, Answered]


@dataclass(frozen=True, slots=True)
class Point:
    """Mean accuracy and mean cost of one way to route; `share` is calls to the dearest backbone."""

    name: str
    quality: float
    accuracy: float
    cost: float
    share: float


def cases(
    items: Sequence[dict[str, Answered]],
    model: TaskModel,
    image: Callable[[Answered], tuple[float, ...]],
) -> list[Case]:
    """Prepare recorded answers for replay; `image` gives an item's image facts."""
    made = []
    for answers in items:
        one = next(iter(answers.values()))
        sizes = {ModelId(m): a.prompt_tokens for m, a in answers.items()}
        facts = image(one)
        query = Query(one.question, images_from(facts), prompt_tokens=sizes, max_new_tokens=64)
        slots = text_slots(one.question)
        scores = scored(query, slots, model)
        made.append(Case(query, scores, Features(tuple(slots), facts), answers))
    return made


def replay(
    found: Sequence[Case],
    cards: Sequence[ModelCard],
    table: QualityTable,
    policy: Policy,
    quality: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores, costs and calls to the dearest backbone of every case, (n,) each."""
    dearest = max(cards, key=lambda c: c.price_in + c.price_out).id
    by_id = {c.id: c for c in cards}
    scores, costs, calls = (np.zeros(len(found)) for _ in range(3))
    for i, case in enumerate(found):
        asked = Asked(case.scores, Limits(quality=quality))
        u = i * _EVENLY % 1.0  # policies that draw do so as often as they say
        decision = decide(case.query, asked, case.features, cards, State(table), policy, u=u)
        told = case.answers[decision.model]
        scores[i], calls[i] = told.score, decision.model == dearest
        costs[i] = price(told, by_id[decision.model])
        if isinstance(policy, Cascade):
            first = next(o for o in decision.offers if o.card.id == decision.model)
            sure = table.worth(decision.model).calibrated(decision.task, told.confidence)
            able = [o for o in decision.offers if o.card.id in decision.able]
            after = policy.escalation(asked, able, first, sure)
            if after is not None:
                second = case.answers[after.card.id]
                other = table.worth(after.card.id).calibrated(decision.task, second.confidence)
                scores[i] = told.score if sure > other else second.score  # whole answers: the surer
                costs[i] += price(second, after.card)
                calls[i] = dearest in {decision.model, after.card.id}
    return scores, costs, calls


def price(told: Answered, card: ModelCard) -> float:
    """Dollars of one recorded answer at a card's prices."""
    return (told.prompt_tokens * card.price_in + told.completion_tokens * card.price_out) / 1000


def point(name: str, quality: float, seen: tuple[FloatArray, FloatArray, FloatArray]) -> Point:
    """Average one replay."""
    scores, costs, calls = seen
    return Point(name, quality, float(scores.mean()), float(costs.mean()), float(calls.mean()))


def oracle(
    found: Sequence[Case], cards: Sequence[ModelCard]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The cheapest backbone that is right, or the cheapest of all when none is."""
    scores, costs = np.zeros(len(found)), np.zeros(len(found))
    for i, case in enumerate(found):
        told = [(-case.answers[c.id].score, price(case.answers[c.id], c)) for c in cards]
        worst, costs[i] = min(told)
        scores[i] = -worst
    return scores, costs, np.zeros(len(found))


def apgr(frontier: Sequence[Point], weak: Point, strong: Point) -> float:
    """Average performance gap recovered (RouteLLM), over the share of the extra cost that is spent.

    RouteLLM has two models and counts calls to the strong one; with three backbones the cost says
    what calls said. PGR is (accuracy − weak) / (strong − weak); the curve runs through both ends. A
    random mix of the two ends has 0.5. NaN when there is no gap to recover.
    """
    gap = strong.accuracy - weak.accuracy
    if gap <= 0:
        return math.nan
    shares, recovered = _curve(frontier, weak, strong)
    return float(np.trapezoid(recovered, shares))


def _curve(frontier: Sequence[Point], weak: Point, strong: Point) -> tuple[FloatArray, FloatArray]:
    """Cost as a share of the way from weak to strong, and the gap recovered there, rising."""
    width, gap = strong.cost - weak.cost, strong.accuracy - weak.accuracy
    points = {(0.0, 0.0), (1.0, 1.0)}
    for p in frontier:
        x = (p.cost - weak.cost) / width if width > 0 else 1.0
        if 0 <= x <= 1:
            points.add((x, (p.accuracy - weak.accuracy) / gap))
    ordered = sorted(points)
    xs = np.array([x for x, _ in ordered])
    ys = np.maximum.accumulate(
        np.array([y for _, y in ordered])
    )  # a router may choose to spend less
    return xs, ys


def cpt(frontier: Sequence[Point], weak: Point, strong: Point, recovered: float) -> float:
    """The least cost share at which the gap is recovered that far (CPT, over cost, not calls).

    Zero when there is no gap to recover.
    """
    if strong.accuracy <= weak.accuracy:
        return 0.0
    xs, ys = _curve(frontier, weak, strong)
    reached = np.flatnonzero(ys >= recovered)
    if reached.size == 0:
        return 1.0
    k = int(reached[0])
    if k == 0 or ys[k] == ys[k - 1]:
        return float(xs[k])
    part = (recovered - ys[k - 1]) / (ys[k] - ys[k - 1])
    return float(xs[k - 1] + part * (xs[k] - xs[k - 1]))


def rank_score(p: Point, cheapest: float, dearest: float, *, beta: float = 0.1) -> float:
    """VL-RouterBench's rank score: harmonic mean of accuracy and normalised cost saving.

    The saving is logarithmic between the cheapest and the dearest single backbone; β below one
    weighs accuracy more: (1 + β) A C / (β A + C), with A and C in [0, 1].
    """
    width = np.log2(dearest) - np.log2(cheapest) if dearest > cheapest > 0 else 1.0
    saving = float(np.clip((np.log2(dearest) - np.log2(max(p.cost, 1e-12))) / width, 0.0, 1.0))
    below = beta * p.accuracy + saving
    return (1 + beta) * p.accuracy * saving / below if below > 0 else 0.0


def intervals(
    measured: Callable[[np.ndarray], tuple[float, ...]],
    n: int,
    rng: np.random.Generator,  # noqa: TID251 - the type
    *,
    rounds: int = 300,
) -> list[tuple[float, float]]:
    """95 % percentile bootstraps over items (Efron 1979), one for each measure.

    Args:
        measured: the measures of the items with these numbers, (n,).
        n: items.
        rng: where the samples come from.
        rounds: samples.
    """
    drawn = np.array([measured(rng.integers(0, n, n)) for _ in range(rounds)])
    told = []
    for column in drawn.T:
        if np.isnan(column).all():  # no gap in any of them
            told.append((math.nan, math.nan))
            continue
        low, high = np.nanpercentile(column, [2.5, 97.5])
        told.append((float(low), float(high)))
    return told


def balanced(items: Sequence[dict[str, Answered]]) -> list[dict[str, Answered]]:
    """As many vision-heavy as reasoning-heavy items: the longer side is cut, in order."""

    def family(answers: dict[str, Answered]) -> str:
        return Task(next(iter(answers.values())).task).family.value

    vision = [i for i in items if family(i) == "vision"]
    reasoning = [i for i in items if family(i) == "reasoning"]
    n = min(len(vision), len(reasoning))
    return [*vision[:n], *reasoning[:n]]
