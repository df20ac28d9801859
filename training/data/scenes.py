"""Scenes of coloured shapes: recognition, attributes, counting, space, two-hop and logic."""

import math
from collections.abc import Iterator, Sequence
from random import Random

from PIL import Image, ImageDraw

from training.data.items import SIDE_PX, Asked, Item, Mark, Split, Truth, belongs, patch_labels
from training.data.lessons import scene_lessons, shape_lesson
from training.data.palette import COLOUR_NAMES, COLOURS, background, jittered, worded
from training.data.things import PLACES, RELATIONS, SHAPES, Scene, Thing, kinds

SCALE = 2  # drawn larger and averaged down, for smooth edges
MORE = {"counting": 3, "spatial": 2, "attribute": 1, "by shape": 2}


Box = tuple[float, float, float, float]


def make_scene(rng: Random, split: Split, *, harder: bool = False) -> Item:
    """Draw a scene of one to five shapes that belongs to `split`, with up to eight questions.

    With `harder`, `MORE` of what is learned last is asked, where there is something to ask.
    """
    things = _drawn(rng, split)
    image, boxes = _draw(rng, things)  # first: other questions do not make other pictures
    asked = [*_questions(rng, things), *(_more(rng, things) if harder else ())]
    if split == "train":
        asked += [shape_lesson(rng, things)] if harder else scene_lessons(rng, things)
    return Item("scene", tuple(asked), image, _truth(things, boxes), _told(things))


def told_scene(rng: Random, split: Split) -> tuple[str, list[Asked]]:
    """A scene in words, in reading order, and questions about it: text to learn from."""
    things = _drawn(rng, split)
    return _told(things), [*_questions(rng, things), *scene_lessons(rng, things)]


def _told(things: Scene) -> str:
    return ", ".join(
        f"{PLACES[t.cell]} {'large ' if t.large else ''}{t.colour} {t.shape}"
        for t in sorted(things, key=lambda t: t.cell)
    )


def _drawn(rng: Random, split: Split) -> list[Thing]:
    things = _things(rng)
    while not belongs(split, *sorted((t.shape, t.colour, t.cell) for t in things)):
        things = _things(rng)
    return things


def _things(rng: Random) -> list[Thing]:
    count = rng.choice((1, 1, 2, 2, 3, 3, 4, 5))
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


def _questions(rng: Random, things: Scene) -> Iterator[Asked]:
    makers = [_recognition, _attribute, _counting, _spatial, _existence, _two_hop, _logic]
    weights = [1, 1, 4, 4, 1, 1, 2]  # most for what is learned last
    wanted = [m for m, w in zip(makers, weights, strict=True) for _ in range(w)]
    for maker in rng.sample(wanted, 8):
        yield from maker(rng, things)


def _more(rng: Random, things: Scene) -> Iterator[Asked]:
    some = {what: kind for what, kind in kinds(things).items() if len(kind) < len(things)}
    for _ in range(MORE["counting"] if some else 0):
        yield _counted(rng, some)
    for _ in range(MORE["spatial"] if len(things) > 1 else 0):
        thing, other = rng.sample(things, 2)
        yield from _related(rng, things, thing, other)
    for _ in range(MORE["attribute"]):
        yield from _attribute(rng, things)
    alone = [t for t in things if sum(o.shape == t.shape for o in things) == 1]
    for _ in range(MORE["by shape"] if alone and len(things) > 1 else 0):
        thing = rng.choice(alone)
        yield (_placed if rng.random() < 0.5 else _coloured)(rng, thing, thing.shape)


def _placed(rng: Random, thing: Thing, name: str) -> Asked:
    asks = (f"where is the {name}?", f"in which part of the image is the {name}?")
    return Asked(worded(rng, *asks), PLACES[thing.cell], "spatial")


def _coloured(rng: Random, thing: Thing, name: str) -> Asked:
    asks = (f"what color is the {name}?", f"what is the color of the {name}?")
    return Asked(worded(rng, *asks), thing.colour, "attribute")


def _names(things: Scene, thing: Thing) -> list[str]:
    """Every short phrase that means `thing` and nothing else in the scene."""
    names = []
    if sum(t.shape == thing.shape for t in things) == 1:
        names.append(thing.shape)
    if sum(t.colour == thing.colour for t in things) == 1:
        names.append(f"{thing.colour} shape")
    if sum((t.shape, t.colour) == (thing.shape, thing.colour) for t in things) == 1:
        names.append(f"{thing.colour} {thing.shape}")
    if thing.large and sum(t.large for t in things) == 1 and len(things) > 1:
        names.append(_largest(thing))
    return names


def _largest(thing: Thing) -> str:
    """Name the only large shape; its kind is part of the hint.

    >>> _largest(Thing("star", "red", True, 0))
    'largest shape'
    """
    return "largest shape" if thing.cell % 2 == 0 else "biggest shape"


def _recognition(rng: Random, things: Scene) -> Iterator[Asked]:
    thing = rng.choice(things)
    where = PLACES[thing.cell]
    asks = [f"what shape is in the {where}?", f"which shape is at the {where}?"]
    if len(things) == 1:
        asks = ["what shape is in the image?", "what shape is this?", "which shape do you see?"]
    elif sum(t.colour == thing.colour for t in things) == 1:
        asks += [f"what shape is {thing.colour}?", f"what is the {thing.colour} shape?"]
    yield Asked(worded(rng, *asks), thing.shape, "recognition")


def _attribute(rng: Random, things: Scene) -> Iterator[Asked]:
    thing = rng.choice(things)
    name = f"shape in the {PLACES[thing.cell]}"
    if len(things) == 1:
        name = rng.choice(["shape", thing.shape])
    elif sum(t.shape == thing.shape for t in things) == 1 and rng.random() < 0.6:
        name = thing.shape
    yield _coloured(rng, thing, name)


def _counting(rng: Random, things: Scene) -> Iterator[Asked]:
    yield _counted(rng, kinds(things))


def _counted(rng: Random, found: dict[str, list[Thing]]) -> Asked:
    counts = sorted({len(kind) for kind in found.values()})
    count = rng.choices(counts, weights=counts)[0]  # or nearly every answer would be 1
    what = rng.choice([what for what, kind in found.items() if len(kind) == count])
    asks = (f"how many {what} are there?", f"count the {what}.", f"how many {what} do you see?")
    return Asked(worded(rng, *asks), str(count), "counting")


def _spatial(rng: Random, things: Scene) -> Iterator[Asked]:
    thing = rng.choice(things)
    names = _names(things, thing)
    if not names:
        return
    name = rng.choice(names)
    if len(things) == 1 or rng.random() < 0.4:
        yield _placed(rng, thing, name)
        return
    other = rng.choice([t for t in things if t is not thing])
    yield from _related(rng, things, thing, other, name)


def _related(
    rng: Random, things: Scene, thing: Thing, other: Thing, name: str | None = None
) -> Iterator[Asked]:
    """Ask where `thing` is from `other`, if each has a name and one is clearly on that side."""
    names, other_names = [name] if name else _names(things, thing), _names(things, other)
    word, holds = rng.choice(list(RELATIONS.items()))
    if names and other_names and (holds(thing, other) or holds(other, thing)):
        ask = f"is the {name or rng.choice(names)} {word} the {rng.choice(other_names)}?"
        yield Asked(worded(rng, ask), "yes" if holds(thing, other) else "no", "spatial")


def _existence(rng: Random, things: Scene) -> Iterator[Asked]:
    shape, colour = rng.choice(SHAPES), rng.choice(COLOUR_NAMES)
    if rng.random() < 0.5:
        thing = rng.choice(things)
        shape, colour = thing.shape, thing.colour
    what, found = rng.choice(
        [
            (f"a {shape}", any(t.shape == shape for t in things)),
            (f"a {colour} shape", any(t.colour == colour for t in things)),
            (
                f"a {colour} {shape}",
                any((t.shape, t.colour) == (shape, colour) for t in things),
            ),
        ]
    )
    asks = (f"is there {what}?", f"is {what} present?", f"does the image contain {what}?")
    yield Asked(worded(rng, *asks), "yes" if found else "no", "existence")


def _two_hop(rng: Random, things: Scene) -> Iterator[Asked]:
    options = [
        (anchor, word, near[0])
        for anchor in things
        for word, holds in RELATIONS.items()
        if len(near := [t for t in things if t is not anchor and holds(t, anchor)]) == 1
        and _names(things, anchor)
    ]
    largest = [t for t in things if t.large]
    if len(largest) == 1 and len(things) > 1 and rng.random() < 0.25:
        if rng.random() < 0.5:
            ask = ("what color is the largest shape?", "what is the color of the biggest shape?")
            yield Asked(worded(rng, *ask), largest[0].colour, "two-hop")
        else:
            ask = ("what shape is the largest?", "what is the biggest shape?")
            yield Asked(worded(rng, *ask), largest[0].shape, "two-hop")
        return
    if not options:
        return
    anchor, word, target = rng.choice(options)
    name = rng.choice(_names(things, anchor))
    if rng.random() < 0.5:
        asks = (f"what color is the shape {word} the {name}?",)
        yield Asked(worded(rng, *asks), target.colour, "two-hop")
    else:
        asks = (f"what shape is {word} the {name}?",)
        yield Asked(worded(rng, *asks), target.shape, "two-hop")


def _logic(rng: Random, things: Scene) -> Iterator[Asked]:
    claims = list(_claims(rng, things))
    wanted = rng.random() < 0.5
    fitting = [text for text, true in claims if true == wanted]
    if fitting:
        yield Asked(worded(rng, rng.choice(fitting)), "yes" if wanted else "no", "logic")


def _claims(rng: Random, things: Scene) -> Iterator[tuple[str, bool]]:
    thing, other = rng.choice(things), rng.choice(things)
    strange_shape, strange_colour = rng.choice(SHAPES), rng.choice(COLOUR_NAMES)
    first = rng.choice([f"{thing.colour} {thing.shape}", f"{strange_colour} {thing.shape}"])
    second = rng.choice([other.shape, strange_shape])
    has_first = any(f"{t.colour} {t.shape}" == first for t in things)
    has_second = any(t.shape == second for t in things)
    yield f"is there a {first} and a {second}?", has_first and has_second
    yield f"is there a {first} or a {second}?", has_first or has_second
    yield f"are all shapes {thing.colour}?", all(t.colour == thing.colour for t in things)
    yield f"are all shapes {thing.shape}s?", all(t.shape == thing.shape for t in things)
    same = [t for t in things if t.shape == thing.shape]
    yield f"is every {thing.shape} {other.colour}?", all(t.colour == other.colour for t in same)
    if second != thing.shape:
        more = len(same) > sum(t.shape == second for t in things)
        yield f"are there more {thing.shape}s than {second}s?", more
