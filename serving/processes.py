"""How a replica's own process is run: its memory, and its turn on a machine that it shares."""

import gc
import os
from contextlib import suppress
from pathlib import Path

_COLLECT_AFTER = 20_000, 20, 50
"""Objects made since the last collection, and rounds before older ones are looked at too."""
_THREADS = Path("/proc/self/task")
NICENESS = 5
"""A third of the weight of what runs at 0 (`sched(7)`)."""


def keep_for_good() -> None:
    """Leave what is loaded by now out of every garbage collection: libraries and models stay.

    Looking at all of it again and again took a tenth of a front end's time under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def step_back() -> None:
    """Let engines on this machine run before this process; on Linux, and for good.

    It is for vLLM's, whose steps are the work of one process that every request waits for. Those
    on the transformers library spin on every core, and would leave a front end too little.
    """
    for thread in _THREADS.iterdir() if _THREADS.is_dir() else ():  # each has a niceness of its own
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.setpriority(os.PRIO_PROCESS, int(thread.name), NICENESS)
