"""A local spool: events are appended before the last byte of an answer leaves, and drained later.

One writer, one file: `<writer>-<number>.jsonl` under the spool folder, locked while its writer is
alive. An event that was appended survives a kill of every process of ours, since the kernel holds
it; with `fsync` it survives a power cut as well. A line that a dying writer left unfinished was
never acknowledged, and is skipped.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from evaluation.events import Event

_SUFFIX = ".jsonl"


class Spool:
    """The writing end; belongs to one process."""

    def __init__(
        self, folder: Path, writer: str, *, fsync: bool = False, rotate_bytes: int = 8_000_000
    ) -> None:
        self._folder = folder
        # a replica that is restarted may have its old name: its old segments must not be replaced
        self._writer = f"{writer}-{uuid.uuid4().hex[:12]}"
        self._fsync = fsync
        self._rotate_bytes = rotate_bytes
        self._number = 0
        self._file = -1
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def append(self, event: Event) -> None:
        """Write one event down.

        Raises:
            OSError: the disk is full or gone; the event is not recorded.
        """
        line = event.model_dump_json(exclude_none=True).encode() + b"\n"
        if self._file < 0:  # there was no room for a new one
            self._open()
        if self._written + len(line) > self._rotate_bytes:
            self.close()
            self._open()
        written = os.write(self._file, line)
        if written < len(line):  # half a line: take it back, so that the next one stands alone
            os.ftruncate(self._file, self._written)
            raise OSError(f"spool {self._folder}: wrote {written} of {len(line)} bytes; disk full?")
        if self._fsync:
            try:
                os.fsync(self._file)
            except OSError:  # it will be told that it is not recorded, so it must not be
                os.ftruncate(self._file, self._written)
                self.close()  # a drainer may have read it already, and would look behind the end
                raise
        self._written += written

    def close(self) -> None:
        """Let go of the file; a drainer takes what is in it and removes it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        final = self._folder / f"{self._writer}-{self._number:06d}{_SUFFIX}"
        # locked before it has its name: a drainer that saw it unlocked would take it for abandoned
        hidden = final.with_suffix(".new")
        flags = os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_WRONLY
        self._file = os.open(hidden, flags, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        hidden.rename(final)
        if self._fsync:  # the name must survive a power cut as well
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        self._written = 0
        self._number += 1


def segments(folder: Path) -> list[Path]:
    """List the files that wait to be drained, oldest writer's first."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


def read_lines(segment: Path, offset: int, most: int) -> Iterator[tuple[bytes, int]]:
    """Yield whole lines from a byte offset, each with the offset behind it; at most `most`."""
    with segment.open("rb") as file:
        file.seek(offset)
        for _ in range(most):
            line = file.readline()
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield line, offset


def is_abandoned(segment: Path) -> bool:
    """Tell whether nobody will append to a segment any more: its writer's lock is gone."""
    with segment.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
