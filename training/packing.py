"""Many questions about one picture in one row, each seeing only the picture and itself.

A row is a prefix (`<s>USER: <image>…`) followed by segments (`question ASSISTANT: answer</s>`).
A segment attends to the prefix and to itself and its positions start where the prefix ends, so
the loss is exactly that of one conversation per question, at a fraction of the cost.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from training.steps import Batch, text_ids
from training.tokenizer import IMAGE

Turn = tuple[str, str]
IGNORED = -100
_CAPITALS = re.compile(r"([A-Z])")


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

    def batch(self, rows: Sequence[Row]) -> Batch:
        """Pad on the right; `attention_mask` is boolean, (batch, 1, length, length)."""
        length = max(len(row.ids) for row in rows)
        length += -length % 8

        def padded(values: list[tuple[int, ...]], blank: int) -> torch.Tensor:
            return torch.tensor([[*v, *([blank] * (length - len(v)))] for v in values])

        segments = padded([r.segments for r in rows], -1)
        query, key = segments[:, :, None], segments[:, None, :]
        causal = torch.ones(length, length, dtype=torch.bool).tril()
        mask = causal & ((key == 0) | (key == query))
        return {
            "input_ids": padded([r.ids for r in rows], self._pad),
            "labels": padded([r.labels for r in rows], IGNORED),
            "position_ids": padded([r.positions for r in rows], 0),
            "attention_mask": mask[:, None],
        }
