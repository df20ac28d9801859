"""The mixture of pictures that every backbone sees, in the same order."""

from collections.abc import Callable
from random import Random

from training.data import easyvqa
from training.data.charts import make_chart
from training.data.items import Asked, Item, Split, generator
from training.data.scenes import make_scene
from training.data.writing import (
    OPERATIONS,
    make_expression,
    make_number,
    make_series,
    make_word,
    operands,
)

Maker = Callable[[Random, Split], Item]

MAKERS: dict[str, tuple[Maker, int]] = {
    "scene": (make_scene, 40),
    "chart": (make_chart, 15),
    "number": (make_number, 5),
    "word": (make_word, 8),
    "expression": (make_expression, 17),
    "series": (make_series, 11),
}
EASY_VQA_WEIGHT = 12
NO_IMAGE_WEIGHT = 1


def make_item(seed: int, split: Split, index: int) -> Item:
    """Make item `index` of a split; the same arguments always give the same item."""
    rng = generator(seed, split, index)
    name = _kind(rng)
    if name == "easy-vqa":
        return easyvqa.load(split, rng.randrange(easyvqa.image_count(split)))
    if name == "no-image":
        return _no_image(rng)
    return MAKERS[name][0](rng, split)


def kind_of(seed: int, split: Split, index: int) -> str:
    """Tell what kind of item `make_item` makes of these, without making it."""
    return _kind(generator(seed, split, index))


def _kind(rng: Random) -> str:
    names = [*MAKERS, "easy-vqa", "no-image"]
    weights = [weight for _, weight in MAKERS.values()] + [EASY_VQA_WEIGHT, NO_IMAGE_WEIGHT]
    return rng.choices(names, weights)[0]


def make_kind(name: str, seed: int, split: Split, index: int) -> Item:
    """Make an item of one named kind of `MAKERS`: for tests that want the same number of each."""
    return MAKERS[name][0](generator(seed, split, name, index), split)


def _no_image(rng: Random) -> Item:
    asked = []
    for _ in range(6):
        a, sign, b = operands(rng)
        question = rng.choice(
            (f"what is {a} {sign} {b}?", f"{a}{sign}{b}", f"calculate {a}{sign}{b}")
        )
        asked.append(Asked(question, str(OPERATIONS[sign](a, b)), "arithmetic"))
    return Item("no-image", tuple(asked))
