"""The pre-training text of the language models: the same stream for all, read to other depths."""

from collections.abc import Callable, Iterator
from random import Random

from training.data.charts import told_chart
from training.data.items import Asked, Split, generator
from training.data.scenes import told_scene
from training.data.writing import (
    ALPHABET,
    OPERATIONS,
    ROW_CHARACTERS,
    SOLVE,
    WORDS,
    near,
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


def _facts(rng: Random) -> str:
    return ". ".join(_fact(rng) for _ in range(6))


def _fact(rng: Random) -> str:
    a, sign, b = operands(rng)
    result = OPERATIONS[sign](a, b)
    space = rng.choice(("", " "))
    limit = near(rng, result)
    ask = rng.choice(SOLVE)
    return rng.choice(
        (
            f"{a}{space}{sign}{space}{b}{space}={space}{result}",
            f"what is {a}{space}{sign}{space}{b}? {result}",
            f"{a}{sign}{b} {ask} {result}",
            f"{a}{sign}{b} {ask} {result}",
            f"{a}{sign}{b} is the result greater than {limit}? "
            + ("yes" if result > limit else "no"),
        )
    )


def _series(rng: Random) -> str:
    told = []
    for _ in range(4):
        terms = progression(rng)
        text = " ".join(str(t) for t in terms[:3])
        ask = rng.choice(("? what number comes next?", "? which number is next?", ""))
        told.append(f"{text} {ask} {terms[3]}" if ask else f"{text} {terms[3]}")
    return ". ".join(told)


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
