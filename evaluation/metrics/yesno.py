"""Yes or no: POPE, MME and other existence probes."""

import re
from collections.abc import Sequence

_YES = re.compile(r"\b(yes|yeah|true|correct)\b", re.IGNORECASE)
_NO = re.compile(r"\b(no|not|false|nope|isn't|aren't|doesn't)\b", re.IGNORECASE)


def polarity(text: str) -> bool | None:
    """Read an answer as POPE does (Li et al. 2023): its first sentence says yes or no.

    >>> polarity("No, there is no dog."), polarity("Yes."), polarity("perhaps")
    (False, True, None)
    """
    first = text.split(".")[0]
    if _NO.search(first):
        return False
    return True if _YES.search(first) else None


def yes_no(answer: str, references: Sequence[str]) -> float:
    """Return 1.0 when answer and reference agree; an answer that says neither is wrong.

    >>> yes_no("Yes, there is a cat", ("yes",))
    1.0
    """
    said = polarity(answer)
    return float(said is not None and any(said == polarity(r) for r in references))
