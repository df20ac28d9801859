"""Kill -9 of the drainer and of the database at random moments: everything arrives, once."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from evaluation.drain import Drainer
from evaluation.events import Served
from evaluation.spool import Spool, segments
from evaluation.stores.schema import interactions
from evaluation.stores.sql import Store, connect
from tests.evaluation.test_spool import interaction
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(180)
ROOT = Path(__file__).parents[2]
EVENTS = 1_500
DRAINER = """
import sys
from pathlib import Path
from evaluation.drain import Drainer
from evaluation.stores.sql import Store, connect
drainer = Drainer(Path(sys.argv[1]), Store(connect(sys.argv[2])), batch=20)
while True:
    drainer.drain()
"""


def stored(store: Store) -> list[str]:
    return [row["request_id"] for row in store.rows(select(interactions.c.request_id))]


def write(folder: Path, done: threading.Event) -> None:
    """Append events, over several segments, at some thousand a second."""
    spool = Spool(folder, "w", rotate_bytes=60_000)
    for number in range(EVENTS):
        spool.append(Served.of(interaction(f"r{number:05}")))
        time.sleep(0.002)
    spool.close()
    done.set()


def test_a_drainer_that_is_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, url: str
) -> None:
    folder, moments, done = tmp_path / "spool", random.Random(3), threading.Event()  # noqa: S311
    store = Store(connect(url))
    writer = threading.Thread(target=write, args=(folder, done))
    writer.start()
    kills = 0
    while not done.is_set() or kills < 3:
        drainer = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", DRAINER, str(folder), url], cwd=ROOT
        )
        time.sleep(moments.uniform(1.2, 2.5))
        drainer.send_signal(signal.SIGKILL)
        drainer.wait()
        kills += 1
    writer.join()

    Drainer(folder, store).drain()

    found = stored(store)
    assert kills >= 3
    assert sorted(found) == [f"r{n:05}" for n in range(EVENTS)]
    assert segments(folder) == []
    store.close()


def test_a_database_that_is_killed_costs_nothing_but_time(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg")
    folder, done = tmp_path / "spool", threading.Event()
    store = Store(connect(server.url))
    drainer = Drainer(folder, store, batch=50)
    writer = threading.Thread(target=write, args=(folder, done))
    writer.start()
    failures = 0
    killed = False
    while not done.is_set():
        try:
            drainer.drain()
        except SQLAlchemyError:
            failures += 1
            server.revive()
        if not killed and len(stored(store)) > 200:
            server.kill()
            killed = True
        time.sleep(0.05)
    writer.join()

    drainer.drain()

    assert killed
    assert failures > 0
    assert sorted(stored(store)) == [f"r{n:05}" for n in range(EVENTS)]
    store.close()
    server.stop()
