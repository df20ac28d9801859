"""The store, feedback and figures, on SQLite and on PostgreSQL."""

import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import inspect, select

from evaluation.differences import shadow_differences, split_differences
from evaluation.events import Feedback, Served, Shadowed
from evaluation.experiments import ExperimentError, Register, Spec
from evaluation.grading import grade_late_shadows, grade_pending, orphans
from evaluation.online import Window, figures, tallies, traffic
from evaluation.records import UNFINISHED, Answer, Dropped, Failure, Interaction
from evaluation.shadows import flips, outcomes, pairs, shadow_verdicts
from evaluation.splits import graded_answers, split_closing_in, split_verdicts
from evaluation.stores.schema import grades
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from evaluation.watched import drift, judged
from routing.domain import Decision, ModelId, Query, RequestId, Task
from routing.quality import QualityTable, TableError


def served(  # noqa: PLR0913 - a builder
    request_id: str,
    answer: str = "red",
    *,
    backbone: str = "old",
    task: Task = Task.ATTRIBUTE,
    confidence: float = 0.9,
    at_s: float = 1_000.0,
    experiment: str | None = None,
    propensity: float = 1.0,
    user: str | None = None,
) -> Served:
    told = Served.of(
        seen(request_id, answer, backbone, task, confidence, at_s), experiment=experiment
    )
    return told.model_copy(update={"propensity": propensity, "user": user})


def seen(  # noqa: PLR0913 - a builder
    request_id: str, answer: str, backbone: str, task: Task, confidence: float, at_s: float
) -> Interaction:
    told = Answer(answer, 80, 2, confidence, "stop", 0.01, 0.02, cost=0.001)
    decision = Decision(ModelId(backbone), task, 1.0, "p/1", "because")
    return Interaction(RequestId(request_id), at_s, Query("q?"), decision, told, streamed=False)


def copy(primary_id: str, answer: str, *, confidence: float = 0.8) -> Shadowed:
    whole = seen(f"{primary_id}-copy", answer, "new", Task.ATTRIBUTE, confidence, 1_001.0)
    return Shadowed.of(whole, primary_id=primary_id, experiment="e")


def word(request_id: str, at_s: float = 2_000.0, **said: Any) -> Feedback:
    said = said or {"truth": ("red",)}
    key = f"{request_id}/{at_s}/{said}"[:64]
    return Feedback(feedback_id=key, request_id=request_id, at_s=at_s, **said)


def graded(store: Store) -> dict[str, float]:
    return {r["request_id"]: r["score"] for r in store.rows(select(grades))}


def test_starting_twice_migrates_once(url: str) -> None:
    first, second = connect(url), connect(url)

    assert {"interactions", "feedback", "grades", "alembic_version"} <= set(
        inspect(second).get_table_names()
    )
    first.dispose()
    second.dispose()


def test_two_gateways_that_start_at_once_both_find_the_tables(url: str) -> None:
    failures: list[Exception] = []

    def start() -> None:
        try:
            connect(url).dispose()
        except Exception as error:  # noqa: BLE001 - whatever it is fails the test below
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_an_event_that_is_sent_twice_is_stored_once(store: Store) -> None:
    store.append([served("r1"), served("r1"), word("r1")])
    store.append([served("r1"), word("r1")])

    assert store.count() == 1
    assert len(store.history("r1")) == 1


def test_the_truth_is_graded_by_the_tasks_metric(store: Store) -> None:
    store.append([served("r1", "It is 12", task=Task.ARITHMETIC), served("r2", "blue")])
    store.append([word("r1", truth=("12",)), word("r2", truth=("Red",))])

    written = grade_pending(store, 1.0)

    assert written == 2
    assert graded(store) == {"r1": 1.0, "r2": 0.0}
    assert grade_pending(store, 1.0) == 0


def test_feedback_that_comes_before_its_answer_is_joined_later(store: Store) -> None:
    store.append([word("r1", correct=True)])
    before = grade_pending(store, 1.0), orphans(store, 3_000.0)

    store.append([served("r1")])
    after = grade_pending(store, 1.0), orphans(store, 3_000.0)

    assert before[0] == 0
    assert (before[1][0], before[1][1][0].request_id) == (1, "r1")
    assert after == (1, (0, ()))
    assert graded(store) == {"r1": 1.0}


def test_the_last_word_counts_and_the_history_is_kept(store: Store) -> None:
    store.append([served("r1"), word("r1", 3_000.0, correct=False)])
    grade_pending(store, 1.0)
    store.append([word("r1", 2_500.0, correct=True)])  # said earlier, arrived later
    grade_pending(store, 1.0)
    stale = graded(store)
    store.append([word("r1", 4_000.0, score=0.75)])
    grade_pending(store, 1.0)

    assert stale == {"r1": 0.0}
    assert graded(store) == {"r1": 0.75}
    assert [h["at_s"] for h in store.history("r1")] == [2_500.0, 3_000.0, 4_000.0]


def test_a_judges_word_stands_beside_the_truth(store: Store) -> None:
    store.append([served("r1"), word("r1", correct=True)])
    store.append([word("r1", 9_000.0, score=0.0, source="judge")])
    grade_pending(store, 1.0)

    truth, judge = (tallies(store, Window(by=by)) for by in ("truth", "judge"))

    assert truth["old", "attribute"].accuracy == 1.0
    assert judge["old", "attribute"].accuracy == 0.0


@pytest.mark.parametrize(
    "said", [{}, {"correct": True, "score": 0.5}, {"truth": ()}, {"truth": (" ",)}, {"score": 1.5}]
)
def test_feedback_must_say_exactly_one_thing(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Feedback(feedback_id="f", request_id="r", at_s=1.0, **said)


def test_a_shadow_copy_is_graded_with_its_primary(store: Store) -> None:
    store.append([served("r1", "red"), copy("r1", "blue"), word("r1", truth=("blue",))])
    store.append([served("r2", "red"), copy("r2", "Red."), word("r2", correct=True)])
    store.append([served("r3", "red"), copy("r3", "blue"), word("r3", correct=True)])

    grade_pending(store, 1.0)

    assert graded(store) == {
        "r1": 0.0, "r1-copy": 1.0, "r2": 1.0, "r2-copy": 1.0,
        "r3": 1.0,  # a verdict says nothing about another answer
    }  # fmt: skip


def test_a_copy_that_comes_after_the_feedback_is_graded_too(store: Store) -> None:
    store.append([served("r1", "red"), word("r1", truth=("red",))])
    grade_pending(store, 1.0)
    store.append([copy("r1", "red")])

    written = grade_late_shadows(store, 0.0, 2.0)

    assert written == 1
    assert graded(store) == {"r1": 1.0, "r1-copy": 1.0}
    assert grade_late_shadows(store, 0.0, 2.0) == 0


def test_figures_are_per_backbone_and_task_and_leave_shadows_out(store: Store) -> None:
    for i in range(20):
        right = i % 4 != 0
        store.append([served(f"r{i}", "red" if right else "blue", confidence=0.7)])
        store.append([copy(f"r{i}", "blue"), word(f"r{i}", truth=("red",))])
    grade_pending(store, 1.0)

    (one, whole) = sorted(figures(store, Window()), key=lambda f: f.task != "attribute")

    assert (one.backbone, one.task, one.n, one.accuracy) == ("old", "attribute", 20, 0.75)
    assert one.interval[0] < 0.75 < one.interval[1]
    assert one.sequence[0] <= one.interval[0]
    assert one.ece == pytest.approx(0.05, abs=1e-6)
    assert (whole.task, whole.n) == ("all", 20)
    assert [f.backbone for f in figures(store, Window(kind="shadowed"))] == ["new", "new"]
    assert figures(store, Window(since_s=1_500.0)) == ()


def test_traffic_counts_what_was_not_graded_too(store: Store) -> None:
    store.append([served("r1"), served("r2"), served("r3", backbone="new")])

    told = traffic(store, Window())

    assert [(t.backbone, t.requests, t.failed, t.tokens) for t in told] == [
        ("new", 1, 0, 82),
        ("old", 2, 0, 164),
    ]
    assert told[1].cost == pytest.approx(0.002)


def test_retention_forgets_what_is_old(store: Store) -> None:
    store.append([served("old-one", at_s=10.0), served("new-one", at_s=100.0)])
    store.append([word("old-one", 20.0), word("new-one", 120.0)])
    grade_pending(store, 1.0)

    gone = store.forget(50.0)

    assert gone == 1
    assert store.find("old-one") is None
    assert graded(store) == {"new-one": 1.0}


def test_every_gateway_has_the_table_that_one_of_them_was_given(url: str) -> None:
    here, there = Store(connect(url)), Store(connect(url))
    one, other = Tables(here, None), Tables(there, None)
    empty = other.version()
    one.replace(QualityTable(note="mine"), 5.0)
    seen = (other.version(), other.current().note, other.base().since_s)
    late = other.refresh(QualityTable(version=2, note="of another base"), QualityTable())
    other.refresh(QualityTable(version=2, note="refitted"), other.base())
    too_late = other.refresh(QualityTable(version=2, note="as late as"), other.base())
    undone = one.undo(9.0)

    assert (empty, seen, late, too_late) == (-1, (1, "mine", 5.0), False, False)
    assert (undone.version, undone.since_s, other.base().since_s) == (3, 9.0, 9.0)
    assert other.current().note == "nothing is known yet"
    with pytest.raises(TableError, match="No such file"):
        Tables(here, Path("nowhere.json")).configured()
    here.close()
    there.close()


def test_a_table_of_later_answers_takes_the_place_of_one_that_was_published(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "shipped.json"
    file.write_text(QualityTable(version=1, note="old weights", since_s=5.0).model_dump_json())
    tables = Tables(store, file)
    tables.refresh(QualityTable(version=7, note="refitted", since_s=5.0), tables.base())
    refitted = tables.current().note
    file.write_text(QualityTable(version=1, note="new weights", since_s=9.0).model_dump_json())
    upgraded = tables.current()
    next_one = upgraded.model_copy(
        update={"version": upgraded.version + 1, "note": "refitted anew"}
    )

    assert (refitted, upgraded.note, upgraded.version) == ("refitted", "new weights", 7)
    assert tables.refresh(next_one, tables.base())
    assert tables.current().note == "refitted anew"


SPEC = Spec(name="e", control="old", candidates=("new",))


def test_an_experiment_is_made_once_paused_and_ended(store: Store) -> None:
    register = Register(store)
    register.create(SPEC, 1.0)

    with pytest.raises(ExperimentError, match="exists already"):
        register.create(SPEC, 2.0)
    register.change("e", "paused", 3.0)
    paused = register.running()
    register.change("e", "running", 4.0)
    running = register.running()
    register.change("e", "stopped", 5.0)

    assert (paused, running) == ((), (SPEC,))
    with pytest.raises(ExperimentError, match="has ended"):
        register.change("e", "running", 6.0)
    with pytest.raises(ExperimentError, match="no experiment"):
        register.find("nothing")


def test_a_better_candidate_is_found_and_its_flips_are_shown(store: Store) -> None:
    Register(store).create(SPEC, 1.0)
    events: list[Any] = []
    for i in range(120):
        old = "red" if i % 2 else "blue"
        events += [served(f"r{i}", old), copy(f"r{i}", "red"), word(f"r{i}", truth=("red",))]
    store.append(events)
    grade_pending(store, 1.0)

    found = pairs(store, SPEC, "new")
    one, whole = shadow_verdicts(store, SPEC, "new")

    assert (one.task, one.n, one.conclusion) == ("attribute", 120, "better")
    assert (one.solved.both, one.solved.only_new, one.solved.only_old) == (60, 60, 0)
    assert one.interval[0] > 0
    assert (whole.task, one.agreement) == ("all", 0.5)
    assert {f["solved_by"] for f in flips(store, SPEC, "new", found)} == {"candidate"}


def test_a_copy_that_failed_counts_as_wrong(store: Store) -> None:
    whole = seen("r1-copy", "red", "new", Task.ATTRIBUTE, 0.5, 1.0)
    failed = Interaction(
        RequestId("r1-copy"), 1.0, Query("q?"), whole.decision, Failure("EngineError", 1.0),
        streamed=False,
    )  # fmt: skip
    store.append([Shadowed.of(failed, primary_id="r1", experiment="e"), served("r1", "red")])
    store.append([word("r1", truth=("red",))])
    grade_pending(store, 1.0)

    (pair,) = pairs(store, SPEC, "new")

    assert (pair.old_score, pair.new_score, pair.same_answer) == (1.0, 0.0, False)


def test_a_copy_that_a_judge_has_graded_still_gets_its_truth(store: Store) -> None:
    store.append([served("r1", "red"), word("r1", truth=("red",))])
    grade_pending(store, 1.0)
    store.append([copy("r1", "red"), word("r1", correct=True, source="judge")])
    grade_pending(store, 2.0)

    assert grade_late_shadows(store, 0.0, 3.0) == 1
    assert len(pairs(store, SPEC, "new")) == 1


def test_the_name_of_a_cascades_first_answers_is_taken() -> None:
    with pytest.raises(ValueError, match="is taken"):
        Spec(name="cascade", control="old", candidates=("new",))
    with pytest.raises(ValidationError, match="taken"):
        Spec(name="cascade-second", control="old", candidates=("new",))


def counted(**n: int) -> dict[str, int]:
    """How copies ended, where those not named are none."""
    return {"answered": 0, "failed": 0, "dropped": 0, "waiting": 0} | n


def test_every_copy_ends_as_answered_failed_or_dropped(store: Store) -> None:
    whole = seen("r1-copy", "red", "new", Task.ATTRIBUTE, 0.5, 1.0)
    lost = Interaction(
        RequestId("r2-copy"), 1.0, Query("q?"), whole.decision, Dropped("busy"), streamed=False
    )
    store.append([Shadowed.of(whole, primary_id="r1", experiment="e")])
    store.append([Shadowed.of(lost, primary_id="r2", experiment="e")])

    assert outcomes(store, SPEC, 2.0)["new"] == counted(answered=1, dropped=1)


def arm(spec: Spec, user: str) -> tuple[str, float]:
    """The backbone that a split gives to a user, and its propensity, as the desk finds them."""
    slot = int(spec.draw(user) / spec.each)
    if slot < len(spec.trying):
        return spec.trying[slot], spec.each
    return spec.control, 1 - spec.each * len(spec.trying)


def split_events(spec: Spec, right: dict[str, int], users: range) -> list[Any]:
    """One answer of each user; `right` says of each backbone how many tenths it gets right."""
    events: list[Any] = []
    for i in users:
        backbone, propensity = arm(spec, f"user-{i}")
        answer = "red" if i % 10 < right[backbone] else "blue"
        events.append(
            served(f"r{i:05}", answer, backbone=backbone, experiment=spec.name,
                   propensity=propensity, user=f"user-{i}")
        )  # fmt: skip
        events.append(word(f"r{i:05}", truth=("red",)))
    return events


@pytest.mark.parametrize("at_once", [True, False])
def test_how_a_copy_ended_replaces_that_it_waited_and_nothing_else(
    store: Store,
    at_once: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    ended = copy("a", "red")
    waits = ended.model_copy(update={"outcome": "dropped", "error": UNFINISHED, "answer": None})
    busy = ended.model_copy(update={"outcome": "dropped", "error": "busy", "answer": None})

    batches = [[waits, ended]] if at_once else [[waits], [ended]]
    for batch in batches:
        store.append(batch)
    for late in (waits, busy):  # a drainer that starts again reads them again
        store.append([late])

    stored = store.find("a-copy")
    assert stored is not None
    assert (stored["outcome"], stored["answer"], stored["error"]) == ("answered", "red", None)
    assert outcomes(store, SPEC, 2_000.0)["new"] == counted(answered=1)


def test_a_copy_whose_front_end_died_is_dropped(store: Store) -> None:
    waits = copy("a", "red").model_copy(update={"outcome": "dropped", "error": UNFINISHED})
    store.append([served("a"), waits])

    store.append([word("a-copy")])  # its own id: the word waits for an answer that may still come
    grade_pending(store, 2_000.0)

    assert outcomes(store, SPEC, 1_010.0)["new"] == counted(waiting=1)
    assert outcomes(store, SPEC, 9_000.0)["new"] == counted(dropped=1)
    assert not store.history("a-copy")[0]["graded"]


def test_words_of_two_front_ends_count_in_the_order_they_were_said(store: Store) -> None:
    def said(at_s: float, *, correct: bool) -> Feedback:
        name = "up" if correct else "down"
        return Feedback(feedback_id=name, request_id="r", at_s=at_s, correct=correct)

    store.append([served("r")])
    store.append([said(10.0, correct=True), said(30.0, correct=True)])  # one spool drained first
    grade_pending(store, 40.0)
    store.append([said(20.0, correct=False)])
    grade_pending(store, 50.0)

    assert graded(store) == {"r": 1.0}
    assert [row["at_s"] for row in store.history("r")] == [20.0, 30.0]


def test_saying_the_same_again_moves_no_pair_in_its_sequence(store: Store) -> None:
    store.append([served("r"), word("r", 10.0, correct=True)])
    grade_pending(store, 11.0)
    store.append([word("r", 10.0, correct=True).model_copy(update={"at_s": 30.0})])
    grade_pending(store, 31.0)

    (row,) = store.rows(select(grades))
    assert (row["known_s"], row["told_s"]) == (11.0, 30.0)


def test_figures_of_copies_leave_out_what_was_chosen_by_its_answer(store: Store) -> None:
    """A thumb grades only copies that say the same; first tries of cascades were unsure."""
    first = copy("c", "red").model_copy(update={"experiment": "cascade"})
    store.append([served(r) for r in "abc"])
    store.append([copy("a", "red"), copy("b", "red"), first])
    store.append([word("a", correct=True), word("b"), word("c")])
    grade_pending(store, 3_000.0)

    told = figures(store, Window(kind="shadowed"))
    assert {figure.n for figure in told} == {1}


def test_traffic_tells_what_was_dropped_from_what_failed(store: Store) -> None:
    lost = copy("b", "red").model_copy(
        update={"outcome": "dropped", "error": "busy", "answer": None, "total_s": 0.0}
    )
    broken = copy("c", "red").model_copy(update={"outcome": "failed", "error": "EngineError"})
    store.append([copy("a", "red"), lost, broken])

    (told,) = traffic(store, Window(kind="shadowed"))
    assert (told.requests, told.failed, told.dropped) == (3, 1, 1)
    assert told.mean_latency_s == 0.02


def test_a_candidate_that_was_taken_out_is_not_judged_by_what_came_after(store: Store) -> None:
    spec = Spec(
        name="s", control="old", candidates=("a", "b"), mode="split", share=0.5,
        withdrawn=("a",), withdrawn_s={"a": 5_000.0},
    )  # fmt: skip
    late = [
        served(f"r{k}", backbone="old", at_s=6_000.0 + k, experiment="s", propensity=0.75)
        for k in range(900)
    ]
    store.append([*late, *(word(e.request_id, 9_000.0) for e in late)])
    grade_pending(store, 9_500.0)

    verdicts = split_verdicts(store, spec)
    assert verdicts["b"]["all"].n == 900
    assert {v.n for v in verdicts["a"].values()} == {0}
    assert {v.conclusion for v in verdicts["a"].values()} == {"undecided"}


def test_a_split_measures_the_difference_between_its_arms(store: Store) -> None:
    spec = Spec(name="s", control="old", candidates=("new",), mode="split", share=0.5)
    store.append(split_events(spec, {"old": 3, "new": 10}, range(400)))
    grade_pending(store, 1.0)

    told = split_verdicts(store, spec)["new"]["attribute"]

    assert (told.n, told.conclusion) == (400, "better")
    assert told.control_accuracy == pytest.approx(0.3, abs=0.1)
    assert told.candidate_accuracy == 1.0
    assert 0 < told.interval[0] < 0.7 < told.interval[1]
    assert told.e_value > 1_000


def test_a_split_judges_each_of_several_candidates_against_control(store: Store) -> None:
    spec = Spec(name="s", control="old", candidates=("new", "newer"), mode="split", share=0.6)
    store.append(split_events(spec, {"old": 5, "new": 0, "newer": 10}, range(900)))
    grade_pending(store, 1.0)

    told = split_verdicts(store, spec)
    answers = graded_answers(store, spec)
    measured = split_differences(store, spec, answers)

    worse, better = told["new"]["all"], told["newer"]["all"]
    assert (worse.conclusion, better.conclusion) == ("worse", "better")
    assert worse.interval[0] < -0.5 < worse.interval[1]
    assert better.interval[0] < 0.5 < better.interval[1]
    assert measured["newer"]["total_s"].n == 900
    assert abs(measured["newer"]["total_s"].mean) < 0.01  # all of them took as long
    # all are 90 % sure: 0.81 is lost with every wrong answer, 0.01 with every right one
    assert measured["newer"]["brier"].low < 0.01 - 0.41 < measured["newer"]["brier"].high < 0
    closing = split_closing_in(spec, "newer", answers, looks=30)
    assert len(closing) == 30
    assert closing[-1][0] == better.n + sum(r["backbone"] == "new" for r in answers)
    assert closing[-1][2:] == pytest.approx(better.interval)
    assert split_closing_in(spec, "newer", []) == []


def test_a_candidate_that_is_withdrawn_moves_nobody_but_its_own_users() -> None:
    whole = Spec(name="s", control="old", candidates=("a", "b", "c"), mode="split", share=0.6)
    less = whole.model_copy(update={"withdrawn": ("b",)})
    users = [f"user-{i}" for i in range(3_000)]
    before, after = [arm(whole, u)[0] for u in users], [arm(less, u)[0] for u in users]

    moved = {(x, y) for x, y in zip(before, after, strict=True) if x != y}
    assert moved == {("b", "old")}
    assert after.count("a") / 3_000 == pytest.approx(0.2, abs=0.03)


def test_the_guard_withdraws_a_candidate_and_stops_with_the_last(store: Store) -> None:
    spec = Spec(name="s", control="old", candidates=("new", "newer"), mode="split", share=0.6)
    register = Register(store)
    register.create(spec, 1.0)
    register.withdraw(spec, "new", 2.0, "worse")
    (left,) = register.running()
    register.withdraw(left, "newer", 3.0, "worse too")

    assert left.trying == ("newer",)
    assert register.find("s")["status"] == "stopped"
    assert register.find("s")["note"] == "worse too"


def test_what_a_candidate_costs_is_told_with_an_interval(store: Store) -> None:
    events: list[Any] = []
    for i in range(60):
        dear = copy(f"r{i:02}", "red").model_copy(
            update={"cost": 0.003 + 0.0001 * (i % 3), "total_s": 0.05}
        )
        events += [served(f"r{i:02}", "red"), dear, word(f"r{i:02}", truth=("red",))]
    store.append(events)
    grade_pending(store, 1.0)

    told = shadow_differences(store, SPEC, "new", pairs(store, SPEC, "new"))

    cost, brier = told["cost"], told["brier"]
    assert cost.n == 60
    assert cost.mean == pytest.approx(0.0021)
    assert 0.002 < cost.low < 0.0021 < cost.high < 0.0022
    assert told["total_s"].mean == pytest.approx(0.03)
    assert brier.mean == pytest.approx(0.2**2 - 0.1**2)


def test_a_specification_may_name_a_single_candidate() -> None:
    told = {"name": "e", "control": "old", "candidate": "new"}

    assert Spec.model_validate(told) == SPEC
    with pytest.raises(ValueError, match="must differ"):
        Spec(name="e", control="old", candidates=("new", "new"))


def test_a_split_gives_the_same_user_the_same_side_and_about_its_share() -> None:
    spec = Spec(name="s", control="old", candidates=("new",), mode="split", share=0.25)
    sides = [arm(spec, f"user-{i}")[0] for i in range(4_000)]

    assert sides == [arm(spec, f"user-{i}")[0] for i in range(4_000)]
    assert sides.count("new") / 4_000 == pytest.approx(0.25, abs=0.03)


def test_a_judges_grades_are_corrected_by_the_truth(store: Store) -> None:
    events: list[Any] = []
    for i in range(60):
        right = i % 3 != 0
        events.append(served(f"r{i}", "red" if right else "blue"))
        events.append(word(f"r{i}", 9_000.0, score=1.0, source="judge"))  # a judge that likes all
        if i < 30:
            events.append(word(f"r{i}", truth=("red",)))
    store.append(events)
    grade_pending(store, 1.0)

    told = judged(store, Window())

    assert set(told) == {("old", "all"), ("old", served("r").task)}
    for one in told.values():
        assert (one.doubly_graded, one.judged_only) == (30, 30)
        assert one.judge_bias == pytest.approx(1 / 3)
        assert one.low < 2 / 3 < one.high


def test_a_fall_in_accuracy_is_told_per_backbone(store: Store) -> None:
    events: list[Any] = []
    for i in range(900):
        events.append(served(f"r{i:04}", "red" if i < 450 else "blue", at_s=1_000.0 + i))
        events.append(word(f"r{i:04}", truth=("red",)))
    store.append(events)
    grade_pending(store, 1.0)

    told = drift(store, Window())

    falls = {
        w.task for w in told if w.of == "accuracy" and w.changes[0].after < w.changes[0].before
    }
    assert falls == {"all", served("r").task}
    assert {w.of for w in told} == {"accuracy", "confidence"}  # the task mix stood still


def test_text_that_no_database_holds_is_stored_without_it(store: Store) -> None:
    store.append([served("r1", "a\0b"), word("r1", truth=("a\0b",))])
    grade_pending(store, 1.0)

    row = store.find("r1")
    assert row is not None
    assert row["answer"] == "a\N{REPLACEMENT CHARACTER}b"
    assert store.latest(text="\0") != []


def test_the_same_words_said_again_later_count_again(store: Store) -> None:
    def say(at_s: float, *, correct: bool) -> None:
        word_ = Feedback(feedback_id=str(correct), request_id="r1", at_s=at_s, correct=correct)
        store.append([word_])
        grade_pending(store, at_s)

    store.append([served("r1")])
    say(1.0, correct=True)
    say(2.0, correct=False)
    say(3.0, correct=True)
    say(3.0, correct=True)  # drained a second time
    say(4.0, correct=True)  # and said a second time: nothing came between, so it is later now

    assert graded(store) == {"r1": 1.0}
    assert [(w["at_s"], w["correct"]) for w in store.history("r1")] == [
        (1.0, True), (2.0, False), (4.0, True),
    ]  # fmt: skip


def test_a_copy_may_be_spoken_of_by_its_own_id(store: Store) -> None:
    store.append([served("r1", "red"), copy("r1", "blue"), word("r1-copy", truth=("blue",))])

    assert grade_pending(store, 1.0) == 1
    assert graded(store) == {"r1-copy": 1.0}


def test_a_thumb_up_after_the_truth_leaves_the_pair_as_it_was(store: Store) -> None:
    store.append([served("r1", "red"), copy("r1", "blue"), word("r1", 5.0, truth=("red",))])
    grade_pending(store, 1.0)
    store.append([word("r1", 6.0, correct=True)])
    grade_pending(store, 2.0)
    told = pairs(store, SPEC, "new")
    store.append([word("r1", 5.5, truth=("blue",))])  # said before the thumb, heard after it
    grade_pending(store, 3.0)

    assert [(p.old_score, p.new_score) for p in told] == [(1.0, 0.0)]
    assert graded(store)["r1"] == 1.0


def test_a_candidate_that_fails_on_half_of_its_requests_is_found_out(store: Store) -> None:
    spec = Spec(name="s", control="old", candidates=("new",), mode="split", share=0.5)
    events = split_events(spec, {"old": 9, "new": 10}, range(400))
    half = [
        e.model_copy(update={"outcome": "failed", "answer": None, "error": "EngineError"})
        if isinstance(e, Served) and e.backbone == "new" and k % 4 < 2 else e
        for k, e in enumerate(events)
    ]  # fmt: skip
    given_up = [
        served("gone", backbone="new", experiment="s", propensity=0.5, user="gone").model_copy(
            update={"outcome": "failed", "answer": None, "error": "Abandoned"}
        )
    ]
    store.append([*half, *given_up])
    grade_pending(store, 1.0)

    told = split_verdicts(store, spec)["new"]

    assert told["all"].candidate_accuracy == 1.0  # of those that it answered
    assert told["answered"].conclusion == "worse"
    assert told["answered"].n == 400
    assert told["answered"].control_accuracy == 1.0
    assert told["answered"].interval[1] < -spec.margin


def test_a_word_that_cannot_be_graded_stops_no_other(store: Store) -> None:
    huge = "1" + "0" * 400 + ".5"
    store.append([served("r1", "1e999999999", task=Task.ARITHMETIC), served("r2", "red")])
    store.append([word("r1", truth=(huge,)), word("r2", truth=("red",))])

    grade_pending(store, 1.0)

    assert graded(store)["r2"] == 1.0
    assert grade_pending(store, 2.0) == 0
