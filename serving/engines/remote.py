"""An Engine over the replicas of a Ray deployment; only here are Ray's errors translated.

Prompts go to the replicas on lines of our own, since a call through Ray's router costs a request
several milliseconds. Ray says which replicas there are, and takes the prompts that no replica on a
line can take: those that must wait for one to start.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import (
    BackPressureError,
    DeploymentUnavailableError,
    RequestCancelledError,
)
from ray.serve.handle import DeploymentHandle

from serving.engines.base import Description, Piece, Prompt
from serving.engines.frames import Address
from serving.engines.lines import Lines, LostError, NotTakenError, Replica
from serving.errors import BackboneDownError, EngineError, OverloadedError, ServiceError


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica says of itself: its requests under way, of every front end."""

    ongoing: int
    address: Address


@dataclass(frozen=True, slots=True)
class Room:
    """What a backbone takes: requests at once for each replica, and how many more may wait."""

    each: int
    waiting: int  # of one front end; -1: any number


class Remote:
    """Sends each prompt to a replica of one backbone."""

    def __init__(self, backbone: str, handle: DeploymentHandle[Any], room: Room) -> None:
        self._backbone = backbone
        self._handle = handle
        self._room = room
        self._lines = Lines()
        self._stream: Any = handle.options(method_name="stream", stream=True)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        while (replica := self._lines.least_busy()) is not None:
            self._check_room()
            begun = False
            try:
                async with aclosing(replica.ask(prompt)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
                return
            except NotTakenError:
                self._lines.drop(replica)
            except LostError as error:
                self._lost(replica, error, last=begun or len(self._lines) == 1)
        async with aclosing(self._through_ray(prompt)) as pieces:
            async for piece in pieces:
                yield piece

    def _check_room(self) -> None:
        room = self._room
        most = room.each * len(self._lines) + room.waiting
        if room.waiting >= 0 and self._lines.ours >= most:
            raise OverloadedError(f"{self._backbone} is busy: its queue is full")

    def _lost(self, replica: Replica, error: LostError, *, last: bool) -> None:
        """Another replica may be asked what a lost one has not begun to answer."""
        self._lines.drop(replica)
        if last:
            raise BackboneDownError(f"{self._backbone} is down") from error

    async def _through_ray(self, prompt: Prompt) -> AsyncGenerator[Piece]:
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
            if not finished:  # the client has gone, or it took too long
                pieces.cancel()

    async def healthy(self) -> bool:
        try:
            return bool(await self._handle.healthy.remote())
        except BackPressureError:
            return True  # it is busy, so it lives
        except (RayError, DeploymentUnavailableError):
            return False

    async def ongoing(self) -> tuple[int, int]:
        """Ask every replica how many requests it has under way: their sum, and who answered.

        One that has died since is left out. Prompts go to those that answered.

        Raises:
            BackboneDownError: no replica answers.
        """
        try:
            asked = self._handle.broadcast("report")
            told = await asked.results_async(return_exceptions=True)
        except (RayError, DeploymentUnavailableError) as error:
            raise BackboneDownError(f"{self._backbone} is down") from error
        reports = [report for report in told if isinstance(report, Report)]
        if not reports:
            raise BackboneDownError(f"{self._backbone} is down")
        self._lines.reported({r.address: r.ongoing for r in reports})
        return sum(r.ongoing for r in reports), len(reports)

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
