"""The Ray Serve deployments: one per backbone, and the front end before them."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.config import BackpressureConfig
from ray.serve.handle import DeploymentHandle

from routing.domain import ModelId
from serving.autoscaling import LINES, by_requests
from serving.beside import build_evaluator, build_judging, build_prober
from serving.described import described_by, kept_at
from serving.engines.base import Description, Piece, Prompt
from serving.engines.listener import Listener
from serving.engines.remote import Remote, Report, Room
from serving.node_metrics import metrics_folder, shared_metrics, tell_on_a_port
from serving.parts import assemble, load_engine, warm_up
from serving.processes import keep_for_good, step_back
from serving.settings import Backbone, Settings, check_reach
from serving.telemetry import Metrics

LOAD_EVERY_S = 0.5
GONE_AFTER = 6
"""Looks in a row that found no replica; one or two do while replicas are replaced."""
SLACK = 256
"""Requests beyond those that are let in: they are read and refused, and more wait to be."""


class BackboneReplica:
    """Runs one model; answers only when it has answered itself once."""

    async def __init__(self, backbone: Backbone) -> None:  # type: ignore[misc]  # Ray awaits it
        logging.getLogger("transformers").setLevel(logging.ERROR)
        self._engine = load_engine(backbone)
        self._through_ray = 0
        await warm_up(self._engine)
        keep_for_good()
        self._listener = Listener(self._engine)
        self._address = await self._listener.start(_own_address())

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        """Yield the answer piece by piece, to a front end that has no line to this replica."""
        self._through_ray += 1
        try:
            async with aclosing(self._engine.stream(prompt)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            self._through_ray -= 1

    async def report(self) -> Report:
        """Tell a front end where this replica listens and how busy it is."""
        return Report(self._through_ray + self._listener.ongoing, self._address)

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Tell Ray Serve of the requests that it does not see."""
        return {LINES: float(self._listener.ongoing)}

    async def healthy(self) -> bool:
        """Tell whether the engine can answer."""
        return await self._engine.healthy()

    async def describe(self) -> Description:
        """Tell a front end what it must know to prepare prompts."""
        return self._engine.description

    async def check_health(self) -> None:
        """Let Ray Serve replace a replica whose engine has died."""
        if not await self._engine.healthy():
            raise RuntimeError("the engine has stopped")

    async def __del__(self) -> None:
        if hasattr(self, "_listener"):  # else it never started
            await self._listener.close()


def _listens_on() -> str:
    """The address that Serve listens on: of a Serve that ran before, whatever we asked for."""
    client: Any = serve.context._get_global_client()  # there is no other way to ask
    return str(client.http_config.host)


def _own_address() -> str:
    """The address by which this cluster's other nodes reach this one."""
    return str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]  # Ray does not


class EvaluatorReplica:
    """Grades, guards experiments and publishes tables, beside the service and never in its way."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics(metrics_folder())
        self._evaluator = build_evaluator(settings, metrics)
        self._stop = threading.Event()
        tell_on_a_port(settings, metrics, self._stop)  # its node may have no front end
        self._thread = threading.Thread(target=self._run, name="evaluator", daemon=True)
        self._thread.start()
        for helper in (build_prober(settings), build_judging(settings, metrics)):
            if helper is not None:
                threading.Thread(
                    target=helper.run, args=(self._stop,), name=type(helper).__name__, daemon=True
                ).start()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            try:
                self._evaluator.tick()
            except Exception:
                logging.getLogger(__name__).exception("the evaluator's round failed; it goes on")

    async def check_health(self) -> None:
        """Let Ray Serve replace an evaluator whose thread has died."""
        if not self._thread.is_alive():
            raise RuntimeError("the evaluator has stopped")

    def __del__(self) -> None:
        self._stop.set()


@serve.ingress()
class Front:
    """Parses, routes, streams and records. Stateless but for its spool, so it can be replicated."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self,
        settings: Settings,
        handles: Mapping[str, DeploymentHandle[Any]],
        evaluator: DeploymentHandle[Any],
    ) -> None:
        self._evaluator = evaluator  # bound, so that it is deployed and lives as long
        check_reach(await asyncio.to_thread(_listens_on), settings)
        rooms = {
            b.id: Room(b.max_ongoing_requests, b.max_queued_requests) for b in settings.backbones
        }
        engines = {name: Remote(name, handle, rooms[name]) for name, handle in handles.items()}
        known = settings.events.folder / "described"
        kept = {b.id: kept_at(known, b.id, b.path()) for b in settings.backbones}
        told = [described_by(engine, kept[name]) for name, engine in engines.items()]
        described = dict(zip(engines, await asyncio.gather(*told), strict=True))
        writer = serve.get_replica_context().replica_id.unique_id
        self._built = assemble(settings, engines, described, writer)
        # those that may be scaled to nothing wake up when they are asked
        self._sleepers = {b.id for b in settings.backbones if b.replicas.min_replicas == 0}
        keep_for_good()
        if all(b.engine == "vllm" for b in settings.backbones):
            step_back()
        loop = asyncio.get_running_loop()
        self._watches = [
            loop.create_task(self._watch_load(ModelId(name), engine))
            for name, engine in engines.items()
        ]

    async def _watch_load(self, model: ModelId, engine: Remote) -> None:
        """Ask the replicas how busy they are, again and again.

        Those too busy to answer are as busy as they last were; what is down counts for nothing.
        """
        loads, metrics = self._built.gateway.loads, self._built.metrics
        missed = 0
        while True:
            up = True
            try:
                async with asyncio.timeout(LOAD_EVERY_S):
                    loads.reported(model, *await engine.ongoing())
                missed = 0
            except TimeoutError:
                pass
            except Exception as error:  # noqa: BLE001 - whatever it is, the next report may come
                logging.getLogger(__name__).debug("%s does not report: %s", model, error)
                missed, up = missed + 1, False
                if model in self._sleepers or missed < GONE_AFTER:
                    loads.reported(model, 0, 0)
                else:
                    loads.gone(model)
            # one that may be scaled to nothing sleeps: it is not down
            metrics.gauge("barn_backbone_up", up or model in self._sleepers, model)
            metrics.gauge("barn_ongoing_requests", loads.ours(model), model)
            metrics.gauge("barn_replica_requests", loads.taken(model), model)
            await asyncio.sleep(LOAD_EVERY_S)

    def __serve_build_asgi_app__(self) -> FastAPI:
        return self._built.api

    async def __del__(self) -> None:
        for watch in self._watches:
            watch.cancel()
        await self._built.close()


def application(settings: Settings) -> serve.Application:
    """Bind every deployment of a configuration."""
    told = shared_metrics(settings)
    runs: dict[str, Any] = {"runtime_env": {"env_vars": told}} if told else {}
    handles = {b.id: _deployed(b, runs, settings.limits.deadline_s) for b in settings.backbones}
    service = settings.service
    front: Any = serve.deployment(
        Front,
        name="front",
        num_replicas=service.front_replicas,
        # more than are let in, so that the others are refused as OpenAI's clients expect it
        max_ongoing_requests=service.front_ongoing_requests + SLACK,
        max_queued_requests=SLACK,
        backpressure_config=BackpressureConfig(status_code=429, retry_after_s=1),
        ray_actor_options={"num_cpus": 0.1, **runs},
        graceful_shutdown_timeout_s=settings.limits.deadline_s,
    )
    judge: Any = serve.deployment(
        EvaluatorReplica, name="evaluator", ray_actor_options={"num_cpus": 0.1, **runs}
    )
    bound: serve.Application = front.bind(settings, handles, judge.bind(settings))
    return bound


def _deployed(backbone: Backbone, runs: Mapping[str, Any], deadline_s: float) -> serve.Application:
    scale = backbone.replicas
    how: dict[str, Any] = {"num_replicas": scale.min_replicas}
    if scale.max_replicas > scale.min_replicas:
        policy = {"policy_function": f"{by_requests.__module__}:{by_requests.__name__}"}
        how = {"autoscaling_config": {**scale.model_dump(), "policy": policy}}
    if backbone.tensor_parallel > 1:
        share = {"CPU": backbone.num_cpus, "GPU": 1}
        how["placement_group_bundles"] = [share] * backbone.tensor_parallel
        how["placement_group_strategy"] = "PACK"
        actor: dict[str, Any] = {"num_cpus": backbone.num_cpus}
    else:
        actor = {"num_cpus": backbone.num_cpus, "num_gpus": backbone.num_gpus}
    replica: Any = serve.deployment(
        BackboneReplica,
        name=backbone.id,
        max_ongoing_requests=backbone.max_ongoing_requests,
        max_queued_requests=backbone.max_queued_requests,
        ray_actor_options={**actor, **runs},
        health_check_period_s=2,
        graceful_shutdown_timeout_s=deadline_s,
        **how,
    )
    bound: serve.Application = replica.bind(backbone)
    return bound
