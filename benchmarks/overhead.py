"""What Barn adds to the engine under it, beside other ways to serve the same model.

One run, one client, the same images: the engine in process, vLLM's own server, Ray Serve LLM,
Barn pinned to one backbone and Barn `auto`, at concurrency 1, 8 and 32. Run it with the Python of
the environment that has vLLM; without it, only Barn on the transformers engine is measured:

    .venv-vllm/bin/python -m benchmarks.overhead --out runs/overhead.json
    .venv/bin/python -m benchmarks.overhead --only barn-pinned barn-auto in-process

A machine's speed moves between the measurements of a run, by a third on some; with `--rounds 3`
all is started and measured three times over, and each ratio is told with its least and greatest.
"""

import argparse
import asyncio
import importlib.util
import json
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.overhead_load import Load, Measured, drive, in_process, ratios, show, spread
from evaluation.events import Served
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from serving.build import free_port
from serving.settings import load as load_settings

ROOT = Path(__file__).parent.parent
ZOO = ROOT / "serving" / "zoo"
MODEL = "llava-llama-2"
VLLM_ARGS: dict[str, Any] = {
    "dtype": "bfloat16", "enforce_eager": True, "max_model_len": 256, "max_num_seqs": 32,
}  # fmt: skip
ONE_PROCESS: dict[str, Any] = {"distributed_executor_backend": "uni", "threads": 1}
VLLM_ENV = {"VLLM_CPU_KVCACHE_SPACE": "1", "RAYLLM_ENABLE_WORKER_PROCESS_SETUP_HOOK": "0"}
OWN = "first token of the engine in its replica at c=1, ms (median)"
CLEAN = dict(os.environ)  # before an engine in this process puts its own settings there
HAS_VLLM = importlib.util.find_spec("vllm") is not None


@asynccontextmanager
async def started(command: Sequence[str], url: str, path: str) -> AsyncIterator[str]:
    """Run a server until the context ends; ready when `path` answers 200."""
    process = subprocess.Popen(
        command, cwd=ROOT, env={**CLEAN, **VLLM_ENV}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
            try:
                if httpx.get(url + path, timeout=2).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
        yield url
    finally:
        family = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        for left in family:
            with suppress(psutil.NoSuchProcess):
                left.kill()
        await asyncio.sleep(2)


def barn_config(folder: Path, engine: str) -> Path:
    """A Barn with one backbone under two names' policies: pinned and `auto` ask the same model."""
    args = {**VLLM_ARGS, **ONE_PROCESS} if engine == "vllm" else {"threads": 2}
    config = {
        "backbones": [
            {"id": MODEL, "generation": "llama-2", "model": f"zoo:{MODEL}", "engine": engine,
             "engine_args": args}
        ],
        "events": {"folder": str(folder / "events")},
    }  # fmt: skip
    path = folder / "barn.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


async def measure(
    only: Sequence[str], loads: Sequence[Load], engine: str, folder: Path
) -> list[Measured]:
    """Measure every way in turn; one server runs at a time."""
    told: list[Measured] = []

    def wanted(way: str) -> bool:
        return not only or way in only

    async def all_loads(way: str, url: str, model: str) -> None:
        for load in loads:
            told.append(await drive(way, url, model, load))
            show(told[-1])

    if wanted("in-process"):
        found = _engine(engine)
        for load in loads:
            if not load.image_kb and not load.logprobs:
                told.append(await in_process(load, found))
                show(told[-1])
        found.close()
    if engine == "vllm" and wanted("vllm-server"):
        port = free_port()
        command = [
            sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(ZOO / MODEL),
            "--served-model-name", MODEL, "--port", str(port), "--host", "127.0.0.1",
            "--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "256",
            "--max-num-seqs", "32", "--disable-log-stats", "--distributed-executor-backend", "uni",
        ]  # fmt: skip
        async with started(command, f"http://127.0.0.1:{port}", "/health") as url:
            await all_loads("vLLM server", url, MODEL)
    if engine == "vllm" and wanted("ray-serve-llm"):
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.ray_serve_llm", str(port)]
        async with started(command, f"http://127.0.0.1:{port}", "/v1/models") as url:
            await all_loads("Ray Serve LLM", url, MODEL)
    if wanted("barn-pinned") or wanted("barn-auto"):
        port = free_port()
        command = [
            sys.executable, "-m", "serving.cli", "serve", "--config", str(barn_config(folder, engine)),
            "--port", str(port),
        ]  # fmt: skip
        async with started(command, f"http://127.0.0.1:{port}", "/readyz") as url:
            if wanted("barn-pinned"):
                await all_loads("Barn pinned", url, MODEL)
            if wanted("barn-auto"):
                await all_loads("Barn auto", url, "auto")
    return told


def _engine(engine: str) -> Any:
    if engine == "vllm":
        os.environ.update(VLLM_ENV)
        from serving.engines.vllm import Vllm

        return Vllm(str(ZOO / MODEL), max_images=1, **ONE_PROCESS, **VLLM_ARGS)
    from serving.engines.transformers import Transformers

    return Transformers(str(ZOO / MODEL), threads=2)


def own_work_ms(folder: Path) -> dict[str, float]:
    """What routing and recording took of the requests at one at once, medians.

    Routing is what each request's own event says. Recording is timed here, on those events.
    """
    events = folder / "events"
    store = Store(connect(load_settings(str(folder / "barn.json")).events.url()))
    every = store.latest(20_000)
    store.close()
    rows = every[:400]
    streams = [json.loads(r["detail"])["timing"] for r in every if r["streamed"]]
    own = [timing["replica_s"] for timing in streams if "replica_s" in timing]
    if not rows:
        return {}
    routed = [json.loads(row["detail"])["timing"]["route_s"] for row in rows]
    names = Served.model_fields.keys() - {"image_hashes", "detail", "kind"}
    told = [
        Served.model_validate({n: row[n] for n in names} | {"detail": json.loads(row["detail"])})
        for row in rows
    ]
    spool, times = Spool(events / "timed", "benchmark"), []
    for event in told:
        began = time.perf_counter()
        spool.append(event)
        times.append(time.perf_counter() - began)
    spool.close()
    return {
        "routing, ms (median)": 1e3 * statistics.median(routed),
        "recording, ms (median)": 1e3 * statistics.median(times),
        OWN: 1e3 * statistics.median(own or [math.nan]),
    }


def own_work(told: Sequence[Measured], folder: Path) -> dict[str, float]:
    """Barn's own work, and what it adds to the first token of its engine; empty without Barn."""
    if not (folder / "barn.json").is_file():
        return {}
    found = own_work_ms(folder)
    streamed = [m for m in told if m.way == "Barn auto" and m.streamed]
    if streamed and OWN in found:
        found["first token added to the engine's own for the same requests, ms"] = (
            streamed[-1].first_token_p50_ms - found[OWN]
        )
    return found


def undisturbed() -> bool:
    """Let the client run before everything else, and nothing that it starts.

    Client and servers share the cores here, and engines spin while they wait: a client that has to
    queue for a core sends late, so that no server ever sees the load that it is said to be under.
    """
    try:
        how = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, how, os.sched_param(1))
    except (AttributeError, PermissionError):
        print("note: the client has no right to run first; at 32 at once it will lag behind")
        return False
    return True


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--engine", choices=["vllm", "transformers"],
                        default="vllm" if HAS_VLLM else "transformers")  # fmt: skip
    parser.add_argument("--only", nargs="*", default=[], help="in-process vllm-server ray-serve-llm "
                        "barn-pinned barn-auto")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument(
        "--rounds", type=int, default=1, help="how often all is measured (default 1)"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/overhead.json"))
    args = parser.parse_args()
    loads = [
        *(Load(c, args.seconds) for c in (1, 8, 32)),
        Load(1, args.seconds, stream=True),
        Load(32, args.seconds, image_kb=1_000),
        Load(32, args.seconds, logprobs=True),
    ]
    folder = args.out.parent / "overhead"
    first = undisturbed()
    every: list[list[Measured]] = []
    rounds: list[dict[str, float]] = []
    for number in range(args.rounds):
        if args.rounds > 1:
            print(f"round {number + 1} of {args.rounds}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)  # own work is read from this round's events
        folder.mkdir(parents=True)
        told = asyncio.run(measure(args.only, loads, args.engine, folder))
        every.append(told)
        rounds.append(ratios(told) | own_work(told, folder))
    found = spread(rounds)
    for name, of in found.items():
        least_to_greatest = f" ({of['least']:.2f} to {of['greatest']:.2f})"
        print(f"{name}: {of['median']:.2f}" + (least_to_greatest if len(rounds) > 1 else ""))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False, cwd=ROOT).stdout.strip()  # fmt: skip
    report = {
        "command": " ".join(sys.argv), "commit": commit, "cores": os.cpu_count(),
        "processor": platform.processor(), "python": platform.python_version(),
        "engine": args.engine, "client_runs_first": first,
        "measured": [{"round": k, **asdict(m)} for k, told in enumerate(every) for m in told],
        "ratios": found,
    }  # fmt: skip
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
