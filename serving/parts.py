"""Settings -> the parts of a front end and of a backbone replica, wired. No Ray in here."""

import importlib.util
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import uuid6
from fastapi import FastAPI

from evaluation.drain import Drainer
from evaluation.evaluator import Evaluator, Schedule, TableFiles
from evaluation.events import Probe, Served, Shadowed
from evaluation.experiments import ExperimentError, Register
from evaluation.records import Interaction
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from routing.domain import ModelCard, ModelId, RequestId
from routing.tasks import shipped
from serving.access import Keyring
from serving.api import Parts, build_api
from serving.desk import Desk
from serving.engines.base import Description, Engine, Prompt, Sampling
from serving.feeds import ExperimentFeed, TableFeed
from serving.fetch import Fetcher
from serving.gateway import Gateway
from serving.judge import Judge
from serving.live import Loads
from serving.parsing import Parser
from serving.policies import build_policies
from serving.probes import Prober, probe_items
from serving.prompts import PromptFormat, Turn
from serving.reply import Hosted, Told
from serving.settings import Backbone, Settings
from serving.shadow import ShadowLimits, Shadows
from serving.telemetry import Metrics

FIRST_TRY = "cascade"
"""The name under which a cascade's first answers are kept."""


class LoadedEngine(Engine, Protocol):
    """An engine in this process: it can also say what a front end must know."""

    description: Description


@dataclass(frozen=True, slots=True)
class Built:
    """A front end, and what must be closed behind it."""

    api: FastAPI
    gateway: Gateway
    spool: Spool
    stop: threading.Event
    drainer: threading.Thread

    def close(self) -> None:
        """Drain what is left and let go of the spool."""
        self.spool.close()
        self.stop.set()
        self.drainer.join(timeout=10)


def assemble(
    settings: Settings,
    engines: Mapping[str, Engine],
    described: Mapping[str, Description],
    writer: str,
) -> Built:
    """Wire a front end over engines that are up; starts the thread that drains its spool."""
    metrics = Metrics()
    spool = Spool(settings.events.folder / "spool", writer, fsync=settings.events.fsync)
    store = Store(connect(settings.events.url()))
    register, files = Register(store), table_files(settings)
    table = TableFeed(files, time.monotonic)
    running = ExperimentFeed(register)
    running.refresh()
    loads = Loads({ModelId(b.id): _capacity(b) for b in settings.backbones}, time.monotonic)

    def record(told: Told) -> None:
        if told.primary_id is not None:
            more = {"primary_id": told.primary_id, "experiment": FIRST_TRY}
            spool.append(Shadowed.of(told.seen, **more))
            return
        if told.probe_set is not None:
            spool.append(Probe.of(told.seen, probe_set=told.probe_set[:64]))
            return
        spool.append(Served.of(told.seen, experiment=told.experiment))
        metrics.saw(told.seen)

    def record_copy(seen: Interaction, primary: RequestId, experiment: str) -> None:
        spool.append(Shadowed.of(seen, primary_id=primary, experiment=experiment))
        metrics.copied(experiment, seen.outcome)

    desk = Desk(
        policies=build_policies(settings),
        default=settings.routing.default,
        model=shipped(),
        table=table.latest,
        load=loads.now,
        splits=running.splits,
        quality=settings.routing.quality,
    )
    gateway = Gateway(
        hosted={
            ModelId(b.id): Hosted(
                _card(b, described[b.id]), engines[b.id], PromptFormat(described[b.id])
            )
            for b in settings.backbones
        },
        desk=desk,
        loads=loads,
        record=record,
        uniform=random.Random().random,  # noqa: S311 - routing, not secrets
        clock=time.monotonic,
        now=time.time,
        new_id=lambda: RequestId(str(uuid6.uuid7())),
    )
    limits = ShadowLimits(**settings.shadow.model_dump())
    keyring = Keyring(settings.access.keys)
    parts = Parts(
        gateway=gateway,
        parser=_parser(settings),
        metrics=metrics,
        ready=_readiness(engines),
        clock=time.monotonic,
        now=time.time,
        max_body_bytes=settings.limits.max_body_bytes,
        keyring=keyring,
        shadows=Shadows(gateway, limits, running.running, record_copy, time.monotonic),
        judge=Judge(
            store, register, files, spool.append, keyring, time.time,
            tuple(b.id for b in settings.backbones), running.refresh,
        ),
    )  # fmt: skip
    stop = threading.Event()
    thread = threading.Thread(
        target=_drain, args=(settings, store, running, stop), name="drainer", daemon=True
    )
    thread.start()
    return Built(build_api(parts), gateway, spool, stop, thread)


def _parser(settings: Settings) -> Parser:
    pool = ThreadPoolExecutor(4, thread_name_prefix="pictures")
    return Parser(settings.limits, settings.images, pool, Fetcher(settings.images).fetch)


def _readiness(engines: Mapping[str, Engine]) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def ready() -> dict[str, bool]:
        return {name: await engine.healthy() for name, engine in engines.items()}

    return ready


def _capacity(backbone: Backbone) -> int:
    return backbone.max_ongoing_requests * backbone.replicas.max_replicas


def _drain(
    settings: Settings, store: Store, running: ExperimentFeed, stop: threading.Event
) -> None:
    drainer = Drainer(settings.events.folder / "spool", store)
    drainer.run(
        stop,
        settings.events.drain_every_s,
        on_failure=lambda: None,
        on_round=running.refresh,
    )
    store.close()


def table_files(settings: Settings) -> TableFiles:
    """Where the quality table is: what the configuration names, else what ships with the zoo."""
    zoo = Path(str(files("serving") / "zoo" / "table.json"))
    return TableFiles(settings.events.folder, settings.routing.table or zoo)


def build_evaluator(settings: Settings) -> Evaluator:
    """The evaluator of a configuration's store."""
    schedule = Schedule(**settings.evaluation.model_dump())
    store = Store(connect(settings.events.url()))
    return Evaluator(store, table_files(settings), schedule, time.time)


def build_prober(settings: Settings) -> Prober | None:
    """The prober of a configuration; None where probes are off."""
    if settings.probes.every_s <= 0:
        return None
    service = settings.service
    url = f"http://{service.host}:{service.port}"
    items = probe_items(settings.probes)
    return Prober(url, [b.id for b in settings.backbones], settings.probes, items)


def start_experiments(settings: Settings) -> None:
    """Start the experiments that the configuration names, unless they are there already."""
    if not settings.experiments:
        return
    store = Store(connect(settings.events.url()))
    register = Register(store)
    for spec in settings.experiments:
        with suppress(ExperimentError):
            register.create(spec, time.time())
    store.close()


def _card(backbone: Backbone, described: Description) -> ModelCard:
    context = min(backbone.context_tokens or described.context_tokens, described.context_tokens)
    return ModelCard(
        id=ModelId(backbone.id),
        generation=backbone.generation,
        context_tokens=context,
        max_images=backbone.max_images,
        price_in=backbone.price_in,
        price_out=backbone.price_out,
    )


def load_engine(backbone: Backbone) -> LoadedEngine:
    """Load a backbone's model with the engine that its settings choose."""
    name = backbone.engine
    if name == "auto":
        name = "vllm" if _can_vllm() else "transformers"
    if name == "vllm":
        from serving.engines.vllm import Vllm

        return Vllm(
            backbone.path(),
            max_images=backbone.max_images,
            tensor_parallel=backbone.tensor_parallel,
            **backbone.engine_args,
        )
    from serving.engines.transformers import Transformers

    return Transformers(backbone.path(), **backbone.engine_args)


def _can_vllm() -> bool:
    if importlib.util.find_spec("vllm") is None:
        return False
    import torch

    return torch.cuda.is_available()


async def warm_up(engine: LoadedEngine) -> None:
    """Answer one question about nothing, so that the first client does not pay for it."""
    ids = PromptFormat(engine.description).token_ids((Turn("user", "hello"),))
    async for _ in engine.stream(Prompt(ids, (), Sampling(max_new_tokens=2))):
        pass
