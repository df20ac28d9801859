"""Stage 1 at the embedded scale: teach the projector the language model's own words for patches.

Every patch of a drawn picture is known to hold the centre of a shape, a character or a bar, or
nothing, at some place of the picture. The projector learns to turn the patch's features into the
sum of the embeddings that the (frozen) language model has for what is there, so that stage 2 starts
with pictures it can half read and what was learned from text carries over. A thing speaks from one
patch, as it is one word in a text: a star that fills nine patches is still to be counted once.
LLaVA's stage 1 does the same by captions, at a scale that two cores do not have.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import Dataset
from transformers import LlavaForConditionalGeneration, PreTrainedTokenizerFast

from training.data.charts import MAX_VALUE
from training.data.items import Truth
from training.data.mixture import make_item
from training.data.palette import COLOUR_NAMES
from training.data.things import SHAPES
from training.data.writing import ALPHABET, ROW_CHARACTERS
from training.llava import whitening
from training.recipe import StageSpec
from training.steps import Batch, text_ids

BACKGROUND = 0.2
"""What an empty patch weighs beside one that shows something."""


def word_tables(
    llava: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast
) -> dict[str, NDArray[np.float32]]:
    """Per kind of patch label: the language model's embedding of each class, (classes, width)."""
    embeddings = llava.model.get_input_embeddings().weight.detach().numpy()

    def table(words: list[str]) -> NDArray[np.float32]:
        rows = [embeddings[text_ids(tokenizer, word)].mean(axis=0) for word in words]
        return np.stack([np.zeros_like(rows[0]), *rows]).astype(np.float32)

    characters = table(list(ALPHABET))
    return {
        "patch_shape": table([f" {name}" for name in SHAPES]),
        "patch_colour": table([f" {name}" for name in COLOUR_NAMES]),
        "patch_character": characters,
        "patch_value": table([str(v) for v in range(1, MAX_VALUE + 1)]),
        "patch_place": _ordinals(characters),
        "patch_centre": np.stack([*np.zeros((2, embeddings.shape[1])), table([" large"])[1]]),
    }


def _ordinals(characters: NDArray[np.float32]) -> NDArray[np.float32]:
    """A code for each character's place: no word says `the third of the first row`.

    As loud as the characters themselves: most of a large vocabulary is rare and stays quiet, so
    that the spread of all its embeddings would drown the code.
    """
    fixed = torch.Generator().manual_seed(1)
    codes = torch.randn(2 * ROW_CHARACTERS + 1, characters.shape[1], generator=fixed)
    codes[0] = 0
    return (codes * float(characters[1:].std())).numpy()


def where_words(
    llava: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, patches: int
) -> NDArray[np.float32]:
    """What the language model calls the place of each patch, in thirds; (patches, width).

    Both words as loud as what is seen there: whispered, they are the last that is learned to hear.
    """
    embeddings = llava.model.get_input_embeddings().weight.detach().numpy()
    side = round(patches**0.5)
    rows = []
    for patch in range(patches):
        down, across = patch // side * 3 // side, patch % side * 3 // side
        words = (("top", "", "bottom")[down], ("left", "", "right")[across])
        named = [word for word in words if word] or ["center"]
        rows.append(sum(embeddings[text_ids(tokenizer, f" {w}")].mean(axis=0) for w in named))
    return np.stack(rows).astype(np.float32)


class PatchWords(Dataset[Batch]):
    """Whitened features of a picture, the words of its patches, and how much each patch counts."""

    def __init__(
        self,
        seed: int,
        plan: StageSpec,
        cache: Path,
        tables: dict[str, NDArray[np.float32]],
        where: NDArray[np.float32],
    ) -> None:
        self._seed, self._plan, self._tables, self._where = seed, plan, tables, where
        self._features: NDArray[np.float16] = np.load(cache, mmap_mode="r")
        self._whiten = whitening(cache)

    def __len__(self) -> int:
        return self._plan.items * self._plan.passes

    def __getitem__(self, index: int) -> Batch:
        index %= self._plan.items
        item = make_item(self._seed, "train", index)
        features = self._whiten(self._features[index])
        target = np.zeros((len(features), self._tables["patch_shape"].shape[1]), np.float32)
        weight = np.zeros(len(features), np.float32)
        if item.image is not None:
            shown = self._shown(item.truth)
            if "patch_shape" in shown:  # only of shapes it is asked where they are
                target += self._where * (shown["patch_shape"] > 0)[:, None]
            for name, labels in shown.items():
                target += self._tables[name][labels]
            if shown:
                seen = np.max(list(shown.values()), axis=0) > 0
                weight = np.where(seen, 1.0, BACKGROUND).astype(np.float32)
        return {
            "features": torch.from_numpy(features),
            "target": torch.from_numpy(target),
            "weight": torch.from_numpy(weight),
        }

    def _shown(self, truth: Truth) -> dict[str, NDArray[np.int64]]:
        found = {name: np.array(getattr(truth, name), np.int64) for name in self._tables}
        here = found["patch_centre"] > 0
        return {name: labels * here for name, labels in found.items() if labels.size}


class WordAlignment(nn.Module):
    """The projector under its stage 1 loss; everything else is left alone."""

    def __init__(self, llava: LlavaForConditionalGeneration, scale: float) -> None:
        super().__init__()
        self.projector = llava.model.multi_modal_projector
        self._scale = scale

    def forward(
        self, features: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Weighted mean squared error, in units of the embeddings' own variance."""
        error = ((self.projector(features).float() - target) ** 2).mean(-1) / self._scale
        return {"loss": (error * weight).sum() / weight.sum().clamp(min=1.0)}
