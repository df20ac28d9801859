"""Small makers with defaults, so a test names only what it is about."""

import base64
import io
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from fastapi import FastAPI
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from evaluation.records import Interaction
from routing.domain import ModelCard, ModelId, RequestId
from routing.policies.family import ByFamily
from serving.api import Parts, build_api
from serving.engines.base import Description, Engine
from serving.engines.scripted import Scripted
from serving.fetch import Fetcher
from serving.gateway import Gateway, Hosted
from serving.parsing import Parser
from serving.prompts import PromptFormat
from serving.settings import ImageLimits, Limits
from serving.telemetry import Metrics

OLD, NEW = ModelId("old"), ModelId("new")
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'].upper() }}: "
    "{% for p in m['content'] %}{% if p['type'] == 'image' %}<image> {% else %}{{ p['text'] }}"
    "{% endif %}{% endfor %} {% endfor %}ASSISTANT:"
)


def card(
    name: ModelId = OLD,
    *,
    generation: str = "llama-1",
    context_tokens: int = 256,
    max_images: int = 1,
    price: float = 1.0,
) -> ModelCard:
    return ModelCard(name, generation, context_tokens, max_images, price, price)


CARDS = (card(OLD), card(NEW, generation="llama-3", price=2.0))


@lru_cache
def description() -> Description:
    """A word-level tokenizer that needs no training: every character is a token."""
    alphabet = {chr(i): i - 32 for i in range(32, 127)}
    specials = ("<image>", "<s>", "</s>")
    core = Tokenizer(models.WordLevel({**alphabet, "<unk>": 95}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    core.add_special_tokens(list(specials))
    return Description(
        tokenizer_json=core.to_str(),
        chat_template=TEMPLATE,
        special_tokens={"bos_token": "<s>", "eos_token": "</s>"},
        image_token="<image>",
        image_tokens=16,
        image_side_px=32,
        context_tokens=256,
    )


class FakeClock:
    """Each reading is one hundredth of a second after the last."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 0.01
        return self.now_s


def gateway(
    *,
    engines: dict[ModelId, Engine] | None = None,
    cards: tuple[ModelCard, ...] = CARDS,
    record: Callable[[Interaction], None] = lambda _: None,
) -> Gateway:
    numbers = itertools.count(1)
    shown = PromptFormat(description())
    hosted = {c.id: Hosted(c, (engines or {}).get(c.id, Scripted()), shown) for c in cards}
    return Gateway(
        hosted=hosted,
        policy=ByFamily(),
        record=record,
        uniform=lambda: 0.5,
        clock=FakeClock(),
        now=lambda: 1_000.0,
        new_id=lambda: RequestId(f"r{next(numbers)}"),
    )


def api(
    service: Gateway, *, limits: Limits | None = None, images: ImageLimits | None = None
) -> FastAPI:
    limits, images = limits or Limits(max_new_tokens=32), images or ImageLimits()
    parser = Parser(limits, images, ThreadPoolExecutor(1), Fetcher(images).fetch)

    async def ready() -> dict[str, bool]:
        return {name: await h.engine.healthy() for name, h in service.hosted.items()}

    clock = FakeClock()
    return build_api(
        Parts(service, parser, Metrics(), ready, clock, lambda: 1_000.0, limits.max_body_bytes)
    )


def data_url(image: Image.Image | None = None, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    (image or Image.new("RGB", (8, 8), "red")).save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def ask(text: str = "what shape is this?", *urls: str) -> list[dict[str, object]]:
    """The messages of one question about pictures."""
    shown: list[dict[str, object]] = [{"type": "image_url", "image_url": {"url": u}} for u in urls]
    return [{"role": "user", "content": [*shown, {"type": "text", "text": text}]}]
