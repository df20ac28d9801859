"""Kills, a database that is away, a full disk: what was acknowledged is in the store, once."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import select

from evaluation.drain import Drainer
from evaluation.records import UNFINISHED
from evaluation.stores.schema import feedback, interactions
from evaluation.stores.sql import Store, connect
from tests.builders import ask
from tests.postgres import Postgres
from tests.system.conftest import Service, start, stop

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
CLIENTS, KILLS = 4, 3
AWAY_S = 60
SPOOL_BYTES = 24_000_000
"""Room for what a minute of load writes while the database is away, and for little more."""


def replicas(service: Service, name: str) -> list[psutil.Process]:
    """The processes of one deployment that belong to this service."""
    root = psutil.Process(service.process.pid)
    return [p for p in root.children(recursive=True) if name in " ".join(p.cmdline()[:1])]


class Clients:
    """Ask and give feedback until told to stop; remember what was acknowledged."""

    def __init__(self, url: str) -> None:
        self.answers: set[str] = set()
        self.words: set[str] = set()
        self._url = url
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CLIENTS)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _run(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=20) as client:
            turn = 0
            while not self._stop.is_set():
                turn += 1
                try:
                    self._turn(client, f"what is {number} + {turn}?")
                except (httpx.HTTPError, ValueError):
                    time.sleep(0.2)  # the front end is gone for a moment

    def _turn(self, client: httpx.Client, question: str) -> None:
        body = {"model": "llava-llama-1", "messages": ask(question), "max_tokens": 2}
        told = client.post("/v1/chat/completions", json=body)
        if told.status_code != 200:
            time.sleep(0.2)
            return
        request_id = told.json()["barn"]["request_id"]
        with self._lock:
            self.answers.add(request_id)
        said = client.post("/v1/feedback", json={"request_id": request_id, "correct": True})
        if said.status_code == 202:
            with self._lock:
                self.words.add(said.json()["ids"][0])


def assert_nothing_lost(events: Path, clients: Clients) -> None:
    """What was acknowledged is in the store of a stopped service, once."""
    store = Store(connect(f"sqlite:///{events / 'events.sqlite3'}"))
    Drainer(events / "spool", store).drain()  # what the last one could not any more
    stored = [r["request_id"] for r in store.rows(select(interactions.c.request_id))]
    words = {r["feedback_id"] for r in store.rows(select(feedback.c.feedback_id))}
    store.close()
    assert clients.answers <= set(stored)
    assert clients.words <= words
    assert len(stored) == len(set(stored))


@dataclass
class Hurt:
    """A service that is to be hurt: its database can be killed, its spool's disk is small."""

    service: Service
    database: Postgres
    small_disk: bool

    @property
    def spool(self) -> Path:
        return self.service.folder / "events" / "spool"

    def gauge(self, name: str) -> float:
        """The value of a gauge without labels; zero before it was set."""
        text = httpx.get(f"{self.service.url}/metrics", timeout=20).text
        found = [float(row.split()[-1]) for row in text.splitlines() if row.startswith(f"{name} ")]
        return max(found, default=0.0)

    def stored(self) -> tuple[set[str], set[str]]:
        """The requests and the words of feedback that are in the store."""
        store = Store(connect(self.database.url))
        try:
            requests = store.rows(select(interactions.c.request_id))
            words = store.rows(select(feedback.c.feedback_id))
        finally:
            store.close()
        return {r["request_id"] for r in requests}, {r["feedback_id"] for r in words}

    def copies(self, experiment: str) -> Counter[str]:
        """How the copies of an experiment ended; of those dropped, why."""
        store = Store(connect(self.database.url))
        wanted = select(interactions.c.outcome, interactions.c.error)
        found = store.rows(wanted.where(interactions.c.experiment == experiment))
        store.close()
        return Counter(r["error"] if r["outcome"] == "dropped" else r["outcome"] for r in found)

    def assert_nothing_lost(self, clients: Clients, patience_s: float = 60) -> None:
        """Everything that was acknowledged arrives in the store; by its key, once."""
        until = time.monotonic() + patience_s
        requests, words = self.stored()
        while not (clients.answers <= requests and clients.words <= words):
            if time.monotonic() > until:
                break
            time.sleep(0.5)
            requests, words = self.stored()
        assert clients.answers <= requests
        assert clients.words <= words


@pytest.fixture(scope="module")
def hurt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hurt]:
    with ExitStack() as after:
        database = Postgres(tmp_path_factory.mktemp("pg"))
        after.callback(database.stop)
        folder = tmp_path_factory.mktemp("hurt")
        spool = folder / "events" / "spool"
        spool.mkdir(parents=True)
        small = mount("-t", "tmpfs", "-o", f"size={SPOOL_BYTES}", "tmpfs", str(spool))
        if small:
            lazily = ["umount", "--lazy", str(spool)]  # a process of Ray's may hold a file
            after.callback(subprocess.run, lazily, check=False)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BARN_EVENTS__STORE", database.url)
            service = start(folder)
        after.callback(stop, service)
        yield Hurt(service, database, small)


def mount(*options: str) -> bool:
    """Mount a file system; False where that is not allowed."""
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0  # noqa: S603 - a fixed command


def test_killing_the_front_end_under_load_loses_nothing_that_was_acknowledged(
    hurt: Hurt,
    service: Service,
) -> None:
    shadow = {
        "name": "copies", "control": "llava-llama-1", "candidates": ["llava-llama-2"],
        "mode": "shadow", "share": 1.0,
    }  # fmt: skip
    assert httpx.post(f"{hurt.service.url}/v1/experiments", json=shadow).status_code == 201
    neighbour = service  # a second Barn on the machine: it must not answer for the one that is hurt
    moments = random.Random(5)  # noqa: S311 - moments, not secrets
    with Clients(hurt.service.url) as clients:
        for _ in range(KILLS):
            time.sleep(moments.uniform(2, 4))
            for process in replicas(hurt.service, "ServeReplica:barn:front"):
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(5)

    assert len(clients.answers) > 20
    hurt.assert_nothing_lost(clients)
    copies = hurt.copies("copies")
    assert copies["answered"] > 0
    assert copies[UNFINISHED] > 0  # those that waited in a front end that was killed have an end
    assert neighbour.process.poll() is None
    other = Store(connect(f"sqlite:///{neighbour.folder / 'events' / 'events.sqlite3'}"))
    theirs = {r["request_id"] for r in other.rows(select(interactions.c.request_id))}
    other.close()
    assert not clients.answers & theirs


def test_a_database_that_is_killed_and_away_for_a_minute_costs_nothing_but_lag(hurt: Hurt) -> None:
    moments = random.Random(9)  # noqa: S311 - moments, not secrets
    with Clients(hurt.service.url) as clients:
        for _ in range(KILLS - 1):  # it comes back at once
            time.sleep(moments.uniform(1, 3))
            hurt.database.kill()
            time.sleep(moments.uniform(0.5, 1.5))
            hurt.database.revive()
        time.sleep(2)
        hurt.database.kill()
        before = len(clients.answers)
        try:
            time.sleep(AWAY_S)
            without = len(clients.answers) - before
            lag_s, waiting = hurt.gauge("barn_drain_lag_seconds"), hurt.gauge("barn_spool_bytes")
        finally:
            hurt.database.revive()

    assert without > AWAY_S  # users were answered all the while
    assert lag_s > AWAY_S / 2
    assert waiting > 0
    hurt.assert_nothing_lost(clients)
    until = time.monotonic() + 30
    while hurt.gauge("barn_drain_lag_seconds") > 5 and time.monotonic() < until:
        time.sleep(0.5)
    assert hurt.gauge("barn_drain_lag_seconds") <= 5


def fill(path: Path) -> None:
    """Write until the disk takes no more."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4_096)


def until_refused(
    send: Callable[[], httpx.Response],
) -> tuple[httpx.Response, list[httpx.Response]]:
    """Send again and again; the first refusal, and what was taken before it."""
    taken: list[httpx.Response] = []
    for _ in range(200):
        told = send()
        if told.status_code >= 400:
            return told, taken
        taken.append(told)
    raise AssertionError("the disk is full and nothing was refused")


def test_a_full_disk_is_said_before_anything_is_acknowledged(hurt: Hurt) -> None:
    if not hurt.small_disk:
        pytest.skip("a small file system for the spool could not be mounted here")
    url = hurt.service.url
    body = {"model": "llava-llama-1", "messages": ask("what is 2 + 3?"), "max_tokens": 2}
    with httpx.Client(base_url=url, timeout=20) as client:
        before = client.post("/v1/chat/completions", json=body)
        ballast = hurt.spool / "ballast"
        fill(ballast)
        # what does not fit is taken back, so that a shorter word after it may still have room
        refused, answered = until_refused(lambda: client.post("/v1/chat/completions", json=body))
        word = {"request_id": before.json()["barn"]["request_id"], "correct": True}
        unheard, said = until_refused(lambda: client.post("/v1/feedback", json=word))
        ballast.unlink()
        after = client.post("/v1/chat/completions", json=body)
        heard = client.post("/v1/feedback", json=word)

    assert refused.status_code == 503
    assert "could not be recorded" in refused.json()["error"]["message"]
    assert unheard.status_code == 503
    assert "could not be recorded" in unheard.json()["error"]["message"]
    assert (after.status_code, heard.status_code) == (200, 202)
    clients = Clients(url)
    clients.answers = {r.json()["barn"]["request_id"] for r in (before, after, *answered)}
    clients.words = {r.json()["ids"][0] for r in (heard, *said)}
    hurt.assert_nothing_lost(clients)
