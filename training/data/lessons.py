"""Questions of training alone: one look each, so that looking is learned before it is combined.

The tested questions need a thing to be found and something to be said of it, and a model of this
size finds how to do both at once late or never. Here one word names what to look for, in no order
that could be learned instead, and what there is to see follows at once.
"""

from collections.abc import Iterator
from random import Random

from training.data.items import Asked
from training.data.palette import worded
from training.data.things import PLACES, Scene, kinds


def scene_lessons(rng: Random, things: Scene) -> Iterator[Asked]:
    """What is taught of a scene and never tested."""
    yield _listing(rng, things)
    yield _restated(rng, things)
    if rng.random() < 0.5:
        yield from _finding(rng, things)


def _finding(rng: Random, things: Scene) -> Iterator[Asked]:
    found = {what: kind for what, kind in kinds(things).items() if 1 < len(kind) < len(things)}
    if found:
        what = rng.choice(list(found))
        places = ", ".join(PLACES[t.cell] for t in sorted(found[what], key=lambda t: t.cell))
        yield Asked(worded(rng, f"where are the {what}?", f"find the {what}."), places, "spatial")


def _listing(rng: Random, things: Scene) -> Asked:
    """All things in no order, by colour or by kind: what follows is told by that word alone."""
    mixed = rng.sample(list(things), len(things))
    if rng.random() < 0.5:
        ask, told = "color", [f"{t.colour} {t.shape} {PLACES[t.cell]}" for t in mixed]
    else:
        ask, told = "kind", [f"{t.shape} {t.colour} {PLACES[t.cell]}" for t in mixed]
    asks = (f"list the shapes by {ask}.", f"what is in the image, by {ask}?")
    return Asked(worded(rng, *asks), ", ".join(told), "recognition")


def _restated(rng: Random, things: Scene) -> Asked:
    """One thing, named again before what is to be said of it: to find what the question names."""
    thing = rng.choice(things)
    place = PLACES[thing.cell]
    options = [(f"shape in the {place}", f"{place} {thing.colour} {thing.shape}")]
    if sum(t.colour == thing.colour for t in things) == 1:
        options.append((f"{thing.colour} shape", f"{thing.colour} {thing.shape} {place}"))
    if sum(t.shape == thing.shape for t in things) == 1:
        options.append((thing.shape, f"{thing.shape} {thing.colour} {place}"))
    name, told = rng.choice(options)
    return Asked(worded(rng, f"describe the {name}.", f"what is the {name} like?"), told, "spatial")
