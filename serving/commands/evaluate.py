"""`barn evaluate` and `barn route-bench`: labelled sets, by the code that judges traffic."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from evaluation.confidence_maps import fits
from evaluation.lmms_task import read_task
from evaluation.offline import Answered, DatasetError, Item, read_answers, read_jsonl
from evaluation.report import html_report
from evaluation.routereport import BenchReport, run_bench
from evaluation.summary import Row, rows, versus
from evaluation.worth import table_from
from routing.domain import Task
from routing.quality import QualityTable
from serving.build import Cluster, free_port
from serving.commands.ask import Asking, ask_all
from serving.commands.configured import cards_of, configured, for_tables
from serving.policies import build_policies

_err = Console(stderr=True)
FAMILIES = {t.value: t.family.value for t in Task}


def datasets() -> dict[str, Callable[[int], list[Item]]]:
    """The labelled sets that installed packages offer by name."""
    return {e.name: e.load() for e in entry_points(group="barn.datasets")}


def labelled(dataset: str, limit: int) -> list[Item]:
    """The first items of a set by name, of a JSONL file, or of a task of lmms-eval (YAML).

    Raises:
        typer.BadParameter: there is no such set or file, or a line of it is wrong.
    """
    named = datasets()
    if dataset in named:
        return named[dataset](limit)
    path = Path(dataset)
    if not path.is_file():
        names = ", ".join(sorted(named))
        raise typer.BadParameter(
            f"no labelled set or file {dataset!r}; known: {names}; or a JSONL file; or a task of "
            "lmms-eval (YAML)"
        )
    try:
        if path.suffix in {".yaml", ".yml"}:
            return read_task(path, limit)
        return read_jsonl(path)[:limit]
    except DatasetError as error:
        raise typer.BadParameter(str(error)) from error


@contextmanager
def service(
    url: str | None, config: str, api_key: str = ""
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A running service's URL and backbones; starts one for the while when `url` is None."""
    if url is not None:
        try:
            key = {"authorization": f"Bearer {api_key}"} if api_key else {}
            models = httpx.get(f"{url}/v1/models", headers=key, timeout=10).json()["data"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise typer.BadParameter(f"{url} does not answer as Barn does: {error}") from error
        yield url, tuple(m["id"] for m in models if not m["id"].startswith("auto"))
        return
    port = free_port()
    settings = configured(
        config, {"service.port": port, "events.folder": Path("runs/evaluate/events")}
    )
    cluster = Cluster.of(settings)
    _err.print("starting a service for the while …")
    with cluster:
        cluster.deploy()
        yield f"http://127.0.0.1:{port}", tuple(b.id for b in settings.backbones)


def _table(told: Sequence[Answered], dataset: str, last_s: float) -> QualityTable:
    """Of half of the answers; the last of all came at Unix time `last_s`: later ones add to it."""
    half = [a for a in told if fits(a.id) and not a.error]
    note = f"{dataset}: {len(half)} answers (the other half judges)"
    return table_from(half, note=note).model_copy(update={"since_s": last_s})


def _resume(answers: Path, *, fresh: bool) -> None:
    """Say that there are answers of an earlier run: other weights would not have given them."""
    if fresh:
        answers.unlink(missing_ok=True)
    elif kept := len(read_answers(answers)):
        _err.print(f"{kept} answers of an earlier run are kept; --fresh asks for them again")


def evaluate(  # noqa: PLR0913 - a command's options
    dataset: Annotated[
        str,
        typer.Argument(
            help="easy-vqa, synthetic, a JSONL file, or a task of lmms-eval.", show_default=False
        ),
    ] = "",
    named: Annotated[
        str, typer.Option("--dataset", help="The same, as an option.", show_default=False)
    ] = "",
    backbone: Annotated[list[str] | None, typer.Option(help="Ask only these.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Ask every backbone (the default).")] = False,  # noqa: FBT002 - typer's way
    limit: Annotated[int, typer.Option(min=1, help="Questions at most.")] = 1_000,
    url: Annotated[str | None, typer.Option(help="A running service; none: start one.")] = None,
    config: Annotated[str, typer.Option(help="Profile of the service to start.")] = "embedded",
    concurrency: Annotated[int, typer.Option(min=1)] = 8,
    out: Annotated[Path, typer.Option(help="Answers and report; run again to resume.")] = Path(
        "runs/evaluate"
    ),
    fresh: Annotated[bool, typer.Option(help="Ask again what was answered before.")] = False,  # noqa: FBT002 - typer's way
    table: Annotated[Path | None, typer.Option(help="Write a quality table here.")] = None,
    as_users: Annotated[  # noqa: FBT002 - typer's way
        bool, typer.Option(help="Count as users' traffic, for which any key is good.")
    ] = False,
    api_key: Annotated[str, typer.Option(envvar="BARN_API_KEY", help="An operator's.")] = "",
) -> None:
    """Ask every backbone a labelled set; report accuracy, calibration, latency, cost per task."""
    dataset = _one_of(dataset, named)
    if every and backbone:
        raise typer.BadParameter("--all and --backbone exclude each other")
    items = labelled(dataset, limit)
    folder = out / Path(dataset).stem
    _resume(folder / "answers.jsonl", fresh=fresh)
    with service(url, config, api_key) as (where, hosted):
        chosen = _chosen(backbone, hosted)
        mark = "" if as_users else Path(dataset).stem
        how = Asking(where, chosen, concurrency, api_key=api_key, probe_set=mark)
        with _bar() as bar:
            job = bar.add_task(f"{len(items)} questions x {len(chosen)} backbones")
            told = asyncio.run(
                ask_all(
                    items, how, folder / "answers.jsonl",
                    lambda done, total: bar.update(job, completed=done, total=total),
                )
            )  # fmt: skip
    summary, pairs = rows(told, FAMILIES), versus(told)
    report = {"dataset": dataset, "rows": [asdict(r) for r in summary],
              "versus": [asdict(v) for v in pairs]}  # fmt: skip
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    (folder / "report.html").write_text(html_report(dataset, told, summary, pairs), "utf-8")
    if table is not None:
        last_s = (folder / "answers.jsonl").stat().st_mtime
        table.write_text(_table(told, dataset, last_s).model_dump_json(indent=1), "utf-8")
    _print(summary)
    _err.print(f"report: {folder / 'report.html'}")
    failed = sum(bool(a.error) for a in told)
    if failed:
        first = next(a.error for a in told if a.error)
        _err.print(f"[red]{failed} questions were not answered, e.g.: {first}[/red]")
        raise typer.Exit(1)


def _one_of(dataset: str, named: str) -> str:
    if bool(dataset) == bool(named):
        raise typer.BadParameter(
            "name one labelled set: easy-vqa, synthetic, a JSONL file, or a task of lmms-eval"
        )
    return dataset or named


def _chosen(wanted: Sequence[str] | None, hosted: Sequence[str]) -> tuple[str, ...]:
    strange = [b for b in wanted or () if b not in hosted]
    if strange:
        raise typer.BadParameter(f"no backbone {strange[0]!r}; there are: {', '.join(hosted)}")
    return tuple(wanted or hosted)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=_err,
    )  # fmt: skip


def _print(summary: tuple[Row, ...]) -> None:
    shown = Table("backbone", "task", "n", "accuracy", "95 %", "confidence", "ECE", "p50 ms", "$")
    for r in summary:
        low, high = r.interval
        shown.add_row(
            r.backbone, r.task, str(r.n), f"{r.accuracy:.1%}", f"{low:.1%}–{high:.1%}",
            f"{r.mean_confidence:.1%}", f"{r.ece:.3f}", f"{r.latency_p50_s * 1e3:.0f}",
            f"{r.cost:.4f}",
        )  # fmt: skip
    for_tables().print(shown)


def route_bench(
    answers: Annotated[
        list[Path], typer.Argument(help="answers.jsonl of every backbone (`barn evaluate`).")
    ],
    config: Annotated[str, typer.Option(help="Whose prices and policies.")] = "embedded",
    out: Annotated[Path, typer.Option(help="Folder of the PNG and JSON.")] = Path("runs/route"),
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 7,
) -> None:
    """Replay labelled traffic through every policy and draw the cost–quality frontier.

    Half of the items fit the quality table, the other half judge the policies.
    """
    told = [
        replace(a, id=f"{number}/{a.id}")
        for number, path in enumerate(answers)
        for a in read_answers(path)
    ]
    if not told:
        raise typer.BadParameter(f"no answers in {', '.join(map(str, answers))}")
    try:
        settings = configured(config)
        policies = tuple(build_policies(settings).values())
        result: BenchReport = run_bench(told, cards_of(settings), seed, policies)
    except DatasetError as error:
        raise typer.BadParameter(str(error)) from error
    out.mkdir(parents=True, exist_ok=True)
    (out / "route-bench.json").write_text(result.to_json(), encoding="utf-8")
    result.draw(out / "route-bench.png")
    result.print(for_tables())
    _err.print(f"picture: {out / 'route-bench.png'}")
