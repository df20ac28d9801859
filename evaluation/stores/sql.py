"""The event store: SQLAlchemy over SQLite (WAL) or PostgreSQL, idempotent by id."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    LargeBinary,
    String,
    Table,
    case,
    cast,
    create_engine,
    delete,
    event,
    func,
    literal,
    make_url,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from evaluation.events import Event, Feedback
from evaluation.records import UNFINISHED
from evaluation.stores.migrate import migrate
from evaluation.stores.rows import Row, event_rows, plain, word_row
from evaluation.stores.schema import feedback, grades, interactions

_IN_ONE_QUERY = 500
"""Ids in one `IN`: databases limit a statement's parameters."""

_ID_KEPT = 46
"""Characters of a word's id where it has been said again; the moment follows, 64 in all."""

_PATIENCE: dict[str, Any] = {
    "connect_timeout": 5, "tcp_user_timeout": 20_000, "options": "-c lock_timeout=20s"
}  # fmt: skip
"""How long PostgreSQL may keep us waiting: a store that hangs is one that is away, and is told."""

_BESIDE_ITS_TEXT, _BESIDE_A_WORD = 500, 200
"""Bytes of an interaction's numbers, index entries and grade, and those of a word of feedback."""


def connect(url: str) -> Engine:
    """Open a store and bring its tables up to date; SQLite gets write-ahead logging."""
    # an error must not carry the questions and answers that were to be stored into a log
    patience = _PATIENCE if make_url(url).get_backend_name() == "postgresql" else {}
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=patience)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    migrate(engine)
    return engine


def _sqlite_settings(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


class Store:
    """Append and read; several processes may share one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def append(self, events: Sequence[Event]) -> None:
        """Store a batch in one transaction; an event that is there already is left as it is.

        But for a copy that was `UNFINISHED`: how it ended takes its place.
        """
        started = event_rows(e for e in events if not isinstance(e, Feedback))
        told = [e for e in events if isinstance(e, Feedback)]
        if not events:
            return
        with self.engine.begin() as connection:
            if started:
                connection.execute(self._insert_started(), started)
            if once := [word_row(e) for e in told if e.named]:
                connection.execute(self.insert(feedback).on_conflict_do_nothing(), once)
            again, repeated = self._in_turn(connection, [word_row(e) for e in told if not e.named])
            if again:
                connection.execute(self.insert(feedback).on_conflict_do_nothing(), again)
            for feedback_id, at_s in sorted(repeated.items()):
                same = (feedback.c.feedback_id == feedback_id) & (feedback.c.at_s < at_s)
                connection.execute(update(feedback).where(same).values(at_s=at_s, graded=False))

    def _insert_started(self) -> Any:
        statement = self.insert(interactions)
        return statement.on_conflict_do_update(
            index_elements=["request_id"],
            set_={c.name: statement.excluded[c.name] for c in interactions.c if not c.primary_key},
            where=(interactions.c.outcome == "dropped") & (interactions.c.error == UNFINISHED),
        )

    @staticmethod
    def _in_turn(
        connection: Connection, words: Sequence[Row]
    ) -> tuple[list[Row], dict[str, float]]:
        """The words that say something new: the same ones again only where others came between.

        Then they count again, under an id of their own, and the history has them twice. Else they
        only move to their later time, told second: others may still arrive that were said between,
        from a front end whose spool is drained later.
        """
        repeated: dict[str, float] = {}
        known: dict[str, list[tuple[str, float]]] = {}
        for some in in_pieces(sorted({w["request_id"] for w in words})):
            c = feedback.c
            query = select(c.request_id, c.feedback_id, c.at_s).where(c.request_id.in_(some))
            for request_id, feedback_id, at_s in connection.execute(query):
                known.setdefault(request_id, []).append((feedback_id, at_s))
        new = []
        for word in sorted(words, key=lambda w: w["at_s"]):
            own, at_s = word["feedback_id"], word["at_s"]
            before = known.setdefault(word["request_id"], [])
            same = [(at, told) for told, at in before if told.partition("@")[0] == own]
            others = [at for told, at in before if told.partition("@")[0] != own]
            if same and not any(max(same)[0] < at <= at_s for at in others):
                at, told = max(same)
                if at_s > at:
                    repeated[told] = at_s
                    before[before.index((told, at))] = (told, at_s)
                continue
            if same:
                word = word | {"feedback_id": f"{own[:_ID_KEPT]}@{at_s:.6f}"}
            before.append((word["feedback_id"], at_s))
            new.append(word)
        return new, repeated

    def insert(self, table: Table) -> Any:
        """An insert statement of the database's own kind, which knows what to do on conflicts."""
        dialect = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        return dialect.insert(table)

    def upsert_grades(self, rows: Sequence[Row], done: Sequence[str]) -> None:
        """Write grades (the later word wins) and mark the feedback they came from as graded.

        When a grade was first known stays: a correction changes what an answer was worth, and not
        its place in the sequences.
        """
        statement = self.insert(grades)
        kept = {"request_id", "by", "known_s"}
        changed = {c.name: statement.excluded[c.name] for c in grades.c if c.name not in kept}
        statement = statement.on_conflict_do_update(
            index_elements=["request_id", "by"],
            set_=changed,
            where=grades.c.told_s <= statement.excluded.told_s,
        )
        with self.engine.begin() as connection:
            if rows:
                connection.execute(statement, list(rows))
            for some in in_pieces(done):
                connection.execute(
                    update(feedback).where(feedback.c.feedback_id.in_(some)).values(graded=True)
                )

    def count(self, kind: str | None = None) -> int:
        """Count the stored interactions, of one kind or of all."""
        query = select(func.count()).select_from(interactions)
        if kind is not None:
            query = query.where(interactions.c.kind == kind)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def find(self, request_id: str) -> Row | None:
        """Return one stored interaction as a mapping of column to value, or nothing."""
        wanted = plain(request_id)
        found = self.rows(select(interactions).where(interactions.c.request_id == wanted))
        return found[0] if found else None

    def latest(self, limit: int = 50, text: str = "") -> list[Row]:
        """Return the newest users' requests, newest first; `text` must be in question or answer."""
        query = select(interactions).where(interactions.c.kind == "served")
        if text:
            like = f"%{plain(text)}%"
            query = query.where(
                interactions.c.question.ilike(like) | interactions.c.answer.ilike(like)
            )
        return self.rows(query.order_by(interactions.c.at_s.desc()).limit(limit))

    def history(self, request_id: str) -> list[Row]:
        """Return everything ever said about one request, oldest first."""
        return self.said([request_id]).get(request_id, [])

    def said(self, request_ids: Sequence[str]) -> dict[str, list[Row]]:
        """Return the history of many requests, by request."""
        told: dict[str, list[Row]] = {}
        for some in in_pieces(request_ids):
            query = select(feedback).where(feedback.c.request_id.in_(some))
            for row in self.rows(query.order_by(feedback.c.at_s)):
                told.setdefault(row["request_id"], []).append(row)
        return told

    def rows(self, query: Any) -> list[Row]:
        """Run a select; each row as a mapping of column to value."""
        with self.engine.connect() as connection:
            found = connection.execute(query)
            names = list(map(str, found.keys()))  # SQLAlchemy quotes some: not plain str
            return [dict(zip(names, row, strict=True)) for row in found]

    def older_than_newest(self, most: int) -> float:
        """The Unix time before which everything must go so that `most` interactions are left."""
        newest = select(interactions.c.at_s).order_by(interactions.c.at_s.desc())
        found = self.rows(newest.offset(most - 1).limit(1))
        return float(found[0]["at_s"]) if found else 0.0

    def over_bytes(self, most: int, beside: int = 0) -> float:
        """The Unix time before which everything must go so that about `most` bytes are left.

        Zero while there is room; the newest interaction always stays. What is counted is the text
        of each with what goes with it (index entries, grades, feedback), not the database's files:
        they keep the room of what was deleted.

        Args:
            most: bytes that may stay.
            beside: bytes that are kept for the interactions elsewhere (pictures), and go with them.
        """
        words = sum((func.coalesce(self._bytes(c), 0) for c in feedback.c if _is_text(c)), 0)
        [said] = self.rows(select(func.coalesce(func.sum(words + _BESIDE_A_WORD), 0).label("n")))
        texts = [c for c in interactions.c if _is_text(c)]
        size = sum((func.coalesce(self._bytes(c), 0) for c in texts), literal(_BESIDE_ITS_TEXT))
        [told] = self.rows(select(func.coalesce(func.sum(size), 0).label("n")))
        whole = int(said["n"]) + int(told["n"])
        if whole + beside <= most:
            return 0.0
        most = int(most * whole / max(1, whole + beside))  # of both the same share stays
        # words go with their time; a flood of them alone must not make all else go
        most = max(most // 2, most - int(said["n"]))
        taken = func.sum(size).over(order_by=interactions.c.at_s.desc()).label("taken")
        each = select(interactions.c.at_s, taken).subquery()
        kept = func.min(case((each.c.taken <= most, each.c.at_s)))
        [row] = self.rows(select(kept.label("kept"), func.max(each.c.at_s).label("newest")))
        if row["newest"] is None or int(told["n"]) <= most:
            return 0.0
        return float(row["newest"] if row["kept"] is None else row["kept"])

    def _bytes(self, text: Any) -> Any:
        """The length of a text in bytes; `length` alone counts characters."""
        if self.engine.dialect.name == "postgresql":
            return func.octet_length(text)
        return func.length(cast(text, LargeBinary))

    def forget(self, before_s: float) -> int:
        """Delete what is older than Unix time `before_s`; return the interactions deleted."""
        with self.engine.begin() as connection:
            connection.execute(delete(feedback).where(feedback.c.at_s < before_s))
            connection.execute(delete(grades).where(grades.c.at_s < before_s))
            gone = connection.execute(delete(interactions).where(interactions.c.at_s < before_s))
            return int(gone.rowcount)

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def _is_text(column: Any) -> bool:
    return isinstance(column.type, String)


def in_pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Divide ids so that each piece fits into one `IN`."""
    for start in range(0, len(ids), _IN_ONE_QUERY):
        yield ids[start : start + _IN_ONE_QUERY]


def image_hashes(row: Row) -> tuple[str, ...]:
    """The content hashes of an interaction's pictures, in order."""
    return tuple(h for h in row["image_hashes"].split(",") if h)
