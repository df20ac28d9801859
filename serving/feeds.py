"""What a front end reads again and again while it serves: the quality table and the experiments."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from evaluation.evaluator import TableFiles
from evaluation.experiments import Register, Spec
from routing.quality import QualityTable

_log = logging.getLogger(__name__)


class TableFeed:
    """The newest table; read by the drainer's thread, so that no request waits for a file."""

    def __init__(self, files: TableFiles) -> None:
        self._files = files
        self._stamp = files.stamp()
        self._table = files.current()

    def refresh(self) -> None:
        """Look at the file; one that does not validate changes nothing."""
        stamp = self._files.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            self._table = self._files.published() or self._table

    def latest(self) -> QualityTable:
        """Return the table that is current now."""
        return self._table


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
