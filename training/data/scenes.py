"""Scenes of coloured shapes."""

import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

from PIL import Image, ImageDraw

from training.data.items import SIDE_PX, Asked, Item, Mark, Split, Truth, belongs, patch_labels
from training.data.lessons import scene_lessons
from training.data.palette import COLOUR_NAMES, COLOURS, background, jittered
from training.data.questions import scene_questions
from training.data.things import PLACES, SHAPES, Scene, Thing

SCALE = 2  # drawn larger and averaged down, for smooth edges
COUNTS = (1, 1, 2, 2, 3, 3, 4, 5)
"""How many things a scene has; each of these as likely."""

Box = tuple[float, float, float, float]
Asking = Callable[[Random, Scene], Iterable[Asked]]


def _nothing(rng: Random, things: Scene) -> Iterable[Asked]:  # noqa: ARG001 - one of several
    return ()


def make_scene(
    rng: Random,
    split: Split,
    *,
    counts: Sequence[int] = COUNTS,
    more: Asking = _nothing,
    lessons: Asking = scene_lessons,
) -> Item:
    """Draw a scene of one to five shapes that belongs to `split`, with up to eight questions.

    Late stages of training ask `more` and have `lessons` of their own.
    """
    things = _drawn(rng, split, counts)
    image, boxes = _draw(rng, things)  # first: other questions do not make other pictures
    asked = [*scene_questions(rng, things), *more(rng, things)]
    if split == "train":
        asked += lessons(rng, things)
    return Item("scene", tuple(asked), image, _truth(things, boxes), _told(things))


def told_scene(rng: Random, split: Split) -> tuple[str, list[Asked]]:
    """A scene in words, in reading order, and questions about it: text to learn from."""
    things = _drawn(rng, split)
    return _told(things), [*scene_questions(rng, things), *scene_lessons(rng, things)]


def _told(things: Scene) -> str:
    return ", ".join(
        f"{PLACES[t.cell]} {'large ' if t.large else ''}{t.colour} {t.shape}"
        for t in sorted(things, key=lambda t: t.cell)
    )


def _drawn(rng: Random, split: Split, counts: Sequence[int] = COUNTS) -> list[Thing]:
    things = _things(rng, counts)
    while not belongs(split, *sorted((t.shape, t.colour, t.cell) for t in things)):
        things = _things(rng, counts)
    return things


def _things(rng: Random, counts: Sequence[int]) -> list[Thing]:
    count = rng.choice(counts)
    cells = rng.sample(range(9), count)
    few = rng.sample(COLOUR_NAMES, 2) if rng.random() < 0.3 else COLOUR_NAMES  # repeats matter
    return [Thing(rng.choice(SHAPES), rng.choice(few), rng.random() < 0.4, cell) for cell in cells]


def _truth(things: Scene, boxes: Sequence[Box]) -> Truth:
    seen = list(zip(things, boxes, strict=True))
    at = {t.cell: t for t in things}
    cells = [at.get(cell) for cell in range(9)]
    return Truth(
        cell_shape=tuple(SHAPES.index(t.shape) + 1 if t else 0 for t in cells),
        cell_colour=tuple(COLOUR_NAMES.index(t.colour) + 1 if t else 0 for t in cells),
        cell_size=tuple(1 + t.large if t else 0 for t in cells),
        patch_shape=patch_labels(Mark(box, SHAPES.index(t.shape) + 1) for t, box in seen),
        patch_colour=patch_labels(Mark(box, COLOUR_NAMES.index(t.colour) + 1) for t, box in seen),
        patch_centre=patch_labels((Mark(box, 1 + t.large) for t, box in seen), centres=True),
    )


def _draw(rng: Random, things: Scene) -> tuple[Image.Image, list[Box]]:
    side = SIDE_PX * SCALE
    image = Image.new("RGB", (side, side), background(rng))
    pen = ImageDraw.Draw(image)
    boxes: list[Box] = []
    for thing in things:
        radius = SCALE * (rng.uniform(7.8, 9.6) if thing.large else rng.uniform(4.2, 5.8))
        x = (thing.column + 0.5) * side / 3 + rng.uniform(-1.5, 1.5) * SCALE
        y = (thing.row + 0.5) * side / 3 + rng.uniform(-1.5, 1.5) * SCALE
        colour = jittered(rng, COLOURS[thing.colour])
        left, top, reach = (x - radius) / SCALE, (y - radius) / SCALE, 2 * radius / SCALE
        boxes.append((left, top, left + reach, top + reach))
        if thing.shape == "circle":
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            pen.polygon(_outline(rng, thing.shape, x, y, radius), fill=colour)
    return image.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX), boxes


def _outline(rng: Random, shape: str, x: float, y: float, r: float) -> list[tuple[float, float]]:
    if shape == "rectangle":
        w, h = r * rng.uniform(0.8, 1.0), r * rng.uniform(0.65, 1.0)
        return [(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)]
    if shape == "triangle":
        return [(x, y - r), (x + r, y + r * 0.85), (x - r, y + r * 0.85)]
    radii = (r * 1.1, r * 0.45)
    return [
        (x + radii[i % 2] * math.sin(i * math.pi / 5), y - radii[i % 2] * math.cos(i * math.pi / 5))
        for i in range(10)
    ]
