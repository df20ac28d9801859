"""What the judge's routes share: its parts, and blocking work off the event loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError

from evaluation.events import Feedback
from evaluation.experiments import Register
from evaluation.stores.sql import Store
from evaluation.tables import Tables
from serving.access import Caller, Keyring
from serving.errors import StorageError
from serving.keys import Keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judge:
    """What these routes need; built in `parts.py`."""

    store: Store
    register: Register
    tables: Tables
    record: Callable[[Feedback, bool], None]
    """Writes a word down; told whether it is a probe's, which is no feedback of users."""
    keyring: Keyring
    now: Callable[[], float]
    backbones: tuple[str, ...]
    refresh: Callable[[], None]
    keys: Keys
    models: tuple[str, ...]
    """Every name that may be asked for, and that a key may be allowed."""
    admit: Callable[[Caller], object] = lambda _: None
    """Counts a word of feedback as a request of its key; raises where the key has none left."""


async def off_loop(work: Callable[[], T]) -> T:
    """Run blocking work in a thread.

    Raises:
        StorageError: the store is away.
    """
    try:
        return await anyio.to_thread.run_sync(work)
    except SQLAlchemyError as error:
        raise StorageError(f"the store is away: {type(error).__name__}") from error
