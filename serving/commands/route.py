"""`barn classify`, `barn explain`, `barn table …`: what the router thinks, and what it knows."""

import sys
from collections.abc import Sequence
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

import httpx
import numpy as np
import orjson
import typer
from rich.table import Table

from evaluation.stores.sql import Store, connect
from routing.domain import Family, Limits, ModelId, Query
from routing.eligible import NoEligibleModelError
from routing.features import text_slots
from routing.policy import Asked, State, decide
from routing.quality import TableError
from routing.tasks import FloatArray, TaskModel, features_of, scored, shipped
from serving.commands.configured import cards_of, configured, for_tables
from serving.engines.describe import described
from serving.errors import ServiceError
from serving.images import decode_bytes
from serving.parts import quality_tables
from serving.policies import build_policies
from serving.prompts import PromptFormat, Turn
from serving.settings import Backbone, ImageLimits, Settings

_BATCH, _CHUNK = 512, 1 << 17
Url = Annotated[str, typer.Option(help="A running service.", envvar="BARN_URL")]
Key = Annotated[str, typer.Option(help="An operator's key.", envvar="BARN_API_KEY")]
table_app = typer.Typer(
    help="Show, replace, reload or undo the quality table of a running service."
)


def classify() -> None:
    """Read {"question": …, "image": path} lines on stdin, write task, family and scores as lines.

    A line that cannot be read gives an "error" line; the exit status is 1 then.
    """
    sys.exit(
        int(classify_lines(cast(BufferedReader, sys.stdin.buffer), sys.stdout.buffer, shipped()))
    )


def classify_lines(source: BufferedReader | BytesIO, out: BinaryIO, model: TaskModel) -> bool:
    """Classify every line of `source`; return whether one was bad."""
    bad, rest = False, b""
    while chunk := source.read1(_CHUNK):  # what is there: who asks one by one is answered so
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), _BATCH):
            bad |= _batch(lines[start : start + _BATCH], out, model)
        out.flush()
    return _batch([rest] if rest else [], out, model) | bad


def _batch(lines: Sequence[bytes], out: BinaryIO, model: TaskModel) -> bool:
    told: list[bytes | None] = [None] * len(lines)
    places: list[int] = []
    texts: list[str] = []
    for k, line in enumerate(lines):
        text, image, error = _read(line)
        if error:
            told[k] = orjson.dumps({"error": error})
        elif image is None and text.strip():
            places.append(k)
            texts.append(text)
        else:
            told[k] = _one(text, image, model)
    if texts:
        for k, line in zip(places, _told(model, model.many(texts)), strict=True):
            told[k] = line
    out.write(b"".join(t + b"\n" for t in told if t is not None))
    return any(t is not None and t.startswith(b'{"error"') for t in told)


def _read(line: bytes) -> tuple[str, str | None, str]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return "", None, f"not JSON: {error}"
    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        return "", None, 'expected {"question": "…", "image": optional path}'
    image = row.get("image")
    if image is not None and not isinstance(image, str):
        return "", None, "image: expected a path"
    return row["question"], image, ""


def _one(text: str, image: str | None, model: TaskModel) -> bytes:
    try:
        facts = () if image is None else (
            decode_bytes(Path(image).read_bytes(), ImageLimits(), image).facts,
        )  # fmt: skip
    except (OSError, ValueError, ServiceError) as error:  # ValueError: a NUL in the path
        return orjson.dumps({"error": f"image: {error}"})
    scores = scored(Query(text, facts), text_slots(text), model)
    return _told(model, np.array([[scores.probability[t] for t in model.tasks]], np.float32))[0]


def _told(model: TaskModel, chances: FloatArray) -> list[bytes]:
    """Lines for (n, tasks) probabilities."""
    names = [t.value for t in model.tasks]
    is_vision = np.array([t.family is Family.VISION for t in model.tasks])
    vision = chances[:, is_vision].sum(axis=1, dtype=np.float64)
    own = is_vision == (vision >= 0.5)[:, None]  # the likeliest task is one of the family
    columns = zip(
        np.where(own, chances, -1.0).argmax(axis=1).tolist(),
        vision.tolist(),
        chances.astype(np.float64).round(5).tolist(),
        strict=True,
    )
    return [
        orjson.dumps(
            {
                "task": names[best],
                "family": "vision" if seen >= 0.5 else "reasoning",
                "probability": max(seen, 1 - seen),
                "scores": dict(zip(names, row, strict=True)),
            }
        )
        for best, seen, row in columns
    ]


def explain(
    question: Annotated[str, typer.Option(help="What is asked.")],
    image: Annotated[Path | None, typer.Option(help="The picture it is asked about.")] = None,
    config: Annotated[str, typer.Option(help="Profile or YAML file.")] = "embedded",
    quality: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 cheapest, 1 best; default: configured.")
    ] = None,
    policy: Annotated[str, typer.Option(help="By name; default: the configured one.")] = "",
) -> None:
    """Show what the router makes of a question: its task, each backbone's worth, the choice."""
    settings = configured(config)
    policies, chosen = build_policies(settings), policy or settings.routing.default
    if chosen not in policies:
        raise typer.BadParameter(f"no policy {chosen!r}; there are: {', '.join(policies)}")
    try:
        facts = () if image is None else (
            decode_bytes(image.read_bytes(), settings.images, str(image)).facts,
        )  # fmt: skip
    except (OSError, ServiceError) as error:
        raise typer.BadParameter(str(error)) from error
    cards = cards_of(settings)
    turn = Turn("user", question, len(facts))
    sizes = {ModelId(b.id): _size(b, turn) for b in settings.backbones}
    query = Query(question, facts, prompt_tokens=sizes)
    slots = text_slots(question)
    dial = settings.routing.quality if quality is None else quality
    asked = Asked(scored(query, slots, shipped()), Limits(quality=dial))
    state = _state(settings)
    decided_by = policies[chosen]
    try:
        made = decide(query, asked, features_of(query, slots), cards, state, decided_by, u=0.5)
    except NoEligibleModelError as error:
        raise typer.BadParameter(str(error)) from error
    tasks = ", ".join(f"{t} {p:.0%}" for t, p in asked.scores.top().items())
    console = for_tables()
    console.print(
        f"tasks: {tasks}; family: {asked.scores.family} ({asked.scores.vision:.0%} vision); "
        f"policy {decided_by.name} at quality {dial:g}"
    )
    shown = Table("backbone", "expected accuracy", "cost $", "latency s", "utility", "why not")
    why = dict(made.losers)
    for offer in made.offers:
        name = offer.card.id
        shown.add_row(
            f"[bold]{name}[/bold]" if name == made.model else name, f"{offer.accuracy:.1%}",
            f"{offer.cost:.5f}", f"{offer.latency_s:.3f}", f"{offer.utility:.3f}",
            why.get(name, "chosen"),
        )  # fmt: skip
    console.print(shown)


def _size(backbone: Backbone, turn: Turn) -> int:
    """Tokens of a prompt; a guess by its words where the model is not on this machine."""
    folder = Path(backbone.path())
    if not folder.is_dir():
        return 2 * len(turn.text.split()) + 64 * turn.pictures
    try:
        shown = PromptFormat(described(folder))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"backbones.{backbone.id}: {error}") from error
    return shown.size(shown.token_ids((turn,)))


def _state(settings: Settings) -> State:
    store = Store(connect(settings.events.url()))
    try:
        return State(quality_tables(settings, store).current())
    except TableError as error:
        raise typer.BadParameter(str(error)) from error
    finally:
        store.close()


@table_app.command("show")
def table_show(url: Url = "http://127.0.0.1:8000", api_key: Key = "") -> None:
    """Print the current table as JSON."""
    typer.echo(orjson.dumps(call("GET", url, "/v1/table", api_key), option=orjson.OPT_INDENT_2))


@table_app.command("set")
def table_set(
    file: Annotated[Path, typer.Argument(help="A table as JSON.")],
    url: Url = "http://127.0.0.1:8000",
    api_key: Key = "",
) -> None:
    """Replace the table; one that does not validate is refused and the old one stays."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(str(error)) from error
    told = call("PUT", url, "/v1/table", api_key, body)
    typer.echo(f"the table is version {told['version']} now")


@table_app.command("reload")
def table_reload(url: Url = "http://127.0.0.1:8000", api_key: Key = "") -> None:
    """Read the configured table file (`routing.table`) again."""
    told = call("POST", url, "/v1/table/reload", api_key)
    typer.echo(f"the table is version {told['version']} now")


@table_app.command("undo")
def table_undo(url: Url = "http://127.0.0.1:8000", api_key: Key = "") -> None:
    """Go back to the table before the current one: it undoes a promotion, too."""
    told = call("POST", url, "/v1/table/undo", api_key)
    typer.echo(f"the table is version {told['version']} now")


def call(method: str, url: str, path: str, api_key: str, body: bytes | None = None) -> Any:
    """Call a running service; what it refuses becomes a message and exit status 1."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        response = httpx.request(method, url + path, content=body, headers=headers, timeout=60)
        told = response.json()
    except (httpx.HTTPError, ValueError) as error:
        typer.echo(f"barn: {url} does not answer: {error}", err=True)
        raise typer.Exit(1) from error
    if response.status_code >= 400:
        typer.echo(f"barn: {told.get('error', {}).get('message', told)}", err=True)
        raise typer.Exit(1)
    return told
