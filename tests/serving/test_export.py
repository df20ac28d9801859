"""`barn export`: what leaves the store is what is in it."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from evaluation.grading import grade_pending
from evaluation.stores.sql import Store, connect
from serving.commands.judge import export
from tests.evaluation.test_store import served, word


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    url = f"sqlite:///{tmp_path / 'barn.db'}"
    monkeypatch.setenv("BARN_EVENTS__STORE", url)
    store = Store(connect(url))
    store.append([served("r1", "red", at_s=10.0), served("r2", "blue", at_s=20.0)])
    store.append([
        word("r1", 30.0, correct=False),
        word("r1", 40.0, truth=("red", "crimson")),
        word("r1", 50.0, score=0.25, source="judge"),
    ])  # fmt: skip
    grade_pending(store, 60.0)
    store.close()
    return tmp_path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_answers_leave_with_their_grades_and_everything_that_was_said(
    filled: Path, suffix: str
) -> None:
    out = filled / f"all{suffix}"
    export(out, config="embedded", since=None, until=None, task=None, kind=None)

    first, second = read(out)
    assert (first["request_id"], first["score"], first["judge_score"]) == ("r1", 1.0, 0.25)
    assert [w["source"] for w in first["feedback"]] == ["human", "human", "judge"]
    assert [w["correct"] for w in first["feedback"]] == [False, None, None]
    assert orjson.loads(first["feedback"][1]["truth"]) == ["red", "crimson"]
    assert (second["score"], second["judge_score"], second["feedback"]) == (None, None, [])


def test_a_time_range_or_a_task_leaves_the_others_behind(filled: Path) -> None:
    out = filled / "some.jsonl"

    def exported(**only: Any) -> list[str]:
        every: dict[str, Any] = {"since": None, "until": None, "task": None, "kind": None}
        export(out, config="embedded", **(every | only))
        return [row["request_id"] for row in read(out)]

    moment = datetime(1970, 1, 1, 0, 0, 15)  # noqa: DTZ001 - what a user types has no zone
    assert exported(since=moment) == ["r2"]
    assert exported(until=moment) == ["r1"]
    assert exported(task="counting") == []
    assert exported(kind="served") == ["r1", "r2"]
    assert exported(kind="probe") == []


def test_another_kind_of_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    probe = typer.Typer()
    probe.command()(export)
    told = CliRunner().invoke(probe, [str(tmp_path / "all.csv")])

    assert told.exit_code == 2
    assert "expected .parquet or .jsonl" in told.output
