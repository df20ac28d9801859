"""What a split experiment says so far: each candidate against control, users apart."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from sqlalchemy import case, select

from evaluation.calibration import ece
from evaluation.compare import Conclusion
from evaluation.experiments import Spec
from evaluation.records import ABANDONED
from evaluation.sequences import Event, SplitSequence, e_bh
from evaluation.stores.rows import Row
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store
from evaluation.tally import Tally
from routing.domain import Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Compared:
    """One candidate beside control on one task, at any time one looks.

    `n` counts graded answers of both, each arm's accuracy is a plain mean, `interval` is the
    confidence sequence for candidate − control, and `e_value` is evidence against equality. The
    intervals of an experiment hold all together (Bonferroni); "better" and "worse" have a false
    discovery rate over the tasks (e-BH).
    """

    n: int
    control_accuracy: float
    candidate_accuracy: float
    interval: tuple[float, float]
    e_value: float
    conclusion: Conclusion

    @property
    def difference(self) -> float:
        """Candidate − control."""
        return self.candidate_accuracy - self.control_accuracy

    @classmethod
    def of(cls, state: SplitSequence, margin: float, *, differs: bool) -> "Compared":
        """Conclude from where a sequence stands; `differs` when equality is rejected."""
        (n_control, right), (n_candidate, won) = state.control, state.treatment
        low, high = state.interval()
        conclusion: Conclusion = "undecided"
        if differs:
            conclusion = "better" if state.inner.mean > 0 else "worse"
        elif -margin <= low and high <= margin:
            conclusion = "no difference"
        return cls(
            n_control + n_candidate, right / max(1, n_control), won / max(1, n_candidate),
            (low, high), state.inner.e_value(0.0), conclusion,
        )  # fmt: skip


def graded_answers(store: Store, spec: Spec) -> list[Row]:
    """Graded answers of every side, in the order in which their grades became known."""
    t, g = interactions.c, grades.c
    return store.rows(
        select(
            t.request_id, t.at_s, t.user, t.task, t.backbone, t.propensity, g.score, g.confidence,
            ((g.confidence - g.score) * (g.confidence - g.score)).label("brier"),
        )
        .join(grades, g.request_id == t.request_id)
        .where(
            t.experiment == spec.name,
            t.kind == "served",
            g.by == "truth",
            t.backbone.in_((spec.control, *spec.candidates)),
        )
        .order_by(g.known_s, t.request_id)
    )  # fmt: skip


def tried(store: Store, spec: Spec) -> list[Row]:
    """Every request that a side was given, with 1 where it was answered and 0 where it failed.

    Nobody grades what was never answered: a backbone that fails on half of its requests would look
    perfect. What a client gave up is not held against anybody.
    """
    t = interactions.c
    return store.rows(
        select(
            t.request_id, t.at_s, t.user, t.backbone, t.propensity,
            case((t.outcome == "answered", 1.0), else_=0.0).label("score"),
        )
        .where(
            t.experiment == spec.name,
            t.kind == "served",
            (t.outcome == "answered") | ((t.outcome == "failed") & (t.error != ABANDONED)),
            t.backbone.in_((spec.control, *spec.candidates)),
        )
        .order_by(t.at_s, t.request_id)
    )  # fmt: skip


def split_verdicts(store: Store, spec: Spec) -> dict[str, dict[str, Compared]]:
    """Per candidate, per task and for `all`: how much better it answers than control.

    `answered` is the share of requests that were answered at all, graded or not. All sequences hold
    together (Bonferroni), so that a candidate is not taken out because one of many tasks looked bad
    by chance. A user stays on one side, so of each user only the first graded answer counts: the
    later ones are not random any more.
    """
    rows, asked = graded_answers(store, spec), tried(store, spec)
    return {c: compared(spec, c, rows, asked) for c in spec.candidates}


def compared(
    spec: Spec, candidate: str, rows: Sequence[Row], every: Sequence[Row] = ()
) -> dict[str, Compared]:
    """Hold one candidate against control, per task and for `all`; see `split_verdicts`.

    Args:
        spec: the experiment.
        candidate: one of its candidates.
        rows: what `graded_answers` found.
        every: what `tried` found.
    """
    asked: dict[str, list[Row]] = {"answered": list(every)} if every else {}
    for row in rows:
        for task in (row["task"], "all"):
            asked.setdefault(task, []).append(row)
    start = _start(spec)
    states = {
        task: start.update(_events(spec, candidate, own)) for task, own in sorted(asked.items())
    }
    differs = e_bh([s.inner.e_value(0.0) for s in states.values()], alpha=spec.alpha_each)
    return {
        task: Compared.of(state, spec.margin, differs=found)
        for (task, state), found in zip(states.items(), differs, strict=True)
    }


def brier_of(
    spec: Spec, candidate: str, rows: Sequence[Row]
) -> tuple[int, float, tuple[float, float]]:
    """How much worse a candidate's Brier score is than control's, by the same exact sequence.

    Returns:
        Number of users, estimated difference, confidence sequence.
    """
    start = SplitSequence.start(alpha=spec.alpha_each, least_propensity=_least(spec))
    told = [row | {"score": row["brier"]} for row in rows]
    state = start.update(_events(spec, candidate, told))
    low, high = state.interval()
    return state.inner.n, min(high, max(low, state.inner.mean)), (low, high)


def split_calibration(spec: Spec, candidate: str, rows: Sequence[Row]) -> tuple[float, float]:
    """Expected calibration error of control and of a candidate, on what each has answered."""
    sides = []
    for side in (spec.control, candidate):
        own = [(r["confidence"], r["score"]) for r in rows if r["backbone"] == side]
        sides.append(ece(Tally.of(*np.array(own).reshape(-1, 2).T)))
    return sides[0], sides[1]


def split_closing_in(
    spec: Spec, candidate: str, rows: Sequence[Row], *, looks: int = 60
) -> list[tuple[int, float, float, float]]:
    """How the confidence sequence over all tasks came to where it is; as `compare.closing_in`.

    Returns:
        Number of users so far, estimated difference, low and high end.
    """
    events = list(_events(spec, candidate, rows))
    stops = np.unique(np.linspace(0, len(events), min(looks, len(events)) + 1).round().astype(int))
    state, told = _start(spec), []
    for before, stop in pairwise(stops):
        state = state.update(events[before:stop])
        low, high = state.interval()
        told.append((int(stop), min(high, max(low, state.inner.mean)), low, high))
    return told


def _start(spec: Spec) -> SplitSequence:
    at_once = len(spec.candidates) * (len(spec.tasks or Task) + 2)  # `all`, `answered`
    return SplitSequence.start(alpha=spec.alpha / at_once, least_propensity=_least(spec))


def _least(spec: Spec) -> float:
    return min(spec.each, 1 - spec.share)


def _events(spec: Spec, candidate: str, rows: Iterable[Row]) -> Iterator[Event]:
    """The first graded answer of every user, as one candidate's sequence sees it.

    It ends where the candidate was taken out: nobody could meet it from then on.
    """
    least = _least(spec)
    arms = {spec.control: False, candidate: True}
    there = (row for row in rows if spec.took_part(candidate, row["at_s"]))
    for row in first_of_each(there, unit_of):
        chance = max(least, row["propensity"])  # rounding may leave it a hair under
        yield arms.get(row["backbone"]), row["score"], chance


def unit_of(row: Row) -> str:
    """What a split draws for: the user, or a request without one."""
    unit: str = row["user"] or row["request_id"]
    return unit


def first_of_each(found: Iterable[T], key: Callable[[T], Hashable]) -> Iterator[T]:
    """Leave out all but the first of those that share a key.

    >>> list(first_of_each(["ann", "bob", "abe"], lambda name: name[0]))
    ['ann', 'bob']
    """
    seen: set[Hashable] = set()
    for one in found:
        if (mark := key(one)) not in seen:
            seen.add(mark)
            yield one
