"""Join what was said with what was answered, and grade it: late, corrected and early alike.

A word about a user's request also grades the shadow copies of it: by the truth when it was given;
by a verdict only where the copy gave the same answer. A copy that failed is wrong where the truth
was given, and its grade (`FAILED`) comes in its turn, as that of an answer does: counted sooner, it
would stand in a verdict's sequence before the answers of its time.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select

from evaluation.metrics.grade import Scored, grade
from evaluation.metrics.normalise import vqa_normalise
from evaluation.records import UNFINISHED
from evaluation.stores.rows import Row
from evaluation.stores.schema import feedback, grades, interactions
from evaluation.stores.sql import Store, in_pieces
from routing.domain import Task

_log = logging.getLogger(__name__)
Key = tuple[str, str]
"""Request and kind of source."""
FAILED = "failed"
"""The metric of a copy that gave no answer."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """Feedback about a request that has not been seen."""

    feedback_id: str
    request_id: str
    at_s: float


def grade_pending(store: Store, now_s: float, *, most: int = 2_000) -> int:
    """Grade feedback whose answer has arrived; return how many grades were written."""
    there = select(interactions.c.request_id).where(_known_end())
    waiting = store.rows(
        select(feedback)
        .where(feedback.c.graded.is_(False), feedback.c.request_id.in_(there))
        .order_by(feedback.c.at_s)
        .limit(most)
    )
    if not waiting:
        return 0
    ids = sorted({row["request_id"] for row in waiting})
    answers: dict[str, list[Row]] = {}
    for some in in_pieces(ids):
        match = or_(interactions.c.request_id.in_(some), interactions.c.primary_id.in_(some))
        for row in store.rows(select(interactions).where(match)):
            for key in {row["primary_id"] or row["request_id"], row["request_id"]}:
                answers.setdefault(key, []).append(row)  # a copy may be spoken of by its own id
    known = _known(store, answers)
    graded: dict[Key, Row] = {}
    for said in waiting:
        for row in _graded(said, answers.get(said["request_id"], [])):
            key = row["request_id"], row["by"]
            before = graded.get(key) or known.get(key)
            graded[key] = _confirmed(before, row) or row | {"known_s": now_s}
    store.upsert_grades(list(graded.values()), [row["feedback_id"] for row in waiting])
    return len(graded)


def _known_end() -> Any:
    """Everything but copies that wait or run: a word about one of them waits with it."""
    return or_(interactions.c.error.is_(None), interactions.c.error != UNFINISHED)


def _known(store: Store, answers: Mapping[str, Sequence[Row]]) -> dict[Key, Row]:
    """The grades that there are of these answers."""
    ids = sorted({row["request_id"] for own in answers.values() for row in own})
    return {
        (row["request_id"], row["by"]): row
        for some in in_pieces(ids)
        for row in store.rows(select(grades).where(grades.c.request_id.in_(some)))
    }


def _confirmed(before: Row | None, row: Row) -> Row | None:
    """The grade that a later word only says again; None where it says otherwise.

    A place in the sequences is given once: who says the same again moves nothing.

    Copies that say something else can be held against the truth, and not against a verdict: if a
    thumb up made a verdict of the grade, the pairs that control wins would be left out.
    """
    if before is None or row["metric"] not in {"verdict", before["metric"]}:
        return None
    if row["score"] != before["score"] or row["told_s"] < before["told_s"]:
        return None
    return before | {"told_s": row["told_s"]}


def grade_late_shadows(store: Store, since_s: float, now_s: float, *, most: int = 2_000) -> int:
    """Grade the copies made since Unix time `since_s` whose primary had been graded before them."""
    graded = select(grades.c.request_id).where(grades.c.by == "truth")
    late = store.rows(
        select(interactions)
        .where(
            interactions.c.kind == "shadowed",
            interactions.c.outcome.in_(("answered", "failed")),
            interactions.c.at_s >= since_s,
            interactions.c.request_id.not_in(graded),
            interactions.c.primary_id.in_(
                select(feedback.c.request_id).where(feedback.c.graded.is_(True))
            ),
        )
        .order_by(interactions.c.at_s.desc())  # those that cannot be graded fall behind
        .limit(most)
    )
    written = 0
    for copy in late:
        primary = store.find(copy["primary_id"])
        rows = [
            row
            for said in store.history(copy["primary_id"])
            for row in _graded(said, [copy] if primary is None else [primary, copy])
            if row["request_id"] == copy["request_id"]
        ]
        if rows:
            newest = {row["by"]: row | {"known_s": now_s} for row in rows}
            store.upsert_grades(list(newest.values()), [])
            written += 1
    return written


def _graded(said: Row, answers: list[Row]) -> list[Row]:
    """The grades that one word gives; `answers` holds the request and its shadow copies."""
    primary = next((a for a in answers if a["request_id"] == said["request_id"]), None)
    told = []
    for answer in answers:
        if answer["answer"] is None and not _failed_copy(answer):
            continue
        try:
            scored = _score(said, answer, primary)
        except (ArithmeticError, ValueError) as error:
            # one word must not stop the others; it stays in the history without a grade
            _log.warning("feedback %s cannot be graded: %s", said["feedback_id"], error)
            scored = None
        if scored is not None:
            told.append(_row(said, answer, scored))
    return told


def _failed_copy(answer: Row) -> bool:
    return bool(answer["kind"] == "shadowed" and answer["outcome"] == "failed")


def _score(said: Row, answer: Row, primary: Row | None) -> Scored | None:
    if said["truth"] is not None:
        verdict = grade(
            answer["answer"] or "",
            json.loads(said["truth"]),
            task=Task(answer["task"]),
            choices=json.loads(said["choices"]),
            metric=said["metric"],
        )
        if not isinstance(verdict, Scored):
            return None
        return Scored(verdict.metric, 0.0) if _failed_copy(answer) else verdict
    if (
        _failed_copy(answer)
        or primary is None
        or vqa_normalise(answer["answer"]) != vqa_normalise(primary["answer"] or "")
    ):
        return None
    value = float(said["correct"]) if said["correct"] is not None else float(said["score"])
    return Scored("exact", value)


def _row(said: Row, answer: Row, scored: Scored) -> Row:
    metric = FAILED if _failed_copy(answer) else scored.metric
    return {
        "request_id": answer["request_id"],
        "by": "judge" if said["source"] == "judge" else "truth",
        "score": scored.value,
        "metric": metric if said["truth"] is not None else "verdict",
        "feedback_id": said["feedback_id"],
        "told_s": said["at_s"],
        "at_s": answer["at_s"],
        "kind": answer["kind"],
        "backbone": answer["backbone"],
        "task": answer["task"],
        "confidence": answer["confidence"] or 0.0,
        "primary_id": answer["primary_id"] or answer["request_id"],
    }


def _unseen(before_s: float) -> Any:
    known = select(interactions.c.request_id)
    # what was graded had an answer once, though retention may have taken it since
    waits = feedback.c.graded.is_(False)
    return (feedback.c.at_s < before_s) & waits & feedback.c.request_id.not_in(known)


def orphans(store: Store, before_s: float, *, most: int = 100) -> tuple[int, tuple[Orphan, ...]]:
    """Count, and list the oldest of, the feedback older than `before_s` that no answer matches."""
    total = store.rows(select(func.count().label("n")).where(_unseen(before_s)))[0]["n"]
    found = store.rows(
        select(feedback).where(_unseen(before_s)).order_by(feedback.c.at_s).limit(most)
    )
    return total, tuple(Orphan(r["feedback_id"], r["request_id"], r["at_s"]) for r in found)
