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

from sqlalchemy import and_, or_, select

from evaluation.experiments import FIRST_TRY
from evaluation.offline import Answered
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store
from evaluation.worth import confidence_maps, refit_success, seconds
from routing.domain import ModelId, Task
from routing.quality import ConfidenceMap, Observed, QualityTable, Success, updated

MOST = 50_000
"""Newest outcomes that a refit reads."""
LEAST_TIMED = 50
"""Answers of a backbone after which its measured seconds replace those of the table."""
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
            t.total_s, g.confidence, g.score, g.metric,
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
    detail = json.loads(row["detail"])
    facts = detail.get("picture", {})
    timing = detail.get("timing", {})  # its own time alone
    took_s = row["total_s"] - timing.get("first_try_s", 0.0) - timing.get("second_try_s", 0.0)
    return Answered(
        row["request_id"], row["backbone"], row["task"], row["question"], "", row["score"],
        row["metric"], row["confidence"], row["cost"] or 0.0, took_s, row["completion_tokens"] or 0,
        facts=tuple(facts.values()),
    )  # fmt: skip


def observed(told: Iterable[tuple[str, str, float]]) -> dict[tuple[str, Task], Observed]:
    """Sums of scores and of answers per backbone and task, from triples of the three."""
    found: dict[tuple[str, Task], Observed] = {}
    for backbone, task, score in told:
        before = found.get((backbone, Task(task)), Observed(0.0, 0))
        found[backbone, Task(task)] = Observed(before.right + score, before.n + 1)
    return found


def relearned(table: QualityTable, told: Sequence[Answered]) -> QualityTable:
    """A new version of `table` after `told`.

    Posteriors, confidence maps and success predictors, and seconds where there are enough answers.
    """
    by_backbone: dict[str, list[Answered]] = defaultdict(list)
    for one in told:
        by_backbone[one.backbone].append(one)
    maps: dict[tuple[str, Task], ConfidenceMap] = {}
    success: dict[str, Success] = {}
    for backbone, own in sorted(by_backbone.items()):
        maps |= {(backbone, task): fitted for task, fitted in confidence_maps(own).items()}
        refitted = refit_success(table.worth(ModelId(backbone)).success, own)
        if refitted is not None:
            success[backbone] = refitted
    seen = observed((a.backbone, a.task, a.score) for a in told)
    measured = {b: seconds(own) for b, own in by_backbone.items() if len(own) >= LEAST_TIMED}
    note = f"refitted on {len(told)} graded answers"
    return updated(table, seen, maps, note=note, success=success, seconds=measured)
