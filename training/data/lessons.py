"""Questions of training alone: one look each, so that looking is learned before it is combined.

The tested questions need a thing to be found and something to be said of it, and a model of this
size finds how to do both at once late or never. Here one word names what to look for, in no order
that could be learned instead, and what there is to see follows at once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

from training.data.items import Asked
from training.data.palette import worded
from training.data.things import PLACES, Bar, Scene, kinds


def scene_lessons(rng: Random, things: Scene) -> Iterator[Asked]:
    """What is taught of a scene and never tested."""
    yield _listing(rng, things)
    yield _restated(rng, things)
    yield _counted(rng, things)
    if rng.random() < 0.5:
        yield from _finding(rng, things)


def shape_lesson(rng: Random, things: Scene) -> Iterator[Asked]:
    """Every shape and one thing about it, in no order: to find a thing by its shape alone.

    A backbone may come to find things by their colour and never by their shape; asked for both at
    once, as in the other lessons, it need not.
    """
    mixed = rng.sample(list(things), len(things))
    if rng.random() < 0.5:
        told = " ".join(f"{t.shape} {t.colour}" for t in mixed)
        yield _lesson(worded(rng, "name every shape and its color."), told, "recognition")
        return
    told = ", ".join(f"{t.shape} {PLACES[t.cell]}" for t in mixed)
    yield _lesson(worded(rng, "name every shape and its place."), told, "recognition")


def place_lesson(rng: Random, things: Scene) -> Iterator[Asked]:
    """Every thing and its place, in no order, named as questions name it: by colour or by shape.

    A backbone may come to read places and to find things, and never the place of what it found.
    """
    mixed = rng.sample(list(things), len(things))
    by, named = rng.choice(
        (("color", [t.colour for t in mixed]), ("shape", [t.shape for t in mixed]))
    )
    told = ", ".join(f"{name} {PLACES[t.cell]}" for name, t in zip(named, mixed, strict=True))
    yield _lesson(worded(rng, f"name every {by} and its place."), told, "spatial")


def chart_lessons(rng: Random, bars: Sequence[Bar]) -> Iterator[Asked]:
    """What is taught of a chart and never tested.

    Nothing stands between a colour and its value, so that one look from the colour is enough.
    """
    told = " ".join(f"{b.colour}{b.value}" for b in rng.sample(list(bars), len(bars)))
    asks = ("what are the values of the bars?", "read every bar.")
    yield _lesson(worded(rng, *asks), told, "chart value")
    bar = rng.choice(list(bars))
    asks = (f"name the {bar.colour} bar and its value.", f"read the {bar.colour} bar.")
    yield _lesson(worded(rng, *asks), f"{bar.colour}{bar.value}", "chart value")


def _lesson(question: str, answer: str, skill: str) -> Asked:
    return Asked(question, answer, skill, lesson=True)


def _finding(rng: Random, things: Scene) -> Iterator[Asked]:
    found = {what: kind for what, kind in kinds(things).items() if 1 < len(kind) < len(things)}
    if found:
        what = rng.choice(list(found))
        places = ", ".join(PLACES[t.cell] for t in sorted(found[what], key=lambda t: t.cell))
        yield _lesson(worded(rng, f"where are the {what}?", f"find the {what}."), places, "spatial")


def _counted(rng: Random, things: Scene) -> Asked:
    """Every kind with its number: the number is told by the one word before it."""
    by = rng.choice(("color", "kind"))
    numbers = Counter(t.colour if by == "color" else t.shape for t in things)
    told = " ".join(f"{key}{numbers[key]}" for key in rng.sample(list(numbers), len(numbers)))
    asks = (f"count the shapes by {by}.", f"how many shapes are there of each {by}?")
    return _lesson(worded(rng, *asks), told, "counting")


def _listing(rng: Random, things: Scene) -> Asked:
    """All things in no order, by one of three words: what follows is told by that word alone."""
    mixed = rng.sample(list(things), len(things))
    by, told = rng.choice(
        (
            ("color", [f"{t.colour} {t.shape} {PLACES[t.cell]}" for t in mixed]),
            ("kind", [f"{t.shape} {t.colour} {PLACES[t.cell]}" for t in mixed]),
            ("place", [f"{PLACES[t.cell]} {t.colour} {t.shape}" for t in mixed]),
        )
    )
    asks = (f"list the shapes by {by}.", f"what is in the image, by {by}?")
    return _lesson(worded(rng, *asks), ", ".join(told), "recognition")


def _restated(rng: Random, things: Scene) -> Asked:
    """One thing, named again before what is to be said of it: to find what the question names."""
    thing = rng.choice(things)
    place = PLACES[thing.cell]
    options = [(f"shape in the {place}", f"{place} {thing.colour} {thing.shape}")]
    if sum(t.colour == thing.colour for t in things) == 1:
        options.append((f"{thing.colour} shape", f"{thing.colour} {thing.shape} {place}"))
    if sum(t.shape == thing.shape for t in things) == 1:
        options.append((thing.shape, f"{thing.shape} {thing.colour} {place}"))
    large = [t for t in things if t.large]
    if len(large) == 1 and len(things) > 1:
        only = large[0]
        seen = f"largest {only.colour} {only.shape} {PLACES[only.cell]}"
        options.append(("largest shape", seen))
    name, told = rng.choice(options)
    return _lesson(
        worded(rng, f"describe the {name}.", f"what is the {name} like?"), told, "spatial"
    )
