"""The mixture of pictures that every backbone sees, in the same order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from training.data import easyvqa
from training.data.charts import make_chart
from training.data.items import Asked, Item, Split, generator
from training.data.lessons import place_lesson, shape_lesson
from training.data.questions import asked_at_last, asked_of_places
from training.data.scenes import make_scene
from training.data.writing import (
    CONTINUE,
    OPERATIONS,
    SOLVE,
    make_expression,
    make_number,
    make_series,
    make_word,
    near,
    operands,
    progression,
)

Maker = Callable[[Random, Split], Item]

MAKERS: dict[str, Maker] = {
    "scene": make_scene,
    "chart": make_chart,
    "number": make_number,
    "word": make_word,
    "expression": make_expression,
    "series": make_series,
}
_KINDS = (*MAKERS, "easy-vqa", "no-image")
TEXTS, SUMS = 10, 0.6
"""Questions of one item without a picture, and the share of sums among them."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How often each kind comes, and which kinds are drawn otherwise than by `MAKERS`.

    With `wide`, text alone has more series than can be learned by heart.
    """

    weights: tuple[int, ...]
    makers: dict[str, Maker] = field(default_factory=dict)
    wide: bool = False

    def kind(self, rng: Random) -> str:
        return rng.choices(_KINDS, self.weights)[0]


USUAL = Mixture((40, 15, 5, 8, 17, 11, 12, 12))
HARDER = Mixture(
    (58, 4, 5, 14, 17, 11, 4, 12),
    {
        "series": partial(make_series, wide=True),
        "scene": partial(make_scene, more=asked_at_last, lessons=shape_lesson),
    },
    wide=True,
)
"""More series than can be learned by heart, more of scenes, and less of what is known by then."""
PLACING = Mixture(
    (80, 10, 5, 14, 22, 11, 4, 12),
    {
        "series": partial(make_series, wide=True),
        "scene": partial(
            make_scene, counts=(1, 2, 2, 3, 3, 4, 4, 5), more=asked_of_places, lessons=place_lesson
        ),
    },
    wide=True,
)
"""Places above all, and some of everything else, so that nothing is forgotten."""


def make_item(seed: int, split: Split, index: int, mixture: Mixture = USUAL) -> Item:
    """Make item `index` of a split; the same arguments always give the same item."""
    rng = generator(seed, split, index)
    name = mixture.kind(rng)
    if name == "easy-vqa":
        return easyvqa.load(split, rng.randrange(easyvqa.image_count(split)))
    if name == "no-image":
        return _no_image(rng, wide=mixture.wide)
    return mixture.makers.get(name, MAKERS[name])(rng, split)


def kind_of(seed: int, split: Split, index: int) -> str:
    """Tell what kind of item `make_item` makes of these, without making it."""
    return USUAL.kind(generator(seed, split, index))


def make_kind(name: str, seed: int, split: Split, index: int) -> Item:
    """Make an item of one named kind of `MAKERS`: for tests that want the same number of each."""
    return MAKERS[name](generator(seed, split, name, index), split)


def _no_image(rng: Random, *, wide: bool) -> Item:
    """Text alone, as a part of LLaVA's own instructions is.

    What was learned of sums in pre-training is forgotten within a few hundred steps of pictures
    where nothing asks for it: from 100 % to chance.
    """
    asked = [_sum(rng) if rng.random() < SUMS else _next(rng, wide=wide) for _ in range(TEXTS)]
    return Item("no-image", tuple(asked))


def _sum(rng: Random) -> Asked:
    a, sign, b = operands(rng)
    result = OPERATIONS[sign](a, b)
    limit = near(rng, result)
    if rng.random() < 0.2:
        question = f"{a}{sign}{b}\nis the result greater than {limit}?"
        return Asked(question, "yes" if result > limit else "no", "logic")
    question = rng.choice(
        (
            f"what is {a} {sign} {b}?",
            f"{a}{sign}{b}",
            f"calculate {a}{sign}{b}",
            f"{a}{sign}{b}\n{rng.choice(SOLVE)}",
            f"{a}{sign}{b} {rng.choice(SOLVE)}",
        )
    )
    return Asked(question, str(result), "arithmetic")


def _next(rng: Random, *, wide: bool) -> Asked:
    *known, last = progression(rng, wide=wide)
    question = " ".join([*map(str, known), "?"]) + rng.choice((" ", "\n")) + rng.choice(CONTINUE)
    return Asked(question, str(last), "series")
