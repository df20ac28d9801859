"""`serve deploy` on two Ray nodes: figures add up, weights roll, one dies; nothing told is lost."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from serving.build import free_port
from serving.node_metrics import shared_metrics
from serving.settings import load
from tests.system.conftest import ROOT
from tests.system.test_durability import Clients, assert_nothing_lost

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


class TwoNodes:
    """The cluster's program, words with it, and what is deployed there."""

    def __init__(self, folder: Path) -> None:
        self.port, self.folder = free_port(), folder
        self.log = (folder / "log").open("w")
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.system.two_nodes", str(self.config("zoo:llava-llama-1"))],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        self.dashboard = self.hear("nodes").split()[1]

    def config(self, model: str) -> Path:
        """Barn's configuration with one backbone, which serves `model`."""
        backbone = {
            "id": "llava-llama-1", "generation": "llama-1", "model": model,
            "replicas": {"min_replicas": 2, "max_replicas": 2},
        }  # fmt: skip
        config = {
            "service": {"port": self.port, "front_replicas": 2},
            "events": {"folder": str(self.folder / "events")},
            "backbones": [backbone],
        }
        path = self.folder / f"{model.partition(':')[2]}.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    def deploy(self, model: str) -> None:
        """Give the committed deploy/serve.yaml, with this test's port, to `serve deploy`."""
        told = yaml.safe_load((ROOT / "deploy" / "serve.yaml").read_text())
        told["http_options"]["port"] = self.port
        told["proxy_location"] = "HeadOnly"  # two raylets of one machine have one address
        told["applications"][0]["args"]["config"] = str(self.config(model))
        file = self.folder / "serve.yaml"
        file.write_text(yaml.safe_dump(told))
        self._serve("deploy", str(file))
        until = time.monotonic() + 150
        while "RUNNING" not in (state := self._serve("status", "--name", "barn")).split()[0:3]:
            if "DEPLOY_FAILED" in state or time.monotonic() > until:
                raise RuntimeError(state)
            time.sleep(0.5)

    def _serve(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - Ray Serve's own command
            [str(Path(sys.executable).with_name("serve")), *words, "--address", self.dashboard],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout

    def hear(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line
        raise RuntimeError(f"no {word!r}: {(self.folder / 'log').read_text()[-3000:]}")

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.log.close()

    def nodes_of(self, deployment: str) -> list[str]:
        """The node of each replica of a deployment that runs, as Ray's dashboard tells it."""
        told = httpx.get(f"{self.dashboard}/api/serve/applications/", timeout=30).json()
        found = told["applications"]["barn"]["deployments"][deployment]["replicas"]
        return [r["node_id"] for r in found if r["state"] == "RUNNING"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    running = TwoNodes(tmp_path_factory.mktemp("nodes"))
    try:
        running.deploy("zoo:llava-llama-1")
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


def _requests(text: str) -> float:
    families = text_string_to_metric_families(text)
    return sum(s.value for f in families for s in f.samples if s.name == "barn_requests_total")


def _of_one_process(file: Path) -> float:
    merged = MultiProcessCollector.merge([str(file)])  # type: ignore[no-untyped-call]
    return sum(float(s.value) for m in merged if m.name == "barn_requests" for s in m.samples)


def test_two_gateways_add_up_in_every_scrape(nodes: TwoNodes) -> None:
    body = {"model": "llava-llama-1", "max_tokens": 2,
            "messages": [{"role": "user", "content": "what is 2 + 3?"}]}  # fmt: skip
    asked = 40

    def ask() -> int:  # a connection of its own, so that HAProxy picks a gateway each time
        return httpx.post(f"{nodes.url}/v1/chat/completions", json=body, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:
        assert {done.result() for done in [pool.submit(ask) for _ in range(asked)]} == {200}

    until = time.monotonic() + 5  # the last one is counted just after its answer has left
    while _requests(httpx.get(f"{nodes.url}/metrics").text) < asked and time.monotonic() < until:
        time.sleep(0.1)
    shared = shared_metrics(load(str(nodes.config("zoo:llava-llama-1"))))
    files = Path(shared["PROMETHEUS_MULTIPROC_DIR"]).glob("counter_*.db")
    each = [_of_one_process(file) for file in files]
    scrapes = {_requests(httpx.get(f"{nodes.url}/metrics").text) for _ in range(6)}

    assert len(set(nodes.nodes_of("front"))) == 2
    assert len([n for n in each if n > 0]) >= 2  # both gateways had requests
    assert scrapes == {asked}


def test_rolling_one_backbones_weights_fails_no_request(nodes: TwoNodes) -> None:
    def sure() -> float:
        body = {"model": "llava-llama-1", "max_tokens": 4, "temperature": 0,
                "messages": [{"role": "user", "content": "what is 2 + 3?"}]}  # fmt: skip
        answer = httpx.post(f"{nodes.url}/v1/chat/completions", json=body, timeout=60).json()
        return float(answer["barn"]["confidence"])

    before = sure()
    failed: list[str] = []
    told: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        body = {"model": "llava-llama-1", "max_tokens": 2,
                "messages": [{"role": "user", "content": "what is 2 + 3?"}]}  # fmt: skip
        with httpx.Client(base_url=nodes.url, timeout=60) as client:
            while not stop.is_set():
                answer = client.post("/v1/chat/completions", json=body)
                (told if answer.status_code == 200 else failed).append(answer.text[:200])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    nodes.deploy("zoo:llava-llama-2")
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join(timeout=60)

    assert failed == []
    assert len(told) > 20
    assert sure() != pytest.approx(before, rel=1e-3)  # other weights are as sure of something else


def test_a_killed_node_loses_nothing_that_was_acknowledged(
    nodes: TwoNodes, capsys: pytest.CaptureFixture[str]
) -> None:
    with Clients(nodes.url) as clients:
        time.sleep(4)
        before = len(clients.answers)
        homes = set(nodes.nodes_of("front"))
        nodes.say("kill")
        nodes.hear("killed")
        killed = time.monotonic()
        at_kill = len(clients.answers)
        while len(clients.answers) < at_kill + 20:
            assert time.monotonic() - killed < 120, "the service did not recover"
            time.sleep(0.02)
        recovered_s = time.monotonic() - killed
        time.sleep(4)
    with capsys.disabled():
        print(f"\n{before} answers before the kill; 20 more came within {recovered_s:.1f} s of it")
    nodes.stop()

    assert before > 10
    assert len(homes) == 2  # the killed one had a gateway
    assert_nothing_lost(nodes.folder / "events", clients)
