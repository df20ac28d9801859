"""What runs beside the service: grade, guard experiments, refit confidence maps, forget.

One evaluator per store; everything it knows is in the store, so a restart loses nothing.
"""

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluation.experiments import UNDER_WAY, Register, Spec, load_spec, pairs
from evaluation.grading import grade_late_shadows, grade_pending
from evaluation.learning import learnable, maps, observed, successes
from evaluation.splits import split_intervals
from evaluation.stores.sql import Store
from routing.quality import QualityTable, TableError, updated

_log = logging.getLogger(__name__)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often what happens; `retention_days` 0 keeps everything, as does `most_events` 0.

    Retention waits for experiments that run: what they have seen is kept until they end. The limit
    on the number of events waits for nothing.
    """

    refit_every_s: float = 3_600.0
    guard_every_s: float = 5.0
    retention_days: float = 0.0
    most_events: int = 0
    least_new: int = 50  # graded answers since the last table before there is a new one


class Outside:
    """What the evaluator's work means outside the store; this one has nothing there."""

    def publish(self) -> None:
        """Figures may have changed."""

    def forget(self, before_s: float) -> None:
        """Events before Unix time `before_s` have gone from the store."""


class Evaluator:
    """Moves the store forward; `tick` is called again and again by one thread."""

    def __init__(
        self,
        store: Store,
        tables: "TableFiles",
        schedule: Schedule,
        now: Callable[[], float],
        outside: Outside | None = None,
    ) -> None:
        self._outside = outside or Outside()
        self._store = store
        self._tables = tables
        self._schedule = schedule
        self._now = now
        self._register = Register(store)
        self._guarded_s = 0.0
        self._refitted_s = now()

    def tick(self) -> int:
        """Grade what is new and do what is due; return how many grades were written."""
        now = self._now()
        written = grade_pending(self._store, now)
        if now - self._guarded_s >= self._schedule.guard_every_s:
            self._guarded_s = now
            written += grade_late_shadows(self._store, now - DAY_S, now)
            self._guard(now)
            self._outside.publish()
            self._forget(now)
        if now - self._refitted_s >= self._schedule.refit_every_s:
            self._refitted_s = now
            self.refit()
        return written

    def _forget(self, now: float) -> None:
        before_s = 0.0
        if self._schedule.retention_days > 0:
            before_s = now - self._schedule.retention_days * DAY_S
            going = [r["created_s"] for r in self._register.all() if r["status"] in UNDER_WAY]
            before_s = min([before_s, *going])
        if self._schedule.most_events > 0:
            before_s = max(before_s, self._store.older_than_newest(self._schedule.most_events))
        if before_s > 0:
            self._store.forget(before_s)
            self._outside.forget(before_s)

    def _guard(self, now: float) -> None:
        for row in self._register.all():
            if row["status"] != "running":
                continue
            spec = load_spec(row["spec"])
            if now - row["created_s"] > spec.max_days * DAY_S:
                self._stop(spec, now, f"it ran for {spec.max_days:g} days")
            elif spec.mode == "split":
                self._guard_split(spec, now)
            else:
                self._guard_shadow(spec, now)

    def _stop(self, spec: Spec, now: float, reason: str) -> None:
        _log.warning("experiment %s stopped: %s", spec.name, reason)
        self._register.change(spec.name, "stopped", now, reason)

    def _guard_shadow(self, spec: Spec, now: float) -> None:
        n = min(len(pairs(self._store, spec, c)) for c in spec.candidates)
        if n >= spec.max_pairs:
            self._stop(spec, now, f"{n} pairs were graded")

    def _guard_split(self, spec: Spec, now: float) -> None:
        """Users meet the candidates here: one goes as soon as it is surely worse by the margin."""
        found = split_intervals(self._store, spec)
        for candidate in spec.trying:
            worse = [(t, n) for t, (n, _, high) in found[candidate].items() if high < -spec.margin]
            if worse:
                task, n = worse[0]
                note = f"{candidate} is worse on {task} by more than {spec.margin:.0%} ({n})"
                _log.warning("experiment %s: %s", spec.name, note)
                self._register.withdraw(spec, candidate, now, note)
                return  # the others are looked at with the next tick
        total = min(told.get("all", (0, 0.0, 0.0))[0] for told in found.values())
        if total >= spec.max_pairs:
            self._stop(spec, now, f"{total} answers were graded")

    def refit(self) -> QualityTable | None:
        """Publish a table of what was graded since the priors; None when that changes nothing."""
        base = self._tables.base()
        told = learnable(self._store, base.since_s)
        if len(told) < self._schedule.least_new:
            return None
        table = updated(
            base,
            observed(told),
            maps(told),
            note=f"refitted on {len(told)} graded answers",
            success=successes(base, told),
        )
        current = self._tables.current()
        if table.backbones == current.backbones:
            return None
        table = table.model_copy(update={"version": current.version + 1})
        self._tables.refresh(table)
        return table


class TableFiles:
    """The quality table on disk: `base` with the priors, and the current version above it."""

    def __init__(self, folder: Path, shipped: Path | None) -> None:
        self._current = folder / "table.json"
        self._base = folder / "table-base.json"
        self._shipped = shipped
        folder.mkdir(parents=True, exist_ok=True)

    def base(self) -> QualityTable:
        """The table whose posteriors hold no live outcomes."""
        return self._read(self._base) or self._ship()

    def current(self) -> QualityTable:
        """The newest table."""
        return self.published() or self.base()

    def published(self) -> QualityTable | None:
        """The newest table that was published; None when there is none that can be read."""
        return self._read(self._current)

    def stamp(self) -> tuple[float, int]:
        """Something that changes whenever the current table does."""
        try:
            found = self._current.stat()
        except FileNotFoundError:
            return 0.0, 0
        return found.st_mtime, found.st_ino

    def refresh(self, table: QualityTable) -> None:
        """Make a refitted table the current one; what `undo` goes back to stays what it was."""
        self._write(self._current, table)

    def publish(self, table: QualityTable, base: QualityTable | None = None) -> None:
        """Make `table` the current one, at once and whole, and `base` what refits start from.

        What there was before is kept beside them, for `undo`.
        """
        self._write(self._current.with_name("table-before.json"), self.current())
        self._write(self._current.with_name("table-base-before.json"), self.base())
        if base is not None:
            self._write(self._base, base)
        self._write(self._current, table)

    def replace(self, table: QualityTable, now_s: float) -> QualityTable:
        """Take an operator's table: it becomes the base and the current one, as a new version.

        Refits add to it what is answered from Unix time `now_s` on.
        """
        version = self.current().version + 1
        table = table.model_copy(update={"version": version, "since_s": now_s})
        self.publish(table, table)
        return table

    def reload(self, now_s: float) -> QualityTable:
        """Take the configured file as it is now, as an operator's table (see `replace`).

        Raises:
            TableError: there is none, or it does not validate; the table in use stays.
        """
        if self._shipped is None:
            raise TableError("no file is configured (routing.table)")
        try:
            text = self._shipped.read_bytes()
        except OSError as error:
            raise TableError(f"{self._shipped}: {error.strerror}") from error
        return self.replace(QualityTable.parse(text), now_s)

    def undo(self) -> QualityTable:
        """Go back to the table before the current one, as a new version.

        Raises:
            TableError: there is none.
        """
        before = self._read(self._current.with_name("table-before.json"))
        base = self._read(self._current.with_name("table-base-before.json"))
        if before is None:
            raise TableError("there is no earlier table to go back to")
        table = before.model_copy(update={"version": self.current().version + 1})
        self.publish(table, base)
        return table

    def _ship(self) -> QualityTable:
        found = self._read(self._shipped) if self._shipped else None
        return found or QualityTable(version=0, note="nothing is known yet")

    @staticmethod
    def _read(path: Path | None) -> QualityTable | None:
        if path is None or not path.is_file():
            return None
        try:
            return QualityTable.parse(path.read_bytes())
        except TableError as error:
            _log.error("the quality table %s is not used: %s", path, error)
            return None

    @staticmethod
    def _write(path: Path, table: QualityTable) -> None:
        partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.partial")
        partial.write_text(table.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)
