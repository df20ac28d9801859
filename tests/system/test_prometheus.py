"""A real Prometheus scrapes the real service: every metric has samples, every panel evaluates."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from deploy.grafana.build import BOARDS
from serving.build import free_port
from serving.registry import REGISTRY
from tests.builders import ask, data_url
from tests.system.conftest import ROOT, Service

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="no prometheus: apt-get install prometheus"
    ),
]
AFTER_STANDARD_LOAD = {m.name for m in REGISTRY}


@pytest.fixture(scope="module")
def prometheus(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("prometheus")
    target = service.url.removeprefix("http://")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ROOT / "deploy" / "prometheus" / "rules.yml")],
        "scrape_configs": [{"job_name": "barn", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(  # noqa: S603 - fixed arguments
        [
            "prometheus", f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with httpx.Client(base_url=f"http://{address}", timeout=10) as client:
        yield client
    process.terminate()
    process.wait(20)


def standard_load(http: httpx.Client) -> None:
    """Something of everything: policies, streams, mistakes, feedback, an experiment."""
    spec = {"name": "watched", "control": "llava-llama-1", "candidate": "llava-llama-3"}
    http.post("/v1/experiments", json=spec)
    for k in range(9):
        for model in ("auto", "auto:explore", "auto:thompson", "auto:cascade", "llava-llama-1"):
            body = {
                "model": model, "max_tokens": 6, "messages": ask("what shape is this?", data_url()),
                "barn": {"quality": 1.0}, "stream": k == 8,
            }  # fmt: skip
            told = http.post("/v1/chat/completions", json=body)
            if k < 8:
                word = {"request_id": told.json()["id"], "truth": "circle"}
                http.post("/v1/feedback", json=word)
    http.post("/v1/chat/completions", json={"model": "nobody", "messages": ask()})
    for _ in range(3):  # an answer takes longer
        hurried = {"model": "auto", "messages": ask("hello"), "barn": {"deadline_ms": 1}}
        assert http.post("/v1/chat/completions", json=hurried).status_code == 504


def query(prometheus: httpx.Client, expression: str) -> list[Any]:
    told = prometheus.get("/api/v1/query", params={"query": expression}).json()
    assert told["status"] == "success", (expression, told)
    found: list[Any] = told["data"]["result"]
    return found


def series(metric: str) -> str:
    kinds = {m.name: m.kind for m in REGISTRY}
    return metric + {"counter": "_total", "gauge": "", "histogram": "_count"}[kinds[metric]]


def test_every_metric_has_a_sample_and_every_panel_evaluates(
    prometheus: httpx.Client, http: httpx.Client
) -> None:
    standard_load(http)
    missing = AFTER_STANDARD_LOAD
    ends = time.monotonic() + 60
    while missing and time.monotonic() < ends:
        missing = {m for m in missing if not query(prometheus, series(m))}
        time.sleep(1)

    assert not missing
    silent = {
        panel.title
        for _, (_, panels) in BOARDS.items()
        for panel in panels
        if not [x for q, _ in panel.queries for x in query(prometheus, filled(q))]
    }
    told = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in told for rule in group["rules"]]
    assert rules
    assert {rule["health"] for rule in rules} == {"ok"}, rules
    assert not silent


def filled(expression: str) -> str:
    """A panel's expression as Grafana would send it."""
    values = {"$__rate_interval": "1m", "$backbone": ".+", "$task": "recognition"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    return expression


def test_counters_agree_with_what_was_asked(http: httpx.Client) -> None:
    before = _answered(http)
    for _ in range(7):
        body = {"model": "llava-llama-2", "max_tokens": 2, "messages": ask("hello")}
        assert http.post("/v1/chat/completions", json=body).status_code == 200

    assert _answered(http) == before + 7


def _answered(http: httpx.Client) -> float:
    lines = http.get("/metrics").text.splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if line.startswith("barn_requests_total") and 'backbone="llava-llama-2"' in line
    )
