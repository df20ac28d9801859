"""How prompts and the pieces of their answers cross a socket: MessagePack behind its length."""

import asyncio
from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeAlias, cast

import msgspec

from serving.engines.base import Piece, Prompt

_LENGTH_BYTES = 4
MOST_BYTES = 256 << 20
"""Of one frame; a prompt holds its pictures as pixels."""
MOST_BYTES_OF_A_STRANGER = 256


@dataclass(frozen=True, slots=True)
class Address:
    """Where a replica listens, and the secret that it wants to hear first."""

    host: str
    port: int
    secret: str


class Pieces(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some more of the answer; the last of them ends it."""

    pieces: tuple[Piece, ...]
    last: bool


class Failed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer broke: the class of the error in `serving.errors`, and what it says."""

    error: str
    message: str


class Leaving(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The replica takes no prompt on this line any more, nor one that has just been sent."""


Said: TypeAlias = Pieces | Failed | Leaving

_encoder = msgspec.msgpack.Encoder()
_prompts = msgspec.msgpack.Decoder(Prompt)
_said = msgspec.msgpack.Decoder(Said)


def as_prompt(frame: bytes) -> Prompt:
    """Read a prompt.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _prompts.decode(frame)


def as_said(frame: bytes) -> Said:
    """Read what a replica says.

    Raises:
        msgspec.DecodeError: no replica of this version says so.
    """
    said: Said = _said.decode(frame)
    return said


class Framed(asyncio.Protocol):
    """Either end of a line: cuts what comes into frames.

    A protocol and no `StreamReader`: a task and a wake-up less for every frame.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.transport: asyncio.Transport | None = None
        self.most_bytes = MOST_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # TCP's; uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _LENGTH_BYTES:
            size = int.from_bytes(self._buffer[:_LENGTH_BYTES])
            if size > self.most_bytes:
                self.hang_up()
                return
            end = _LENGTH_BYTES + size
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[_LENGTH_BYTES:end])
            del self._buffer[:end]
            self.frame_received(frame)

    @abstractmethod
    def frame_received(self, frame: bytes) -> None:
        """Take one whole frame."""

    def send(self, frame: bytes) -> None:
        """Send bytes as one frame; nothing where nobody listens any more."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(len(frame).to_bytes(_LENGTH_BYTES) + frame)

    def say(self, what: Prompt | Said) -> None:
        """Send a prompt or what there is to say of it."""
        self.send(_encoder.encode(what))

    def hang_up(self) -> None:
        """Close the line at once; what was not sent yet is not sent."""
        self._buffer.clear()
        if self.transport is not None:
            self.transport.abort()
