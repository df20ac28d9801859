"""What every policy must keep. A new policy is tested by adding one line to POLICIES."""

import pickle
from typing import Protocol

import pytest

from routing.domain import Feedback, Task
from routing.policy import Policy
from tests.builders import CARDS, NEW


class Check(Protocol):
    __name__: str

    def __call__(self, policy: Policy) -> None: ...


def prefers_only_what_it_is_offered(policy: Policy) -> None:
    for task in Task:
        for offered in (CARDS, CARDS[:1], CARDS[1:]):
            odds = policy.odds(task, offered).probability
            assert odds.keys() <= {c.id for c in offered}
            assert sum(odds.values()) == pytest.approx(1.0)


def is_a_value(policy: Policy) -> None:
    before = policy.odds(Task.CHART, CARDS)
    policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    assert policy.odds(Task.CHART, CARDS) == before


def learns_about_one_task_at_a_time(policy: Policy) -> None:
    taught = policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    assert taught.odds(Task.OCR, CARDS) == policy.odds(Task.OCR, CARDS)


def survives_the_trip_to_another_process(policy: Policy) -> None:
    taught = policy.learn(Feedback(NEW, Task.CHART, reward=1.0))
    arrived: Policy = pickle.loads(pickle.dumps(taught))  # noqa: S301 - our own bytes
    assert arrived.odds(Task.CHART, CARDS) == taught.odds(Task.CHART, CARDS)


CHECKS: tuple[Check, ...] = (
    prefers_only_what_it_is_offered,
    is_a_value,
    learns_about_one_task_at_a_time,
    survives_the_trip_to_another_process,
)
