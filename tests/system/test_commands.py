"""Commands that speak to a running service, as a shell would call them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from evaluation.offline import read_answers
from tests.builders import ask
from tests.system.conftest import ROOT, Service

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def barn(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours against the service and its store."""
    store = f"sqlite:///{service.folder / 'events' / 'events.sqlite3'}"
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "serving.cli", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "COLUMNS": "200", "BARN_EVENTS__STORE": store},  # noqa: TID251 - handed on
    )  # fmt: skip


def test_an_evaluation_resumes_and_asks_anew_what_has_changed(
    service: Service, tmp_path: Path
) -> None:
    questions, out = tmp_path / "mine.jsonl", tmp_path / "out"
    rows = [{"id": str(k), "question": f"what is {k} + 2?", "answer": str(k + 2)} for k in range(3)]

    said: list[str] = []

    def evaluated(*options: str) -> list[str]:
        """The lines that a run has added: what was asked."""
        questions.write_text("".join(json.dumps(row) + "\n" for row in rows))
        answers = out / "mine" / "answers.jsonl"
        before = answers.read_text().splitlines() if answers.is_file() else []
        two = ("--backbone", "llava-llama-1", "--backbone", "llava-llama-3")
        ran = barn(service, "evaluate", str(questions), "--url", service.url, "--out", str(out),
                   *two, *options)  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stderr)
        lines = answers.read_text().splitlines()
        return lines if "--fresh" in options else lines[len(before) :]

    first, again = evaluated(), evaluated()
    rows[1]["question"] = "what is 1 + 3?"
    changed = evaluated()

    assert (len(first), len(again), len(changed)) == (6, 0, 2)
    assert {json.loads(line)["id"] for line in changed} == {"1"}
    assert len(read_answers(out / "mine" / "answers.jsonl")) == 6
    page = (out / "mine" / "report.html").read_text()
    assert "llava-llama-3" in page
    assert "<img" in page or "<svg" in page
    assert "kept" not in said[0]
    assert "6 answers of an earlier run are kept" in said[1]
    assert len(evaluated("--fresh")) == 6
    assert {r["backbone"] for r in json.loads((out / "mine" / "report.json").read_text())["rows"]} \
        == {"llava-llama-1", "llava-llama-3"}  # fmt: skip


def test_an_unknown_backbone_or_service_is_said(service: Service, tmp_path: Path) -> None:
    nobody = barn(service, "evaluate", "easy-vqa", "--url", service.url, "--backbone", "nobody")
    nowhere = barn(service, "evaluate", "easy-vqa", "--url", "http://127.0.0.1:9", "--out",
                   str(tmp_path))  # fmt: skip

    assert nobody.returncode == nowhere.returncode == 2
    assert "no backbone 'nobody'" in nobody.stderr
    assert "does not answer" in nowhere.stderr


def test_the_table_is_shown_replaced_and_taken_back(service: Service, tmp_path: Path) -> None:
    url = ("--url", service.url)
    shown = json.loads(barn(service, "table", "show", *url).stdout)
    mine = tmp_path / "table.json"
    mine.write_text(json.dumps(shown | {"note": "mine"}))
    broken = tmp_path / "broken.json"
    broken.write_text('{"backbones": 3}')

    replaced = barn(service, "table", "set", str(mine), *url)
    refused = barn(service, "table", "set", str(broken), *url)
    now = json.loads(barn(service, "table", "show", *url).stdout)
    undone = barn(service, "table", "undo", *url)
    after = json.loads(barn(service, "table", "show", *url).stdout)

    assert replaced.stdout == f"the table is version {shown['version'] + 1} now\n"
    assert refused.returncode == 1
    assert "backbones" in refused.stderr
    assert now["note"] == "mine"
    assert undone.returncode == 0
    assert (after["note"], after["backbones"]) == (shown["note"], shown["backbones"])


def test_quality_shows_figures_traffic_and_says_when_there_are_none(
    service: Service, http: httpx.Client
) -> None:
    body = {"model": "llava-llama-2", "messages": ask("what is 4 + 4?"), "max_tokens": 4}
    word = {"request_id": http.post("/v1/chat/completions", json=body).json()["id"], "truth": "8"}
    http.post("/v1/feedback", json=word)
    told = barn(service, "quality", "--url", service.url)
    for _ in range(10):
        if "llava-llama-2" in told.stdout and "arithmetic" in told.stdout:
            break
        told = barn(service, "quality", "--url", service.url)
    none = barn(service, "quality", "--url", service.url, "--kind", "probe", "--window", "1m")

    assert told.returncode == 0
    for heading in ("accuracy", "ECE", "Brier", "requests"):
        assert heading in told.stdout
    assert "nothing was graded" in none.stderr


def test_off_policy_reads_the_services_own_store(service: Service, http: httpx.Client) -> None:
    for k in range(12):
        body = {"model": "auto:explore", "messages": ask(f"what is {k} + 2?"), "max_tokens": 4}
        told = http.post("/v1/chat/completions", json=body).json()
        http.post("/v1/feedback", json={"request_id": told["id"], "correct": k % 2 == 0})
    ran = barn(service, "off-policy")
    for _ in range(10):
        if ran.returncode == 0:
            break
        ran = barn(service, "off-policy")

    assert ran.returncode == 0, ran.stderr
    for policy in ("utility", "always llava-llama-1", "always llava-llama-3"):
        assert policy in ran.stdout
    assert "doubly robust" in ran.stdout
