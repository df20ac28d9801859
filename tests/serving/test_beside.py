"""What runs beside the service, built from settings."""

import os
import time
from pathlib import Path

import pytest

from evaluation.drain import Drainer
from evaluation.events import Served
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from serving.beside import build_evaluator
from serving.pictures import PictureStore
from serving.settings import load
from serving.telemetry import Metrics
from tests.evaluation.test_spool import interaction
from tests.serving.test_judging import picture


@pytest.mark.parametrize(("days", "kept"), [(0, True), (1, False)])
def test_retention_takes_pictures_with_their_events(tmp_path: Path, days: int, kept: bool) -> None:  # noqa: FBT001 - a case
    settings = load(
        "embedded",
        {
            "events.folder": str(tmp_path),
            "events.pictures": True,
            "evaluation.retention_days": days,
        },
    )
    spool, store = Spool(tmp_path / "spool", "w"), Store(connect(settings.events.url()))
    spool.append(Served.of(interaction("old")))  # of 1970
    Drainer(tmp_path / "spool", store).drain()
    seen, folder = picture(), tmp_path / "pictures"
    folder.mkdir()
    old, new = folder / f"{seen.sha256}.png", folder / f"{'0' * 64}.png"
    for path in (old, new):
        seen.image.save(path, "PNG")
    long_ago = time.time() - 2 * 86_400  # noqa: TID251 - files are stamped by the real clock
    os.utime(old, (long_ago, long_ago))

    build_evaluator(settings, Metrics()).tick()

    assert PictureStore(folder).size_bytes() == sum(
        path.stat().st_size for path in folder.iterdir()
    )
    assert (store.find("old") is not None, old.exists(), new.exists()) == (kept, kept, True)
