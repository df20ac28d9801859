"""Run a backbone with transformers on a machine without vLLM.

One worker thread owns the model. Waiting requests are prefilled together (left-padded) and become
a group; every turn of the loop advances each group by one token, so a newcomer waits for one step
and not for the end of somebody else's answer.
"""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from transformers import AutoProcessor, DynamicCache, LlavaForConditionalGeneration

from serving.engines.base import Description, Picture, Piece, Prompt, Spent, Token
from serving.engines.describe import describe
from serving.engines.sampling import choose
from serving.engines.stops import TextStream, ends
from serving.errors import EngineError, OverloadedError

Said: TypeAlias = Piece | Exception


@dataclass(eq=False, slots=True)
class _Request:
    prompt: Prompt
    tell: Callable[[Said], None]
    text: TextStream
    generator: torch.Generator | None
    asked_s: float
    taken_s: float = 0.0
    batch: int = 0
    made: int = 0
    pieces: list[Piece] = field(default_factory=list)
    cancelled: bool = False
    done: bool = False


_Waiting: TypeAlias = tuple[bool, int, _Request | None]
"""Whether it is asked in the background, its number, and what is asked; None ends the worker."""


@dataclass(eq=False, slots=True)
class _Group:
    requests: list[_Request]
    cache: DynamicCache
    mask: torch.Tensor  # (batch, length so far)
    next_ids: torch.Tensor  # (batch,)


class Transformers:
    """An Engine over `LlavaForConditionalGeneration`."""

    def __init__(
        self,
        model: str,
        *,
        threads: int = 1,
        max_batch: int = 32,
        max_waiting: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self._device.type == "cuda" else torch.float32
        self._model = LlavaForConditionalGeneration.from_pretrained(model, dtype=dtype)
        self._model = self._model.to(self._device).eval()
        self._processor: Any = AutoProcessor.from_pretrained(model, use_fast=False)
        self._tokenizer = self._processor.tokenizer
        self._ends = ends(self._tokenizer.eos_token_id, self._model.generation_config.eos_token_id)
        self.description: Description = describe(Path(model), self._model.config, self._processor)
        self._image_id = self._model.config.image_token_index
        self._max_batch = max_batch
        self._waiting: queue.PriorityQueue[_Waiting] = queue.PriorityQueue(maxsize=max_waiting)
        self._numbers = count()
        self._worker = threading.Thread(target=self._run, name="transformers-engine", daemon=True)
        self._worker.start()

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Piece]:
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Said] = asyncio.Queue()

        def tell(said: Said) -> None:
            with suppress(RuntimeError):  # the loop has gone: nobody listens any more
                loop.call_soon_threadsafe(inbox.put_nowait, said)

        request = _Request(
            prompt, tell, self._text_stream(prompt), self._generator(prompt), self._clock()
        )
        try:
            self._waiting.put_nowait((prompt.background, next(self._numbers), request))
        except queue.Full:
            raise OverloadedError(f"{self._waiting.maxsize} requests are waiting") from None
        try:
            while True:
                said = await inbox.get()
                if isinstance(said, Exception):
                    raise EngineError(f"{type(said).__name__}: {said}") from said
                yield said
                if said.finish_reason is not None:
                    return
        finally:
            request.cancelled = True

    async def healthy(self) -> bool:
        return self._worker.is_alive()

    def close(self) -> None:
        """Stop the worker after the group steps under way."""
        self._waiting.put((False, -1, None))
        self._worker.join(timeout=30)

    # -- the worker thread ------------------------------------------------------------------

    def _run(self) -> None:
        groups: list[_Group] = []
        while True:
            new = self._take(block=not groups)
            if new is None:
                return
            if new:
                groups += self._guarded(new, self._prefill, new)
            groups = [g for old in groups for g in self._guarded(old.requests, self._step, old)]
            groups = [g for g in groups if g.requests]

    @staticmethod
    def _guarded(
        requests: Sequence[_Request], work: Callable[[Any], _Group], given: Any
    ) -> list[_Group]:
        """Do one group's work; what it raises is told to its own requests and to nobody else."""
        try:
            return [work(given)]
        except Exception as error:  # noqa: BLE001 - told to every request concerned
            for request in requests:
                request.tell(error)
            return []

    def _take(self, *, block: bool) -> list[_Request] | None:
        """Take what is waiting, up to a batch; None means stop."""
        taken: list[_Request] = []
        with suppress(queue.Empty):
            while len(taken) < self._max_batch:
                *_, request = self._waiting.get(block=block and not taken)
                if request is None:
                    return None
                if not request.cancelled:
                    taken.append(request)
        for request in taken:
            request.taken_s, request.batch = self._clock(), len(taken)
        return taken

    @torch.inference_mode()
    def _prefill(self, requests: list[_Request]) -> _Group:
        rows = [self._expanded(r.prompt) for r in requests]
        length = max(map(len, rows))
        ids = torch.full((len(rows), length), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros((len(rows), length), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, length - len(row) :] = torch.tensor(row)
            mask[i, length - len(row) :] = 1
        pictures = [picture for r in requests for picture in r.prompt.pictures]
        seen = {"pixel_values": self._pixels(pictures)} if pictures else {}
        cache = DynamicCache(config=self._model.config.text_config)
        logits = self._forward(ids, mask, (mask.cumsum(-1) - 1).clamp(min=0), cache, **seen)
        return self._settle(_Group(requests, cache, mask, ids[:, -1]), logits)

    @torch.inference_mode()
    def _step(self, group: _Group) -> _Group:
        if not group.requests:
            return group
        mask = torch.cat([group.mask, torch.ones_like(group.mask[:, :1])], dim=1)
        positions = mask.sum(-1, keepdim=True) - 1
        logits = self._forward(group.next_ids[:, None], mask, positions, group.cache)
        return self._settle(_Group(group.requests, group.cache, mask, group.next_ids), logits)

    def _forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
        cache: DynamicCache,
        **seen: torch.Tensor,
    ) -> torch.Tensor:
        out = self._model(
            input_ids=ids.to(self._device),
            attention_mask=mask.to(self._device),
            position_ids=positions.to(self._device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **seen,
        )
        logits: torch.Tensor = out.logits[:, -1].float().cpu()
        return logits

    def _settle(self, group: _Group, logits: torch.Tensor) -> _Group:
        """Choose every row's next token, tell it, and drop the rows that are done."""
        logprobs = logits.log_softmax(-1)
        ids = choose(logits, [(r.prompt.sampling, r.generator) for r in group.requests])
        for row, request in enumerate(group.requests):
            self._tell(request, int(ids[row]), logprobs[row])
        kept = [i for i, r in enumerate(group.requests) if not (r.done or r.cancelled)]
        if len(kept) == len(group.requests):
            return _Group(group.requests, group.cache, group.mask, ids)
        rows = torch.tensor(kept, dtype=torch.long)
        if kept:
            group.cache.batch_select_indices(rows.to(self._device))
        requests = [group.requests[i] for i in kept]
        return _Group(requests, group.cache, group.mask[rows], ids[rows])

    def _tell(self, request: _Request, token_id: int, logprobs: torch.Tensor) -> None:
        sampling = request.prompt.sampling
        request.made += 1
        ended = token_id in self._ends
        text = "" if ended else request.text.add(token_id)
        reason = None
        if ended or request.text.stopped:
            reason = "stop"
        elif request.made >= sampling.max_new_tokens:
            reason = "length"
        request.done = reason is not None
        if request.done:
            text += request.text.rest()
        token = self._token(token_id, logprobs, sampling.top_logprobs)
        request.pieces.append(Piece(text, (token,), reason))
        if sampling.streamed or request.done:
            request.tell(_joined(request.pieces, self._spent(request)))
            request.pieces = []

    def _spent(self, request: _Request) -> Spent | None:
        if not request.batch:
            return None  # told already
        queue_s, engine_s = request.taken_s - request.asked_s, self._clock() - request.taken_s
        spent = Spent(queue_s, engine_s, request.batch)
        request.batch = 0
        return spent

    def _token(self, token_id: int, logprobs: torch.Tensor, top: int) -> Token:
        best = logprobs.topk(top) if top else None
        others = (
            [] if best is None else zip(best.indices.tolist(), best.values.tolist(), strict=True)
        )
        return Token(
            token_id,
            self._tokenizer.decode([token_id]),
            float(logprobs[token_id]),
            tuple((self._tokenizer.decode([i]), value) for i, value in others),
        )

    # -- preparing --------------------------------------------------------------------------

    def _expanded(self, prompt: Prompt) -> list[int]:
        """Repeat each image token once per patch, as LlavaProcessor does."""
        patches = self.description.image_tokens
        return [
            i
            for token in prompt.token_ids
            for i in ([token] * patches if token == self._image_id else [token])
        ]

    def _pixels(self, pictures: list[Picture]) -> torch.Tensor:
        images = [Image.frombytes("RGB", (p.width_px, p.height_px), p.rgb) for p in pictures]
        values = self._processor.image_processor(images, return_tensors="np")["pixel_values"]
        tensor = torch.from_numpy(np.asarray(values, dtype=np.float32))
        return tensor.to(self._device, self._model.dtype)

    def _text_stream(self, prompt: Prompt) -> TextStream:
        return TextStream(
            lambda ids: self._tokenizer.decode(ids, skip_special_tokens=True), prompt.sampling.stop
        )

    def _generator(self, prompt: Prompt) -> torch.Generator | None:
        seed = prompt.sampling.seed
        return None if seed is None else torch.Generator().manual_seed(seed)


def _joined(pieces: list[Piece], spent: Spent | None) -> Piece:
    return Piece(
        "".join(p.text for p in pieces),
        tuple(t for p in pieces for t in p.tokens),
        pieces[-1].finish_reason,
        spent,
    )
