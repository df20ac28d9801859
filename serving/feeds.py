"""What a front end reads again and again while it serves: the quality table and the experiments."""

import logging
import math
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from evaluation.experiments import Register, Spec
from evaluation.tables import Tables
from routing.quality import QualityTable, TableError

_log = logging.getLogger(__name__)
ASK_SPENT_EVERY_S = 5.0


class TableFeed:
    """The newest table; read by the drainer's thread, so that no request waits for the store."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._version = tables.version()
        self._table = tables.current()

    def refresh(self) -> None:
        """Look whether there is another; while the store is away, this one stays."""
        try:
            version = self._tables.version()
            if version != self._version:
                self._table = self._tables.current()
                self._version = version
        except (SQLAlchemyError, TableError) as error:
            _log.warning("the quality table could not be read: %s", type(error).__name__)

    def latest(self) -> QualityTable:
        """Return the table that is current now."""
        return self._table


class ExperimentFeed:
    """The experiments that run, and what their copies have spent; kept while the store is away."""

    def __init__(self, register: Register, clock: Callable[[], float] = time.monotonic) -> None:
        self._register = register
        self._clock = clock
        self._running: tuple[Spec, ...] = ()
        self._spent: dict[str, int] = {}
        self._own: dict[str, int] = {}  # since the store was asked
        self._ask_again_s = -math.inf

    def refresh(self) -> None:
        """Read them again; called by the drainer's thread, never by the event loop."""
        try:
            self._running = self._register.running()
            copied = [spec.name for spec in self._running if spec.mode == "shadow"]
            if copied and self._clock() >= self._ask_again_s:
                self._ask_again_s = self._clock() + ASK_SPENT_EVERY_S
                self._spent, self._own = self._register.spent(copied), {}
        except SQLAlchemyError as error:
            _log.warning("the experiments could not be read: %s", type(error).__name__)

    def running(self) -> tuple[Spec, ...]:
        """The experiments that take traffic."""
        return self._running

    def spent(self, experiment: str) -> int:
        """Tokens of its copies: of this front end by now, of the others a moment ago."""
        return self._spent.get(experiment, 0) + self._own.get(experiment, 0)

    def spend(self, experiment: str, tokens: int) -> None:
        """Count the tokens of one more copy."""
        own = self._own
        own[experiment] = own.get(experiment, 0) + tokens

    def splits(self) -> tuple[Spec, ...]:
        """Those that choose backbones for users."""
        return tuple(spec for spec in self._running if spec.mode == "split")
