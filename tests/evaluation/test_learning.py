"""What refits learn from live traffic, and that no answer selects what they see."""

import hashlib
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from evaluation.evaluator import Evaluator, Outside, Schedule
from evaluation.events import Feedback, Served, Shadowed
from evaluation.experiments import Register, Spec
from evaluation.grading import grade_pending
from evaluation.learning import learnable, observed
from evaluation.offline import Answered
from evaluation.records import Answer, Interaction
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from evaluation.worth import fit_success, refit_success
from routing.domain import Decision, ModelId, Query, RequestId, Task
from routing.features import Features, text_slots
from routing.offers import success_probability
from routing.quality import Success


def seen(
    request_id: str, answer: str, backbone: str, policy: str, at_s: float = 1.0
) -> Interaction:
    told = Answer(answer, 80, 2, 0.9, "stop", 0.01, 0.02, cost=0.001)
    decision = Decision(ModelId(backbone), Task.ATTRIBUTE, 1.0, policy, "because")
    return Interaction(
        RequestId(request_id), at_s, Query("what color is it?"), decision, told, streamed=False,
        detail={"picture": {"seen": 1.0, "wide": 0.5}},
    )  # fmt: skip


def word(request_id: str, **said: Any) -> Feedback:
    return Feedback(feedback_id=f"f-{request_id}", request_id=request_id, at_s=2.0, **said)


def answered(question: str, *, right: bool, number: int) -> Answered:
    return Answered(
        str(number),
        "b",
        Task.ATTRIBUTE.value,
        question,
        "",
        float(right),
        "exact",
        0.9,
        0.0,
        0.0,
        2,
    )


def chance(model: Success | None, question: str) -> float:
    assert model is not None
    return success_probability(model, Task.ATTRIBUTE, Features(tuple(text_slots(question)), ()))


def test_of_a_cascade_only_first_answers_with_known_truth_count(store: Store) -> None:
    events: list[Any] = []
    for i in range(10):  # the first backbone is right four times of ten, and sure of those alone
        sure = i < 4
        first = seen(f"c{i}", "red" if sure else "blue", "cheap", "cascade/1")
        if sure:
            events.append(Served.of(first))
        else:
            events.append(Served.of(seen(f"c{i}", "red", "dear", "cascade/1")))
            again = seen(f"c{i}-first", "blue", "cheap", "cascade/1")
            events.append(Shadowed.of(again, primary_id=f"c{i}", experiment="cascade"))
        events.append(word(f"c{i}", truth=("red",)))
    events += [Served.of(seen("v", "red", "cheap", "cascade/1")), word("v", correct=True)]
    events += [Served.of(seen("u", "red", "dear", "utility/1")), word("u", correct=True)]
    store.append(events)
    grade_pending(store, 3.0)

    told = observed((a.backbone, a.task, a.score) for a in learnable(store, 0.0))

    cheap, dear = told["cheap", Task.ATTRIBUTE], told["dear", Task.ATTRIBUTE]
    assert (cheap.right, cheap.n) == (4.0, 10)
    assert (dear.right, dear.n) == (1.0, 1)


def test_what_the_router_saw_of_the_picture_is_learnt_from(store: Store) -> None:
    store.append([Served.of(seen("u", "red", "old", "utility/1")), word("u", truth=("red",))])
    grade_pending(store, 3.0)

    (one,) = learnable(store, 0.0)

    assert one.facts == (1.0, 0.5)
    assert learnable(store, 1.5) == []


def test_a_refit_from_an_empty_predictor_is_scikit_learns_regression() -> None:
    rng = np.random.default_rng(3)  # noqa: TID251 - a test draws its own data
    words = ("star", "circle", "bar", "left", "sum")
    live = []
    for k in range(300):
        one, two = rng.choice(words, 2)
        live.append(
            answered(f"{one} {two}", right=rng.random() < (0.9 if one == "star" else 0.4), number=k)
        )

    ours = refit_success(Success(intercept=0.0, weights={}), live)

    slots = sorted({s for a in live for s in text_slots(a.question)})
    x = np.array([[s in text_slots(a.question) for s in slots] + [True] for a in live], float)
    caution = x.sum() / len(x)
    plain = LogisticRegression(C=1 / caution, max_iter=2_000, tol=1e-8, fit_intercept=False)
    reference = plain.fit(x, [a.score for a in live])
    for question in ("star bar", "left sum"):
        row = [[s in text_slots(question) for s in slots] + [True]]
        expected = reference.predict_proba(np.array(row, float))[0, 1]
        assert chance(ours, question) == pytest.approx(expected, abs=5e-3)


def test_a_predictor_follows_what_changed_and_keeps_what_did_not() -> None:
    rng = np.random.default_rng(4)  # noqa: TID251 - a test draws its own data

    def draw(n: int, star: float, circle: float) -> list[Answered]:
        asked = [("where is the star?", star), ("where is the circle?", circle)]
        picks = [asked[int(k)] for k in rng.integers(0, 2, n)]
        return [answered(q, right=rng.random() < p, number=k) for k, (q, p) in enumerate(picks)]

    base = fit_success(draw(1_000, star=0.9, circle=0.3))
    after = refit_success(base, draw(600, star=0.2, circle=0.3))

    assert chance(base, "where is the star?") == pytest.approx(0.9, abs=0.05)
    assert chance(after, "where is the star?") == pytest.approx(0.2, abs=0.1)
    assert chance(after, "where is the circle?") == pytest.approx(0.3, abs=0.08)
    assert after is not None
    assert after.evidence[Task.ATTRIBUTE] == 1_600
    assert refit_success(base, []) is base


def test_a_single_answer_moves_no_other_task_and_its_own_but_little() -> None:
    base = Success(intercept=0.4, weights={}, tasks={Task.ATTRIBUTE: 0.2, Task.CHART: -0.3})
    one = answered("what color is it?", right=False, number=1)

    after = refit_success(base, [one])

    def told(model: Success | None, task: Task, question: str) -> float:
        assert model is not None
        return success_probability(model, task, Features(tuple(text_slots(question)), ()))

    chart = "what is the sum of the bars?"
    assert told(after, Task.CHART, chart) == pytest.approx(told(base, Task.CHART, chart), abs=0.1)
    assert told(base, Task.ATTRIBUTE, "where?") - told(after, Task.ATTRIBUTE, "where?") < 0.1


def test_looking_at_everything_takes_a_small_share_of_the_time(store: Store) -> None:
    clock = [0.0]
    looks: list[float] = []

    class Slow(Outside):
        def publish(self) -> None:
            looks.append(clock[0])
            clock[0] += 2.0

    schedule = Schedule(guard_every_s=5)
    evaluator = Evaluator(store, Tables(store, None), schedule, lambda: clock[0], Slow())
    while clock[0] < 200:
        evaluator.tick()
        clock[0] += 0.5

    assert len(looks) == 10
    assert min(b - a for a, b in pairwise(looks)) >= 20  # two seconds of work, ten times over


def test_the_newest_events_are_kept_and_running_experiments_hold_retention_back(
    store: Store,
) -> None:
    day = 86_400.0
    store.append([Served.of(seen(f"r{i}", "red", "old", "p/1", at_s=i * day)) for i in range(10)])
    register = Register(store)
    register.create(Spec(name="e", control="old", candidates=("new",)), 3 * day)

    def kept(**limits: Any) -> int:
        schedule = Schedule(guard_every_s=0, **limits)
        Evaluator(store, Tables(store, None), schedule, lambda: 9.5 * day).tick()
        return store.count()

    assert kept(retention_days=1) == 7  # those since the experiment began
    register.change("e", "stopped", 9 * day)
    assert kept(retention_days=5) == 5
    assert kept(most_events=3) == 3
    assert kept() == 3
    assert kept(most_megabytes=1e-6 * (2 * size_of("red") + 10)) == 2


def test_what_is_kept_beside_the_events_counts_and_goes_with_them(store: Store) -> None:
    store.append([Served.of(seen(f"r{i}", "red", "old", "p/1", at_s=float(i))) for i in range(10)])
    whole = next(n for n in range(1_000, 1_000_000, 10) if store.over_bytes(n) == 0.0)

    assert store.over_bytes(2 * whole, beside=whole) == 0.0
    # three halves of what may stay: of events and pictures alike a third goes
    assert store.over_bytes(2 * whole, beside=2 * whole) in {3.0, 4.0}


def size_of(answer: str, *said: Feedback) -> int:
    """What the store counts for one interaction of `seen`, and what was said of it."""
    path = Path(tempfile.mkdtemp()) / "one.db"
    one = Store(connect(f"sqlite:///{path}"))
    one.append([Served.of(seen("r0", answer, "old", "p/1")), *said])
    size = next(n for n in range(500, 100_000) if one.over_bytes(n) == 0.0)
    one.close()
    return size


@pytest.mark.parametrize("letter", ["a", "я", "字"])
def test_the_newest_that_fit_are_kept_however_their_sizes_differ(store: Store, letter: str) -> None:
    sizes = [10, 10, 4_000, 10, 2_000, 10]
    told = [seen(f"r{i}", letter * n, "old", "p/1", at_s=float(i)) for i, n in enumerate(sizes)]
    store.append([Served.of(one) for one in told])
    small, width = size_of(letter * 10), len(letter.encode())

    def oldest_kept(most: int) -> float:
        return store.over_bytes(most)

    assert oldest_kept(100_000) == 0.0
    assert oldest_kept(3 * small + 2_000 * width) == 3.0  # the next one is the large one
    assert oldest_kept(small) == 5.0
    assert oldest_kept(1) == 5.0  # the newest stays


def test_what_an_event_is_counted_for_is_near_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    store = Store(connect(f"sqlite:///{path}"))
    for first in range(0, 2_000, 200):
        ids = [hashlib.sha256(str(first + i).encode()).hexdigest()[:36] for i in range(200)]
        store.append([Served.of(seen(i, "red", "old", "p/1", at_s=float(first))) for i in ids])
        store.append([word(i, truth=("red",)) for i in ids])
        grade_pending(store, 1.0)
    store.close()  # what is in the log goes to the file

    size = size_of("red", word("r0", truth=("red",))) + 3 * 34  # ids here are longer
    assert size == pytest.approx(path.stat().st_size / 2_000, rel=0.25)
