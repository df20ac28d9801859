"""Pictures of requests, kept by their content hash where the configuration asks for it."""

import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

from serving.images import Decoded

_HASH = re.compile(r"[0-9a-f]{64}")


class PictureStore:
    """A folder of PNG files; several processes may write to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, picture: Decoded) -> None:
        """Write a picture down unless it is there; blocking: call it in a thread.

        Raises:
            OSError: the disk is full or gone.
        """
        path = self._path(picture.sha256)
        if path.exists():
            os.utime(path)  # it was seen again: retention counts from now
            return
        partial = path.with_suffix(f".{uuid.uuid4().hex}")
        picture.image.save(partial, "PNG", compress_level=1)
        partial.rename(path)

    def read(self, sha256: str) -> bytes | None:
        """The PNG of a picture, or nothing when it is not kept."""
        return self._path(sha256).read_bytes() if self.has(sha256) else None

    def has(self, sha256: str) -> bool:
        """Tell whether a picture is kept."""
        return _HASH.fullmatch(sha256) is not None and self._path(sha256).is_file()

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.png"

    def size_bytes(self) -> int:
        """The size of all that is kept."""
        total = 0
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another process has just forgotten it
                total += path.stat().st_size
        return total

    def forget(self, before_s: float) -> int:
        """Delete what was not seen since Unix time `before_s`; return how many."""
        old = [p for p in self._folder.iterdir() if p.stat().st_mtime < before_s]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)
