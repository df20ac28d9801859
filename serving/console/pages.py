"""The console's pages: Try, Quality, Experiments, Routing, Requests."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, select_autoescape
from sqlalchemy import select

from evaluation.experiments import load_spec, shadow_verdicts
from evaluation.online import Window, figures, traffic
from evaluation.stores.schema import grades, interactions
from routing.domain import ModelCard, Task
from routing.quality import QualityTable
from serving.access import COOKIE, Caller
from serving.console import charts
from serving.errors import NotFoundError, UnauthorizedError
from serving.experiment_routes import experiment_report
from serving.judge import Judge, off_loop
from serving.quality_routes import window_of

_FOLDER = Path(str(files("serving") / "console"))
_CSP = "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages show of the router."""

    cards: tuple[ModelCard, ...]
    models: tuple[str, ...]
    table: Callable[[], QualityTable]


class Pages:
    """Renders templates, with what every page needs."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=select_autoescape()
        )
        self._templates.filters["percent"] = lambda x: f"{x:.1%}"
        self._templates.filters["fixed"] = lambda x: f"{x:.3f}"

    def page(self, name: str, **values: Any) -> HTMLResponse:
        """Render one template as a page."""
        text = self._templates.get_template(f"{name}.html").render(page=name, **values)
        return HTMLResponse(text, headers={"content-security-policy": _CSP})

    def caller(self, request: Request) -> Caller:
        """Who looks; without a valid key the login page comes instead."""
        return self.judge.keyring.of(request.headers, request.cookies)


def add_console(api: FastAPI, judge: Judge, desk: Desk) -> None:
    """Add every page under /console."""
    pages = Pages(judge)
    api.mount("/console/static", StaticFiles(directory=_FOLDER / "static"), name="console")
    _add_login(api, pages)
    _add_try(api, pages, desk)
    _add_quality(api, pages)
    _add_experiments(api, pages)
    _add_requests(api, pages)


def _add_login(api: FastAPI, pages: Pages) -> None:
    @api.get("/console/login", include_in_schema=False)
    async def form() -> Response:
        return pages.page("login", failed=False)

    @api.post("/console/login", include_in_schema=False)
    async def login(request: Request) -> Response:
        key = (await request.body()).decode("utf-8", "replace").partition("key=")[2].strip()
        try:
            pages.judge.keyring.caller(f"Bearer {key}")
        except UnauthorizedError:
            return pages.page("login", failed=True)
        response = RedirectResponse("/console", 303)
        response.set_cookie(COOKIE, key, httponly=True, samesite="strict", path="/")
        return response


def _add_try(api: FastAPI, pages: Pages, desk: Desk) -> None:
    @api.get("/console", include_in_schema=False)
    async def ask(request: Request) -> Response:
        pages.caller(request)
        backbones = [c.id for c in desk.cards]
        return pages.page("try", models=desk.models, backbones=json.dumps(backbones))

    @api.get("/console/routing", include_in_schema=False)
    async def routing(request: Request) -> Response:
        pages.caller(request)
        table = desk.table()
        rows = [
            (c.id, f, _mean(table, c, f), c.price_in + c.price_out)
            for c in sorted(desk.cards, key=lambda c: c.price_in + c.price_out)
            for f in ("vision", "reasoning")
        ]
        latest = await off_loop(lambda: pages.judge.store.latest(15))
        return pages.page(
            "routing", cards=desk.cards, tasks=list(Task), table=table, latest=latest,
            chart=await off_loop(lambda: charts.worth(rows)),
        )  # fmt: skip


def _mean(table: QualityTable, card: ModelCard, family: str) -> float:
    tasks = [t for t in Task if t.family.value == family]
    known = [t for t in tasks if t in table.worth(card.id).accuracy] or tasks
    return sum(table.worth(card.id).posterior(t).mean for t in known) / len(known)


def _add_quality(api: FastAPI, pages: Pages) -> None:
    @api.get("/console/quality", include_in_schema=False)
    async def quality(request: Request) -> Response:
        pages.caller(request)
        window: Window = window_of(request, pages.judge.now())
        told = await off_loop(lambda: figures(pages.judge.store, window))
        asked = await off_loop(lambda: traffic(pages.judge.store, window))
        chart = await off_loop(lambda: charts.reliability(told))
        return pages.page("quality", figures=told, traffic=asked, window=window, chart=chart)


def _add_experiments(api: FastAPI, pages: Pages) -> None:
    @api.get("/console/experiments", include_in_schema=False)
    async def listed(request: Request) -> Response:
        pages.caller(request)
        rows = await off_loop(pages.judge.register.all)
        return pages.page("experiments", rows=rows, backbones=pages.judge.backbones)

    @api.get("/console/experiments/{name}", include_in_schema=False)
    async def one(name: str, request: Request) -> Response:
        pages.caller(request)
        rows = {r["name"]: r for r in await off_loop(pages.judge.register.all)}
        if name not in rows:
            raise NotFoundError(f"no experiment {name!r}")
        store, spec = pages.judge.store, load_spec(rows[name]["spec"])
        told = await off_loop(lambda: experiment_report(store, rows[name]))
        chart = ""
        if spec.mode == "shadow":
            found = await off_loop(lambda: shadow_verdicts(store, spec))
            chart = await off_loop(lambda: charts.intervals(found, spec.margin))
        return pages.page("experiment", told=told, chart=chart)


def _add_requests(api: FastAPI, pages: Pages) -> None:
    @api.get("/console/requests", include_in_schema=False)
    async def listed(request: Request) -> Response:
        pages.caller(request)
        text = request.query_params.get("q", "")[:200]
        rows = await off_loop(lambda: pages.judge.store.latest(100, text))
        return pages.page("requests", rows=rows, text=text)

    @api.get("/console/requests/{request_id}", include_in_schema=False)
    async def one(request_id: str, request: Request) -> Response:
        pages.caller(request)
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
        detail = json.loads(row["detail"])
        return pages.page(
            "request", row=row, detail=detail, copies=copies, said=said, grades=graded
        )
