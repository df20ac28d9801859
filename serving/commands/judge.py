"""`barn quality`, `barn export`: the figures and the events."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.table import Table
from sqlalchemy import select

from evaluation.stores.schema import feedback, grades, interactions
from evaluation.stores.sql import Store, connect
from serving.commands.configured import configured, for_tables, unix
from serving.commands.route import Key, Url, call

_PAGE = 5_000


def quality(  # noqa: PLR0913 - options of a command
    url: Url = "http://127.0.0.1:8000",
    api_key: Key = "",
    window: Annotated[str, typer.Option(help="15m, 24h, 7d, …; empty: everything.")] = "",
    kind: Annotated[str, typer.Option(help="served, shadowed or probe.")] = "served",
    by: Annotated[str, typer.Option(help="Graded by truth or by judge.")] = "truth",
    since: Annotated[datetime | None, typer.Option(help="First moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Moment after the last (UTC).")] = None,
    raw: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--json", help="Everything, reliability and risk–coverage included.")
    ] = False,
) -> None:
    """Show accuracy and calibration per backbone and task, traffic and drift of a service."""
    ends = {"since": since, "until": until}
    asked = {"kind": kind, "by": by} | {k: str(unix(v)) for k, v in ends.items() if v is not None}
    query = urlencode(asked | ({"window": window} if window else {}))
    told = call("GET", url, f"/v1/quality?{query}", api_key)
    if raw:
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    shown = Table("backbone", "task", "n", "accuracy", "95 %", "at any time", "confidence",
                  "ECE", "debiased", "smooth", "Brier", "AURC")  # fmt: skip
    for f in told["figures"]:
        (low, high), (first, last) = f["interval"], f["sequence"]
        shown.add_row(
            f["backbone"], f["task"], str(f["n"]), f"{f['accuracy']:.1%}",
            f"{low:.1%}–{high:.1%}", f"{first:.1%}–{last:.1%}", f"{f['mean_confidence']:.1%}",
            f"{f['ece']:.3f}", f"{f['ece_debiased']:.3f}", f"{f['smooth_ece']:.3f}",
            f"{f['brier']['score']:.3f}", f"{f['aurc']:.3f}",
        )  # fmt: skip
    for_tables().print(shown)
    _tell_traffic(told)
    if not told["figures"]:
        typer.echo(
            "nothing was graded in this window; send feedback to POST /v1/feedback", err=True
        )


def _tell_traffic(told: dict[str, Any]) -> None:
    """What was asked, what the judge makes of it, and what has changed."""
    shown = Table("backbone", "task", "requests", "failed", "tokens", "$", "mean s")
    for t in told["traffic"]:
        shown.add_row(
            t["backbone"], t["task"], str(t["requests"]), str(t["failed"]), str(t["tokens"]),
            f"{t['cost']:.4f}", f"{t['mean_latency_s']:.3f}",
        )  # fmt: skip
    for_tables().print(shown)
    for c in told["judge_corrected"]:
        typer.echo(
            f"{c['backbone']}, {c['task']}, by the judge, corrected by {c['doubly_graded']} answers"
            f" that the truth has graded too: {c['value']:.1%} [{c['low']:.1%}, {c['high']:.1%}]"
        )
    for watched in told["drift"]:
        for change in watched["changes"]:
            place = f"{watched['backbone']}, {watched['task']}"
            typer.echo(
                f"drift of {watched['of']}, {place}: "
                f"{change['before']:.2f} -> {change['after']:.2f}"
            )


def export(  # noqa: PLR0913 - a command's options
    out: Annotated[Path, typer.Argument(help="A .parquet or .jsonl file.")],
    config: Annotated[str, typer.Option(help="Whose store.")] = "embedded",
    since: Annotated[datetime | None, typer.Option(help="First moment (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Moment after the last (UTC).")] = None,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    kind: Annotated[str | None, typer.Option(help="served, shadowed or probe.")] = None,
) -> None:
    """Write recorded interactions with their grades and all feedback to Parquet or JSON lines.

    `score` is by the truth, `judge_score` by a judge model; `feedback` is everything ever said,
    oldest first.
    """
    if out.suffix not in {".parquet", ".jsonl"}:
        raise typer.BadParameter(f"{out}: expected .parquet or .jsonl")
    store = Store(connect(configured(config).events.url()))
    conditions = []
    if since:
        conditions.append(interactions.c.at_s >= unix(since))
    if until:
        conditions.append(interactions.c.at_s < unix(until))
    if task:
        conditions.append(interactions.c.task == task)
    if kind:
        conditions.append(interactions.c.kind == kind)
    n = _write(out, _pages(store, conditions))
    typer.echo(f"{n} interactions in {out}")


def _pages(store: Store, conditions: list[Any]) -> Iterator[list[dict[str, Any]]]:
    """Read in pages by id, so that memory does not grow with the store."""
    truth, judge = grades.alias("truth"), grades.alias("judge")
    joined: Any = interactions
    for grade in (truth, judge):
        own = grade.c.request_id == interactions.c.request_id
        joined = joined.outerjoin(grade, own & (grade.c.by == grade.name))
    query = (
        select(interactions, truth.c.score, truth.c.metric, judge.c.score.label("judge_score"))
        .select_from(joined)
        .where(*conditions)
        .order_by(interactions.c.request_id)
        .limit(_PAGE)
    )
    last = ""
    while page := store.rows(query.where(interactions.c.request_id > last)):
        last = page[-1]["request_id"]
        said = store.said([row["request_id"] for row in page])
        yield [row | {"feedback": said.get(row["request_id"], [])} for row in page]


def _write(out: Path, pages: Iterator[list[dict[str, Any]]]) -> int:
    n = 0
    writer: pq.ParquetWriter | None = None
    with out.open("wb") as file:
        for page in pages:
            n += len(page)
            if out.suffix == ".jsonl":
                file.write(b"".join(orjson.dumps(row) + b"\n" for row in page))
                continue
            table = pa.Table.from_pylist(page, schema=_SCHEMA)
            writer = writer or pq.ParquetWriter(file, _SCHEMA)
            writer.write_table(table)
        if out.suffix == ".parquet":
            writer = writer or pq.ParquetWriter(file, _SCHEMA)
            writer.close()
    return n


_KINDS: dict[str, Any] = {
    "Float": pa.float64(), "Integer": pa.int64(), "Boolean": pa.bool_(), "String": pa.string(),
    "Text": pa.string(),
}  # fmt: skip


def _columns(table: Any) -> list[tuple[str, Any]]:
    return [(c.name, _KINDS[type(c.type).__name__]) for c in table.c]


_SCHEMA = pa.schema(
    [
        *_columns(interactions),
        ("score", pa.float64()),
        ("metric", pa.string()),
        ("judge_score", pa.float64()),
        ("feedback", pa.list_(pa.struct(_columns(feedback)))),
    ]
)
