"""What a new quality table may learn from live traffic: outcomes that no answer has selected.

A cascade's second backbone is asked where the first one was unsure, and what the first one said is
given to the user only where it was sure. Learnt from as they come, such answers would make the
second backbone look worse than it is and the first one better. So of a cascade's requests only the
first answers count, and only where the truth is known: a verdict is on the answer that was given.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import and_, or_, select

from evaluation.confidence_maps import fit_map
from evaluation.experiments import FIRST_TRY
from evaluation.offline import Answered
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store
from evaluation.worth import refit_success
from routing.domain import Task
from routing.quality import ConfidenceMap, Observed, QualityTable, Success

MOST = 50_000
"""Newest outcomes that a refit reads."""
_TASKS = {t.value for t in Task}
CASCADE = "cascade%"
"""What the policies of cascades are called, in SQL."""


def learnable(store: Store, since_s: float) -> list[Answered]:
    """Graded answers since Unix time `since_s` that represent what their backbone can."""
    t, g = interactions.c, grades.c
    alone = and_(t.kind == "served", t.policy.not_like(CASCADE))
    first = and_(
        g.metric != "verdict",
        or_(
            and_(t.kind == "shadowed", t.experiment == FIRST_TRY),
            and_(t.kind == "served", t.policy.like(CASCADE), ~_escalated()),
        ),
    )
    rows = store.rows(
        select(
            t.request_id, t.backbone, t.task, t.question, t.detail, t.cost, t.completion_tokens,
            g.confidence, g.score, g.metric,
        )
        .join(grades, g.request_id == t.request_id)
        .where(g.by == "truth", t.at_s >= since_s, t.outcome == "answered", or_(alone, first))
        .order_by(t.at_s.desc(), t.request_id)
        .limit(MOST)
    )  # fmt: skip
    return [_answered(row) for row in rows if row["task"] in _TASKS]


def _escalated() -> Any:
    """Tell in SQL whether a cascade's first answer was followed by another backbone's."""
    first = interactions.alias("first")
    return (
        select(first.c.request_id)
        .where(first.c.primary_id == interactions.c.request_id, first.c.experiment == FIRST_TRY)
        .exists()
    )


def _answered(row: dict[str, Any]) -> Answered:
    facts = json.loads(row["detail"]).get("picture", {})
    return Answered(
        row["request_id"], row["backbone"], row["task"], row["question"], "", row["score"],
        row["metric"], row["confidence"], row["cost"] or 0.0, 0.0, row["completion_tokens"] or 0,
        facts=tuple(facts.values()),
    )  # fmt: skip


def observed(told: Iterable[Answered]) -> dict[tuple[str, Task], Observed]:
    """Sums of scores and of answers per backbone and task."""
    found: dict[tuple[str, Task], Observed] = {}
    for one in told:
        key = (one.backbone, Task(one.task))
        before = found.get(key, Observed(0.0, 0))
        found[key] = Observed(before.right + one.score, before.n + 1)
    return found


def maps(told: Sequence[Answered]) -> dict[tuple[str, Task], ConfidenceMap]:
    """Confidence maps of the places that have enough outcomes; each map is judged on others."""
    places: dict[tuple[str, str], list[Answered]] = defaultdict(list)
    for one in told:
        places[one.backbone, one.task].append(one)
    found: dict[tuple[str, Task], ConfidenceMap] = {}
    for (backbone, task), some in places.items():
        fitted = fit_map(
            [a.id for a in some],
            np.array([a.confidence for a in some]),
            np.array([a.score for a in some]),
        )
        if fitted is not None:
            found[backbone, Task(task)] = fitted.map
    return found


def successes(table: QualityTable, told: Sequence[Answered]) -> dict[str, Success]:
    """The success predictors of `table` after what was seen live."""
    found = {}
    for backbone in sorted({one.backbone for one in told}):
        base = table.backbones[backbone].success if backbone in table.backbones else None
        refitted = refit_success(base, [one for one in told if one.backbone == backbone])
        if refitted is not None:
            found[backbone] = refitted
    return found
