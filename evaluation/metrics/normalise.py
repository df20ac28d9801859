"""How answers are normalised before they are compared, as the VQA evaluation does it."""

import re

_CONTRACTED = {
    "aint": "ain't", "arent": "aren't", "cant": "can't", "couldve": "could've",
    "couldnt": "couldn't", "didnt": "didn't", "doesnt": "doesn't", "dont": "don't",
    "hadnt": "hadn't", "hasnt": "hasn't", "havent": "haven't", "hes": "he's", "im": "i'm",
    "ive": "i've", "isnt": "isn't", "itll": "it'll", "lets": "let's", "mightve": "might've",
    "mustve": "must've", "shes": "she's", "shouldve": "should've", "shouldnt": "shouldn't",
    "thats": "that's", "theres": "there's", "theyd": "they'd", "theyll": "they'll",
    "theyre": "they're", "theyve": "they've", "wasnt": "wasn't", "weve": "we've",
    "werent": "weren't", "whats": "what's", "wheres": "where's", "whos": "who's",
    "wont": "won't", "wouldve": "would've", "wouldnt": "wouldn't", "yall": "y'all",
    "youd": "you'd", "youll": "you'll", "youre": "you're", "youve": "you've",
}  # fmt: skip
_NUMBERS = {
    "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
}  # fmt: skip
_ARTICLES = frozenset({"a", "an", "the"})
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_DECIMAL_COMMA = re.compile(r"(\d)(,)(\d)")
_LONE_PERIOD = re.compile(r"(?<!\d)\.(?!\d)|(?<=\d)\.(?!\d)|(?<!\d)\.(?=\D|$)")


def vqa_normalise(text: str) -> str:
    """Normalise as VQA's official evaluation (Antol et al. 2015; Goyal et al. 2017).

    Lower case, punctuation dropped (a period inside a number stays), number words as digits,
    articles dropped, contractions restored.

    >>> vqa_normalise("The two Dogs.")
    '2 dogs'
    >>> vqa_normalise("1,000.5 m")
    '1000.5 m'
    """
    flat = text.replace("\n", " ").replace("\t", " ").strip()
    grouped = _DECIMAL_COMMA.search(flat) is not None
    for mark in _PUNCTUATION:
        beside_space = f"{mark} " in flat or f" {mark}" in flat
        flat = flat.replace(mark, "" if beside_space or grouped else " ")
    flat = _LONE_PERIOD.sub("", flat)
    words = [_NUMBERS.get(word, word) for word in flat.lower().split()]
    return " ".join(_CONTRACTED.get(word, word) for word in words if word not in _ARTICLES)
