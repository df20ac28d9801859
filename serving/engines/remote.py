"""An Engine over a Ray handle, and the only place where Ray's errors are translated."""

from collections.abc import AsyncGenerator
from typing import Any

from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import (
    BackPressureError,
    DeploymentUnavailableError,
    RequestCancelledError,
)
from ray.serve.handle import DeploymentHandle

from serving.engines.base import Description, Piece, Prompt
from serving.errors import BackboneDownError, EngineError, OverloadedError, ServiceError


class Remote:
    """Sends each prompt to a replica of one backbone."""

    def __init__(self, backbone: str, handle: DeploymentHandle[Any]) -> None:
        self._backbone = backbone
        self._handle = handle
        self._stream: Any = handle.options(method_name="stream", stream=True)
        self._answer: Any = handle.options(method_name="answer")

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        if not prompt.sampling.streamed:
            for piece in await self._whole(prompt):
                yield piece
            return
        pieces = self._stream.remote(prompt)
        finished = False
        try:
            async for piece in pieces:
                yield piece
            finished = True
        except Exception as error:
            finished = True
            raise self._translated(error) from error
        finally:
            if not finished:
                pieces.cancel()

    async def _whole(self, prompt: Prompt) -> tuple[Piece, ...]:
        """Every piece at once: a generator over Ray costs both sides more than the answer does."""
        told = self._answer.remote(prompt)
        finished = False
        try:
            pieces: tuple[Piece, ...] = await told
            finished = True
        except Exception as error:
            finished = True
            raise self._translated(error) from error
        finally:
            if not finished:  # the client has gone, or it took too long
                told.cancel()
        return pieces

    async def healthy(self) -> bool:
        try:
            return bool(await self._handle.healthy.remote())
        except BackPressureError:
            return True  # it is busy, so it lives
        except (RayError, DeploymentUnavailableError):
            return False

    async def ongoing(self) -> tuple[int, int]:
        """Ask every replica how many requests it has under way: their sum, and who answered.

        One that has died since is left out.

        Raises:
            BackboneDownError: no replica answers.
        """
        try:
            asked = self._handle.broadcast("ongoing")
            told = await asked.results_async(return_exceptions=True)
        except (RayError, DeploymentUnavailableError) as error:
            raise BackboneDownError(f"{self._backbone} is down") from error
        counts = [count for count in told if isinstance(count, int)]
        if not counts:
            raise BackboneDownError(f"{self._backbone} is down")
        return sum(counts), len(counts)

    async def describe(self) -> Description:
        """Ask a replica what a front end must know."""
        description: Description = await self._handle.describe.remote()
        return description

    def _translated(self, error: Exception) -> ServiceError:
        cause = error.cause if isinstance(error, RayTaskError) else error
        if isinstance(cause, ServiceError):
            return cause
        if isinstance(cause, BackPressureError):
            return OverloadedError(f"{self._backbone} is busy: its queue is full")
        if isinstance(cause, DeploymentUnavailableError | RayActorError):
            return BackboneDownError(f"{self._backbone} is down")
        if isinstance(cause, RequestCancelledError):
            return EngineError(f"{self._backbone}: the request was cancelled")
        return EngineError(f"{self._backbone} failed: {type(cause).__name__}")
