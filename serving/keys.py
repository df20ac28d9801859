"""API keys that are made while the service runs: kept in the store, read by every front end."""

import logging
from collections.abc import Callable, Sequence
from threading import RLock

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from evaluation.stores.rows import Row
from evaluation.stores.schema import api_keys
from evaluation.stores.sql import Store
from serving.access import hashed, new_key
from serving.errors import ConflictError, NotFoundError
from serving.key_settings import Key, NewKey

_log = logging.getLogger(__name__)
_NOBODYS = "0" * 64  # the hash of no key that anybody could find


class Keys:
    """The configured keys and those of the store; `keep` is given all of them when they change.

    The first reading is done by the constructor: a service whose keys cannot be read must not
    start, since without keys everybody on the machine is let in.
    """

    def __init__(
        self, store: Store, configured: Sequence[Key], keep: Callable[[Sequence[Key]], None]
    ) -> None:
        self._store = store
        self._configured = tuple(configured)
        self._keep = keep
        self._lock = RLock()  # requests and the drainer's thread; an older reading must not win
        self._seen: list[Row] | None = None
        self._read()

    def refresh(self) -> None:
        """Read them again; while the store is away, those known stay."""
        try:
            self._read()
        except SQLAlchemyError as error:
            _log.warning("the keys could not be read: %s", type(error).__name__)

    def all(self) -> tuple[tuple[Key, bool], ...]:
        """Every key, and whether it is configured: such a one only the configuration can revoke."""
        return self._whole(self._rows())

    def create(self, wanted: NewKey, now_s: float) -> str:
        """Make a key and return it; only its hash is kept.

        Raises:
            ConflictError: the name is taken, or nobody would be left who may make or revoke keys.
        """
        made = new_key()
        key = Key(sha256=hashed(made), **wanted.model_dump())
        with self._lock:
            known = [key for key, _ in self.all()]
            if not known and wanted.role != "operator":
                raise ConflictError(
                    "the first key must be an operator's: from then on nobody else may make keys",
                    "role",
                )
            if key.name in {k.name for k in known} or not self._add(key, now_s):
                raise ConflictError(f"there is a key {key.name!r} already", "name")
            self._read()
        return made

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises:
            NotFoundError: there is no such key.
            ConflictError: it is configured, or the last operator's while others are left.
        """
        with self._lock:
            found = {key.name: (key, configured) for key, configured in self.all()}
            if name not in found:
                raise NotFoundError(f"there is no key {name!r}")
            left = [key for other, (key, _) in found.items() if other != name]
            configured = found[name][1]
            if not configured and left and all(key.role != "operator" for key in left):
                raise ConflictError(f"key {name!r} is the last operator's: make another one first")
            with self._store.engine.begin() as connection:  # also one that a configured one hides
                connection.execute(delete(api_keys).where(api_keys.c.name == name))
            self._read()
        if configured:
            raise ConflictError(f"key {name!r} stands in the configuration: take it out there")

    def _add(self, key: Key, now_s: float) -> bool:
        """Store a key; False where somebody else has just taken its name."""
        row = {"name": key.name, "text": key.model_dump_json(), "created_s": now_s}
        statement = self._store.insert(api_keys).on_conflict_do_nothing().returning(api_keys.c.name)
        with self._store.engine.begin() as connection:
            return connection.execute(statement, row).first() is not None

    def _read(self) -> None:
        with self._lock:
            rows = self._rows()
            if rows != self._seen:
                self._keep([key for key, _ in self._whole(rows)])
                self._seen = rows

    def _rows(self) -> list[Row]:
        return self._store.rows(select(api_keys).order_by(api_keys.c.created_s, api_keys.c.name))

    def _whole(self, rows: Sequence[Row]) -> tuple[tuple[Key, bool], ...]:
        names = {key.name for key in self._configured}
        stored = [_parsed(row["name"], row["text"]) for row in rows if row["name"] not in names]
        return (*((key, True) for key in self._configured), *((key, False) for key in stored))


def _parsed(name: str, text: str) -> Key:
    try:
        return Key.model_validate_json(text)
    except ValidationError:  # a newer Barn wrote it: it opens nothing, and still locks the door
        _log.error("key %s in the store cannot be read; it opens nothing", name)
        return Key(name=name, sha256=_NOBODYS)
