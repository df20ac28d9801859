"""The shape of a routing policy, and the pure function that applies one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from routing.domain import (
    DRAWN,
    Decision,
    Feedback,
    Limits,
    Load,
    ModelCard,
    ModelId,
    Offer,
    Query,
    Task,
)
from routing.eligible import eligible, objections
from routing.features import Features
from routing.odds import Odds
from routing.offers import offers, tie, within
from routing.quality import QualityTable
from routing.tasks import TaskScores


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as policies see it: what it is, who asks, and how it was asked."""

    scores: TaskScores
    limits: Limits = field(default_factory=Limits)
    user: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """The likeliest task."""
        return self.scores.task


class Policy(Protocol):
    """Prefers some backbones for some tasks. A policy is a value: `learn` returns a new one."""

    @property
    def name(self) -> str:
        """Name and version, as recorded with every decision."""
        ...

    def odds(self, asked: Asked, offers: Sequence[Offer]) -> Odds:
        """Return probabilities over the offers' backbones; `offers` is never empty."""
        ...

    def learn(self, feedback: Feedback) -> "Policy": ...


@dataclass(frozen=True, slots=True)
class State:
    """What a decision depends on besides the query: the table, and how busy everybody is."""

    table: QualityTable = field(default_factory=QualityTable)
    load: Mapping[ModelId, Load] = field(default_factory=dict)


def decide(  # noqa: PLR0913 - everything a decision depends on, and nothing else
    query: Query,
    asked: Asked,
    features: Features,
    cards: Sequence[ModelCard],
    state: State,
    policy: Policy,
    *,
    u: float,
) -> Decision:
    """Choose the backbone that answers `query`; deterministic given its arguments.

    Args:
        query: what was asked.
        asked: its task probabilities, limits and asker.
        features: its features, for the success predictors.
        cards: the backbones that may answer.
        state: quality table and load.
        policy: whose preference to follow.
        u: a uniform draw from [0, 1); the only randomness in routing.

    Raises:
        NoEligibleModelError: no card can take the query, or for its price; it lists why.
    """
    fit = eligible(query, cards)
    out = tuple((card.id, ", ".join(objections(query, card))) for card in cards if card not in fit)
    every = offers(query, asked.scores, features, fit, state.table, asked.limits)
    kept, over = within(every, state.load, asked.limits)
    odds = policy.odds(asked, kept)
    model, propensity = odds.draw(u=u)
    near = tie(asked.limits.quality)
    won = _of(kept, model)
    lost = tuple((o.card.id, _why(o, won, odds, near)) for o in kept if o.card.id != model)
    scores = asked.scores
    return Decision(
        model=model,
        task=scores.task,
        propensity=propensity,
        policy=policy.name,
        reason=f"{scores.task} ({scores.task.family}, {scores.probability[scores.task]:.0%}) "
        f"by {scores.evidence}",
        table_version=state.table.version,
        offers=every,
        losers=(*lost, *over, *out),
        able=tuple(o.card.id for o in kept),
    )


def _of(kept: Sequence[Offer], model: ModelId) -> Offer:
    return next(o for o in kept if o.card.id == model)


def _why(loser: Offer, winner: Offer, odds: Odds, near: float) -> str:
    if odds.probability.get(loser.card.id, 0.0) >= odds.probability[winner.card.id]:
        return DRAWN
    gain = loser.accuracy - winner.accuracy
    ahead = loser.utility - winner.utility
    if ahead >= 0:
        tied = ahead <= near and loser.cost > winner.cost
        return "about as good, and dearer" if tied else "the policy prefers the other"
    if abs(gain) < 0.0005:
        return "as accurate, and dearer" if loser.cost > winner.cost else "as accurate"
    if gain < 0:
        return f"{-gain:.1%} less accurate"
    extra = loser.cost / winner.cost if winner.cost else float("inf")
    return f"{gain:.1%} more accurate, not worth {extra:.1f}x the price"
