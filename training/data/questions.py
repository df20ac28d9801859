"""What is asked of scenes: recognition, attributes, counting, space, two-hop and logic."""

from collections.abc import Iterator
from random import Random

from training.data.items import Asked
from training.data.palette import COLOUR_NAMES, worded
from training.data.things import PLACES, RELATIONS, SHAPES, Scene, Thing, kinds

MORE = {"counting": 3, "spatial": 2, "attribute": 1, "by shape": 2}
PLACED = {"related": 6, "counting": 2}
RELATED = {"left of": 2, "right of": 2, "above": 1, "below": 1}
"""How often a relation is asked for where places are: patches come row by row, so that above and
below are also before and after, and are learned sooner."""


def scene_questions(rng: Random, things: Scene) -> Iterator[Asked]:
    """Up to eight questions: recognition, attributes, counting, space, two-hop and logic."""
    makers = [_recognition, _attribute, _counting, _spatial, _existence, _two_hop, _logic]
    weights = [1, 1, 4, 4, 1, 1, 2]  # most for what is learned last
    wanted = [m for m, w in zip(makers, weights, strict=True) for _ in range(w)]
    for maker in rng.sample(wanted, 8):
        yield from maker(rng, things)


def asked_at_last(rng: Random, things: Scene) -> Iterator[Asked]:
    """`MORE` of what is learned last, where there is something to ask."""
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


def asked_of_places(rng: Random, things: Scene) -> Iterator[Asked]:
    """Where every thing is that has a name, how some stand to each other, and some counts."""
    if len(things) == 1:
        return
    for thing in things:
        if names := _names(things, thing):
            yield _placed(rng, thing, rng.choice(names))
    for word in rng.choices(list(RELATED), list(RELATED.values()), k=PLACED["related"]):
        thing, other = rng.sample(things, 2)
        yield from _related(rng, things, thing, other, word=word)
    for _ in range(PLACED["counting"]):
        yield _counted(rng, kinds(things))


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


def _related(  # noqa: PLR0913 - two things, their relation, and what is given of them
    rng: Random,
    things: Scene,
    thing: Thing,
    other: Thing,
    name: str | None = None,
    word: str | None = None,
) -> Iterator[Asked]:
    """Ask where `thing` is from `other`, if each has a name and one is clearly on that side."""
    names, other_names = [name] if name else _names(things, thing), _names(things, other)
    word = word or rng.choice(list(RELATIONS))
    holds = RELATIONS[word]
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
