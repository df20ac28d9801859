"""The event store: SQLAlchemy over SQLite (WAL) or PostgreSQL, idempotent by request id."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from evaluation.events import Served

metadata = MetaData()
served = Table(
    "served",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("at_s", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("backbone", String(200), nullable=False),
    Column("task", String(40), nullable=False),
    Column("family", String(20), nullable=False),
    Column("policy", String(100), nullable=False),
    Column("propensity", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("image_hashes", Text, nullable=False),
    Column("user", String(256)),
    Column("streamed", Boolean, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("error", String(100)),
    Column("answer", Text),
    Column("finish_reason", String(20)),
    Column("confidence", Float),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("first_token_s", Float),
    Column("total_s", Float, nullable=False),
    Index("served_at", "at_s"),
    Index("served_task_backbone", "task", "backbone"),
)


def connect(url: str) -> Engine:
    """Open a store and make its tables; SQLite gets write-ahead logging and a long busy wait."""
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    metadata.create_all(engine)
    return engine


def _sqlite_settings(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


class Store:
    """Append and read; several processes may share one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, events: Sequence[Served]) -> None:
        """Store a batch in one transaction; an event that is there already is left as it is."""
        if not events:
            return
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        rows = [_row(event) for event in events]
        with self._engine.begin() as connection:
            connection.execute(dialect.insert(served).on_conflict_do_nothing(), rows)

    def count(self) -> int:
        """Count the stored events."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(served)).scalar_one()

    def find(self, request_id: str) -> dict[str, Any] | None:
        """Return one stored event as a mapping of column to value, or nothing."""
        query = select(served).where(served.c.request_id == request_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return dict(row) if row is not None else None

    def latest(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the newest events, newest first."""
        query = select(served).order_by(served.c.at_s.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def _row(seen: Served) -> dict[str, Any]:
    row = seen.model_dump(exclude={"kind"})
    row["image_hashes"] = ",".join(seen.image_hashes)
    return row
