"""What a policy would have earned is found in the traffic of another: a simulation with truth."""

from typing import Any

import numpy as np
import pytest

from evaluation.events import Feedback, Served
from evaluation.grading import grade_pending
from evaluation.logged import earned, logged
from evaluation.records import Answer, Interaction
from evaluation.stores.sql import Store
from routing.domain import Decision, Limits, ModelCard, ModelId, Query, RequestId, Task
from routing.policies.family import ByFamily
from routing.policies.fixed import Fixed
from routing.policies.split import Split
from routing.policy import Policy
from routing.quality import QualityTable
from routing.tasks import shipped

CARDS = tuple(
    ModelCard(ModelId(name), generation, 1 << 20, 1, price, price)
    for name, generation, price in (("old", "llama-1", 1.0), ("new", "llama-3", 4.0))
)
ASKED = {"what color is the ball?": (0.9, 0.9), "what is 17 + 25?": (0.3, 0.8)}
"""Questions, and how often old and new are right about them."""


def event(rng: Any, number: int, propensity: float) -> list[Any]:
    question = list(ASKED)[int(rng.integers(0, 2))]
    new = rng.random() < propensity
    backbone, chance = ("new", propensity) if new else ("old", 1 - propensity)
    right = rng.random() < ASKED[question][int(new)]
    decision = Decision(ModelId(backbone), Task.ATTRIBUTE, chance, "split/1", "drawn")
    told = Answer("a" if right else "b", 20, 2, 0.9, "stop", 0.01, 0.02, cost=0.001)
    seen = Interaction(
        RequestId(f"r{number}"), 1.0, Query(question), decision, told, streamed=False,
        detail={"cost": {"old": 1.0, "new": 4.0}},
    )  # fmt: skip
    word = Feedback(
        feedback_id=f"f{number}", request_id=f"r{number}", at_s=2.0, truth=("a",), metric="exact"
    )
    return [Served.of(seen), word]


def fill(store: Store, *, propensity: float, n: int) -> None:
    rng = np.random.default_rng(7)  # noqa: TID251 - a test draws its own data
    store.append([e for k in range(n) for e in event(rng, k, propensity)])
    grade_pending(store, 3.0)


def test_every_policy_is_judged_from_the_log_of_a_split(store: Store) -> None:
    fill(store, propensity=0.3, n=1_500)
    found = logged(store, shipped(), since_s=0.0, quality=0.5)
    policies: dict[str, Policy] = {
        "old": Fixed(ModelId("old")), "new": Fixed(ModelId("new")), "family": ByFamily(),
        "half": Split({ModelId("old"): 1.0, ModelId("new"): 1.0}),
    }  # fmt: skip
    truth = {"old": 0.6, "new": 0.85, "family": 0.85, "half": 0.725}

    told = {e.policy: e for e in earned(found, CARDS, QualityTable(), policies)}

    for name, expected in truth.items():
        one = told[name]
        assert one.doubly_robust.low < expected < one.doubly_robust.high
        assert one.snips.low < expected < one.snips.high
        assert one.unseen < 0.1
    assert told["family"].doubly_robust.low > 0.75


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ({"geometry": 0.7, "ocr": 0.3}, Task.GEOMETRY),  # what the turns before the last had told
        ({"of-old": 1.0}, Task.ATTRIBUTE),
        ({}, Task.ATTRIBUTE),
    ],
)
def test_a_request_is_judged_as_it_was_understood(
    store: Store, tasks: dict[str, float], expected: Task
) -> None:
    served, word = event(np.random.default_rng(7), 1, 0.5)  # noqa: TID251 - a test's own draw
    detail = served.detail | {"tasks": tasks}
    question = "what color is the ball?"
    store.append([served.model_copy(update={"detail": detail, "question": question}), word])
    grade_pending(store, 3.0)

    (one,) = logged(store, shipped(), since_s=0.0)

    assert one.asked.scores.task is expected


def test_a_backbone_that_was_never_drawn_is_said_to_be_unseen(store: Store) -> None:
    fill(store, propensity=0.5, n=200)
    found = logged(store, shipped(), since_s=0.0, quality=0.5)
    third = ModelCard(ModelId("third"), "llama-2", 1 << 20, 1, 2.0, 2.0)

    (one,) = earned(found, (*CARDS, third), QualityTable(), {"third": Fixed(ModelId("third"))})

    assert one.unseen == 1.0


def test_every_request_keeps_its_own_limits_and_who_could_answer_it(store: Store) -> None:
    for number, (quality, able) in enumerate([(0.1, ("old", "new")), (0.9, ("old",))]):
        limits = Limits(quality, max_cost=0.5)
        detail = {
            "cost": {"old": 1.0, "new": 4.0}, "limits": limits.told(),
            "able": dict.fromkeys(able, 1.0),
        }  # fmt: skip
        decision = Decision(ModelId("old"), Task.ATTRIBUTE, 0.5, "split/1", "drawn")
        told = Answer("a", 20, 2, 0.9, "stop", 0.01, 0.02, cost=0.001)
        seen = Interaction(
            RequestId(f"r{number}"), float(number), Query("q"), decision, told, streamed=False,
            detail=detail,
        )  # fmt: skip
        key = f"r{number}"
        word = Feedback(feedback_id=f"f{number}", request_id=key, at_s=2.0, correct=True)
        store.append([Served.of(seen), word])
    grade_pending(store, 3.0)

    first, second = logged(store, shipped(), since_s=0.0)
    asked_anew = logged(store, shipped(), since_s=0.0, quality=0.4)

    assert (first.asked.limits, second.asked.limits) == (Limits(0.1, 0.5), Limits(0.9, 0.5))
    assert [one.asked.limits for one in asked_anew] == [Limits(0.4, 0.5)] * 2
    newest: dict[str, Policy] = {"new": Fixed(ModelId("new"))}
    (both,) = earned([first] * 4, CARDS, QualityTable(), newest)
    (only_old,) = earned([second] * 4, CARDS, QualityTable(), newest)
    assert both.unseen == 1.0
    assert only_old.unseen == 0.0  # whoever is preferred: the old one was the only one there


def test_where_nothing_was_drawn_nothing_is_claimed(store: Store) -> None:
    fill(store, propensity=0.0, n=50)
    found = logged(store, shipped(), since_s=0.0, quality=0.5)

    (one,) = earned(found, CARDS, QualityTable(), {"new": Fixed(ModelId("new"))})

    assert one.unseen == 1.0
    with pytest.raises(ValueError, match="no graded request"):
        earned([], CARDS, QualityTable(), {})


def test_what_one_draw_has_decided_counts_once(store: Store) -> None:
    one_user, other = {"u": 0.25}, {"u": 0.75}
    draws = [(one_user, 0.5), (one_user, 0.5), (other, 0.5), ({}, 0.5), ({}, 0.5)]
    draws += [(one_user, 1.0)] * 2  # of a policy that had nothing to draw
    for number, (draw, propensity) in enumerate(draws):
        served, word = event(np.random.default_rng(7), number, 0.5)  # noqa: TID251 - a test's own
        changed = {"detail": served.detail | {"draw": draw}, "propensity": propensity}
        store.append([served.model_copy(update=changed), word])
    grade_pending(store, 3.0)

    assert len(logged(store, shipped(), since_s=0.0)) == 6
