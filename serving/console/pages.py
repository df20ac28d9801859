"""The console's pages: Try, Quality, Experiments, Routing, Requests."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, select_autoescape
from sqlalchemy import select

from evaluation.evaluator import DAY_S
from evaluation.experiments import load_spec
from evaluation.online import Window, traffic
from evaluation.stores.schema import grades, interactions
from evaluation.stores.sql import image_hashes
from routing.domain import ModelCard, Task
from routing.frontier import frontier
from routing.quality import QualityTable
from serving.access import COOKIE, Caller
from serving.console import charts
from serving.errors import NotFoundError, ServiceError, UnauthorizedError
from serving.experiment_routes import experiment_report
from serving.judge import Judge, off_loop
from serving.pictures import PictureStore
from serving.quality_routes import quality_told, window_of

USUAL_PROMPT = 100
"""Tokens of a request, its picture's included, where there was no traffic yet."""
_FOLDER = Path(str(files("serving") / "console"))
_CSP = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
)
_TEMPLATES.filters["percent"] = lambda x: f"{x:.1%}"
_TEMPLATES.filters["fixed"] = lambda x: f"{x:.3f}"
_TEMPLATES.filters["small"] = lambda x: f"{x:.3g}"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages show of the router; `dial` is the configured quality."""

    cards: tuple[ModelCard, ...]
    models: tuple[str, ...]
    table: Callable[[], QualityTable]
    dial: float
    pictures: PictureStore | None = None


class Pages:
    """Who may look at what, and the judge behind it."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def caller(self, request: Request) -> Caller:
        """Who looks; without a valid key the login page comes instead."""
        return self.judge.keyring.of(request.headers, request.cookies)

    def operator(self, request: Request) -> Caller:
        """Who looks at what others have asked.

        Raises:
            ForbiddenError: the key is a user's.
        """
        caller = self.caller(request)
        caller.require_operator()
        return caller


def rendered(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render one template as a page; without a `caller` it shows nobody's menu."""
    text = _TEMPLATES.get_template(f"{name}.html").render({"page": name, "caller": None} | values)
    return HTMLResponse(text, status, headers={"content-security-policy": _CSP})


def refused_page(error: ServiceError) -> HTMLResponse:
    """What a person sees instead of a page that is not there, or not theirs."""
    return rendered("refused", error.status, error=error)


def add_console(
    api: FastAPI, judge: Judge, desk: Desk, body: Callable[[Request], Awaitable[bytes]]
) -> None:
    """Add every page under /console; `body` reads the login form within a limit."""
    pages = Pages(judge)
    api.mount("/console/static", StaticFiles(directory=_FOLDER / "static"), name="console")
    _add_login(api, pages, body)
    _add_try(api, pages, desk)
    _add_quality(api, pages)
    _add_experiments(api, pages, desk.pictures)
    _add_requests(api, pages, desk.pictures)


def _add_login(api: FastAPI, pages: Pages, body: Callable[[Request], Awaitable[bytes]]) -> None:
    @api.get("/console/login", include_in_schema=False)
    async def form() -> Response:
        return rendered("login", failed=False)

    @api.post("/console/logout", include_in_schema=False)
    async def logout() -> Response:
        response = RedirectResponse("/console/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response

    @api.post("/console/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        key = parse_qs((await body(request)).decode("utf-8", "replace")).get("key", [""])[0]
        try:
            pages.judge.keyring.caller(f"Bearer {key.strip()}")
        except UnauthorizedError:
            return rendered("login", 401, failed=True)
        response = RedirectResponse("/console", 303)
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, key.strip(), httponly=True, samesite="strict", path="/", secure=secure
        )
        return response


def _add_try(api: FastAPI, pages: Pages, desk: Desk) -> None:
    @api.get("/console", include_in_schema=False)
    async def ask(request: Request) -> Response:
        caller = pages.caller(request)
        backbones = [c.id for c in desk.cards]
        return rendered("try", caller=caller, models=desk.models, backbones=json.dumps(backbones))

    @api.get("/console/routing", include_in_schema=False)
    async def routing(request: Request) -> Response:
        caller = pages.operator(request)
        table = desk.table()
        rows = [
            (c.id, f, _mean(table, c, f), c.price_in + c.price_out)
            for c in sorted(desk.cards, key=lambda c: c.price_in + c.price_out)
            for f in ("vision", "reasoning")
        ]
        latest = await off_loop(lambda: pages.judge.store.latest(15))
        tokens, *drawn = await off_loop(lambda: _frontier(pages.judge, desk, table, rows))
        return rendered(
            "routing", caller=caller, cards=desk.cards, tasks=list(Task), table=table,
            latest=latest, charts=drawn, tokens=tokens,
        )  # fmt: skip


def _frontier(
    judge: Judge, desk: Desk, table: QualityTable, rows: Sequence[tuple[str, str, float, float]]
) -> tuple[int, str, str]:
    """Prompt tokens of a usual request, and the page's two pictures."""
    mix, tokens = _mix(judge, table)
    promises = frontier(desk.cards, table, mix, prompt_tokens=tokens)
    return tokens, charts.frontier(promises, desk.dial), charts.worth(rows)


def _mix(judge: Judge, table: QualityTable) -> tuple[dict[Task, float], int]:
    """The last day's requests per task, and prompt tokens of one; before any, all known tasks."""
    seen = traffic(judge.store, Window(since_s=judge.now() - DAY_S))
    mix: dict[Task, float] = {}
    for one in seen:
        mix[Task(one.task)] = mix.get(Task(one.task), 0.0) + one.requests
    if mix:
        answered = sum(one.requests - one.failed for one in seen)
        return mix, max(1, round(sum(one.prompt_tokens for one in seen) / max(1, answered)))
    known = {t for worth in table.backbones.values() for t in worth.accuracy}
    return dict.fromkeys(known or Task, 1.0), USUAL_PROMPT


def _mean(table: QualityTable, card: ModelCard, family: str) -> float:
    tasks = [t for t in Task if t.family.value == family]
    known = [t for t in tasks if t in table.worth(card.id).accuracy] or tasks
    return sum(table.worth(card.id).posterior(t).mean for t in known) / len(known)


def _add_quality(api: FastAPI, pages: Pages) -> None:
    @api.get("/console/quality", include_in_schema=False)
    async def quality(request: Request) -> Response:
        caller = pages.caller(request)
        window: Window = window_of(request, pages.judge.now())
        told = await off_loop(lambda: quality_told(pages.judge.store, window))
        drawn = await off_loop(
            lambda: (charts.accuracies(told["figures"]), charts.reliability(told["figures"]))
        )
        chosen = {k: v for k, v in request.query_params.items() if k in {"window", "kind", "by"}}

        def link(**changed: str) -> str:
            return "?" + urlencode({k: v for k, v in (chosen | changed).items() if v})

        return rendered("quality", caller=caller, **told, window=window, charts=drawn, link=link,
                        period=chosen.get("window", ""))  # fmt: skip


def _add_experiments(api: FastAPI, pages: Pages, kept: PictureStore | None) -> None:
    @api.get("/console/experiments", include_in_schema=False)
    async def listed(request: Request) -> Response:
        caller = pages.operator(request)
        rows = await off_loop(pages.judge.register.all)
        return rendered("experiments", caller=caller, rows=rows, backbones=pages.judge.backbones)

    @api.get("/console/experiments/{name}", include_in_schema=False)
    async def one(name: str, request: Request) -> Response:
        caller = pages.operator(request)
        rows = {r["name"]: r for r in await off_loop(pages.judge.register.all)}
        if name not in rows:
            raise NotFoundError(f"no experiment {name!r}")
        store, spec = pages.judge.store, load_spec(rows[name]["spec"])
        told = await off_loop(lambda: experiment_report(store, rows[name], pages.judge.now()))
        drawn = {}
        for candidate, one in told["candidates"].items():
            drawn[candidate] = await off_loop(partial(_pictured, one, spec.margin))
            for changed in one.get("changed_answers", []) + one.get("unchanged_answers", []):
                hashes = changed["pictures"]
                changed["pictures"] = _shown(kept, hashes)
        return rendered("experiment", caller=caller, told=told, charts=drawn)


def _pictured(one: dict[str, Any], margin: float) -> list[str]:
    """The charts of one candidate, once something is graded."""
    if not one.get("closing_in"):
        return []
    found = [(v["task"], v["n"], v["difference"], v["interval"]) for v in one["verdicts"]]
    return [charts.closing_in(one["closing_in"], margin), charts.intervals(found, margin)]


def _shown(kept: PictureStore | None, hashes: Sequence[str]) -> list[str]:
    """The pictures that are kept."""
    return [] if kept is None else [h for h in hashes if kept.has(h)]


def _add_requests(api: FastAPI, pages: Pages, kept: PictureStore | None) -> None:
    @api.get("/console/pictures/{sha256}", include_in_schema=False)
    async def picture(sha256: str, request: Request) -> Response:
        pages.operator(request)
        png = await off_loop(lambda: kept.read(sha256) if kept is not None else None)
        if png is None:
            raise NotFoundError("this picture is not kept")
        return Response(png, media_type="image/png")

    @api.get("/console/requests", include_in_schema=False)
    async def listed(request: Request) -> Response:
        caller = pages.operator(request)
        text = request.query_params.get("q", "")[:200]
        rows = await off_loop(lambda: pages.judge.store.latest(100, text))
        return rendered("requests", caller=caller, rows=rows, text=text)

    @api.get("/console/requests/{request_id}", include_in_schema=False)
    async def one(request_id: str, request: Request) -> Response:
        caller = pages.operator(request)
        store = pages.judge.store
        row = await off_loop(lambda: store.find(request_id))
        if row is None:
            raise NotFoundError(f"no request {request_id!r}")
        copies = await off_loop(
            lambda: store.rows(select(interactions).where(interactions.c.primary_id == request_id))
        )
        said = await off_loop(lambda: store.history(request_id))
        graded = await off_loop(
            lambda: store.rows(select(grades).where(grades.c.request_id == request_id))
        )
        return rendered(
            "request", caller=caller, row=row, detail=json.loads(row["detail"]), copies=copies,
            said=said, grades=graded,
            pictures=_shown(kept, image_hashes(row)),
        )  # fmt: skip
