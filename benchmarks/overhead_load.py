"""The client of `benchmarks.overhead`: one load, driven against a server or an engine alone.

It shares the cores with what it measures, so it is a light one (aiohttp, whose parser is C), and
what it sends is written before the clock runs.
"""

import asyncio
import base64
import os
import statistics
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from easy_vqa import get_test_image_paths, get_test_questions

from serving.engines.base import Fit, Prompt, Sampling
from serving.images import decode_data_url
from serving.prompts import PromptFormat, Turn
from serving.settings import ImageLimits

TOKENS = 8
BODIES = 448
"""Different requests: 64 pictures, seven questions about each."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to serve at one concurrency; times in milliseconds."""

    way: str
    concurrency: int
    streamed: bool
    image_kb: int
    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    first_token_p50_ms: float
    errors: int
    logprobs: bool = False


def pictures(kilobytes: int) -> list[str]:
    """Data URLs of easy-VQA's test images; padded with a PNG text chunk to about `kilobytes`."""
    _, _, images = get_test_questions()
    paths = dict(get_test_image_paths())
    urls = []
    for i in range(0, 64 * 20, 20):
        data = Path(paths[images[i]]).read_bytes()
        if kilobytes:
            data = _padded(data, kilobytes * 1_000)
        urls.append("data:image/png;base64," + base64.b64encode(data).decode())
    return urls


def _padded(png: bytes, size: int) -> bytes:
    body = b"tEXt" + b"Comment\0" + os.urandom(size // 2).hex().encode()
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]  # behind IHDR


@lru_cache(maxsize=1)
def questions() -> tuple[str, ...]:
    """Easy-VQA's test questions; the package reads them from disk at every call."""
    return tuple(get_test_questions()[0])


def body(
    index: int, urls: Sequence[str], model: str, *, stream: bool, logprobs: bool = False
) -> dict[str, Any]:
    """One request of the load: a question about an image, exactly `TOKENS` tokens long at most."""
    asked = questions()
    content = [
        {"type": "image_url", "image_url": {"url": urls[index % len(urls)]}},
        {"type": "text", "text": asked[index * 7 % len(asked)]},
    ]
    return {
        "model": model, "messages": [{"role": "user", "content": content}],
        "max_tokens": TOKENS, "temperature": 0, "stream": stream, **({"logprobs": True} if logprobs else {}),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent: how many at once, for how long, streamed or not, how large the images are.

    With `logprobs` those are asked for: Barn reads them of every answer, for its confidence, and
    other servers only then.
    """

    concurrency: int
    seconds: float
    stream: bool = False
    image_kb: int = 0
    logprobs: bool = False


async def drive(way: str, url: str, model: str, load: Load) -> Measured:
    """Send the load to an OpenAI endpoint and time every answer."""
    urls = pictures(load.image_kb)
    times: list[float] = []
    firsts: list[float] = []
    errors = 0
    ends = time.perf_counter() + load.seconds

    bodies = len(urls) if load.image_kb else BODIES  # large ones would fill the memory
    written = [
        orjson.dumps(body(i, urls, model, stream=load.stream, logprobs=load.logprobs))
        for i in range(bodies)
    ]
    place, kind = f"{url}/v1/chat/completions", {"content-type": "application/json"}
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(120),
        connector=aiohttp.TCPConnector(limit=load.concurrency),
    ) as client:

        async def one(index: int) -> None:
            nonlocal errors
            began = time.perf_counter()
            first = 0.0
            request = written[index % bodies]
            async with client.post(place, data=request, headers=kind) as response:
                async for part in response.content.iter_any():
                    if not first and b'"content"' in part:
                        first = time.perf_counter() - began
            if response.status != 200:
                errors += 1
                return
            times.append(time.perf_counter() - began)
            firsts.append(first)

        async def worker(number: int) -> None:
            index = number
            while time.perf_counter() < ends:
                await one(index)
                index += load.concurrency

        for warm in range(min(8, load.concurrency + 2)):
            await one(warm)
        times.clear()
        firsts.clear()
        began = time.perf_counter()
        ends = began + load.seconds
        await asyncio.gather(*(worker(n) for n in range(load.concurrency)))
        spent = time.perf_counter() - began
    return _measured(way, load, times, firsts, spent, errors)


def _measured(
    way: str, load: Load, times: list[float], firsts: list[float], spent: float, errors: int
) -> Measured:
    ordered = sorted(times) or [float("nan")]
    return Measured(
        way, load.concurrency, load.stream, load.image_kb, len(times), len(times) / spent,
        1e3 * statistics.median(ordered), 1e3 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        1e3 * statistics.median(firsts or [0.0]), errors, load.logprobs,
    )  # fmt: skip


async def in_process(load: Load, engine: Any) -> Measured:
    """The engine alone, fed by the same prompts without any server."""
    shown = PromptFormat(engine.description)
    asked = questions()
    decoded = [decode_data_url(u, ImageLimits(), "x").shrunk(Fit(64)) for u in pictures(0)]
    times: list[float] = []
    firsts: list[float] = []

    async def one(index: int) -> None:
        began = time.perf_counter()
        first = 0.0
        ids = shown.token_ids((Turn("user", asked[index * 7 % len(asked)], 1),))
        sampling = Sampling(TOKENS, streamed=load.stream)
        async for _ in engine.stream(Prompt(ids, (decoded[index % 64],), sampling)):
            first = first or time.perf_counter() - began
        times.append(time.perf_counter() - began)
        firsts.append(first)

    async def worker(number: int) -> None:
        index = number
        while time.perf_counter() < ends:
            await one(index)
            index += load.concurrency

    ends = 0.0
    for warm in range(3):
        await one(warm)
    times.clear()
    firsts.clear()
    began = time.perf_counter()
    ends = began + load.seconds
    await asyncio.gather(*(worker(n) for n in range(load.concurrency)))
    return _measured("in process", load, times, firsts, time.perf_counter() - began, 0)


def show(m: Measured) -> None:
    """One line a measurement."""
    kind = "stream" if m.streamed else "logprobs" if m.logprobs else "whole"
    print(
        f"{m.way:14} {kind:8} {m.image_kb:5} kB  c={m.concurrency:2}  {m.per_s:7.1f} /s  "
        f"p50 {m.p50_ms:7.1f} ms  p99 {m.p99_ms:7.1f} ms  first {m.first_token_p50_ms:7.1f} ms  "
        f"errors {m.errors}",
        flush=True,
    )


def ratios(told: Sequence[Measured]) -> dict[str, float]:
    """The ratios that the README quotes."""
    at = {(m.way, m.concurrency, m.streamed, m.image_kb): m for m in told if not m.logprobs}
    read = {m.way: m for m in told if m.logprobs}
    found: dict[str, float] = {}
    for other in ("vLLM server", "Ray Serve LLM", "in process"):
        for concurrency in (1, 8, 32):
            mine = at.get(("Barn auto", concurrency, False, 0))
            theirs = at.get((other, concurrency, False, 0))
            if mine and theirs:
                found[f"requests/s, Barn auto / {other}, c={concurrency}"] = (
                    mine.per_s / theirs.per_s
                )
        if "Barn auto" in read and other in read:
            found[f"requests/s with logprobs, Barn auto / {other}, c=32"] = (
                read["Barn auto"].per_s / read[other].per_s
            )
    alone = at.get(("in process", 1, True, 0))
    auto = at.get(("Barn auto", 1, True, 0))
    if alone and auto:
        found["first token added at c=1, ms"] = auto.first_token_p50_ms - alone.first_token_p50_ms
    pinned, free = at.get(("Barn pinned", 1, False, 0)), at.get(("Barn auto", 1, False, 0))
    if pinned and free:
        found["p50 added by routing at c=1, ms"] = free.p50_ms - pinned.p50_ms
    small, large = at.get(("Barn auto", 32, False, 0)), at.get(("Barn auto", 32, False, 1000))
    if small and large:
        found["requests/s with 1 MB images / without, c=32"] = large.per_s / small.per_s
    return found


def spread(rounds: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Each ratio's median over the rounds, its least and its greatest."""
    found = {}
    for name in rounds[0]:
        values = [ratio[name] for ratio in rounds]
        found[name] = {
            "median": statistics.median(values), "least": min(values), "greatest": max(values)
        }  # fmt: skip
    return found
