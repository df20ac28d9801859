"""The pre-training text of the language models: the same stream for all, read to other depths."""

from collections.abc import Callable, Iterator
from random import Random

from training.data.charts import told_chart
from training.data.items import Asked, Split, generator
from training.data.scenes import told_scene
from training.data.writing import (
    ALPHABET,
    CONTINUE,
    OPERATIONS,
    ROW_CHARACTERS,
    SOLVE,
    WORDS,
    near,
    operands,
    progression,
)

SCATTERED = 0.4
"""Share of sums and series that are told as a picture's patches tell them; see `_scattered`."""
EMPTY = " ."


def lines(seed: int) -> Iterator[str]:
    """Yield lines without end; a longer budget reads further into the same stream."""
    index = 0
    while True:
        rng = generator(seed, "corpus", index)
        yield rng.choice(KINDS)(rng)
        index += 1


def _facts(rng: Random) -> str:
    return ". ".join(_fact(rng) for _ in range(6))


def _fact(rng: Random) -> str:
    a, sign, b = operands(rng)
    result = OPERATIONS[sign](a, b)
    space = rng.choice(("", " "))
    limit = near(rng, result)
    ask = rng.choice(SOLVE)
    more = f"is the result greater than {limit}? " + ("yes" if result > limit else "no")
    if rng.random() < SCATTERED:
        rows = (f"{a}{sign}{b}",) if rng.random() < 0.5 else (str(a), f"{sign}{b}")
        return f"{_scattered(rng, *rows)} " + rng.choice((f"{ask} {result}", more))
    return rng.choice(
        (
            f"{a}{space}{sign}{space}{b}{space}={space}{result}",
            f"what is {a}{space}{sign}{space}{b}? {result}",
            f"{a}{sign}{b} {ask} {result}",
            f"{a}{sign}{b} {ask} {result}",
            f"{a}{sign}{b} {more}",
        )
    )


def _series(rng: Random) -> str:
    told = []
    for _ in range(4):
        terms = progression(rng)
        text = " ".join(str(t) for t in terms[:3])
        if rng.random() < SCATTERED:
            text = _scattered(rng, f"{terms[0]} {terms[1]}", f"{terms[2]} ?")
            told.append(f"{text} {rng.choice(CONTINUE)} {terms[3]}")
            continue
        ask = rng.choice(("? what number comes next?", "? which number is next?", ""))
        told.append(f"{text} {ask} {terms[3]}" if ask else f"{text} {terms[3]}")
    return ". ".join(told)


def _scattered(rng: Random, *rows: str) -> str:
    """Writing as a picture's patches tell it: one character at a time, with nothing in between.

    A full stop stands for an empty patch: always one token, where spaces would melt into one.

    >>> from training.data.items import generator
    >>> _scattered(generator(3), "12", "+7")
    '1 .2 . . . . . . . + .7'
    """
    gap, between = rng.randint(0, 2), rng.randint(3, 9)

    def shown(character: str) -> str:
        if character == " ":
            return EMPTY
        return character if character.isdigit() else f" {character}"

    return (EMPTY * between).join((EMPTY * gap).join(map(shown, row)) for row in rows)


def _told(rng: Random, tell: Callable[[Random, Split], tuple[str, list[Asked]]]) -> str:
    """A picture in words and what may be asked about it: an answer is worth more than a name."""
    text, asked = tell(rng, "train")
    some = rng.sample(asked, min(5, len(asked)))
    return f"{text}. " + " ".join(f"{one.question} {one.answer}" for one in some)


def _chart(rng: Random) -> str:
    return _told(rng, told_chart)


def _scene(rng: Random) -> str:
    return _told(rng, told_scene)


def _order(rng: Random) -> str:
    a, b = rng.randint(0, 40), rng.randint(0, 40)
    return f"is {a} greater than {b}? {'yes' if a > b else 'no'}"


def _spelling(rng: Random) -> str:
    word = rng.choice(WORDS)
    if rng.random() < 0.5:
        word = "".join(rng.choices(ALPHABET[13:-1], k=rng.randint(2, ROW_CHARACTERS)))
    return rng.choice(
        (f"the sign says {word}", f"{' '.join(word)}: {word}", f"read the word. {word}")
    )


KINDS: tuple[Callable[[Random], str], ...] = (
    _facts, _facts, _facts, _series, _series, _chart, _scene, _scene, _order, _spelling,
)  # fmt: skip
