"""Events as rows of the store's tables."""

import json
from collections.abc import Iterable
from typing import Any

from evaluation.events import Event, Feedback
from evaluation.records import UNFINISHED

Row = dict[str, Any]


def plain(text: str) -> str:
    """Text that every database can hold: PostgreSQL has no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _storable(row: Row) -> Row:
    return {k: plain(v) if isinstance(v, str) else v for k, v in row.items()}


_OPTIONAL = ("primary_id", "experiment", "probe_set")


def event_rows(events: Iterable[Event]) -> list[Row]:
    """The rows of some events, one for each id: the first that is not `UNFINISHED`.

    In the order of their ids: two drainers that lock rows in different orders would deadlock.
    """
    rows: dict[str, Row] = {}
    for row in map(_started, events):
        if rows.get(row["request_id"], {"error": UNFINISHED})["error"] == UNFINISHED:
            rows[row["request_id"]] = row
    return [rows[request_id] for request_id in sorted(rows)]


def _started(seen: Event) -> Row:
    row: Row = dict.fromkeys(_OPTIONAL) | seen.model_dump()
    row["image_hashes"] = ",".join(row["image_hashes"])
    row["detail"] = json.dumps(row["detail"])
    return _storable(row)


def word_row(said: Feedback) -> Row:
    """The row of one word of feedback, not graded yet."""
    row = said.model_dump(exclude={"kind", "named"})
    row["truth"] = None if said.truth is None else json.dumps(said.truth)
    row["choices"] = json.dumps(said.choices)
    return _storable(row | {"graded": False})
