"""What any policy would have earned on the traffic that another one served, from the store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import select

from evaluation.learning import CASCADE
from evaluation.offpolicy import Estimate, cross_fitted_means, doubly_robust, ips, snips
from evaluation.splits import first_of_each, unit_of
from evaluation.stores.rows import Row
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store
from evaluation.tally import FloatArray
from routing.domain import Limits, ModelCard, ModelId, Query, Task
from routing.eligible import NoEligibleModelError, eligible
from routing.features import Features, images_from, text_slots
from routing.offers import offers
from routing.policy import Asked, Policy
from routing.quality import QualityTable
from routing.tasks import TaskModel, TaskScores, scored

Detail: TypeAlias = dict[str, dict[str, Any]]
_FOLDS = 5
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Logged:
    """One graded request: what routing could know of it, who answered, and how well."""

    query: Query
    asked: Asked
    features: Features
    backbone: str
    propensity: float
    score: float
    able: frozenset[ModelId] = frozenset()  # who could answer at that moment; empty: not recorded

    def was_there(self, card: ModelCard) -> bool:
        """Whether load and limits let a backbone answer at that moment, so far as is known."""
        return not self.able or card.id in self.able


@dataclass(frozen=True, slots=True)
class Earned:
    """Expected accuracy under one policy, by three estimators.

    `unseen` is the share of its choices that the logs can say nothing about, because the policy
    that served never drew there: one minus the mean weight. Where it is not about zero, believe
    none of the three.
    """

    policy: str
    n: int
    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate
    unseen: float


def logged(
    store: Store, model: TaskModel, *, since_s: float, quality: float | None = None
) -> list[Logged]:
    """Read the graded requests since Unix time `since_s` whose backbone a policy has drawn.

    With `quality` all of them are read as if they had asked for that setting of the dial; without
    it each keeps its own.

    A cascade's answers were chosen after a look at them, so they are left out.
    """
    t, g = interactions.c, grades.c
    rows = store.rows(
        select(
            t.request_id, t.backbone, t.question, t.detail, t.user, t.policy, t.propensity,
            t.prompt_tokens, g.score,
        )
        .join(grades, g.request_id == t.request_id)
        .where(
            g.by == "truth", t.kind == "served", t.at_s >= since_s, t.outcome == "answered",
            t.policy.not_like(CASCADE), t.policy != "pinned",
        )
        .order_by(t.at_s.desc(), t.request_id)
        .limit(_MOST)
    )  # fmt: skip
    read = ((row, json.loads(row["detail"])) for row in reversed(rows))
    drawn = first_of_each(read, lambda pair: _draw(*pair))
    return [_logged(row, detail, model, quality) for row, detail in drawn]


def _draw(row: Row, detail: Detail) -> tuple[str, str]:
    """Which draw chose the backbone: a split draws once for a user, others for each request."""
    if row["policy"].startswith("split:"):
        return row["policy"], unit_of(row)
    draw = detail.get("draw", {}).get("u")  # one for all that a sticky user asks
    drawn = draw is not None and row["propensity"] < 1
    return row["policy"], str(draw) if drawn else row["request_id"]


def _logged(row: Row, detail: Detail, model: TaskModel, quality: float | None) -> Logged:
    limits = Limits(**detail.get("limits", {}))
    if quality is not None:
        limits = replace(limits, quality=quality)
    facts = tuple(detail.get("picture", {}).values())
    sizes = {ModelId(m): row["prompt_tokens"] for m in detail.get("cost", {})}
    query = Query(row["question"], images_from(facts), user=row["user"], prompt_tokens=sizes)
    slots = text_slots(row["question"])
    scores = _recorded(detail.get("tasks", {})) or scored(query, slots, model)
    asked = Asked(scores, limits, row["user"])
    return Logged(
        query, asked, Features(tuple(slots), facts), row["backbone"], row["propensity"],
        row["score"], frozenset(map(ModelId, detail.get("able", {}))),
    )  # fmt: skip


def _recorded(tasks: dict[str, float]) -> TaskScores | None:
    """What the classifier said at the time, of turns before the last as well; None if unknown."""
    try:
        return TaskScores({Task(name): share for name, share in tasks.items()}) if tasks else None
    except ValueError:  # of a taxonomy that has changed since
        return None


def earned(
    found: Sequence[Logged],
    cards: Sequence[ModelCard],
    table: QualityTable,
    policies: dict[str, Policy],
) -> list[Earned]:
    """Estimate every policy's accuracy on the same requests, with 95 % intervals.

    Raises:
        ValueError: there is nothing to estimate from.
    """
    columns = {card.id: k for k, card in enumerate(cards)}
    known = [o for o in found if ModelId(o.backbone) in columns and _takers(o, cards)]
    if not known:
        raise ValueError("no graded request whose backbone was drawn by a policy")
    arm = np.array([columns[ModelId(one.backbone)] for one in known])
    tasks = sorted({one.asked.scores.task for one in known})
    task = np.array([tasks.index(one.asked.scores.task) for one in known])
    score = np.array([one.score for one in known])
    means = cross_fitted_means(score, task * len(cards) + arm)
    whole = np.full((_FOLDS, len(tasks) * len(cards)), 0.5)
    whole[:, : means.shape[1]] = means
    predicted = whole.reshape(_FOLDS, len(tasks), len(cards))[np.arange(len(known)) % _FOLDS, task]
    propensity = np.array([one.propensity for one in known])
    return [
        _earned(name, _odds(known, cards, table, policy), arm, propensity, score, predicted)
        for name, policy in policies.items()
    ]


def _earned(  # noqa: PLR0913 - what an estimate rests on
    name: str,
    odds: FloatArray,
    arm: np.ndarray,
    propensity: FloatArray,
    score: FloatArray,
    predicted: FloatArray,
) -> Earned:
    at = np.arange(arm.size)
    target = odds[at, arm]
    weights = target / propensity
    return Earned(
        name, arm.size, ips(score, weights), snips(score, weights),
        doubly_robust(score, weights, predicted[at, arm], (predicted * odds).sum(axis=1)),
        max(0.0, 1 - float(weights.mean())),
    )  # fmt: skip


def _takers(one: Logged, cards: Sequence[ModelCard]) -> list[ModelCard]:
    """Who could have answered: had room for it, and was there."""
    try:
        fit = eligible(one.query, cards)
    except NoEligibleModelError:
        return []
    return [card for card in fit if one.was_there(card)]


def _odds(
    found: Sequence[Logged], cards: Sequence[ModelCard], table: QualityTable, policy: Policy
) -> FloatArray:
    """The policy's probabilities, (requests, cards)."""
    made = np.zeros((len(found), len(cards)))
    for row, one in enumerate(found):
        asked = one.asked
        fit = eligible(one.query, cards)  # also who was away is a part of what prices are held to
        rated = offers(one.query, asked.scores, one.features, fit, table, asked.limits)
        told = policy.odds(asked, [o for o in rated if one.was_there(o.card)]).probability
        made[row] = [told.get(card.id, 0.0) for card in cards]
    return made
