"""A replica's own socket: front ends send it prompts and read the pieces of their answers."""

import asyncio
import hmac
import logging
import secrets
import time
from contextlib import aclosing, suppress
from dataclasses import replace

import msgspec

from serving.engines.base import Engine, Piece, Prompt
from serving.engines.frames import (
    MOST_BYTES,
    MOST_BYTES_OF_A_STRANGER,
    Address,
    Failed,
    Framed,
    Leaving,
    Pieces,
    as_prompt,
)
from serving.errors import EngineError, ServiceError

_log = logging.getLogger(__name__)


class Listener:
    """Answers what front ends ask on lines of their own, one prompt after another on each."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.ongoing = 0
        self.leaving = False
        self.lines: set[_Line] = set()
        self._secret = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._last_one_ended = asyncio.Event()

    async def start(self, host: str) -> Address:
        """Listen on a free port of `host`, an address of this machine."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Line(self), host, 0)
        port = int(self._server.sockets[0].getsockname()[1])
        return Address(host, port, self._secret)

    def knows(self, secret: bytes) -> bool:
        """Whether a front end has been told the secret; takes as long for any."""
        return hmac.compare_digest(secret, self._secret.encode())

    async def close(self) -> None:
        """Take no prompt any more, and return when what is under way has been answered."""
        self.leaving = True
        if self._server is not None:
            self._server.close()
        for line in list(self.lines):
            line.leave_when_idle()
        if self.lines:
            await self._last_one_ended.wait()

    def ended(self, line: "_Line") -> None:
        """Forget a line that has been closed."""
        self.lines.discard(line)
        if self.leaving and not self.lines:
            self._last_one_ended.set()


class _Line(Framed):
    """A front end's line."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._listener = listener
        self._known = False
        self.most_bytes = MOST_BYTES_OF_A_STRANGER
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listener.lines.add(self)
        if self._listener.leaving:
            self.leave_when_idle()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._listener.ended(self)
        if self._answering is not None:
            self._answering.cancel()  # nobody reads the answer: its place is free again

    def frame_received(self, frame: bytes) -> None:
        if not self._known:
            self._known = self._listener.knows(frame)
            self.most_bytes = MOST_BYTES
            if not self._known:
                self.hang_up()
            return
        if self._listener.leaving:
            return  # it has been told, and asks another
        try:
            prompt = as_prompt(frame)
        except msgspec.DecodeError as error:
            self.say(Failed(EngineError.__name__, f"not a prompt: {error}"))
            return
        self._answering = asyncio.get_running_loop().create_task(self._answer(prompt))

    def leave_when_idle(self) -> None:
        """Say goodbye and close, unless an answer is under way."""
        if self._answering is None and self.transport is not None:
            self.say(Leaving())
            self.transport.close()

    async def _answer(self, prompt: Prompt) -> None:
        self._listener.ongoing += 1
        try:
            with suppress(asyncio.CancelledError):
                await self._told(prompt)
        finally:
            self._listener.ongoing -= 1
            self._answering = None
            if self._listener.leaving:
                self.leave_when_idle()

    async def _told(self, prompt: Prompt) -> None:
        ready: list[Piece] = []
        began_s = time.monotonic()
        try:
            async with aclosing(self._listener.engine.stream(prompt)) as pieces:
                async for piece in pieces:
                    ready.append(_timed(piece, began_s))
                    # the last one leaves when the engine is done with it: what follows is a prompt
                    if prompt.sampling.streamed and piece.finish_reason is None:
                        self.say(Pieces(tuple(ready), last=False))
                        ready.clear()
            self.say(Pieces(tuple(ready), last=True))
        except ServiceError as error:
            self.say(Failed(type(error).__name__, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the front end is told
            _log.exception("an engine failed as none should")
            self.say(Failed(EngineError.__name__, type(error).__name__))


def _timed(piece: Piece, began_s: float) -> Piece:
    """The first piece, with the seconds that it took since its prompt came."""
    if piece.spent is None:
        return piece
    spent = replace(piece.spent, replica_s=time.monotonic() - began_s)
    return replace(piece, spent=spent)
