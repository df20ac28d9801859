"""HTTP in, HTTP out. Handlers parse, call the gateway and encode; they decide nothing."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from fastapi_offline import FastAPIOffline
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from serving import replies, sse
from serving.access import Keyring
from serving.budgets import Budgets, Tab
from serving.console.pages import Desk as PageDesk
from serving.console.pages import add_console, refused_page
from serving.console.runbooks import add_runbooks
from serving.doors import Doors
from serving.error_schema import error_response
from serving.errors import (
    BadRequestError,
    ClientGoneError,
    OverloadedError,
    ServiceError,
    SlowBodyError,
    TooLargeError,
    UnauthorizedError,
)
from serving.gateway import Gateway
from serving.judge import Judge
from serving.openapi import add_schemas, chat_body, chat_refusals
from serving.parsing import PROBE_HEADER, Parser, Question
from serving.pictures import PictureStore
from serving.quality_routes import add_judge
from serving.reply import Reply
from serving.settings import LOOPBACK, Limits
from serving.shadow import Shadows
from serving.telemetry import Metrics, Route
from serving.transcript import Clock

T = TypeVar("T")
_log = logging.getLogger(__name__)
LOGIN_BYTES = 4_096
Ready = Callable[[], Awaitable[dict[str, bool]]]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the routes need; built in `build.py`."""

    gateway: Gateway
    parser: Parser
    metrics: Metrics
    ready: Ready
    clock: Clock
    now: Clock
    limits: Limits
    most_at_once: int
    keyring: Keyring
    budgets: Budgets
    shadows: Shadows | None = None
    judge: Judge | None = None
    pictures: PictureStore | None = None


def build_api(parts: Parts) -> FastAPI:
    """Build the HTTP front of a gateway; it holds no other state."""
    # FastAPI's own pages load their scripts from a CDN
    api = FastAPIOffline(title="Barn", description="VLM backbones behind a task-aware router.")
    api.add_middleware(
        Doors,
        names=lambda: None if parts.keyring.locked else LOOPBACK,  # keys come and go
        refused=parts.metrics.refused,
    )
    add_schemas(api)
    _add_errors(api, parts)
    _add_chat(api, parts)
    _add_status(api, parts)
    if parts.judge is not None:
        add_judge(api, parts.judge, lambda request: _body(request, parts.limits))
        hosted = tuple(h.card for h in parts.gateway.hosted.values())
        router = parts.gateway.desk
        names = (*router.names(), *(card.id for card in hosted))
        desk = PageDesk(hosted, names, router.table, router.quality, parts.pictures)
        short = parts.limits.model_copy(update={"max_body_bytes": LOGIN_BYTES})
        add_console(api, parts.judge, desk, lambda request: _body(request, short))
        add_runbooks(api)
    return api


def _add_chat(api: FastAPI, parts: Parts) -> None:
    @api.post("/v1/chat/completions", openapi_extra=chat_body(), responses=chat_refusals())
    async def chat(request: Request) -> Response:
        """Answer a conversation about pictures; `model: "auto"` lets the router choose."""
        started_s = parts.clock()
        caller = parts.keyring.of(request.headers, request.cookies)
        if parts.gateway.loads.under_way_now() >= parts.most_at_once:
            raise OverloadedError(f"{parts.most_at_once} requests are under way here")
        body = await _body(request, parts.limits)
        tab = Tab(parts.budgets, caller, parts.limits.deadline_s)

        def admit(model: str, most_tokens: int) -> None:  # before any picture is touched
            caller.require_model(model)
            if PROBE_HEADER in request.headers:
                caller.require_operator()
            tab.open(most_tokens)

        try:
            question = await parts.parser.question(body, request.headers, admit)
            if question.streamed:
                reply = await unless_gone(request, parts.gateway.answer(question, started_s))
                return _streamed(parts, request, reply, tab)
            reply = await unless_gone(request, _whole(parts, tab, question, started_s))
        except BaseException:
            tab.close(0)
            raise
        content = orjson.dumps(
            replies.completion(reply, int(parts.now()), logprobs=question.logprobs)
        )
        return Response(
            content,
            200,
            {**replies.headers(reply), **tab.left},
            "application/json",
            BackgroundTask(_later, parts, reply),
        )


def _streamed(parts: Parts, request: Request, reply: Reply, tab: Tab) -> Response:
    frames = sse.events(
        reply,
        int(parts.now()),
        logprobs=reply.question.logprobs,
        include_usage=reply.question.include_usage,
        on_error=partial(parts.metrics.refused, route=_route(request)),
        on_end=lambda: _copied(parts, reply),
    )
    headers = replies.headers(reply) | {"cache-control": "no-cache", **tab.left}
    return StreamingResponse(
        _metered(frames, tab, reply), media_type="text/event-stream", headers=headers
    )


async def _later(parts: Parts, reply: Reply) -> None:
    """Once the answer has left; a coroutine, so that it runs on the loop and not in a thread."""
    _copied(parts, reply)


def _copied(parts: Parts, reply: Reply) -> None:
    """Offer a finished request to the experiments; the copies wait for a quiet moment."""
    if parts.shadows is not None:
        parts.shadows.offer(reply)


async def _metered(frames: AsyncGenerator[bytes], tab: Tab, reply: Reply) -> AsyncGenerator[bytes]:
    """Count a stream's tokens however it ends: a client that leaves has had them too."""
    try:
        async with aclosing(frames):
            async for frame in frames:
                yield frame
    finally:
        tab.close(replies.tokens(reply))


async def _whole(parts: Parts, tab: Tab, question: Question, started_s: float) -> Reply:
    """The answer to its end; its tokens are counted however it ends."""
    reply = await parts.gateway.answer(question, started_s)
    try:
        async with aclosing(reply.pieces) as pieces:
            async for _ in pieces:
                pass
    finally:
        tab.close(replies.tokens(reply))
    return reply


def _add_status(api: FastAPI, parts: Parts) -> None:
    @api.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        """List the backbones, and `auto`."""
        parts.keyring.of(request.headers, request.cookies)
        known = [_model(name) for name in parts.gateway.desk.names()] + [
            _model(m, generation=h.card.generation, context_tokens=h.card.context_tokens)
            for m, h in parts.gateway.hosted.items()
        ]
        return {"object": "list", "data": known}

    @api.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the front end is alive."""
        return {"status": "ok"}

    @api.get("/readyz", responses={503: {"description": "A backbone is not ready."}})
    async def readyz() -> JSONResponse:
        """Tell whether every backbone has warmed up and answers."""
        backbones = await parts.ready()
        ready = all(backbones.values())
        return JSONResponse({"ready": ready, "backbones": backbones}, 200 if ready else 503)

    @api.get("/metrics")
    async def metrics() -> Response:
        """Prometheus metrics of every process of this node."""
        text = await anyio.to_thread.run_sync(parts.metrics.text)
        return Response(text, media_type="text/plain; version=0.0.4")


def _model(name: str, **more: str | int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "barn", **more}


def _add_errors(api: FastAPI, parts: Parts) -> None:
    @api.exception_handler(ServiceError)
    async def refuse(request: Request, error: ServiceError) -> Response:
        parts.metrics.refused(error.code, _route(request))
        if request.url.path.startswith("/console"):
            if isinstance(error, UnauthorizedError):
                return RedirectResponse("/console/login", 303)
            return refused_page(error)
        waits = error.retry_after_s if isinstance(error, OverloadedError) else None
        return error_response(error, headers=None if waits is None else {"retry-after": str(waits)})

    @api.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        parts.metrics.refused(ServiceError.code, _route(request))
        told = ServiceError("something went wrong in the service; its log says what")
        return error_response(told)

    @api.exception_handler(HTTPException)
    async def unknown_route(request: Request, error: HTTPException) -> Response:
        told = BadRequestError(f"{request.method} {request.url.path}: {error.detail}")
        parts.metrics.refused("no_such_route")
        return error_response(told, error.status_code, error.headers)


def _route(request: Request) -> Route:
    if request.url.path != "/v1/chat/completions":
        return "other"
    return "probe" if PROBE_HEADER in request.headers else "chat"


async def _body(request: Request, limits: Limits) -> bytes:
    """Read the body, and stop reading as soon as it is too large or takes too long."""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_s):
            async for part in request.stream():
                size += len(part)
                if size > limits.max_body_bytes:
                    raise TooLargeError(f"the body has more than {limits.max_body_bytes} bytes")
                parts.append(part)
    except ClientDisconnect as error:
        raise ClientGoneError("the client went away") from error
    except TimeoutError as error:
        raise SlowBodyError(f"the body did not come within {limits.body_s:g} s") from error
    return b"".join(parts)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Await `work`, and cancel it when the client disconnects: its slot is free at once.

    Raises:
        ClientGoneError: the client went away first.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError("the client went away")
        return task.result()
    finally:
        for job in (task, gone):
            job.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
