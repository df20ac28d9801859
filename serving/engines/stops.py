"""Turn generated token ids into text as they come: whole characters, and nothing past a stop."""

from collections.abc import Callable, Sequence

_BROKEN = "\N{REPLACEMENT CHARACTER}"  # what half a multi-byte character decodes to


class TextStream:
    """Decodes one answer; holds back what may still turn into something else."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: tuple[str, ...]) -> None:
        self._decode = decode
        self._stop = stop
        self._ids: list[int] = []
        self._given = 0
        self.stopped = False

    def add(self, token_id: int) -> str:
        """Return the text that this token makes certain; `stopped` tells of a stop string."""
        self._ids.append(token_id)
        text = self._text()
        ends = [at for s in self._stop if (at := text.find(s, max(0, self._given - len(s)))) >= 0]
        if ends:
            self.stopped = True
            return self._give(text[: min(ends)])
        if text.endswith(_BROKEN):
            return ""
        return self._give(text[: len(text) - self._held_back(text)])

    def rest(self) -> str:
        """Return what was held back, when the answer ends without a stop string."""
        return "" if self.stopped else self._give(self._text())

    def _text(self) -> str:
        return self._decode(self._ids).lstrip() if self._ids else ""

    def _held_back(self, text: str) -> int:
        """Length of the longest tail that is the head of a stop string."""
        longest = max((len(s) for s in self._stop), default=1) - 1
        for length in range(min(longest, len(text)), 0, -1):
            if any(s.startswith(text[-length:]) for s in self._stop):
                return length
        return 0

    def _give(self, text: str) -> str:
        new = text[self._given :]
        self._given = max(self._given, len(text))
        return new


def ends(of_tokenizer: int | None, of_model: int | Sequence[int] | None) -> frozenset[int]:
    """Every token that ends an answer: LLaMA-3's checkpoints name several.

    >>> sorted(ends(2, [128001, 128009]))
    [2, 128001, 128009]
    """
    named = [of_model] if isinstance(of_model, int) else list(of_model or ())
    return frozenset(i for i in (of_tokenizer, *named) if i is not None)
