"""Bar charts: reading a value, sums, differences and comparisons."""

from collections.abc import Iterator, Sequence
from random import Random

from PIL import Image, ImageDraw

from training.data.items import SIDE_PX, Asked, Item, Mark, Split, Truth, belongs, patch_labels
from training.data.lessons import chart_lessons
from training.data.palette import COLOUR_NAMES, COLOURS, background, jittered, worded
from training.data.things import Bar

Box = tuple[float, float, float, float]
MAX_BARS = 4
MAX_VALUE = 9


def make_chart(rng: Random, split: Split) -> Item:
    """Draw a chart of two to four bars whose values belong to `split`, with seven questions."""
    bars = _drawn(rng, split)
    blank = (0,) * (MAX_BARS - len(bars))
    image, boxes = _draw(rng, bars)
    seen = list(zip(bars, boxes, strict=True))
    truth = Truth(
        bar_value=tuple(b.value for b in bars) + blank,
        bar_colour=tuple(COLOUR_NAMES.index(b.colour) + 1 for b in bars) + blank,
        patch_value=patch_labels(Mark(box, b.value) for b, box in seen),
        patch_colour=patch_labels(Mark(box, COLOUR_NAMES.index(b.colour) + 1) for b, box in seen),
        patch_centre=patch_labels((Mark(box, 1) for box in boxes), centres=True),
    )
    asked = tuple(_questions(rng, bars))
    if split == "train":
        asked += tuple(chart_lessons(rng, bars))
    return Item("chart", asked, image, truth, _told(bars))


def told_chart(rng: Random, split: Split) -> tuple[str, list[Asked]]:
    """A chart in words, from left to right, and questions about it: text to learn from."""
    bars = _drawn(rng, split)
    return _told(bars), [*_questions(rng, bars), *chart_lessons(rng, bars)]


def _told(bars: Sequence[Bar]) -> str:
    return " ".join(f"{b.colour} {b.value}" for b in bars)


def _drawn(rng: Random, split: Split) -> list[Bar]:
    bars = _bars(rng)
    while not belongs(split, *((b.colour, b.value) for b in bars)):
        bars = _bars(rng)
    return bars


def _bars(rng: Random) -> list[Bar]:
    colours = rng.sample(COLOUR_NAMES, rng.choice((2, 3, 3, 4)))
    return [Bar(colour, rng.randint(1, MAX_VALUE)) for colour in colours]


def _draw(rng: Random, bars: Sequence[Bar]) -> tuple[Image.Image, list[Box]]:
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), background(rng))
    pen = ImageDraw.Draw(image)
    floor, unit = SIDE_PX - 5, 6
    axis = jittered(rng, (70, 70, 70), 30)
    if rng.random() < 0.6:
        for value in range(1, MAX_VALUE + 1, rng.choice((1, 2))):
            pen.line((4, floor - value * unit, 62, floor - value * unit), fill=(205, 205, 205))
    pen.line((4, 3, 4, floor), fill=axis)
    pen.line((4, floor, 62, floor), fill=axis)
    slot = 57 / MAX_BARS  # bar k stands in slot k, however many there are
    width = rng.uniform(7, 11)
    boxes: list[Box] = []
    for k, bar in enumerate(bars):
        middle = 5 + (k + 0.5) * slot
        box = (middle - width / 2, floor - bar.value * unit, middle + width / 2, floor - 1)
        pen.rectangle(box, fill=jittered(rng, COLOURS[bar.colour]))
        boxes.append(box)
    return image, boxes


def _questions(rng: Random, bars: Sequence[Bar]) -> Iterator[Asked]:
    for bar in rng.sample(list(bars), 2):
        name = bar.colour
        asks = (
            f"what is the value of the {name} bar?",
            f"how high is the {name} bar?",
            f"what value does the {name} bar show?",
        )
        yield Asked(worded(rng, *asks), str(bar.value), "chart value")
    yield _sum(rng, bars)
    yield _difference(rng, bars)
    yield _comparison(rng, bars)
    yield rng.choice((_sum, _difference, _comparison))(rng, bars)
    yield rng.choice((_sum, _difference))(rng, bars)


def _sum(rng: Random, bars: Sequence[Bar]) -> Asked:
    a, b = rng.sample(list(bars), 2)
    asks = (
        f"what is the sum of the {a.colour} and {b.colour} bars?",
        f"how much are the {a.colour} bar and the {b.colour} bar together?",
        f"add the {a.colour} and the {b.colour} bar.",
    )
    return Asked(worded(rng, *asks), str(a.value + b.value), "chart sum")


def _difference(rng: Random, bars: Sequence[Bar]) -> Asked:
    a, b = rng.sample(list(bars), 2)
    asks = (
        f"what is the difference between the {a.colour} and {b.colour} bars?",
        f"by how much do the {a.colour} bar and the {b.colour} bar differ?",
    )
    return Asked(worded(rng, *asks), str(abs(a.value - b.value)), "chart difference")


def _comparison(rng: Random, bars: Sequence[Bar]) -> Asked:
    order = sorted(bars, key=lambda b: b.value)
    if rng.random() < 0.4 and order[-1].value > order[-2].value:
        asks = ("which bar is the highest?", "what color is the tallest bar?")
        return Asked(worded(rng, *asks), order[-1].colour, "chart comparison")
    if rng.random() < 0.3 and order[0].value < order[1].value:
        asks = ("which bar is the lowest?", "what color is the shortest bar?")
        return Asked(worded(rng, *asks), order[0].colour, "chart comparison")
    a, b = rng.sample(list(bars), 2)
    asks = (
        f"is the {a.colour} bar higher than the {b.colour} bar?",
        f"is {a.colour} greater than {b.colour}?",
    )
    return Asked(worded(rng, *asks), "yes" if a.value > b.value else "no", "chart comparison")
