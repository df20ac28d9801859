"""Live figures per backbone and task, for any window, from what was graded.

The database adds up: what is read is one row per backbone, task and cell of confidence, however
many answers there were, and several gateways that share a store give the figures of one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Integer, case, cast, func, select

from evaluation.calibration import (
    Bin,
    Brier,
    aurc,
    brier,
    ece,
    ece_debiased,
    reliability,
    risk_coverage,
    smooth_ece,
)
from evaluation.experiments import TRIES
from evaluation.grading import FAILED
from evaluation.intervals import wilson
from evaluation.sequences import bounded_mean
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store
from evaluation.tally import BINS, Tally

Place = tuple[str, str]
"""Backbone and task."""


@dataclass(frozen=True, slots=True)
class Window:
    """Answers given at Unix times in [since_s, until_s), of one kind, graded by one kind of source.

    `kind` is `served`, `shadowed` or `probe`; `by` is `truth` or `judge`.
    """

    since_s: float = 0.0
    until_s: float = 1e12
    kind: str = "served"
    by: str = "truth"


@dataclass(frozen=True, slots=True)
class Figure:
    """How one backbone does on one task, or on all of them (`task` is `all`).

    `interval` is Wilson's, for display; `sequence` is anytime-valid, for decisions (95 %).
    """

    backbone: str
    task: str
    n: int
    accuracy: float
    interval: tuple[float, float]
    sequence: tuple[float, float]
    mean_confidence: float
    ece: float
    ece_debiased: float
    smooth_ece: float
    brier: Brier
    aurc: float
    reliability: tuple[Bin, ...]
    risk_coverage: tuple[tuple[float, float], ...]


def tallies(store: Store, window: Window) -> dict[Place, Tally]:
    """Read the tally of every backbone and task that has graded answers in the window."""
    c, s = grades.c.confidence, grades.c.score
    # PostgreSQL rounds when it casts, SQLite cuts off
    exact = func.floor(c * BINS) if store.engine.dialect.name == "postgresql" else c * BINS
    cell = cast(exact, Integer).label("cell")
    query = (
        select(
            grades.c.backbone, grades.c.task, cell, func.count().label("n"),
            func.sum(s).label("score"), func.sum(c).label("confidence"),
            func.sum((c - s) * (c - s)).label("squares"), func.sum(s * s).label("score_squares"),
        )
        .where(*within(window))
        .group_by(grades.c.backbone, grades.c.task, cell)
    )  # fmt: skip
    found: dict[Place, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows(query):
        found[row["backbone"], row["task"]].append(row)
    return {place: _tally(rows) for place, rows in found.items()}


def within(window: Window) -> tuple[Any, ...]:
    """The window as conditions on grades.

    A verdict grades only copies that say the same as their primary, a cascade's answers that
    were not given were less sure, and a copy that failed was not sure of anything: none of them
    says how often a backbone's answers are right.
    """
    drawn: tuple[Any, ...] = ()
    if window.kind == "shadowed":
        tries = select(interactions.c.request_id).where(interactions.c.experiment.in_(TRIES))
        drawn = (grades.c.metric.not_in(("verdict", FAILED)), grades.c.request_id.not_in(tries))
    return (
        *drawn,
        grades.c.kind == window.kind,
        grades.c.by == window.by,
        grades.c.at_s >= window.since_s,
        grades.c.at_s < window.until_s,
    )


def _tally(rows: Iterable[dict[str, Any]]) -> Tally:
    n, score, score_squares, confidence = (np.zeros(BINS) for _ in range(4))
    squares = 0.0
    for row in rows:
        at = min(BINS - 1, int(row["cell"]))
        n[at] += row["n"]
        score[at] += row["score"]
        score_squares[at] += row["score_squares"]
        confidence[at] += row["confidence"]
        squares += row["squares"]
    return Tally(n, score, score_squares, confidence, squares)


def figures(store: Store, window: Window) -> tuple[Figure, ...]:
    """Compute every figure of the window, per backbone and task and per backbone over all tasks."""
    by_place = tallies(store, window)
    places = by_place | {(b, "all"): tally for b, tally in by_backbone(by_place).items()}
    return tuple(
        figure(backbone, task, tally) for (backbone, task), tally in sorted(places.items())
    )


def by_backbone(by_place: Mapping[Place, Tally]) -> dict[str, Tally]:
    """Add up the tallies of every backbone's tasks."""
    whole: dict[str, Tally] = {}
    for (backbone, _), tally in by_place.items():
        whole[backbone] = whole.get(backbone, Tally.empty()) + tally
    return whole


def figure(backbone: str, task: str, tally: Tally) -> Figure:
    """Everything that can be said of one tally."""
    coverage, risk = risk_coverage(tally)
    return Figure(
        backbone=backbone,
        task=task,
        n=tally.count,
        accuracy=tally.accuracy,
        interval=wilson(float(tally.score.sum()), tally.count),
        sequence=bounded_mean(tally.count, float(tally.score.sum())),
        mean_confidence=float(tally.confidence.sum() / max(1, tally.count)),
        ece=ece(tally),
        ece_debiased=ece_debiased(tally),
        smooth_ece=smooth_ece(tally),
        brier=brier(tally),
        aurc=aurc(tally),
        reliability=reliability(tally, bins=10),
        risk_coverage=tuple(zip(coverage.tolist(), risk.tolist(), strict=True)),
    )


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much one backbone was asked of one task, whether or not it was graded."""

    backbone: str
    task: str
    requests: int
    failed: int
    dropped: int  # copies that were not sent
    prompt_tokens: int
    tokens: int
    cost: float
    mean_latency_s: float
    mean_confidence: float


def traffic(store: Store, window: Window) -> tuple[Traffic, ...]:
    """Count the requests of the window per backbone and task; seconds are those of answers."""
    t = interactions.c
    failed = func.sum(cast(t.outcome == "failed", Integer))
    dropped = func.sum(cast(t.outcome == "dropped", Integer))
    seconds = func.avg(case((t.outcome == "answered", t.total_s)))
    query = (
        select(
            t.backbone, t.task, func.count().label("requests"), failed.label("failed"),
            dropped.label("dropped"),
            func.coalesce(func.sum(t.prompt_tokens), 0).label("prompt_tokens"),
            func.coalesce(func.sum(t.prompt_tokens + t.completion_tokens), 0).label("tokens"),
            func.coalesce(func.sum(t.cost), 0.0).label("cost"),
            func.coalesce(seconds, 0.0).label("mean_latency_s"),
            func.coalesce(func.avg(t.confidence), 0.0).label("mean_confidence"),
        )
        .where(t.kind == window.kind, t.at_s >= window.since_s, t.at_s < window.until_s)
        .group_by(t.backbone, t.task)
        .order_by(t.backbone, t.task)
    )  # fmt: skip
    return tuple(Traffic(**row) for row in store.rows(query))
