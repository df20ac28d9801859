"""Kill -9 under load: every acknowledged answer and word of feedback is in the store, once."""

import os
import random
import signal
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import select

from evaluation.drain import Drainer
from evaluation.stores.schema import feedback, interactions
from evaluation.stores.sql import Store, connect
from tests.builders import ask
from tests.system.conftest import Service, start, stop

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
CLIENTS, KILLS = 4, 3


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


def opened(events: Path) -> Store:
    """The store of a service."""
    return Store(connect(f"sqlite:///{events / 'events.sqlite3'}"))


def stored_ids(store: Store) -> list[str]:
    """The requests that are in a store."""
    return [r["request_id"] for r in store.rows(select(interactions.c.request_id))]


def assert_nothing_lost(events: Path, clients: Clients) -> None:
    """What was acknowledged is in the store of a stopped service, once."""
    store = opened(events)
    Drainer(events / "spool", store).drain()  # what the last one could not any more
    stored = stored_ids(store)
    words = {r["feedback_id"] for r in store.rows(select(feedback.c.feedback_id))}
    assert clients.answers <= set(stored)
    assert clients.words <= words
    assert len(stored) == len(set(stored))


def test_killing_the_front_end_under_load_loses_nothing_that_was_acknowledged(
    tmp_path: Path,
    service: Service,
) -> None:
    neighbour = service  # a second Barn on the machine: it must not answer for the one that is hurt
    running = start(tmp_path)
    moments = random.Random(5)  # noqa: S311 - moments, not secrets
    with Clients(running.url) as clients:
        for _ in range(KILLS):
            time.sleep(moments.uniform(2, 4))
            for process in replicas(running, "ServeReplica:barn:front"):
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(5)
    stop(running)

    assert len(clients.answers) > 20
    assert_nothing_lost(tmp_path / "events", clients)
    assert neighbour.process.poll() is None
    assert not clients.answers & set(stored_ids(opened(neighbour.folder / "events")))
