"""What comes late, fails or is corrected takes its turn: no order or gap may feign a difference."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from evaluation.differences import split_differences
from evaluation.evaluator import Evaluator, Schedule
from evaluation.events import Event, Feedback, Shadowed
from evaluation.experiments import Register, Spec
from evaluation.grading import grade_late_shadows, grade_pending
from evaluation.online import Window, tallies
from evaluation.records import Failure, Interaction
from evaluation.shadows import shadow_verdicts
from evaluation.splits import graded_answers, split_calibration, split_verdicts
from evaluation.stores.schema import metadata
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from evaluation.watched import judged
from routing.domain import Query, RequestId, Task
from tests.evaluation.test_store import copy, graded, seen, served, word

SHADOW = Spec(name="e", control="old", candidates=("new",))
SPLIT = Spec(name="s", control="old", candidates=("new",), mode="split", share=0.5)


def failed(primary_id: str) -> Shadowed:
    like = seen(f"{primary_id}-copy", "red", "new", Task.ATTRIBUTE, 0.5, 1_001.0)
    broken = Failure("EngineError", 1.0)
    told = Interaction(like.request_id, 1_001.0, Query("q?"), like.decision, broken, streamed=False)
    return Shadowed.of(told, primary_id=RequestId(primary_id), experiment="e")


def grade_all(store: Store, now_s: float) -> None:
    while grade_pending(store, now_s):
        pass


def test_copies_that_fail_come_in_their_turn_and_do_not_make_a_better_candidate_worse(
    store: Store,
) -> None:
    rng = Random(5)  # noqa: S311 - a simulation
    asked = [served(f"r{i:04d}", "red" if rng.random() < 0.8 else "blue") for i in range(250)]
    store.append([*asked, *(word(one.request_id) for one in asked)])
    grade_all(store, 2_000.0)  # the truth is there before the copies have run
    copies: list[Event] = [
        failed(one.request_id)
        if rng.random() < 0.05
        else copy(one.request_id, "red" if rng.random() < 0.93 else "blue")
        for one in asked
    ]
    store.append(copies)
    early = shadow_verdicts(store, SHADOW, "new")

    grade_late_shadows(store, 0.0, 2_005.0)
    *_, whole = shadow_verdicts(store, SHADOW, "new")

    assert early == ()  # none of the failures is counted before its time
    assert (whole.n, whole.conclusion) == (250, "better")
    assert whole.interval[0] <= whole.difference <= whole.interval[1]


def test_a_copy_that_failed_is_no_answer_in_the_figures(store: Store) -> None:
    store.append([served("a"), served("b"), copy("a", "red"), failed("b"), word("a"), word("b")])
    grade_all(store, 2_000.0)

    assert graded(store) == {"a": 1.0, "b": 1.0, "a-copy": 1.0, "b-copy": 0.0}
    assert tallies(store, Window(kind="shadowed"))["new", "attribute"].count == 1


def test_a_verdict_says_nothing_of_a_copy_that_failed(store: Store) -> None:
    store.append([served("a"), failed("a"), word("a", correct=True)])
    grade_all(store, 2_000.0)

    assert graded(store) == {"a": 1.0}


def test_a_correction_keeps_the_place_and_the_unit_of_what_it_corrects(store: Store) -> None:
    """Of the candidate every wrong answer is first said to be right; both are right at 70 %."""
    rng = Random(6)  # noqa: S311 - a simulation
    told: list[Event] = []
    corrections: list[Feedback] = []
    first: list[bool] = []
    for unit in range(600):
        backbone = "new" if rng.random() < 0.5 else "old"
        for k in range(3):
            name, right = f"r{unit}-{k}", bool(rng.random() < 0.7)
            told.append(
                served(
                    name, "red" if right else "blue", backbone=backbone, experiment="s",
                    propensity=0.5, user=f"u{unit}", at_s=1_000.0 + 3 * unit + k,
                )
            )  # fmt: skip
            if k == 0 and backbone == "new":
                first.append(right)
            told.append(word(name, 5_000.0, correct=right or backbone == "new"))
            if not right and backbone == "new":
                corrections.append(word(name, 9_000.0, correct=False))
    store.append(told)
    grade_all(store, 5_000.0)
    store.append(corrections)
    grade_all(store, 9_000.0)

    verdict = split_verdicts(store, SPLIT)["new"]["all"]

    assert verdict.conclusion == "undecided"
    assert verdict.candidate_accuracy == pytest.approx(sum(first) / len(first))
    assert verdict.interval[0] <= 0.0 <= verdict.interval[1]


def test_nothing_is_said_of_a_canarys_seconds_until_it_has_answered(store: Store) -> None:
    spec = SPLIT.model_copy(update={"share": 0.05})
    store.append([served(f"r{i:03d}", experiment="s", propensity=0.95) for i in range(100)])
    alone = split_differences(store, spec, graded_answers(store, spec))["new"]
    few = [
        served(f"n{i}", backbone="new", experiment="s", propensity=0.05, at_s=1_100.0 + i)
        for i in range(20)
    ]
    store.append(few)
    both = split_differences(store, spec, graded_answers(store, spec))["new"]

    assert (alone["total_s"].n, alone["total_s"].low) == (100, -np.inf)
    assert np.isfinite(both["total_s"].low)


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_a_canarys_brier_score_is_covered_at_every_look(store: Store, share: float) -> None:
    spec = SPLIT.model_copy(update={"share": share})
    missed = 0
    for run in range(10):
        rng = Random(run)  # noqa: S311 - a simulation
        rows = [
            {
                "request_id": f"r{k}", "user": None, "at_s": float(k), "task": "ocr",
                "backbone": "new" if (new := rng.random() < share) else "old",
                "propensity": share if new else 1 - share,
                "brier": 0.8 if rng.random() < 0.03 else 0.01, "score": 1.0, "confidence": 0.9,
            }
            for k in range(400)
        ]  # fmt: skip
        looks = [split_differences(store, spec, rows[:n])["new"]["brier"] for n in (50, 200, 400)]
        missed += any(not one.low <= 0.0 <= one.high for one in looks)

    assert missed <= 1


def test_a_split_tells_how_well_calibrated_both_sides_are() -> None:
    rows = [
        {"backbone": side, "confidence": sure, "score": 1.0}
        for side, sure in (("old", 0.9), ("new", 0.6))
        for _ in range(40)
    ]

    assert split_calibration(SPLIT, "new", rows) == pytest.approx((0.1, 0.4))


def test_a_judges_word_on_users_answers_says_nothing_of_copies_that_it_was_not_shown(
    store: Store,
) -> None:
    for i in range(60):
        said = "red" if i % 2 else "green"
        store.append([served(f"r{i}"), copy(f"r{i}", said), word(f"r{i}")])
        store.append([word(f"r{i}", 3_000.0, correct=True, source="judge")])
    grade_all(store, 3_000.0)

    assert judged(store, Window(kind="shadowed")) == {}
    assert judged(store, Window())["old", "all"].doubly_graded == 60


def test_an_experiment_that_has_spent_its_tokens_stops_and_says_so(
    store: Store, tmp_path: Path
) -> None:
    register = Register(store)
    register.create(SHADOW.model_copy(update={"max_tokens": 150}), 1_000.0)
    store.append([served("a"), copy("a", "red"), served("b"), copy("b", "red")])  # 82 each
    table = tmp_path / "table.json"
    evaluator = Evaluator(store, Tables(store, table), Schedule(least_new=10_000), lambda: 1_010.0)

    evaluator._guard(1_010.0)

    row = register.find("e")
    assert (row["status"], row["note"]) == ("stopped", "its copies have spent 164 tokens")


def test_the_migrations_make_the_tables_that_the_code_expects(url: str) -> None:
    engine = connect(url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []
