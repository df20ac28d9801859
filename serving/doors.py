"""Keep other web sites out: a page that a person visits must not act in that person's name.

A browser says where a request comes from (`Origin`, `Sec-Fetch-Site`); programs say nothing of the
kind and are let through. Without keys everybody on this machine is an operator, so the name that
was called must be this machine's as well: a foreign name that suddenly points to 127.0.0.1 (DNS
rebinding) is refused.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.error_schema import error_response
from serving.errors import ForbiddenError, ServiceError

_READING = {"GET", "HEAD", "OPTIONS"}


class Doors:
    """ASGI middleware; `names` tells by which this service may be called now, None for any.

    `refused` is told the code of what is refused here.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Callable[[], frozenset[str] | None],
        refused: Callable[[str], None],
    ) -> None:
        self._app = app
        self._names = names
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403, or hand the request on."""
        if scope["type"] == "http":
            error = self._objection(scope["method"], Headers(scope=scope))
            if error is not None:
                self._refused(error.code)
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _objection(self, method: str, headers: Headers) -> ServiceError | None:
        host = headers.get("host", "")
        name, names = _name(host), self._names()
        if names is not None and name not in names:
            return ForbiddenError(
                f"{name!r} is not a name of this machine; without API keys it must be called by "
                "one of " + ", ".join(sorted(names))
            )
        if method in _READING or "authorization" in headers:  # no browser adds a key by itself
            return None
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != host
        if foreign or headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            return ForbiddenError("another web site may not act here")
        return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
