"""Bring a database to the newest schema; safe when several gateways start at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text

_LOCK = 0x6261726E  # "barn"


def migrate(engine: Engine) -> None:
    """Run the migrations that have not run yet, one process at a time."""
    scripts = Path(str(files("evaluation.stores"))) / "migrations"
    config = Config()
    config.set_main_option("script_location", str(scripts))
    with _alone(engine), engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:  # the lock goes with the connection, come what may
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        return
    database = engine.url.database
    if database in {None, "", ":memory:"}:
        yield
        return
    path = Path(f"{database}.migrating")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
