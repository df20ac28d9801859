"""Small makers with defaults, so a test names only what it is about."""

import base64
import io
import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from fastapi import FastAPI
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers

from evaluation.experiments import Spec
from routing.domain import ModelCard, ModelId, RequestId
from routing.policies.family import ByFamily
from routing.policy import Policy
from routing.quality import QualityTable
from routing.tasks import shipped
from serving.access import Keyring
from serving.api import Parts, build_api
from serving.budgets import Budgets
from serving.desk import Desk
from serving.engines.base import Description, Engine
from serving.engines.scripted import Scripted
from serving.fetch import Fetcher
from serving.gateway import Gateway
from serving.judge import Judge
from serving.key_settings import Key
from serving.live import Loads
from serving.parsing import Parser
from serving.prompts import PromptFormat
from serving.reply import Hosted, Recorder
from serving.settings import ImageLimits, Limits
from serving.shadow import Shadows
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


def gateway(  # noqa: PLR0913 - a builder
    *,
    engines: dict[ModelId, Engine] | None = None,
    cards: tuple[ModelCard, ...] = CARDS,
    record: Recorder = lambda told: None,  # noqa: ARG005 - nobody listens
    policies: dict[str, Policy] | None = None,
    table: QualityTable | None = None,
    splits: Callable[[], Sequence[Spec]] = tuple,
    sticky: bool = False,
) -> Gateway:
    numbers = itertools.count(1)
    shown = PromptFormat(description())
    hosted = {c.id: Hosted(c, (engines or {}).get(c.id, Scripted()), shown) for c in cards}
    clock = FakeClock()
    loads = Loads({c.id: 64 for c in cards}, clock)
    known = policies or {"family": ByFamily()}
    shown_table = table or QualityTable()
    return Gateway(
        hosted=hosted,
        desk=Desk(
            policies=known,
            default=next(iter(known)),
            model=shipped(),
            table=lambda: shown_table,
            load=loads.now,
            splits=splits,
            sticky=sticky,
        ),
        loads=loads,
        record=record,
        uniform=lambda: 0.5,
        clock=clock,
        now=lambda: 1_000.0,
        new_id=lambda: RequestId(f"r{next(numbers)}"),
    )


def api(  # noqa: PLR0913 - a builder
    service: Gateway,
    *,
    limits: Limits | None = None,
    images: ImageLimits | None = None,
    keys: tuple[Key, ...] = (),
    keyring: Keyring | None = None,
    budgets: Budgets | None = None,
    judge: Judge | None = None,
    shadows: Shadows | None = None,
    most_at_once: int = 512,
) -> FastAPI:
    limits, images = limits or Limits(max_new_tokens=32), images or ImageLimits()
    parser = Parser(limits, images, ThreadPoolExecutor(1), Fetcher(images).fetch)

    async def ready() -> dict[str, bool]:
        return {name: await h.engine.healthy() for name, h in service.hosted.items()}

    clock = FakeClock()
    return build_api(
        Parts(
            gateway=service,
            parser=parser,
            metrics=Metrics(),
            ready=ready,
            clock=clock,
            now=lambda: 1_000.0,
            limits=limits,
            most_at_once=most_at_once,
            keyring=keyring or Keyring(keys),
            budgets=budgets or Budgets(keys, 1, time.time),  # noqa: TID251 - its window is real time
            judge=judge,
            shadows=shadows,
        )
    )


def data_url(image: Image.Image | None = None, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    (image or Image.new("RGB", (8, 8), "red")).save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def ask(text: str = "what shape is this?", *urls: str) -> list[dict[str, object]]:
    """The messages of one question about pictures."""
    shown: list[dict[str, object]] = [{"type": "image_url", "image_url": {"url": u}} for u in urls]
    return [{"role": "user", "content": [*shown, {"type": "text", "text": text}]}]
