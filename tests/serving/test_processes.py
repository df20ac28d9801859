"""A process that steps back does so with every thread, and with those it starts afterwards."""

import json
import subprocess
import sys
import textwrap

from serving.processes import NICENESS

CHILD = """
    import json, os, threading
    from serving.processes import step_back

    def own(told):
        told.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    waiting, before, after = threading.Event(), [], []
    early = threading.Thread(target=lambda: (waiting.wait(), own(before)))
    early.start()
    step_back()
    waiting.set()
    late = threading.Thread(target=own, args=(after,))
    late.start()
    early.join(), late.join()
    here = []
    own(here)
    print(json.dumps(here + before + after))
"""


def test_every_thread_steps_back() -> None:
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", textwrap.dedent(CHILD)], capture_output=True, text=True, check=True
    )

    assert json.loads(ran.stdout) == [NICENESS] * 3
