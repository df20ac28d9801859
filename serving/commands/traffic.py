"""`barn load`: one of the Locust scenarios, headless, graded, with sensible bounds."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer
from PIL import Image
from rich.console import Console
from rich.table import Table

from evaluation.intervals import wilson
from evaluation.offline import Item
from routing.domain import Task
from serving.commands.ask import question_body
from serving.commands.configured import for_tables
from serving.commands.evaluate import labelled, service

_err = Console(stderr=True)
_GRACE_S = 120
"""How long the run may take beyond its time, before it is stopped from outside."""


def load_test(  # noqa: PLR0913 - a command's options
    scenario: Annotated[
        Literal["steady", "spike", "soak"],
        typer.Argument(help="steady load, four times as much for a while, or long and even"),
    ] = "steady",
    url: Annotated[str | None, typer.Option(help="A running service; none: start one.")] = None,
    config: Annotated[str, typer.Option(help="Profile of the service to start.")] = "embedded",
    users: Annotated[int, typer.Option(min=1, max=2_000, help="Users who ask at once.")] = 8,
    seconds: Annotated[int | None, typer.Option(min=1, max=86_400, help="Default 30.")] = None,
    streamed: Annotated[float, typer.Option(min=0, max=1, help="Share of streams.")] = 0.5,
    model: Annotated[str, typer.Option(help="auto, auto:<policy>, or a backbone.")] = "auto",
    dataset: Annotated[
        list[str] | None, typer.Option(help="The task mix: labelled sets or JSONL files.")
    ] = None,
    side_px: Annotated[
        list[int] | None, typer.Option(help="Picture sizes (longer side); default: as they are.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Different questions of each set.")] = 300,
    max_tokens: Annotated[int, typer.Option(min=1)] = 16,
    keep: Annotated[Path | None, typer.Option(help="Keep the requests here, for Locust.")] = None,
    out: Annotated[Path, typer.Option(help="The figures, as JSON.")] = Path("runs/load.json"),
    api_key: Annotated[str, typer.Option(envvar="BARN_API_KEY")] = "",
) -> None:
    """Put load on the service; print latency, throughput, error kinds and accuracy per task."""
    if find_spec("locust") is None:
        raise typer.BadParameter("Locust is not installed: pip install 'barn[load]'")
    length = seconds or (600 if scenario == "soak" else 30)
    asked = [i for name in dataset or ["easy-vqa", "synthetic"] for i in labelled(name, limit)]
    if any(item.grader for item in asked):
        raise typer.BadParameter("a task with its own process_results is for barn evaluate")
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, service(url, config, api_key) as (where, _):
        items = keep or Path(folder) / "items.jsonl"
        lines = (json.dumps(line) for line in requests(asked, side_px or [], max_tokens))
        items.write_text("\n".join(lines), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "locust", "--headless", "--only-summary"),
            *("-f", str(files("deploy") / "load" / "locustfile.py"), "--host", where),
            *("--users", str(users), "--run-time", f"{length}s", "--stop-timeout", "30"),
            *("--items", str(items), "--scenario", scenario, "--streamed", str(streamed)),
            *("--model", model, "--report", str(out), "--loglevel", "ERROR"),
        ]
        out.unlink(missing_ok=True)
        with _err.status(f"{scenario}: {users} users for {length} s against {where} …"):
            # its own process: Locust rewires sockets and threads (gevent)
            ran = subprocess.run(  # noqa: S603 - our own program
                command,
                env={**os.environ, "BARN_API_KEY": api_key},  # noqa: TID251 - handed on
                capture_output=True,
                text=True,
                timeout=length + _GRACE_S,
                check=False,
            )
    if not out.is_file():
        _err.print(ran.stderr or ran.stdout)
        raise typer.Exit(2)
    report = json.loads(out.read_text(encoding="utf-8"))
    show(report)
    if not report["answers"]:
        _err.print("[red]nothing was answered[/red]")
        raise typer.Exit(1)


def requests(asked: list[Item], sides: list[int], max_tokens: int) -> Iterator[dict[str, Any]]:
    """One line per item: the body that asks it, and what is right; sizes take turns."""
    for number, item in enumerate(asked):
        side = sides[number % len(sides)] if sides else None
        sized = item if side is None or item.image is None else _resized(item, side)
        yield {
            "body": question_body(sized, "auto", max_tokens),
            "task": (item.task or Task.CHAT).value,
            "references": item.references,
            "choices": item.choices,
            "metric": item.metric,
        }


def _resized(item: Item, side: int) -> Item:
    with Image.open(io.BytesIO(item.image or b"")) as picture:
        factor = side / max(picture.size)
        size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        buffer = io.BytesIO()
        picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(buffer, "PNG")
    return replace(item, image=buffer.getvalue())


def show(report: dict[str, Any]) -> None:
    """Print a report of the load scenarios as tables."""
    console = for_tables()
    _err.print(
        f"{report['answers']} answers in {report['seconds']:.0f} s: "
        f"{report['requests_per_s']:.1f} requests/s, {report['tokens_per_s']:.0f} tokens/s"
    )
    times = Table("", "requests", "p50 ms", "p90 ms", "p99 ms")
    for name, at in report["latency"].items():
        percentiles = (f"{at[p]:.0f}" if at[p] else "–" for p in ("p50_ms", "p90_ms", "p99_ms"))
        times.add_row(name, str(at["requests"]), *percentiles)
    console.print(times)
    quality = Table("task", "n", "accuracy", "95 %")
    for task, found in report["accuracy"].items():
        low, high = wilson(found["right"], found["of"])
        share = found["right"] / found["of"]
        quality.add_row(task, str(found["of"]), f"{share:.1%}", f"{low:.1%}–{high:.1%}")
    console.print(quality)
    for kind, times_seen in report["errors"].items():
        _err.print(f"[red]{kind}: {times_seen}[/red]")
