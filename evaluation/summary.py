"""A labelled set in figures: per backbone and task, and backbones against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import binomtest

from evaluation.calibration import aurc, ece, smooth_ece
from evaluation.compare import Pair, Solved, solved
from evaluation.intervals import wilson
from evaluation.offline import Answered, by_item
from evaluation.tally import FloatArray, Tally


@dataclass(frozen=True, slots=True)
class Row:
    """One backbone on one task (`all`: over every item; `vision`, `reasoning`: over a family)."""

    backbone: str
    task: str
    n: int
    accuracy: float
    interval: tuple[float, float]
    mean_confidence: float
    ece: float
    smooth_ece: float
    brier: float
    aurc: float
    latency_p50_s: float
    cost: float
    errors: int


@dataclass(frozen=True, slots=True)
class Versus:
    """Two backbones on the items both answered; `p_value` is the exact McNemar test's."""

    old: str
    new: str
    task: str
    n: int
    difference: float
    solved: Solved
    p_value: float


def rows(told: Sequence[Answered], families: dict[str, str]) -> tuple[Row, ...]:
    """Summarise per backbone: each task, each family, and all.

    Args:
        told: graded answers.
        families: task name → `vision` or `reasoning`.
    """
    made = []
    for backbone in sorted({a.backbone for a in told}):
        own = [a for a in told if a.backbone == backbone]
        for task in sorted({a.task for a in own}):
            made.append(_row(backbone, task, [a for a in own if a.task == task]))
        for family in ("vision", "reasoning"):
            some = [a for a in own if families.get(a.task) == family]
            if some:
                made.append(_row(backbone, family, some))
        made.append(_row(backbone, "all", own))
    return tuple(made)


def _row(backbone: str, task: str, some: Sequence[Answered]) -> Row:
    """What was not answered counts as wrong; it has no confidence, and took no time."""
    answered = [a for a in some if not a.error]
    scores = np.array([a.score for a in answered])
    sure = np.array([a.confidence for a in answered])
    tally = Tally.of(sure, scores)
    right = sum(a.score for a in some)
    return Row(
        backbone=backbone,
        task=task,
        n=len(some),
        accuracy=right / len(some),
        interval=wilson(right, len(some)),
        mean_confidence=_mean(sure),
        ece=ece(tally),
        smooth_ece=smooth_ece(tally),
        brier=_mean((sure - scores) ** 2),
        aurc=aurc(tally),
        latency_p50_s=float(np.median([a.latency_s for a in answered])) if answered else 0.0,
        cost=sum(a.cost for a in some),
        errors=sum(bool(a.error) for a in some),
    )


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else 0.0


def versus(told: Sequence[Answered]) -> tuple[Versus, ...]:
    """Compare every two backbones on every task and on all, in the order of their names."""
    made = []
    for old, new in combinations(sorted({a.backbone for a in told}), 2):
        pairs = [
            Pair(i, a[old].task, a[old].score, a[new].score, a[old].confidence, a[new].confidence)
            for i, a in by_item(told).items()
            if old in a and new in a
        ]
        tasks = sorted({p.task for p in pairs})
        made += [_versus(old, new, t, [p for p in pairs if p.task == t]) for t in tasks]
        made.append(_versus(old, new, "all", pairs))
    return tuple(made)


def _versus(old: str, new: str, task: str, pairs: Sequence[Pair]) -> Versus:
    who = solved(pairs)
    differ = who.only_old + who.only_new
    p_value = binomtest(who.only_new, differ, 0.5).pvalue if differ else 1.0
    difference = float(np.mean([p.new_score - p.old_score for p in pairs])) if pairs else 0.0
    return Versus(old, new, task, len(pairs), difference, who, float(p_value))
