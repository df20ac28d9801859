"""What changes when a cascade asks a second backbone: the limits that are left, and who won."""

from dataclasses import replace

from evaluation.records import Answer
from routing.domain import Decision, ModelId
from routing.policy import Asked


def left_of(asked: Asked, told: Answer) -> Asked:
    """The same wishes, less the money and the time that a first answer has taken."""
    limits = asked.limits
    money, seconds = limits.max_cost - told.cost, limits.deadline_s - told.total_s
    return replace(asked, limits=replace(limits, max_cost=money, deadline_s=seconds))


def escalated(first: Decision, following: ModelId, sure: float) -> Decision:
    """The decision for the second backbone; `sure` is how far the first answer could be trusted."""
    why = f"was only {sure:.0%} sure"
    return replace(
        first,
        model=following,
        reason=f"{first.reason}; {first.model} {why}",
        losers=((first.model, f"it {why}"), *_others(first, following)),
    )


def kept(first: Decision, following: ModelId, sure: float) -> Decision:
    """The first decision, where the second backbone was asked in vain; `sure` is of its answer."""
    why = f"it was asked as well, and was {sure:.0%} sure"
    return replace(first, losers=(*_others(first, following), (following, why)))


def _others(first: Decision, following: ModelId) -> tuple[tuple[ModelId, str], ...]:
    return tuple(loser for loser in first.losers if loser[0] != following)
