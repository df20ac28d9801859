"""Settings -> the parts of a front end and of a backbone replica, wired. No Ray in here."""

import asyncio
import importlib.util
import random
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import uuid6
from fastapi import FastAPI

from evaluation.drain import Drainer
from evaluation.experiments import Register
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from evaluation.tables import Tables
from routing.domain import ModelCard, ModelId, RequestId, Task
from routing.tasks import shipped
from serving.access import Keyring
from serving.api import Parts, build_api
from serving.budgets import Budgets
from serving.desk import Desk
from serving.engines.base import Description, Engine, Prompt, Sampling
from serving.feeds import ExperimentFeed, TableFeed
from serving.fetch import Fetcher
from serving.gateway import Gateway
from serving.judge import Judge
from serving.key_settings import Key
from serving.keys import Keys
from serving.live import Loads
from serving.node_metrics import metrics_folder, tell_on_a_port
from serving.parsing import Parser
from serving.pictures import PictureStore
from serving.policies import build_policies
from serving.prompts import PromptFormat, Turn
from serving.recording import Recording
from serving.reply import Hosted
from serving.settings import Backbone, Settings
from serving.shadow import ShadowLimits, Shadows
from serving.telemetry import Metrics

READY_WITHIN_S = 2.0
TELL_LAG_EVERY_S = 0.5


class LoadedEngine(Engine, Protocol):
    """An engine in this process: it can also say what a front end must know."""

    description: Description


@dataclass(frozen=True, slots=True)
class Built:
    """A front end, and what must be closed behind it."""

    api: FastAPI
    gateway: Gateway
    metrics: Metrics
    shadows: Shadows
    spool: Spool
    stop: threading.Event
    drainer: threading.Thread

    async def close(self) -> None:
        """End the copies, drain what is left and let go of the spool."""
        await self.shadows.close()
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
    metrics = Metrics(metrics_folder())
    spool = Spool(settings.events.folder / "spool", writer, fsync=settings.events.fsync)
    recording = Recording(spool, metrics)
    store = Store(connect(settings.events.url()))
    register, tables = Register(store), quality_tables(settings, store)
    table = TableFeed(tables)
    running = ExperimentFeed(register)
    running.refresh()
    each = {ModelId(b.id): b.max_ongoing_requests for b in settings.backbones}
    loads = Loads(each, time.monotonic)

    desk = Desk(
        policies=build_policies(settings),
        default=settings.routing.default,
        model=shipped(),
        table=table.latest,
        load=loads.now,
        splits=running.splits,
        quality=settings.routing.quality,
        sticky=settings.routing.sticky,
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
        record=recording.interaction,
        uniform=random.Random().random,  # noqa: S311 - routing, not secrets
        clock=time.monotonic,
        now=time.time,
        new_id=lambda: RequestId(str(uuid6.uuid7())),
    )
    limits = ShadowLimits(**settings.shadow.model_dump())
    budgets = Budgets((), settings.service.front_replicas, time.time)
    keyring, kept = Keyring(()), picture_store(settings)

    def keep(known: Sequence[Key]) -> None:
        keyring.keep(known)
        budgets.keep(known)

    keys = Keys(store, settings.access.keys, keep)
    shadows = Shadows(gateway, limits, running, recording, time.monotonic)
    parts = Parts(
        gateway=gateway,
        parser=_parser(settings, described, kept),
        metrics=metrics,
        ready=_readiness(engines, loads.absent),
        clock=time.monotonic,
        now=time.time,
        limits=settings.limits,
        most_at_once=settings.service.front_ongoing_requests,
        keyring=keyring,
        budgets=budgets,
        shadows=shadows,
        judge=Judge(
            store, register, tables, recording.word, keyring, time.time,
            tuple(b.id for b in settings.backbones), running.refresh, keys,
            (*desk.names(), *(b.id for b in settings.backbones)),
            budgets.admit,
        ),
        pictures=kept,
    )  # fmt: skip
    stop = threading.Event()
    thread = threading.Thread(
        target=_drain,
        args=(settings, store, (table, running, keys), metrics, stop),
        name="drainer",
        daemon=True,
    )
    thread.start()
    tell_on_a_port(settings, metrics, stop)
    return Built(build_api(parts), gateway, metrics, shadows, spool, stop, thread)


def _parser(
    settings: Settings, described: Mapping[str, Description], kept: PictureStore | None
) -> Parser:
    pool = ThreadPoolExecutor(4, thread_name_prefix="pictures")
    return Parser(
        settings.limits,
        settings.images,
        pool,
        Fetcher(settings.images).fetch,
        fits=tuple({d.fit for d in described.values()}),
        most_pictures=max(b.max_images for b in settings.backbones),
        keep=kept.keep if kept else None,
    )


def picture_store(settings: Settings) -> PictureStore | None:
    """Where pictures are kept; None where they are not."""
    return PictureStore(settings.events.folder / "pictures") if settings.events.pictures else None


def _readiness(
    engines: Mapping[str, Engine], absent: Callable[[ModelId], bool]
) -> Callable[[], Awaitable[dict[str, bool]]]:
    async def one(name: str, engine: Engine) -> bool:
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                return await engine.healthy()
        except TimeoutError:  # every place is taken: it is busy, so it lives; or there is none
            return not absent(ModelId(name))

    async def ready() -> dict[str, bool]:
        told = await asyncio.gather(*(one(name, engine) for name, engine in engines.items()))
        return dict(zip(engines, told, strict=True))

    return ready


def _drain(
    settings: Settings,
    store: Store,
    feeds: tuple[TableFeed, ExperimentFeed, Keys],
    metrics: Metrics,
    stop: threading.Event,
) -> None:
    folder = settings.events.folder / "spool"

    def after() -> None:
        for feed in feeds:
            feed.refresh()

    def tell() -> None:  # also while the store holds the drainer up
        while not stop.wait(TELL_LAG_EVERY_S):
            metrics.gauge("barn_spool_bytes", drainer.waiting_bytes())
            metrics.gauge("barn_drain_lag_seconds", drainer.lag_s())

    metrics.count("barn_drain_failures", by=0)  # a rate needs a sample from before the first one
    for task in Task:
        metrics.count("barn_escalations", task.value, by=0)
    drainer = Drainer(folder, store)
    threading.Thread(target=tell, name="drain-lag", daemon=True).start()
    drainer.run(
        stop,
        settings.events.drain_every_s,
        on_failure=lambda: metrics.count("barn_drain_failures"),
        on_round=after,
    )
    store.close()


def quality_tables(settings: Settings, store: Store) -> Tables:
    """The store's quality tables; they start from the configured file, or the zoo's."""
    zoo = Path(str(files("serving") / "zoo" / "table.json"))
    return Tables(store, settings.routing.table or zoo)


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
    """Load a backbone's model with the engine that its settings choose.

    vLLM takes most of the memory of a GPU that it sees: it is chosen where one is set aside for it.
    """
    name = backbone.engine
    if name == "auto":
        reserved = backbone.num_gpus > 0 or backbone.tensor_parallel > 1
        name = "vllm" if reserved and _can_vllm() else "transformers"
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
