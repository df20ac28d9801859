"""Run a backbone with vLLM: continuous batching, prefix cache, tensor parallelism."""

import math
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image
from transformers import AutoConfig, AutoProcessor
from vllm import SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.inputs import TokensPrompt
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.metrics.loggers import PrometheusStatLogger

from serving.engines.base import Description, Picture, Piece, Prompt, Sampling, Spent, Token
from serving.engines.describe import describe
from serving.errors import BackboneDownError, EngineError

# Room for the images of one request is all that a gateway-checked prompt needs.
_DEFAULTS: Mapping[str, Any] = {
    "disable_log_stats": True,
    "seed": 0,
    "scheduling_policy": "priority",
}


class _Steps(PrometheusStatLogger):  # type: ignore[misc]  # vLLM is not installed here
    """Keeps how many requests ran in the last step.

    A logger of ours makes vLLM measure at all, and one of this kind takes the place of its own,
    whose metrics would end up among Barn's (`PROMETHEUS_MULTIPROC_DIR`).
    """

    running = 0

    def __init__(self, vllm_config: Any, engine_indexes: Any = None) -> None:
        pass

    def record(self, scheduler_stats: Any, *_: Any, **__: Any) -> None:
        if scheduler_stats is not None:
            _Steps.running = scheduler_stats.num_running_reqs

    def log_engine_initialized(self) -> None:
        pass

    def log(self) -> None:
        pass


class Vllm:
    """An Engine over `AsyncLLM`."""

    def __init__(
        self,
        model: str,
        *,
        max_images: int,
        tensor_parallel: int = 1,
        threads: int | None = None,
        **arguments: Any,
    ) -> None:
        """Start the engine; `threads` are OpenMP's, on a CPU; the rest goes to vLLM as it is."""
        # vLLM reads both when its engine starts; it overrides "uni" on a CPU unless the first is 0,
        # and then scheduler and worker talk across processes at every step
        if arguments.get("distributed_executor_backend") == "uni":
            os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # noqa: TID251
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = str(threads)  # noqa: TID251
        chosen = {
            **_DEFAULTS,
            "limit_mm_per_prompt": {"image": max_images},
            "tensor_parallel_size": tensor_parallel,
            **arguments,
        }
        self._engine = AsyncLLM.from_engine_args(
            AsyncEngineArgs(model=model, **chosen), stat_loggers=[_Steps]
        )
        processor = AutoProcessor.from_pretrained(model)
        config = AutoConfig.from_pretrained(model)
        self._tokenizer = processor.tokenizer
        described = describe(Path(model), config, processor)
        longest = int(self._engine.vllm_config.model_config.max_model_len)
        self.description: Description = Description(
            **{f: getattr(described, f) for f in Description.__slots__ if f != "context_tokens"},
            context_tokens=longest,
        )
        self._numbers = count()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        shown = TokensPrompt(prompt_token_ids=list(prompt.token_ids))
        if prompt.pictures:
            shown["multi_modal_data"] = {"image": [_image(p) for p in prompt.pictures]}
        outputs = self._engine.generate(
            shown,
            _parameters(prompt.sampling),
            str(next(self._numbers)),
            priority=int(prompt.background),  # the lowest number goes first
        )
        said = False
        try:
            async with aclosing(outputs):
                async for output in outputs:
                    piece = self._piece(output.outputs[0], prompt.sampling, first=not said)
                    yield piece if said else replace(piece, spent=_spent(output.metrics))
                    said = True
        except Exception as error:
            if self._engine.errored:
                raise BackboneDownError(f"vLLM stopped: {type(error).__name__}") from error
            raise EngineError(f"{type(error).__name__}: {error}") from error

    async def healthy(self) -> bool:
        return bool(not self._engine.errored)

    def close(self) -> None:
        """Stop the engine's own processes."""
        self._engine.shutdown()

    def _piece(self, output: Any, sampling: Sampling, *, first: bool) -> Piece:
        steps = output.logprobs or [{}] * len(output.token_ids)
        tokens = tuple(
            self._token(token_id, step, sampling.top_logprobs)
            for token_id, step in zip(output.token_ids, steps, strict=False)
        )
        text = output.text.lstrip() if first else output.text
        reason = output.finish_reason
        if reason not in {None, "stop", "length"}:
            raise RuntimeError(f"vLLM ended the request with {reason!r}")
        return Piece(text, tokens, reason)

    def _token(self, token_id: int, step: Mapping[int, Any], top: int) -> Token:
        chosen = step.get(token_id)
        likely = sorted(step.items(), key=lambda item: item[1].rank or math.inf)[:top]
        return Token(
            token_id,
            self._text(token_id, chosen),
            -math.inf if chosen is None else float(chosen.logprob),
            tuple((self._text(i, found), float(found.logprob)) for i, found in likely),
        )

    def _text(self, token_id: int, found: Any) -> str:
        known = getattr(found, "decoded_token", None)
        return known if known is not None else self._tokenizer.decode([token_id])


def _parameters(sampling: Sampling) -> SamplingParams:
    return SamplingParams(
        max_tokens=sampling.max_new_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        stop=list(sampling.stop),
        seed=sampling.seed,
        logprobs=sampling.top_logprobs,
        output_kind=(
            RequestOutputKind.DELTA if sampling.streamed else RequestOutputKind.FINAL_ONLY
        ),
    )


def _spent(stats: Any) -> Spent | None:
    """Where vLLM says that the time up to the first piece went; its clock starts in the queue."""
    if stats is None or not stats.scheduled_ts:
        return None
    told = stats.last_token_ts or stats.first_token_ts
    queue_s, engine_s = stats.scheduled_ts - stats.queued_ts, max(0.0, told - stats.scheduled_ts)
    return Spent(queue_s, engine_s, max(1, _Steps.running))


def _image(picture: Picture) -> Image.Image:
    return Image.frombytes("RGB", (picture.width_px, picture.height_px), picture.rgb)
