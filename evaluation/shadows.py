"""What a shadow experiment says so far: users' answers beside their copies, pair by pair."""

from collections.abc import Sequence

from sqlalchemy import case, func, select

from evaluation.compare import Pair, Verdict, verdicts
from evaluation.experiments import Spec
from evaluation.metrics.normalise import vqa_normalise
from evaluation.records import UNFINISHED
from evaluation.stores.rows import Row
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import Store, image_hashes

MOST_WAITING_S = 900.0
"""Longer than any copy may wait and run."""
MOST_COMPARED = 20_000


def pairs(store: Store, spec: Spec, candidate: str) -> list[Pair]:
    """Graded pairs of a shadow experiment, in the order in which both grades were known.

    A copy that failed counts as wrong where the truth was given: a candidate that only answers easy
    questions is not better.
    """
    copy, copied = grades.alias("copy"), interactions.alias("copied")
    primary, asked = grades.alias("primary"), interactions.alias("asked")
    both_known = case((copy.c.known_s > primary.c.known_s, copy.c.known_s), else_=primary.c.known_s)
    query = (
        select(
            asked.c.request_id, asked.c.task, asked.c.answer.label("old_answer"),
            copied.c.answer.label("new_answer"), primary.c.score.label("old_score"),
            copy.c.score.label("new_score"), primary.c.confidence.label("old_confidence"),
            copy.c.confidence.label("new_confidence"), copied.c.outcome,
        )
        .select_from(copied)
        .join(asked, asked.c.request_id == copied.c.primary_id)
        .join(primary, primary.c.request_id == asked.c.request_id)
        .join(copy, (copy.c.request_id == copied.c.request_id) & (copy.c.by == "truth"))
        .where(
            copied.c.experiment == spec.name, copied.c.backbone == candidate,
            asked.c.backbone == spec.control, primary.c.by == "truth",
            # a verdict grades only copies that say the same: as pairs they would all be ties
            primary.c.metric != "verdict", copy.c.metric != "verdict",
        )
        .order_by(both_known, asked.c.request_id)
    )  # fmt: skip
    return [
        Pair(
            row["request_id"], row["task"], row["old_score"], row["new_score"],
            row["old_confidence"], row["new_confidence"],
            row["new_answer"] is not None
            and vqa_normalise(row["old_answer"]) == vqa_normalise(row["new_answer"]),
            row["outcome"] == "answered",
        )
        for row in store.rows(query)
    ]  # fmt: skip


def outcomes(store: Store, spec: Spec, now_s: float) -> dict[str, dict[str, int]]:
    """Count each candidate's copies by how they ended: answered, failed, dropped.

    Beside them those that wait or run; after `MOST_WAITING_S` their front end has died with them.
    """
    t = interactions.c
    waits = (t.error == UNFINISHED) & (t.outcome == "dropped") & (t.at_s > now_s - MOST_WAITING_S)
    how = case((waits, "waiting"), else_=t.outcome)
    query = (
        select(t.backbone, how.label("how"), func.count().label("n"))
        .where(t.experiment == spec.name, t.kind == "shadowed")
        .group_by(t.backbone, how)
    )
    found = {c: {"answered": 0, "failed": 0, "dropped": 0, "waiting": 0} for c in spec.candidates}
    for row in store.rows(query):
        found[row["backbone"]][row["how"]] = row["n"]
    return found


def agreement(store: Store, spec: Spec, candidate: str) -> dict[str, float]:
    """How often the latest `MOST_COMPARED` copies say the same as their primaries, graded or not.

    Answers are compared as VQA normalises them.
    """
    copied, asked = interactions.alias("copied"), interactions.alias("asked")
    rows = store.rows(
        select(asked.c.answer.label("old"), copied.c.answer.label("new"))
        .select_from(copied.join(asked, asked.c.request_id == copied.c.primary_id))
        .where(
            copied.c.experiment == spec.name, copied.c.backbone == candidate,
            copied.c.outcome == "answered", asked.c.outcome == "answered",
        )
        .order_by(copied.c.at_s.desc())
        .limit(MOST_COMPARED)
    )  # fmt: skip
    same = sum(vqa_normalise(row["old"]) == vqa_normalise(row["new"]) for row in rows)
    return {"n": len(rows), "share": same / max(1, len(rows))}


def shadow_verdicts(store: Store, spec: Spec, candidate: str) -> tuple[Verdict, ...]:
    """Judge a candidate on what is graded so far (see `judged_pairs`)."""
    return judged_pairs(spec, pairs(store, spec, candidate))


def judged_pairs(spec: Spec, found: Sequence[Pair]) -> tuple[Verdict, ...]:
    """Judge one candidate's pairs.

    Each candidate is judged at its share of `alpha`: the false discovery rate over all candidates
    and tasks is then at most `alpha`.
    """
    return verdicts(found, margin=spec.margin, alpha=spec.alpha_each)


def flips(
    store: Store, spec: Spec, candidate: str, found: Sequence[Pair], *, most: int = 20
) -> list[Row]:
    """Examples of answers that changed, the most confident losses and gains first."""
    changed = [p for p in found if (p.old_score >= 0.5) != (p.new_score >= 0.5)]
    return _shown(store, spec, candidate, changed, most)


def unchanged(
    store: Store, spec: Spec, candidate: str, found: Sequence[Pair], *, most: int = 5
) -> list[Row]:
    """Examples of what both solved and of what neither did, the most confident of each first."""
    both = [p for p in found if p.old_score >= 0.5 and p.new_score >= 0.5]
    neither = [p for p in found if p.old_score < 0.5 and p.new_score < 0.5 and p.answered]
    return [
        *_shown(store, spec, candidate, both, most),
        *_shown(store, spec, candidate, neither, most),
    ]


def _shown(store: Store, spec: Spec, candidate: str, found: Sequence[Pair], most: int) -> list[Row]:
    told = []
    for pair in sorted(found, key=lambda p: -max(p.old_confidence, p.new_confidence))[:most]:
        asked = store.find(pair.request_id)
        copies = store.rows(
            select(interactions).where(
                interactions.c.primary_id == pair.request_id,
                interactions.c.experiment == spec.name,
                interactions.c.backbone == candidate,
            )
        )
        if asked and copies:
            told.append(
                {
                    "request_id": pair.request_id, "task": pair.task,
                    "question": asked["question"], "control": asked["answer"],
                    "candidate": copies[0]["answer"], "solved_by": _solver(pair),
                    "control_confidence": pair.old_confidence,
                    "candidate_confidence": pair.new_confidence,
                    "pictures": image_hashes(asked),
                }
            )  # fmt: skip
    return told


def _solver(pair: Pair) -> str:
    old, new = pair.old_score >= 0.5, pair.new_score >= 0.5
    return {(True, True): "both", (True, False): "control", (False, True): "candidate"}.get(
        (old, new), "neither"
    )
