"""Settings -> the parts of a front end and of a backbone replica, wired. No Ray in here."""

import importlib.util
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import uuid6
from fastapi import FastAPI

from evaluation.drain import Drainer
from evaluation.events import Served
from evaluation.records import Interaction
from evaluation.spool import Spool
from evaluation.stores.sql import Store, connect
from routing.domain import ModelCard, ModelId, RequestId
from routing.policies.family import ByFamily
from serving.api import Parts, build_api
from serving.engines.base import Description, Engine, Prompt, Sampling
from serving.fetch import Fetcher
from serving.gateway import Gateway, Hosted
from serving.parsing import Parser
from serving.prompts import PromptFormat, Turn
from serving.settings import Backbone, Settings
from serving.telemetry import Metrics


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

    def record(seen: Interaction) -> None:
        spool.append(Served.of(seen))
        metrics.saw(seen)

    gateway = Gateway(
        hosted={
            ModelId(b.id): Hosted(
                _card(b, described[b.id]), engines[b.id], PromptFormat(described[b.id])
            )
            for b in settings.backbones
        },
        policy=ByFamily(),
        record=record,
        uniform=random.Random().random,  # noqa: S311 - routing, not secrets
        clock=time.monotonic,
        now=time.time,
        new_id=lambda: RequestId(str(uuid6.uuid7())),
    )

    async def ready() -> dict[str, bool]:
        return {name: await engine.healthy() for name, engine in engines.items()}

    pool = ThreadPoolExecutor(4, thread_name_prefix="pictures")
    parser = Parser(settings.limits, settings.images, pool, Fetcher(settings.images).fetch)
    limit = settings.limits.max_body_bytes
    parts = Parts(gateway, parser, metrics, ready, time.monotonic, time.time, limit)
    stop = threading.Event()
    thread = threading.Thread(target=_drain, args=(settings, stop), name="drainer", daemon=True)
    thread.start()
    return Built(build_api(parts), gateway, spool, stop, thread)


def _drain(settings: Settings, stop: threading.Event) -> None:
    store = Store(connect(settings.events.url()))
    drainer = Drainer(settings.events.folder / "spool", store)
    drainer.run(stop, settings.events.drain_every_s, on_failure=lambda: None)


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
