"""Commands that need no running service, as a shell would call them."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from evaluation.offline import line_of
from routing.tasks import shipped
from serving.commands.evaluate import route_bench
from serving.commands.policies import off_policy
from serving.commands.route import classify_lines, explain
from tests.evaluation.test_routebench import recorded


def run(command: Any, *arguments: str) -> Any:
    """Run one command; wide enough that no cell of a table is cut."""
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARN_EVENTS__STORE", f"sqlite:///{tmp_path / 'barn.db'}")


def classified(*lines: bytes) -> tuple[list[dict[str, Any]], bool]:
    out = io.BytesIO()
    bad = classify_lines(io.BytesIO(b"".join(line + b"\n" for line in lines)), out, shipped())
    return [orjson.loads(line) for line in out.getvalue().splitlines()], bad


def test_every_line_gets_its_line_in_order_and_bad_ones_an_error(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    asked: list[Any] = [
        {"question": "what color is the car?"},
        {"question": "what is 12 plus 30?"},
        {"question": "what shape is this?", "image": str(picture)},
        {"question": "what is this?", "image": str(tmp_path / "away.png")},
        {"query": "no question"},
        ["no", "object"],
    ]
    told, bad = classified(*map(orjson.dumps, asked), b"no json", b"")

    assert bad
    assert [row.get("task") for row in told[:3]] == ["attribute", "arithmetic", "recognition"]
    assert [row.get("family") for row in told[:3]] == ["vision", "reasoning", "vision"]
    for row in told[:3]:
        assert set(row) == {"task", "family", "probability", "scores"}
        assert sum(row["scores"].values()) == pytest.approx(1.0, abs=1e-3)
        assert 0.5 <= row["probability"] <= 1.0
    assert [set(row) for row in told[3:]] == [{"error"}] * 5


def test_many_lines_are_told_as_one_alone_is() -> None:
    lines = [orjson.dumps({"question": f"how many cats are in picture {k}?"}) for k in range(1_100)]
    told, bad = classified(*lines)

    assert (len(told), bad) == (1_100, False)
    assert told[700] == classified(lines[700])[0][0]


@pytest.mark.parametrize(("line", "status"), [(b'{"question": "hi"}\n', 0), (b"{}\n", 1)])
def test_the_exit_status_tells_whether_a_line_was_bad(line: bytes, status: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "serving.cli", "classify"], input=line, capture_output=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == status
    assert (b"error" in ran.stdout) == (status == 1)


def test_explain_shows_every_backbone_and_what_decided(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    told = run(explain, "--question", "what color is it?", "--image", str(picture))

    assert told.exit_code == 0, told.output
    for backbone in ("llava-llama-1", "llava-llama-2", "llava-llama-3"):
        assert backbone in told.output
    assert "attribute" in told.output
    assert told.output.count("chosen") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--question", "q", "--policy", "nobody"), "no policy"),
        (("--question", "q", "--image", "away.png"), "away.png"),
        (("--question", "q", "--config", "nowhere"), "nowhere"),
    ],
)
def test_explain_says_what_is_wrong(arguments: tuple[str, ...], says: str) -> None:
    told = run(explain, *arguments)
    assert told.exit_code == 2
    assert says in told.output


def test_the_route_bench_draws_writes_and_prints(tmp_path: Path) -> None:
    answers = tmp_path / "answers.jsonl"
    names = {"cheap": "llava-llama-1", "dear": "llava-llama-3"}
    lines = [json.loads(line_of(a)) for a in recorded(3, 400)]
    answers.write_text(
        "".join(json.dumps(one | {"backbone": names[one["backbone"]]}) + "\n" for one in lines)
    )
    told = run(route_bench, str(answers), "--out", str(tmp_path / "out"))

    assert told.exit_code == 0, told.output
    assert "APGR" in told.output
    report = json.loads((tmp_path / "out" / "route-bench.json").read_text())
    assert {p["backbone"] for p in report["predicted"]} == set(names.values())
    assert (tmp_path / "out" / "route-bench.png").stat().st_size > 10_000


def test_the_route_bench_refuses_what_is_not_there(tmp_path: Path) -> None:
    told = run(route_bench, str(tmp_path / "away.jsonl"), "--out", str(tmp_path / "out"))
    assert told.exit_code == 2
    assert "no answers" in told.output


def test_off_policy_says_when_there_is_nothing_to_tell() -> None:
    told = run(off_policy)
    assert told.exit_code == 1
    assert "no graded request" in told.output
