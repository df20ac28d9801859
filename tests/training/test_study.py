"""`barn study` on the models that ship: the table that it writes, and what is in it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.cli import app

pytestmark = pytest.mark.timeout(300)
BACKBONES = ("llava-llama-1", "llava-llama-2", "llava-llama-3")


def test_the_study_tells_accuracy_changes_and_stability_of_every_backbone(tmp_path: Path) -> None:
    out = tmp_path / "STUDY.md"

    told = CliRunner().invoke(app, ["study", "--per-skill", "2", "--easy", "30", "--out", str(out)])

    assert told.exit_code == 0, told.output
    text, found = out.read_text(), json.loads(out.with_suffix(".json").read_text())
    assert {row["backbone"] for row in found["rows"]} == set(BACKBONES)
    assert all(f"| {name} | other words |" in text for name in BACKBONES)
    easy = {r["backbone"]: r["accuracy"] for r in found["rows"] if r["task"] == "easy-vqa"}
    assert min(easy.values()) >= 0.9
    steady = [s for s in found["stability"] if s["change"] == "6 % darker"]
    assert len(steady) == 3
    for state in steady:  # a picture that is hardly darker is hardly another one
        assert 0.99 < min(state["cosine"]) <= 1.000_001
        assert 0.95 < min(state["cka"]) <= 1.000_001
