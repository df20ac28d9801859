"""What a front end must know of every backbone, also of one that is down just now."""

import asyncio
import hashlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import orjson

from serving.engines.base import Description

WITHIN_S = 30.0
"""How long a front end waits for a backbone that another front end has known."""


class Describes(Protocol):
    """A backbone that may be away."""

    async def describe(self) -> Description: ...


def kept_at(folder: Path, backbone: str, model: str) -> Path:
    """Where a description is kept: of this backbone with this model, and with no other.

    A checkpoint that takes another one's place has another tokenizer, also under the same name or
    in the same folder.
    """
    found = Path(model).iterdir() if Path(model).is_dir() else ()
    files = sorted(f for f in found if f.suffix in {".json", ".jinja", ".model"})
    seen = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    mark = hashlib.sha256(repr((model, seen)).encode()).hexdigest()
    return folder / f"{backbone}-{mark[:12]}"


async def described_by(engine: Describes, kept: Path) -> Description:
    """Ask a backbone; what one that is down said to an earlier front end is in the file `kept`.

    Without this a single dead backbone would keep every new front end from starting.
    """
    before = _read(kept)
    try:
        async with asyncio.timeout(WITHIN_S if before else None):
            told = await engine.describe()
    except Exception:
        if before is None:
            raise
        return before
    _write(kept, told)
    return told


def _read(path: Path) -> Description | None:
    try:
        told = orjson.loads(path.read_bytes())
        border = told.pop("border", None)
        return Description(**told, border=None if border is None else tuple(border))
    except (OSError, ValueError, TypeError):  # not there, or of another version
        return None


def _write(path: Path, told: Description) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(orjson.dumps(asdict(told)))
    fresh.replace(path)
