"""Probes against the real service: every backbone is asked, graded, and kept apart from users."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from serving.beside_settings import Probes
from serving.probes import Prober, probe_items
from serving.settings import load
from tests.system.conftest import Service

pytestmark = [pytest.mark.ray, pytest.mark.timeout(120)]
BACKBONES = [b.id for b in load("embedded").backbones]


def graded(http: httpx.Client, kind: str, since_s: float) -> dict[str, int]:
    told: dict[str, Any] = http.get("/v1/quality", params={"kind": kind, "since": since_s}).json()
    return {f["backbone"]: f["n"] for f in told["figures"] if f["task"] == "all"}


def test_probes_are_graded_apart_from_the_answers_of_users(
    service: Service, http: httpx.Client
) -> None:
    began_s = time.time()  # noqa: TID251 - the service's clock is this machine's
    settings = Probes(datasets=("easy-vqa",), items=4)
    prober = Prober(service.url, BACKBONES, settings, probe_items(settings))

    async def probe() -> None:
        for _ in range(4):
            await prober.once()

    asyncio.run(probe())
    wanted = dict.fromkeys(BACKBONES, 4)
    until = time.monotonic() + 30
    while graded(http, "probe", began_s) != wanted and time.monotonic() < until:
        time.sleep(0.2)

    assert graded(http, "probe", began_s) == wanted
    assert graded(http, "served", began_s) == {}
