"""How much slower, dearer and worse calibrated a candidate is than control, whenever one looks."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import case, func, select

from evaluation.asymptotic import LEAST, asymptotic
from evaluation.compare import Pair
from evaluation.experiments import Spec
from evaluation.sequences import paired
from evaluation.splits import brier_of, first_of_each, unit_of
from evaluation.stores.rows import Row
from evaluation.stores.schema import interactions
from evaluation.stores.sql import Store

MEASURES = ("total_s", "first_token_s", "per_token_s", "cost")
"""What is compared of every answered request; seconds and dollars."""
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of candidate − control over `n` requests, and its confidence sequence.

    That of seconds and dollars is asymptotic: `low` and `high` are infinite while there is too
    little to say anything. Brier scores lie in [0, 1], so theirs is exact.
    """

    n: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], alpha: float) -> "Difference":
        """Summarise differences in the order in which they became known."""
        low, high = asymptotic(values, alpha=alpha)
        return cls(len(values), float(np.mean(values)) if len(values) else 0.0, low, high)

    @classmethod
    def of_scores(cls, values: Sequence[float], alpha: float) -> "Difference":
        """Summarise differences of scores in [0, 1], likewise."""
        sequence = paired(alpha).update(values)
        return cls(
            len(values), float(np.mean(values)) if len(values) else 0.0, *sequence.interval()
        )

    def told(self) -> dict[str, float | None]:
        """As JSON, which has no infinity: null where nothing can be said yet."""
        ends = {"low": self.low, "high": self.high}
        known = {name: end if math.isfinite(end) else None for name, end in ends.items()}
        return {"n": self.n, "mean": self.mean, **known}


def shadow_differences(
    store: Store, spec: Spec, candidate: str, graded: Sequence[Pair]
) -> dict[str, Difference]:
    """Of a request and its copy: seconds and dollars of both answered, Brier score of graded ones.

    Seconds count from when the backbone was asked: reading and routing are the primary's alone. A
    copy waits for a quiet moment and its primary does not, so compare seconds under light load.
    """
    asked, copied = interactions.alias("asked"), interactions.alias("copied")
    differences = [(_of(copied, m) - _of(asked, m)).label(m) for m in MEASURES]
    rows = store.rows(
        select(*differences, asked.c.detail)
        .select_from(copied.join(asked, asked.c.request_id == copied.c.primary_id))
        .where(
            copied.c.experiment == spec.name, copied.c.backbone == candidate,
            copied.c.outcome == "answered", asked.c.outcome == "answered",
            asked.c.backbone == spec.control,
        )
        .order_by(copied.c.at_s, copied.c.request_id)
        .limit(_MOST)
    )  # fmt: skip
    alpha = spec.alpha_each
    brier = [
        (p.new_confidence - p.new_score) ** 2 - (p.old_confidence - p.old_score) ** 2
        for p in graded
        if p.answered
    ]
    for row in rows:
        before_s = json.loads(row["detail"]).get("timing", {}).get("before_s", 0.0)
        for measure in ("total_s", "first_token_s"):
            if row[measure] is not None:
                row[measure] += before_s
    measured = {
        m: Difference.of([row[m] for row in rows if row[m] is not None], alpha) for m in MEASURES
    }
    return {"brier": Difference.of_scores(brier, alpha)} | measured


def split_differences(
    store: Store, spec: Spec, graded: Sequence[Row]
) -> dict[str, dict[str, Difference]]:
    """Per candidate: seconds and dollars beside control's, and the Brier score of `graded` answers.

    Weighed by the recorded propensities.
    """
    t = interactions.c
    rows = store.rows(
        select(
            t.request_id, t.at_s, t.user, t.backbone, t.propensity,
            *(_of(interactions, m).label(m) for m in MEASURES),
        )
        .where(
            t.experiment == spec.name, t.kind == "served", t.outcome == "answered",
            t.backbone.in_((spec.control, *spec.candidates)),
        )
        .order_by(t.at_s, t.request_id)
        .limit(_MOST)
    )  # fmt: skip
    once = list(first_of_each(rows, unit_of))  # later answers of a user are not random
    return {c: beside_control(spec, c, once, graded) for c in spec.candidates}


def beside_control(
    spec: Spec, candidate: str, once: Sequence[Row], graded: Sequence[Row]
) -> dict[str, Difference]:
    """One candidate's measures; `once` holds one answered request of each unit."""
    n, mean, ends = brier_of(spec, candidate, graded)
    told = {"brier": Difference(n, mean, *ends)}
    there = [row for row in once if spec.took_part(candidate, row["at_s"])]
    for measure in MEASURES:
        known = [row for row in there if row[measure] is not None]
        values = _weighed(known, spec.control, candidate, measure)
        sides = Counter(row["backbone"] for row in known)
        found = Difference.of(values, spec.alpha_each)
        if min(sides[spec.control], sides[candidate]) < LEAST:  # a side is hardly known yet
            found = Difference(found.n, found.mean, -math.inf, math.inf)
        told[measure] = found
    return told


def _of(side: Any, measure: str) -> Any:
    """One measure of an interaction, in SQL.

    An answer that is not streamed comes as one piece: it has no first token to wait for, and no
    time per token; nor has an answer of a single token.
    """
    if measure == "first_token_s":
        return case((side.c.streamed, side.c.first_token_s))
    if measure == "per_token_s":
        more = func.nullif(side.c.completion_tokens - 1, 0)
        return case((side.c.streamed, (side.c.total_s - side.c.first_token_s) / more))
    return side.c[measure]


def _weighed(rows: Sequence[Row], control: str, candidate: str, measure: str) -> list[float]:
    """Unbiased estimates of the difference, one of each event (Robins et al. 1994)."""
    seen = {control: (0, 0.0), candidate: (0, 0.0)}
    estimates = []
    for row in rows:
        means = {arm: total / max(1, n) for arm, (n, total) in seen.items()}
        estimate = means[candidate] - means[control]
        arm, value = row["backbone"], row[measure]
        if arm in seen:
            off = (value - means[arm]) / row["propensity"]
            estimate += off if arm == candidate else -off
            seen[arm] = (seen[arm][0] + 1, seen[arm][1] + value)
        estimates.append(estimate)
    return estimates
