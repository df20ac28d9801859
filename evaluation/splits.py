"""What a split experiment says so far: each candidate against control, users apart."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from evaluation.experiments import Spec
from evaluation.sequences import SplitSequence
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Row, Store
from routing.domain import Task

Interval = tuple[int, float, float]
"""Graded events of both sides, and the ends of the interval for candidate − control."""


def split_intervals(store: Store, spec: Spec) -> dict[str, dict[str, Interval]]:
    """Per candidate, per task and for `all`: how much better it answers than control.

    The order is that in which grades became known; all sequences hold together (Bonferroni), so
    that a candidate is not taken out because one of many tasks looked bad by chance. A user stays
    on one side, so of each user only the first graded answer counts: the later ones are not random
    any more.
    """
    t, g = interactions.c, grades.c
    query = (
        select(t.request_id, t.user, t.task, t.backbone, t.propensity, g.score)
        .join(grades, g.request_id == t.request_id)
        .where(
            t.experiment == spec.name,
            t.kind == "served",
            g.by == "truth",
            t.backbone.in_((spec.control, *spec.candidates)),
        )
        .order_by(g.known_s, t.request_id)
    )
    rows = store.rows(query)
    return {c: _against_control(spec, c, rows) for c in spec.candidates}


def _against_control(spec: Spec, candidate: str, rows: Sequence[Row]) -> dict[str, Interval]:
    least = min(spec.each, 1 - spec.share)
    at_once = len(spec.candidates) * (len(spec.tasks or Task) + 1)  # every task, and `all`
    start = SplitSequence.start(alpha=spec.alpha / at_once, least_propensity=least)
    states: dict[str, SplitSequence] = {}
    for task, row in _first_of_each_user(rows):
        state = states.get(task, start)
        if row["backbone"] in {spec.control, candidate}:
            states[task] = state.update(
                treated=row["backbone"] == candidate,
                score=row["score"],
                propensity=max(least, row["propensity"]),  # rounding may leave it a hair under
            )
        else:
            states[task] = state.elsewhere()
    return {
        task: (s.control[0] + s.treatment[0], *s.interval()) for task, s in sorted(states.items())
    }


def _first_of_each_user(rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        unit = row["user"] or row["request_id"]
        for task in (row["task"], "all"):
            if (task, unit) not in seen:
                seen.add((task, unit))
                yield task, row
