"""Routes of the judge: feedback, quality and the quality table."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from evaluation.grading import orphans
from evaluation.online import Window, figures, traffic
from evaluation.stores.sql import Store
from evaluation.watched import drift, judged
from routing.quality import QualityTable, TableError
from serving.errors import BadRequestError, ConflictError, StorageError
from serving.experiment_routes import add_experiments
from serving.judge import Judge, off_loop
from serving.key_routes import add_keys
from serving.parsing import PROBE_HEADER
from serving.truth import parse_feedback

_PERIODS = {"m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
ORPHAN_AFTER_S = 600.0


def add_judge(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    """Add the routes; `body` reads a request's body within the size limit."""
    _add_feedback(api, judge, body)
    _add_quality(api, judge)
    add_experiments(api, judge, body)
    _add_table(api, judge, body)
    add_keys(api, judge, body)


def _add_feedback(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    @api.post("/v1/feedback", status_code=202)
    async def feedback(request: Request) -> Response:
        """Say how right an answer was; 202 once it is durable. One word, or a batch of them."""
        caller = judge.keyring.of(request.headers, request.cookies)
        judge.admit(caller)
        words = parse_feedback(await body(request))
        if any(word.source != "human" for word in words):  # rules and judges are the operator's
            caller.require_operator()
        by_probe = PROBE_HEADER in request.headers
        if by_probe:
            caller.require_operator()
        events = [word.event(judge.now()) for word in words]
        try:
            for event in events:
                judge.record(event, by_probe)
        except OSError as error:
            raise StorageError(f"the feedback could not be recorded: {error}") from error
        ids = [w.id or e.feedback_id for w, e in zip(words, events, strict=True)]
        return JSONResponse({"accepted": len(ids), "ids": ids}, 202)

    @api.get("/v1/feedback/orphans")
    async def unmatched(request: Request) -> Response:
        """Feedback older than ten minutes whose request was never seen."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        total, some = await off_loop(lambda: orphans(judge.store, judge.now() - ORPHAN_AFTER_S))
        return JSONResponse({"total": total, "orphans": [asdict(o) for o in some]})


def window_of(request: Request, now_s: float) -> Window:
    """Read the window of a request: `window=24h`, or `since` and `until` in Unix time.

    Raises:
        BadRequestError: a value cannot be read.
    """
    asked = request.query_params
    try:
        since = float(asked.get("since", 0.0))
        until = float(asked.get("until", 1e12))
        if period := asked.get("window"):
            since = now_s - float(period[:-1]) * _PERIODS[period[-1]]
    except (ValueError, KeyError, IndexError) as error:
        raise BadRequestError(
            "window: expected e.g. 15m, 24h, 7d; since, until: Unix time"
        ) from error
    kind, by = asked.get("kind", "served"), asked.get("by", "truth")
    if kind not in {"served", "shadowed", "probe"} or by not in {"truth", "judge"}:
        raise BadRequestError("kind: served, shadowed or probe; by: truth or judge")
    return Window(since, until, kind, by)


def quality_told(store: Store, window: Window) -> dict[str, Any]:
    """Figures, traffic, the changes that were found, and accuracies by a judge, corrected."""
    return {
        "figures": figures(store, window),
        "traffic": traffic(store, window),
        "drift": [watched for watched in drift(store, window) if watched.changes],
        "judge_corrected": [
            {"backbone": backbone, "task": task} | asdict(corrected)
            for (backbone, task), corrected in judged(store, window).items()
        ],
    }


def _add_quality(api: FastAPI, judge: Judge) -> None:
    @api.get("/v1/quality")
    async def quality(request: Request) -> Response:
        """Accuracy and calibration per backbone and task, with intervals, for any window."""
        judge.keyring.of(request.headers, request.cookies)
        window = window_of(request, judge.now())
        told = await off_loop(lambda: quality_told(judge.store, window))
        return Response(orjson.dumps({"window": window, **told}), media_type="application/json")


async def _taken(judge: Judge, table: QualityTable) -> QualityTable:
    if not set(table.backbones) & set(judge.backbones):
        names = ", ".join(judge.backbones)
        raise TableError(f"it names none of the backbones that there are: {names}")
    return await off_loop(lambda: judge.tables.replace(table, judge.now()))


def _add_table(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    @api.get("/v1/table")
    async def show(request: Request) -> Response:
        """The current quality table."""
        judge.keyring.of(request.headers, request.cookies)
        table = await off_loop(judge.tables.current)
        return Response(table.model_dump_json(), media_type="application/json")

    @api.put("/v1/table")
    async def replace(request: Request) -> Response:
        """Replace the quality table; one that does not validate is refused, the old one stays."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        try:
            made = await _taken(judge, QualityTable.parse(await body(request)))
        except TableError as error:
            raise BadRequestError(f"the table is refused: {error}") from error
        return JSONResponse({"version": made.version})

    @api.post("/v1/table/reload")
    async def reload(request: Request) -> Response:
        """Take the configured table file as it is now; one that does not validate is refused."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        try:
            made = await _taken(judge, await off_loop(judge.tables.configured))
        except TableError as error:
            raise ConflictError(f"the table is refused: {error}") from error
        return JSONResponse({"version": made.version})

    @api.post("/v1/table/undo")
    async def undo(request: Request) -> Response:
        """Go back to the table before the current one."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        try:
            made = await off_loop(lambda: judge.tables.undo(judge.now()))
        except TableError as error:
            raise ConflictError(str(error)) from error
        return JSONResponse({"version": made.version})
