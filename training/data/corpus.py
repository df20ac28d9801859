"""The pre-training text of the language models: the same stream for all, read to other depths."""

from collections.abc import Callable, Iterator
from random import Random

from training.data.charts import make_chart
from training.data.items import generator
from training.data.palette import COLOUR_NAMES, worded
from training.data.scenes import PLACES, SHAPES
from training.data.writing import (
    ALPHABET,
    OPERATIONS,
    ROW_CHARACTERS,
    WORDS,
    make_series,
    operands,
    progression,
)


def lines(seed: int) -> Iterator[str]:
    """Yield lines without end; a longer budget reads further into the same stream."""
    index = 0
    while True:
        rng = generator(seed, "corpus", index)
        yield rng.choice(KINDS)(rng)
        index += 1


def _fact(rng: Random) -> str:
    a, sign, b = operands(rng)
    result = OPERATIONS[sign](a, b)
    space = rng.choice(("", " "))
    return rng.choice(
        (
            f"{a}{space}{sign}{space}{b}{space}={space}{result}",
            f"what is {a}{space}{sign}{space}{b}? {result}",
            f"{a}{sign}{b} what is the result? {result}",
        )
    )


def _series(rng: Random) -> str:
    terms = progression(rng)
    text = " ".join(str(t) for t in terms[:3])
    ask = make_series(rng, "train").asked[0].question if rng.random() < 0.2 else ""
    return f"{text} {terms[3]}" if not ask else f"{text} ? what number comes next? {terms[3]}"


def _bars(rng: Random) -> str:
    colours = rng.sample(COLOUR_NAMES, rng.choice((2, 3)))
    values = [rng.randint(1, 9) for _ in colours]
    a, b = values[:2]
    bars = " ".join(f"{c} {v}" for c, v in zip(colours, values, strict=True))
    ask, answer = rng.choice(
        (
            (f"what is the sum of the {colours[0]} and {colours[1]} bars?", str(a + b)),
            (
                f"what is the difference between the {colours[0]} and {colours[1]} bars?",
                str(abs(a - b)),
            ),
            (f"what is the value of the {colours[1]} bar?", str(b)),
            (
                f"is the {colours[0]} bar higher than the {colours[1]} bar?",
                "yes" if a > b else "no",
            ),
        )
    )
    return f"bars: {bars}. {worded(rng, ask)} {answer}"


def _order(rng: Random) -> str:
    a, b = rng.randint(0, 40), rng.randint(0, 40)
    return f"is {a} greater than {b}? {'yes' if a > b else 'no'}"


def _things(rng: Random) -> str:
    places = rng.sample(PLACES, rng.randint(1, 3))
    things = [(rng.choice(COLOUR_NAMES), rng.choice(SHAPES), place) for place in places]
    text = ", ".join(f"a {colour} {shape} at the {place}" for colour, shape, place in things)
    colour, shape, place = rng.choice(things)
    ask, answer = rng.choice(
        (
            (f"what shape is at the {place}?", shape),
            (f"what is the color of the shape in the {place}?", colour),
            ("how many shapes are there?", str(len(things))),
            (f"is there a {colour} {shape}?", "yes"),
            (
                f"are all shapes {colour}?",
                "yes" if all(c == colour for c, _, _ in things) else "no",
            ),
        )
    )
    return f"{text}. {worded(rng, ask)} {answer}"


def _spelling(rng: Random) -> str:
    word = rng.choice(WORDS)
    if rng.random() < 0.5:
        word = "".join(rng.choices(ALPHABET[13:-1], k=rng.randint(2, ROW_CHARACTERS)))
    return rng.choice(
        (f"the sign says {word}", f"{' '.join(word)}: {word}", f"read the word. {word}")
    )


def _chart_question(rng: Random) -> str:
    asked = rng.choice(make_chart(rng, "train").asked)
    return f"{asked.question} {asked.answer}"


KINDS: tuple[Callable[[Random], str], ...] = (
    _fact, _fact, _fact, _series, _bars, _bars, _order, _things, _things, _spelling,
    _chart_question,
)  # fmt: skip
