"""The labelled sets that `barn evaluate` knows by name, held out from every training step."""

import io
from collections.abc import Iterator

from PIL import Image

from evaluation.offline import Item
from routing.domain import Task
from training.data import easyvqa
from training.data.items import Item as Picture
from training.data.items import generator
from training.data.mixture import MAKERS, make_kind
from training.router.questions import OF_SKILL

SEED = 2_026


def synthetic(limit: int) -> list[Item]:
    """Held-out pictures of every kind, in turn; the same `limit` always gives the same items."""
    items: list[Item] = []
    index = 0
    while len(items) < limit:
        for kind in MAKERS:
            picture = make_kind(kind, SEED, "test", index)
            items += _items(picture, f"{kind}-{index}", 3)
        index += 1
    return items[:limit]


def easy_vqa(limit: int) -> list[Item]:
    """The test split of the easy-VQA package, spread over its pictures."""
    count = easyvqa.image_count("test")
    each = max(1, -(-limit // count))
    step = max(1, count * each // limit)
    found: list[Item] = []
    for index in range(0, count, step):
        found += _items(easyvqa.load("test", index), f"easy-{index}", each)
    return found[:limit]


def _items(picture: Picture, name: str, most: int) -> Iterator[Item]:
    image = None if picture.image is None else _png(picture.image)
    asked = list(picture.asked)
    generator(name).shuffle(asked)
    for number, one in enumerate(asked[:most]):
        task = OF_SKILL.get(one.skill) or _easy_task(one.question)
        yield Item(f"{name}-{number}", one.question, (one.answer,), image, (), task, "exact")


def _easy_task(question: str) -> Task:
    if "color" in question and question.startswith("what"):
        return Task.ATTRIBUTE
    return Task.RECOGNITION if question.startswith("what") else Task.EXISTENCE


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
