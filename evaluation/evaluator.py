"""What runs beside the service: grade, guard experiments, refit confidence maps, forget.

One evaluator per store; everything it knows is in the store, so a restart loses nothing.
"""

import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select

from evaluation.confidence_maps import fit_map
from evaluation.experiments import Register, Spec, load_spec, pairs, split_intervals
from evaluation.grading import grade_late_shadows, grade_pending
from evaluation.online import Window, tallies
from evaluation.stores.schema import grades
from evaluation.stores.sql import Row, Store
from routing.domain import Task
from routing.quality import ConfidenceMap, Observed, QualityTable, TableError, updated

_log = logging.getLogger(__name__)
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often what happens; `retention_days` 0 keeps everything."""

    refit_every_s: float = 3_600.0
    guard_every_s: float = 5.0
    retention_days: float = 0.0
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
            if self._schedule.retention_days > 0:
                before_s = now - self._schedule.retention_days * DAY_S
                self._store.forget(before_s)
                self._outside.forget(before_s)
        if now - self._refitted_s >= self._schedule.refit_every_s:
            self._refitted_s = now
            self.refit()
        return written

    def _guard(self, now: float) -> None:
        for row in self._register.all():
            if row["status"] != "running":
                continue
            spec = load_spec(row["spec"])
            reason = self._reason_to_stop(spec, row, now)
            if reason:
                _log.warning("experiment %s stopped: %s", spec.name, reason)
                self._register.change(spec.name, "stopped", now, reason)

    def _reason_to_stop(self, spec: Spec, row: Row, now: float) -> str:
        if now - row["created_s"] > spec.max_days * DAY_S:
            return f"it ran for {spec.max_days:g} days"
        if spec.mode == "split":
            return self._reason_in_split(spec)
        n = len(pairs(self._store, spec))
        return f"{n} pairs were graded" if n >= spec.max_pairs else ""

    def _reason_in_split(self, spec: Spec) -> str:
        """Users meet the candidate here: it goes as soon as it is surely worse by the margin."""
        found = split_intervals(self._store, spec)
        for task, (n, _, high) in found.items():
            if high < -spec.margin:
                return f"{spec.candidate} is worse on {task} by more than {spec.margin:.0%} ({n})"
        total = found.get("all", (0, 0.0, 0.0))[0]
        return f"{total} answers were graded" if total >= spec.max_pairs else ""

    def refit(self) -> QualityTable | None:
        """Publish a table of what was graded since the priors; None when that changes nothing."""
        base = self._tables.base()
        seen = tallies(self._store, Window(since_s=base.since_s))
        total = sum(t.count for t in seen.values())
        if total < self._schedule.least_new:
            return None
        known = {t.value for t in Task}
        observed = {
            (backbone, Task(task)): Observed(float(t.score.sum()), t.count)
            for (backbone, task), t in seen.items()
            if task in known
        }
        table = updated(base, observed, self._maps(), note=f"refitted on {total} graded answers")
        current = self._tables.current()
        if table.backbones == current.backbones:
            return None
        table = table.model_copy(update={"version": current.version + 1})
        self._tables.refresh(table)
        return table

    def _maps(self) -> dict[tuple[str, Task], ConfidenceMap]:
        g = grades.c
        rows = self._store.rows(
            select(g.request_id, g.backbone, g.task, g.confidence, g.score)
            .where(g.kind == "served", g.by == "truth")
            .order_by(g.at_s.desc())
            .limit(50_000)
        )
        places: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            places[row["backbone"], row["task"]].append(row)
        found: dict[tuple[str, Task], ConfidenceMap] = {}
        for (backbone, task), some in places.items():
            fitted = fit_map(
                [r["request_id"] for r in some],
                np.array([r["confidence"] for r in some]),
                np.array([r["score"] for r in some]),
            )
            if fitted is not None:
                found[backbone, Task(task)] = fitted.map
        return found


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
