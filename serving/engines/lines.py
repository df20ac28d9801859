"""A front end's lines to the replicas of one backbone, past Ray: who is asked, and what it says."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from serving import errors
from serving.engines.base import Piece, Prompt
from serving.engines.frames import Address, Failed, Framed, Leaving, Pieces, Said, as_said
from serving.errors import EngineError, ServiceError

CONNECT_WITHIN_S = 2.0


class LostError(Exception):
    """The line broke after the prompt had been sent: the replica, or its machine, is gone."""


class NotTakenError(Exception):
    """The replica has not taken the prompt: it cannot be reached, or is about to stop."""


class Line(Framed):
    """One connection to one replica; asks one thing at a time."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secret = secret
        self._said: asyncio.Queue[Said | None] = asyncio.Queue()  # an answer's pieces at most
        self.open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.send(self._secret.encode())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.open = False
        self._said.put_nowait(None)

    def frame_received(self, frame: bytes) -> None:
        said = as_said(frame)
        if isinstance(said, Leaving):
            self.open = False
        self._said.put_nowait(said)

    async def ask(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        """Yield the answer's pieces; a reader that leaves early closes the line.

        Raises:
            NotTakenError, LostError: see there.
            ServiceError: the engine's.
        """
        self.say(prompt)
        whole = False
        try:
            while not whole:
                said = await self._said.get()
                match said:
                    case Pieces():
                        whole = said.last
                        for piece in said.pieces:
                            yield piece
                    case Failed():
                        whole = True
                        raise _error(said)
                    case Leaving():
                        raise NotTakenError
                    case None:
                        raise LostError
        finally:
            if not whole:
                self.open = False
                self.hang_up()


def _error(said: Failed) -> ServiceError:
    kind: object = getattr(errors, said.error, None)
    if isinstance(kind, type) and issubclass(kind, ServiceError):
        return kind(said.message)
    return EngineError(said.message)


class Replica:
    """One replica: its lines, and how busy it is."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.ours = 0
        self._others = 0
        self._idle: list[Line] = []

    @property
    def ongoing(self) -> int:
        """Requests under way, those of other front ends as they were last reported."""
        return self.ours + self._others

    def reported(self, ongoing: int) -> None:
        """Take note of what the replica says of itself."""
        self._others = max(0, ongoing - self.ours)

    async def ask(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        """Yield the answer's pieces.

        Raises:
            NotTakenError, LostError: see there.
            ServiceError: the engine's.
        """
        self.ours += 1
        try:
            line = await self._line()
            pieces = line.ask(prompt)
            try:
                async for piece in pieces:
                    yield piece
            finally:
                await pieces.aclose()
                if line.open:
                    self._idle.append(line)
        finally:
            self.ours -= 1

    async def _line(self) -> Line:
        while self._idle:
            line = self._idle.pop()
            if line.open:
                return line
        where = self.address
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                _, line = await asyncio.get_running_loop().create_connection(
                    lambda: Line(where.secret), where.host, where.port
                )
        except (OSError, TimeoutError) as error:
            raise NotTakenError from error
        return line

    def close(self) -> None:
        """Close the lines that nobody uses; the others end with their answers."""
        for line in self._idle:
            line.hang_up()
        self._idle.clear()


class Lines:
    """The replicas of one backbone that are known to be there."""

    def __init__(self) -> None:
        self._replicas: dict[Address, Replica] = {}

    def reported(self, ongoing: Mapping[Address, int]) -> None:
        """Take note of the replicas that there are; those no longer named get no new prompt."""
        for gone in self._replicas.keys() - ongoing.keys():
            self.drop(self._replicas[gone])
        for address, count in ongoing.items():
            self._replicas.setdefault(address, Replica(address)).reported(count)

    def drop(self, replica: Replica) -> None:
        """Ask a replica nothing more until it is reported again."""
        if self._replicas.pop(replica.address, None) is not None:
            replica.close()

    def least_busy(self) -> Replica | None:
        """The replica with the fewest requests under way; None when none is known."""
        return min(self._replicas.values(), key=lambda r: r.ongoing, default=None)

    @property
    def ours(self) -> int:
        """This front end's requests under way at all of them."""
        return sum(r.ours for r in self._replicas.values())

    def __len__(self) -> int:
        return len(self._replicas)
