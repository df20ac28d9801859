"""Many questions about one picture in one row, each seeing only the picture and itself.

A row is a prefix (`<s>USER: <image>…`) followed by segments (`question ASSISTANT: answer</s>`).
A segment attends to the prefix and to itself and its positions start where the prefix ends, so
the loss is exactly that of one conversation per question, at a fraction of the cost. Short rows of
a batch are put into one line, blind to each other, so that little of a batch is padding.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from transformers import PreTrainedTokenizerFast

from training.steps import Batch, text_ids
from training.tokenizer import IMAGE

Turn = tuple[str, str]
IGNORED = -100
_CAPITALS = re.compile(r"([A-Z])")
_MOST_SEGMENTS = 64
"""Segments of the rows in one line are numbered this far apart."""


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids, labels, positions and the segment of each token (0 is the prefix)."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    positions: tuple[int, ...]
    segments: tuple[int, ...]


class Packer:
    """Turns conversations about one picture into a `Row`, and rows into a batch."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, image_tokens: int, limit: int) -> None:
        self._tokenizer = tokenizer
        self._image = tokenizer.convert_tokens_to_ids(IMAGE)
        self._image_tokens = image_tokens
        self._limit = limit
        self._pad = tokenizer.pad_token_id

    def row(self, conversations: Sequence[Sequence[Turn]], *, has_image: bool) -> Row:
        """Pack `conversations`; what would run past the context of the model is left out."""
        bos = self._tokenizer.bos_token
        ids = text_ids(self._tokenizer, f"{bos}USER: ")
        if has_image:
            ids += [self._image] * self._image_tokens + text_ids(self._tokenizer, "\n")
        labels, positions, segments = [IGNORED] * len(ids), list(range(len(ids))), [0] * len(ids)
        start = len(ids)
        for number, turns in enumerate(conversations, start=1):
            said, wanted = self._conversation(turns)
            if start + len(said) > self._limit:
                continue
            ids += said
            labels += wanted
            positions += range(start, start + len(said))
            segments += [number] * len(said)
        return Row(tuple(ids), tuple(labels), tuple(positions), tuple(segments))

    def _conversation(self, turns: Sequence[Turn]) -> tuple[list[int], list[int]]:
        ids: list[int] = []
        labels: list[int] = []
        for k, (question, answer) in enumerate(turns):
            asked = text_ids(self._tokenizer, ("USER: " if k else "") + f"{question} ASSISTANT:")
            told = self._spelled(f" {answer}{self._tokenizer.eos_token}")
            ids += asked + told
            labels += [IGNORED] * len(asked) + told
        return ids, labels

    def _spelled(self, text: str) -> list[int]:
        """Tokens of an answer; capitals, which are read off a picture, one by one.

        A word that is a single token could be read only by a model that has seen its picture.
        """
        parts = [part for part in _CAPITALS.split(text) if part]
        return [i for part in parts for i in text_ids(self._tokenizer, part)]

    def batch(self, rows: Sequence[Row]) -> tuple[Batch, list[int]]:
        """Join short rows and pad; also tell the order in which the rows now stand.

        `attention_mask` is boolean, (lines, 1, length, length).
        """
        lines = _lines([len(row.ids) for row in rows])
        joined = [_join([rows[at] for at in line]) for line in lines]
        return self._padded(joined), [at for line in lines for at in line]

    def _padded(self, rows: Sequence[Row]) -> Batch:
        length = max(len(row.ids) for row in rows)
        length += -length % 8

        def padded(values: list[tuple[int, ...]], blank: int) -> torch.Tensor:
            return torch.tensor([[*v, *([blank] * (length - len(v)))] for v in values])

        segments = padded([r.segments for r in rows], -1)
        query, key = segments[:, :, None], segments[:, None, :]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        same_row = key // _MOST_SEGMENTS == query // _MOST_SEGMENTS
        mask = causal & same_row & ((key % _MOST_SEGMENTS == 0) | (key == query))
        return {
            "input_ids": padded([r.ids for r in rows], self._pad),
            "labels": padded([r.labels for r in rows], IGNORED),
            "position_ids": padded([r.positions for r in rows], 0),
            "attention_mask": mask[:, None],
        }


def _lines(lengths: Sequence[int]) -> list[list[int]]:
    """Fill lines as long as the longest row, longest first, each row into the first that has room.

    >>> _lines([5, 9, 4])
    [[1], [0, 2]]
    """
    room: list[int] = []
    lines: list[list[int]] = []
    for at in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        fits = next((k for k, left in enumerate(room) if left >= lengths[at]), len(lines))
        if fits == len(lines):
            lines.append([])
            room.append(max(lengths))
        lines[fits].append(at)
        room[fits] -= lengths[at]
    return lines


def _join(rows: Sequence[Row]) -> Row:
    joined = chain.from_iterable
    return Row(
        tuple(joined(row.ids for row in rows)),
        tuple(joined(row.labels for row in rows)),
        tuple(joined(row.positions for row in rows)),
        tuple(number * _MOST_SEGMENTS + s for number, row in enumerate(rows) for s in row.segments),
    )
