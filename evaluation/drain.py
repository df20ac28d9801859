"""Move events from the spool into the store: at least once, and once in effect."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event as Signal
from time import monotonic

from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from evaluation.events import ANY_EVENT, Event
from evaluation.spool import is_abandoned, read_lines, segments
from evaluation.stores.sql import Store

_log = logging.getLogger(__name__)


class Drainer:
    """Reads every segment of a spool folder; only what is committed is removed.

    A segment is read again from its start after a restart: the store ignores what it has.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        batch: int = 500,
        most: int = 10_000,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._folder = folder
        self._store = store
        self._batch = batch
        self._most = most
        self._offsets: dict[Path, int] = {}
        self._now = now
        self._caught_up_s = now()

    def lag_s(self) -> float:
        """Seconds since everything that was in the spool was in the store."""
        return self._now() - self._caught_up_s

    def waiting_bytes(self) -> int:
        """Bytes in the spool that are not in the store yet."""
        waiting = 0
        for segment in segments(self._folder):
            with suppress(FileNotFoundError):
                waiting += segment.stat().st_size - self._offsets.get(segment, 0)
        return max(0, waiting)

    def drain(self) -> int:
        """Move what is there now, about `most` events; return the number of events moved.

        A backlog takes several rounds: what is done between them must not wait for its end.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the store is away; nothing was lost, call again.
        """
        moved, began_s = 0, self._now()
        for segment in segments(self._folder):
            with suppress(FileNotFoundError):  # another drainer was done with it first
                moved += self._drain_segment(segment)
            if moved >= self._most:
                return moved
        self._caught_up_s = began_s
        return moved

    def _drain_segment(self, segment: Path) -> int:
        moved = 0
        # Asked first: a writer that dies between the last read and the question loses nothing.
        abandoned = is_abandoned(segment)
        # What comes meanwhile waits for the next round: running after a busy writer would mean
        # event by event, at ten times the cost of a batch.
        until = segment.stat().st_size
        while (
            moved < self._most
            and self._offsets.get(segment, 0) < until
            and (lines := list(read_lines(segment, self._offsets.get(segment, 0), self._batch)))
        ):
            events = [event for line, _ in lines if (event := _parse(line, segment))]
            self._append(events, segment)
            self._offsets[segment] = lines[-1][1]
            moved += len(events)
        if abandoned and moved < self._most:
            segment.unlink(missing_ok=True)
            self._offsets.pop(segment, None)
        return moved

    def _append(self, events: Sequence[Event], segment: Path) -> None:
        """Store a batch; an event that the database itself refuses is set aside alone."""
        try:
            self._store.append(events)
        except (DataError, IntegrityError):
            for event in events:
                try:
                    self._store.append([event])
                except (DataError, IntegrityError) as error:
                    _log.error("an event in %s is refused: %s", segment.name, type(error).__name__)
                    _set_aside(event.model_dump_json().encode() + b"\n", segment)

    def run(
        self,
        stop: Signal,
        pause_s: float,
        on_failure: Callable[[], None],
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """Drain until `stop` is set, then once more; a store that is away is asked again."""
        while True:
            stopping = stop.wait(pause_s)
            for step in (self.drain, on_round):  # the second also while the store is away: it tells
                try:
                    step()
                except SQLAlchemyError as error:  # its text may hold what was to be stored
                    _log.warning("the store is away, events wait: %s", type(error).__name__)
                    on_failure()
                except Exception:  # noqa: BLE001 - the thread must live; the log says what it was
                    _log.exception("the drainer's round failed; it goes on")
                    on_failure()
            if stopping:
                return


def _parse(line: bytes, segment: Path) -> Event | None:
    try:
        return ANY_EVENT.validate_json(line)
    except ValidationError as error:
        # A line we cannot read must not stop the others; it is kept beside the spool.
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        _log.error("unreadable event in %s: %s", segment.name, faults)
        _set_aside(line, segment)
        return None


def _set_aside(line: bytes, segment: Path) -> None:
    with segment.with_suffix(".rejected").open("ab") as rejected:
        rejected.write(line)
