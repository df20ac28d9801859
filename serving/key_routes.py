"""Routes of API keys, for operators: list, make, revoke."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from serving.errors import BadRequestError
from serving.judge import Judge, off_loop
from serving.key_settings import Key, NewKey
from serving.parsing import parsed


def add_keys(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    """Add the routes; `body` reads a request's body within the size limit."""

    @api.get("/v1/keys")
    async def listed(request: Request) -> Response:
        """List the keys, without what opens anything."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        found = await off_loop(judge.keys.all)
        return JSONResponse({"keys": [_told(k) | {"configured": own} for k, own in found]})

    @api.post("/v1/keys", status_code=201)
    async def create(request: Request) -> Response:
        """Make a key: it is told this once, only its hash is kept."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        wanted = parsed(NewKey, await body(request))
        for name in wanted.models:
            if name not in judge.models:
                known = ", ".join(judge.models)
                raise BadRequestError(f"no model {name!r}; there are: {known}", "models")
        made = await off_loop(lambda: judge.keys.create(wanted, judge.now()))
        told = wanted.model_dump() | {"key": made}
        return JSONResponse(told, 201, {"cache-control": "no-store"})

    @api.delete("/v1/keys/{name}")
    async def revoke(name: str, request: Request) -> Response:
        """Take a key away; the other front ends know it with their next look at the store."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        await off_loop(lambda: judge.keys.revoke(name))
        return JSONResponse({"name": name, "revoked": True})


def _told(key: Key) -> dict[str, Any]:
    return key.model_dump(exclude={"sha256"})
