"""Pictures of writing: numbers and words to read, expressions to compute, series to continue."""

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from training.data.items import SIDE_PX, Asked, Item, Mark, Split, Truth, belongs, patch_labels
from training.data.palette import COLOURS, FONTS, background, font, jittered, worded

Box = tuple[float, float, float, float]
ALPHABET = "0123456789+-xABCDEFGHIJKLMNOPQRSTUVWXYZ?"
ROW_CHARACTERS = 5
"""Characters in one row; two rows of slots are supervised."""

WORDS = tuple(
    """
    ACE ADD AGE AIR ANT APPLE ARM ART BAG BAND BANK BARN BASE BEAD BEAN BEAR BED BEE BELL BELT BIKE
    BIRD BLUE BOAT BOLD BONE BOOK BOOT BOWL BOX BOY BREAD BUS CAKE CALF CAMP CAP CAR CARD CAT CAVE
    CHAIR CITY CLAY CLOCK CLOUD COAT COIN COLD CORN COW CROW CUP DAY DEER DESK DISH DOG DOOR DRUM
    DUCK DUST EAR EAST EGG EXIT EYE FACE FARM FAST FERN FIG FIRE FISH FIVE FLAG FOOD FOOT FORK FOUR
    FOX FROG FRUIT GATE GIFT GLASS GOAT GOLD GRASS GREEN HAND HARP HAT HAY HEN HILL HOME HOOK HORN
    HORSE HOTEL HOUSE ICE INK IRON JAM JAR JET JUMP KEY KING KITE LAKE LAMB LAMP LEAF LEMON LION
    LLAMA MAP MARK MEAL MILK MILL MOON MOUSE NAIL NEST NET NINE NORTH NOSE NUT OAK OIL OPEN OVEN OWL
    PAN PARK PEAR PEN PIG PINE PLANE PLUM POND POST PUMP QUIZ RAIN RED RICE RING ROAD ROCK ROOF ROSE
    SALT SAND SEA SEED SHEEP SHIP SHOE SHOP SIGN SIX SNOW SOAP SOCK SOUP SOUTH STAR STONE STOP SUN
    TAXI TEA TEN TENT TOWER TOWN TOY TRAIN TREE TRUCK TWO VAN VASE WALL WATER WAVE WEST WHEEL WIND
    WOLF WOOD WOOL YARD YEAR ZERO ZOO
    """.split()  # noqa: SIM905 - a list of words reads best as words
)

SOLVE = ("what is the result?", "what does this equal?", "calculate.", "solve this.")
CONTINUE = ("what number comes next?", "which number is next?", "continue the series.")

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "x": lambda a, b: a * b,
}


def operands(rng: Random) -> tuple[int, str, int]:
    """Draw an expression: sums and differences up to 20, products up to 9 x 9.

    >>> from training.data.items import generator
    >>> operands(generator(1))[1] in OPERATIONS
    True
    """
    sign = rng.choice("++--x")
    if sign == "x":
        return rng.randint(1, 9), sign, rng.randint(1, 9)
    a, b = rng.randint(1, 20), rng.randint(1, 20)
    return (max(a, b), sign, min(a, b)) if sign == "-" else (a, sign, b)


def near(rng: Random, result: int) -> int:
    """Draw a number to hold a result against: at it or a little off, never negative."""
    return max(0, result + rng.choice((-4, -2, -1, 0, 1, 3)))


def progression(rng: Random, *, wide: bool = False) -> list[int]:
    """Four terms of an arithmetic progression between 0 and 99; the last one is to be found.

    There are 240 of them, few enough to be learned by heart; `wide` draws from a thousand.
    """
    start, step = rng.randint(1, 60 if wide else 20), rng.randint(1, 9 if wide else 6)
    terms = [start + step * k for k in range(4)]
    return terms[::-1] if rng.random() < 0.25 else terms


def make_number(rng: Random, split: Split) -> Item:
    """Draw a number of one to five digits that belongs to `split`."""
    text = _number(rng)
    while not belongs(split, text):
        text = _number(rng)
    asks = (
        "what number is shown?",
        "what number is written in the image?",
        "read the number.",
        "what is the number in the image?",
    )
    return _item(rng, (text,), (Asked(worded(rng, *asks), text, "ocr"),))


def _number(rng: Random) -> str:
    return str(rng.randint(0, 10 ** rng.randint(1, ROW_CHARACTERS) - 1))


def make_word(rng: Random, split: Split) -> Item:
    """Draw a word: in training half of them are random letters, in the test all are words."""
    text = _word(rng, split)
    while not belongs(split, text):
        text = _word(rng, split)
    asks = (
        "what word is shown?",
        "what does the text say?",
        "read the word.",
        "what is written in the image?",
        "what does the sign say?",
    )
    return _item(rng, (text,), (Asked(worded(rng, *asks), text, "ocr"),))


def _word(rng: Random, split: Split) -> str:
    if split == "test" or rng.random() < 0.5:
        return rng.choice(WORDS)
    return "".join(rng.choices(ALPHABET[13:-1], k=rng.randint(2, ROW_CHARACTERS)))


def make_expression(rng: Random, split: Split) -> Item:
    """Draw an expression that belongs to `split`; its parts are asked for as well."""
    a, sign, b = operands(rng)
    while not belongs(split, a, sign, b):
        a, sign, b = operands(rng)
    result = OPERATIONS[sign](a, b)
    limit = near(rng, result)
    asked = (
        Asked(worded(rng, *SOLVE), str(result), "arithmetic"),
        Asked(worded(rng, "what is the first number?"), str(a), "ocr"),
        Asked(worded(rng, "what is the second number?"), str(b), "ocr"),
        Asked(
            worded(rng, f"is the result greater than {limit}?"),
            "yes" if result > limit else "no",
            "logic",
        ),
    )
    text = f"{a}{sign}{b}"
    rows = (text,) if len(text) < ROW_CHARACTERS and rng.random() < 0.7 else (str(a), f"{sign}{b}")
    return _item(rng, rows, asked)


def make_series(rng: Random, split: Split, *, wide: bool = False) -> Item:
    """Draw three terms of a series and a question mark; the series belongs to `split`."""
    terms = progression(rng, wide=wide)
    while not belongs(split, *terms):
        terms = progression(rng, wide=wide)
    asked = (
        Asked(worded(rng, *CONTINUE), str(terms[3]), "series"),
        Asked(worded(rng, "what is the first number?"), str(terms[0]), "ocr"),
        Asked(worded(rng, "what is the last number?"), str(terms[2]), "ocr"),
    )
    if split == "train":  # the way to the answer is taught, never tested
        second = Asked(worded(rng, "what is the second number?"), str(terms[1]), "ocr")
        ways = ("by how much does the series change?", "what is the step of the series?")
        asked += second, Asked(worded(rng, *ways), str(abs(terms[1] - terms[0])), "series")
    return _item(rng, (f"{terms[0]} {terms[1]}", f"{terms[2]} ?"), asked)


def _item(rng: Random, rows: tuple[str, ...], asked: tuple[Asked, ...]) -> Item:
    slots = [0] * (2 * ROW_CHARACTERS)
    for r, row in enumerate(rows):
        for k, character in enumerate(row[:ROW_CHARACTERS]):
            slots[r * ROW_CHARACTERS + k] = ALPHABET.find(character) + 1
    image, boxes = _draw(rng, rows)
    # the patches say as well which character of which row they show: two patches may share one
    truth = Truth(
        characters=tuple(slots),
        patch_character=patch_labels(Mark(box, slots[slot]) for slot, box in boxes),
        patch_place=patch_labels(Mark(box, slot + 1) for slot, box in boxes),
        patch_centre=patch_labels((Mark(box, 1) for _, box in boxes), centres=True),
    )
    return Item("text", asked, image, truth, " ".join(rows))


def _draw(rng: Random, rows: tuple[str, ...]) -> tuple[Image.Image, list[tuple[int, Box]]]:
    paper, ink = background(rng), jittered(rng, rng.choice(list(COLOURS.values())))
    if rng.random() < 0.25 and sum(ink) < 420:
        paper, ink = ink, paper  # light writing on a dark ground
    elif sum(ink) > 420:
        ink = (20, 20, 60)
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), paper)
    pen = ImageDraw.Draw(image)
    face = rng.choice(FONTS)
    size = rng.randint(15, 26)
    while size > 9 and max(pen.textlength(row, font(face, size)) for row in rows) > SIDE_PX - 4:
        size -= 1
    width = max(pen.textlength(row, font(face, size)) for row in rows)
    height = size * 1.15 * len(rows)
    x = rng.uniform(1, max(1.0, SIDE_PX - 1 - width))
    y = rng.uniform(0, max(0.0, SIDE_PX - 4 - height))
    boxes: list[tuple[int, Box]] = []
    for r, row in enumerate(rows):
        top = y + r * size * 1.15
        pen.text((x, top), row, fill=ink, font=font(face, size))
        for k, character in enumerate(row):
            left = x + pen.textlength(row[:k], font(face, size))
            right = x + pen.textlength(row[: k + 1], font(face, size))
            if character != " ":
                box = (left, top + size * 0.2, right, top + size)
                boxes.append((r * ROW_CHARACTERS + k, box))
    return image, boxes
