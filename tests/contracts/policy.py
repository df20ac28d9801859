"""What every policy must keep. A new policy is tested by adding one line to POLICIES."""

import pickle
from typing import Protocol

import pytest

from routing.domain import Feedback, Limits, Offer, Task
from routing.policy import Asked, Policy
from routing.tasks import TaskScores
from tests.builders import CARDS, NEW


class Check(Protocol):
    __name__: str

    def __call__(self, policy: Policy) -> None: ...


def asked(task: Task = Task.CHART, *, quality: float = 0.5, **more: object) -> Asked:
    return Asked(TaskScores({task: 1.0}), Limits(quality=quality), **more)  # type: ignore[arg-type]


def offers(
    old: float = 0.6, new: float = 0.8, *, rate: float = 0.1, evidence: float = 20.0
) -> tuple[Offer, ...]:
    """What both cards would give: the new one is dearer by its price of two to one."""
    return (
        Offer(CARDS[0], old, 1.0, 0.1, old - rate / 2, evidence),
        Offer(CARDS[1], new, 2.0, 0.2, new - rate, evidence),
    )


OFFERS = offers()


def prefers_only_what_it_is_offered(policy: Policy) -> None:
    for task in Task:
        for offered in (OFFERS, OFFERS[:1], OFFERS[1:]):
            odds = policy.odds(asked(task), offered).probability
            assert odds.keys() <= {o.card.id for o in offered}
            assert sum(odds.values()) == pytest.approx(1.0)


def is_a_value(policy: Policy) -> None:
    before = policy.odds(asked(), OFFERS)
    policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    assert policy.odds(asked(), OFFERS) == before


def learns_about_one_task_at_a_time(policy: Policy) -> None:
    taught = policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    assert taught.odds(asked(Task.OCR), OFFERS) == policy.odds(asked(Task.OCR), OFFERS)


def survives_the_trip_to_another_process(policy: Policy) -> None:
    taught = policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    arrived: Policy = pickle.loads(pickle.dumps(taught))  # noqa: S301 - our own bytes
    assert arrived.odds(asked(), OFFERS) == taught.odds(asked(), OFFERS)


CHECKS: tuple[Check, ...] = (
    prefers_only_what_it_is_offered,
    is_a_value,
    learns_about_one_task_at_a_time,
    survives_the_trip_to_another_process,
)
