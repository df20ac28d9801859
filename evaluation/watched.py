"""What has changed in live traffic, and how right a judge model says it is."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from evaluation.drift import FALSE_ALARMS, Drift, drifts, task_mix_drifts
from evaluation.online import Place, Window, within
from evaluation.ppi import LEAST, Corrected, prediction_powered_mean
from evaluation.stores.rows import Row
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store

MOST_FOR_DRIFT = 5_000
MOST_JUDGED = 50_000
"""Newest answers of a window that a judge's correction reads."""


@dataclass(frozen=True, slots=True)
class Watched:
    """The changes found in one stream: of `accuracy` or `confidence` at a place, or `task_mix`.

    `task` is `all` for a backbone's whole traffic; `backbone` is `all` for the share of a task.
    """

    of: str
    backbone: str
    task: str
    changes: tuple[Drift, ...]


def drift(store: Store, window: Window) -> tuple[Watched, ...]:
    """Look for changes in the newest answers of the window; one entry per stream looked at.

    Accuracy is that of graded answers, confidence that of all. Of the task mix only what has
    changed is told. A backbone's tasks share one rate of false alarms, as the shares of the task
    mix do.
    """
    g = grades.c
    graded = store.rows(
        select(g.backbone, g.task, g.score)
        .where(*within(window))
        .order_by(g.at_s.desc())
        .limit(MOST_FOR_DRIFT)
    )[::-1]
    t = interactions.c
    asked = store.rows(
        select(t.task, t.backbone, t.confidence)
        .where(t.kind == window.kind, t.at_s >= window.since_s, t.at_s < window.until_s)
        .order_by(t.at_s.desc())
        .limit(MOST_FOR_DRIFT)
    )[::-1]
    sure = [row for row in asked if row["confidence"] is not None]
    told = [*_streams("accuracy", "score", graded), *_streams("confidence", "confidence", sure)]
    mix = task_mix_drifts([row["task"] for row in asked])
    return (*told, *(Watched("task_mix", "all", task, found) for task, found in mix.items()))


def _streams(of: str, column: str, rows: Sequence[Row]) -> Iterator[Watched]:
    for backbone, own in _by(rows, "backbone").items():
        tasks = _by(own, "task")
        streams = [("all", own, FALSE_ALARMS)]
        streams += [(task, some, FALSE_ALARMS / len(tasks)) for task, some in tasks.items()]
        for task, some, level in streams:
            found = drifts((row[column] for row in some), delta=level)
            yield Watched(of, backbone, task, found)


def _by(rows: Sequence[Row], column: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[column]].append(row)
    return dict(sorted(found.items()))


def judged(store: Store, window: Window) -> dict[Place, Corrected]:
    """Accuracy from a judge's grades, corrected by the truth where both are known.

    Per backbone and task, and per backbone over `all`; only where enough is known by both. Not of
    copies: a judge is asked about users' answers, and its word is one about a copy only where that
    says the same.
    """
    if window.kind == "shadowed":
        return {}
    judge, truth = grades.alias("judge"), grades.alias("truth")
    rows = store.rows(
        select(
            judge.c.backbone, judge.c.task, judge.c.score.label("judge"),
            truth.c.score.label("truth"),
        )
        .select_from(
            judge.outerjoin(
                truth, (truth.c.request_id == judge.c.request_id) & (truth.c.by == "truth")
            )
        )
        .where(
            judge.c.by == "judge", judge.c.kind == window.kind, judge.c.at_s >= window.since_s,
            judge.c.at_s < window.until_s,
        )
        .order_by(judge.c.at_s.desc())
        .limit(MOST_JUDGED)
    )  # fmt: skip
    places = {
        (backbone, task): some
        for backbone, own in _by(rows, "backbone").items()
        for task, some in [("all", own), *_by(own, "task").items()]
    }
    return {place: told for place, own in places.items() if (told := _corrected(own)) is not None}


def _corrected(rows: Sequence[Row]) -> Corrected | None:
    both = [row for row in rows if row["truth"] is not None]
    if len(both) < LEAST:
        return None
    return prediction_powered_mean(
        np.array([row["truth"] for row in both]),
        np.array([row["judge"] for row in both]),
        np.array([row["judge"] for row in rows if row["truth"] is None]),
    )
