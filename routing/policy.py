"""The shape of a routing policy, and the pure function that applies one."""

from collections.abc import Sequence
from typing import Protocol

from routing.domain import Decision, Feedback, ModelCard, Query, Task
from routing.eligible import eligible
from routing.odds import Odds
from routing.tasks import TaskScores


class Policy(Protocol):
    """Prefers some backbones for some tasks. A policy is a value: `learn` returns a new one."""

    @property
    def name(self) -> str:
        """Name and version, as recorded with every decision."""
        ...

    def odds(self, task: Task, cards: Sequence[ModelCard]) -> Odds:
        """Return probabilities over `cards`, which is never empty."""
        ...

    def learn(self, feedback: Feedback) -> "Policy": ...


def decide(
    query: Query, scores: TaskScores, cards: Sequence[ModelCard], policy: Policy, *, u: float
) -> Decision:
    """Choose the backbone that answers `query`.

    Args:
        query: what was asked.
        scores: the task that `classify` found.
        cards: the backbones that are up.
        policy: whose preference to follow.
        u: a uniform draw from [0, 1); the only randomness in routing.

    Raises:
        NoEligibleModelError: no card can take the query; it lists why.
    """
    fit = eligible(query, cards)
    model, propensity = policy.odds(scores.task, fit).draw(u=u)
    reason = f"{scores.task} ({scores.task.family}) by {scores.evidence}"
    if len(fit) < len(cards):
        reason += f"; {len(cards) - len(fit)} backbone(s) too small for it"
    return Decision(model, scores.task, propensity, policy.name, reason)
