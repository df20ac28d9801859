"""`barn load` against the real service: what it counts is what was answered."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Service

pytestmark = pytest.mark.ray


def load(
    service: Service, out: Path, *options: str, scenario: str = "steady"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "serving.cli", "load", scenario, "--url", service.url),
            *("--out", str(out), "--users", "2", "--seconds", "5", "--limit", "20", *options),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("scenario", ["steady", "spike", "soak"])
def test_a_load_is_answered_and_graded(service: Service, tmp_path: Path, scenario: str) -> None:
    asked = ("--dataset", "easy-vqa", "--side-px", "200")
    ran = load(service, tmp_path / "load.json", *asked, scenario=scenario)
    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "load.json").read_text())
    graded = sum(found["of"] for found in report["accuracy"].values())
    assert report["errors"] == {}
    assert report["answers"] == graded > 10
    assert report["latency"]["time to first token"]["requests"] > 0
    assert sum(found["right"] for found in report["accuracy"].values()) > graded / 2


def test_errors_are_counted_by_kind(service: Service, tmp_path: Path) -> None:
    ran = load(service, tmp_path / "load.json", "--model", "nobody")
    assert ran.returncode == 1
    errors = json.loads((tmp_path / "load.json").read_text())["errors"]
    assert list(errors) == ["404 model_not_found"]
