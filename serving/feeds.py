"""What a front end reads again and again while it serves: the quality table and the experiments."""

import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from evaluation.evaluator import TableFiles
from evaluation.experiments import Register, Spec
from routing.quality import QualityTable

_log = logging.getLogger(__name__)


class TableFeed:
    """The newest table; the file is looked at no more than a few times a second."""

    def __init__(
        self, files: TableFiles, clock: Callable[[], float], every_s: float = 0.25
    ) -> None:
        self._files = files
        self._clock = clock
        self._every_s = every_s
        self._stamp = files.stamp()
        self._table = files.current()
        self._next_s = clock() + every_s

    def latest(self) -> QualityTable:
        """Return the table that is current now; a file that does not validate changes nothing."""
        moment = self._clock()
        if moment >= self._next_s:
            self._next_s = moment + self._every_s
            stamp = self._files.stamp()
            if stamp != self._stamp:
                self._stamp = stamp
                self._table = self._newer(self._files.current())
        return self._table

    def _newer(self, found: QualityTable) -> QualityTable:
        return found if found.version >= self._table.version else self._table


class ExperimentFeed:
    """The experiments that run; kept while the store is away."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._running: tuple[Spec, ...] = ()

    def refresh(self) -> None:
        """Read them again; called by the drainer's thread, never by the event loop."""
        try:
            self._running = self._register.running()
        except SQLAlchemyError as error:
            _log.warning("the experiments could not be read: %s", error)

    def running(self) -> tuple[Spec, ...]:
        """The experiments that take traffic."""
        return self._running

    def splits(self) -> tuple[Spec, ...]:
        """Those that choose backbones for users."""
        return tuple(spec for spec in self._running if spec.mode == "split")
