"""The quality tables of a store: the base with the priors, and the current version above it."""

import logging
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from evaluation.stores.schema import quality_tables
from evaluation.stores.sql import Store
from routing.quality import QualityTable, TableError

_log = logging.getLogger(__name__)
_CURRENT, _BASE, _BEFORE, _BASE_BEFORE = "current", "base", "before", "base-before"


class Tables:
    """One set of tables for every gateway of a store; `shipped` is where it starts."""

    def __init__(self, store: Store, shipped: Path | None) -> None:
        self._store = store
        self._shipped = shipped

    def base(self) -> QualityTable:
        """The table whose posteriors hold no live outcomes.

        Raises:
            TableError: there is none yet, and the file to start from cannot be used.
        """
        return self._read(_BASE) or self._ship()

    def current(self) -> QualityTable:
        """The newest table: the published one, or the base where that is of later answers.

        So it is after an upgrade: what was learned of weights that are no longer served is past.
        """
        published = self._read(_CURRENT)
        try:
            base = self.base()
        except TableError:
            if published is None:
                raise
            return published
        if published is None:
            return base
        if base.since_s <= published.since_s:
            return published
        return base.model_copy(update={"version": max(base.version, published.version)})

    def version(self) -> int:
        """The version of the current table, which changes whenever the table does."""
        query = select(quality_tables.c.version).where(quality_tables.c.name == _CURRENT)
        rows = self._store.rows(query)
        return int(rows[0]["version"]) if rows else -1

    def refresh(self, table: QualityTable, base: QualityTable) -> bool:
        """Make a refitted table the current one; what `undo` goes back to stays what it was.

        False, and nothing changed, when the base is no longer the one that it was fitted on, or
        when another table of its version, or a later one, came first.
        """
        if self.base() != base:
            return False
        return self._write({_CURRENT: table}, newer=True)

    def publish(self, table: QualityTable, base: QualityTable | None = None) -> QualityTable:
        """Make `table` the current one, at once and whole, and `base` what refits start from.

        What there was before is kept beside them, for `undo`. It gets the next version, whatever
        its own: gateways read a table when the version changes.
        """
        current = self.current()
        made = table.model_copy(update={"version": current.version + 1})
        changed = {_BEFORE: current, _BASE_BEFORE: self.base(), _CURRENT: made}
        self._write(changed if base is None else changed | {_BASE: base})
        return made

    def replace(self, table: QualityTable, now_s: float) -> QualityTable:
        """Take an operator's table: it becomes the base and the current one, as a new version.

        Refits add to it what is answered from Unix time `now_s` on.
        """
        table = table.model_copy(update={"since_s": now_s})
        return self.publish(table, table)

    def configured(self) -> QualityTable:
        """The configured file as it is now.

        Raises:
            TableError: there is none, or it does not validate.
        """
        if self._shipped is None:
            raise TableError("no file is configured (routing.table)")
        return read_table(self._shipped)

    def undo(self, now_s: float) -> QualityTable:
        """Go back to the table before the current one, as a new version.

        It is what refits start from, with what is answered from Unix time `now_s` on: they would
        learn again from the answers that led to what is undone.

        Raises:
            TableError: there is none.
        """
        before = self._read(_BEFORE)
        if before is None:
            raise TableError("there is no earlier table to go back to")
        return self.replace(before, now_s)

    def withdraw(self) -> None:
        """Take back a table that has just been published: all is as it was but the version."""
        before, base = self._read(_BEFORE), self._read(_BASE_BEFORE)
        if before is not None:
            self.publish(before, base)

    def _ship(self) -> QualityTable:
        if self._shipped is None:
            return QualityTable(version=0, note="nothing is known yet")
        return read_table(self._shipped)

    def _read(self, name: str) -> QualityTable | None:
        query = select(quality_tables.c.text).where(quality_tables.c.name == name)
        rows = self._store.rows(query)
        return _parsed(f"the {name} table", rows[0]["text"]) if rows else None

    def _write(self, changed: Mapping[str, QualityTable], *, newer: bool = False) -> bool:
        """Write them, with `newer` only over lower versions; tell whether anything was written."""
        rows = [
            {"name": name, "version": table.version, "text": table.model_dump_json()}
            for name, table in changed.items()
        ]
        statement = self._store.insert(quality_tables)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"version": new.version, "text": new.text},
            where=quality_tables.c.version < new.version if newer else None,
        )
        with self._store.engine.begin() as connection:
            # one by one: drivers count the rows of several at once as they like
            counted = {"preserve_rowcount": True}
            done = [connection.execute(statement, row, execution_options=counted) for row in rows]
            return all(result.rowcount > 0 for result in done)


def read_table(path: Path) -> QualityTable:
    """Read a table from a file.

    Raises:
        TableError: it cannot be read, or does not validate; the message names the file.
    """
    try:
        return QualityTable.parse(path.read_bytes())
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from error
    except TableError as error:
        raise TableError(f"{path}: {error}") from error


def _parsed(where: str, text: str | bytes) -> QualityTable | None:
    try:
        return QualityTable.parse(text)
    except TableError as error:
        _log.error("%s is not used: %s", where, error)
        return None
