"""Train the vision encoder with dense supervision: say everything that is in the picture.

On the features of the penultimate layer (the one LLaVA reads), every patch names what it shows, and
learned queries attend over the patches and classify each grid cell, character and bar. Both kinds
of heads are thrown away afterwards.
"""

from dataclasses import fields

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.utils.data import Dataset
from transformers import CLIPVisionConfig, CLIPVisionModel

from training.data import easyvqa
from training.data.charts import MAX_BARS, MAX_VALUE
from training.data.items import PATCH_PX, SIDE_PX, Item, Split, Truth, generator
from training.data.mixture import make_item, make_kind
from training.data.palette import COLOUR_NAMES
from training.data.things import SHAPES
from training.data.writing import ALPHABET, ROW_CHARACTERS
from training.recipe import VisionSpec
from training.steps import Batch

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""CLIP's normalisation (Radford et al. 2021)."""

_SHAPE, _COLOUR = len(SHAPES) + 1, len(COLOUR_NAMES) + 1
_CELLS, _CHARACTERS = 9, 2 * ROW_CHARACTERS
# field of Truth: (first query, number of slots, number of classes)
_SLOTS = {
    "cell_shape": (0, _CELLS, _SHAPE),
    "cell_colour": (0, _CELLS, _COLOUR),
    "cell_size": (0, _CELLS, 3),
    "only_shape": (_CELLS, 1, _SHAPE),
    "only_colour": (_CELLS, 1, _COLOUR),
    "characters": (_CELLS + 1, _CHARACTERS, len(ALPHABET) + 1),
    "bar_value": (_CELLS + 1 + _CHARACTERS, MAX_BARS, MAX_VALUE + 1),
    "bar_colour": (_CELLS + 1 + _CHARACTERS, MAX_BARS, _COLOUR),
}
_PATCHES = {  # field of Truth: number of classes, one label per patch
    "patch_shape": _SHAPE,
    "patch_colour": _COLOUR,
    "patch_character": len(ALPHABET) + 1,
    "patch_place": _CHARACTERS + 1,
    "patch_value": MAX_VALUE + 1,
    "patch_centre": 3,
}
_WEIGHTS = {"characters": 2.0, "patch_character": 3.0}
_EMPTY = 0.3
"""What a field's empty slots weigh beside those that show something."""
_QUERIES = _CELLS + 1 + _CHARACTERS + MAX_BARS


def pixel_values(image: Image.Image) -> NDArray[np.float32]:
    """Normalise as CLIP does; (3, height, width)."""
    array = np.asarray(image, dtype=np.float32) / 255.0
    normal = (array - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def build_encoder(spec: VisionSpec) -> CLIPVisionModel:
    """Build an untrained encoder of the given size, or load the checkpoint it names."""
    if spec.checkpoint is not None:
        return CLIPVisionModel.from_pretrained(spec.checkpoint)
    return CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=spec.hidden_size,
            intermediate_size=spec.intermediate_size,
            num_hidden_layers=spec.layers,
            num_attention_heads=spec.heads,
            image_size=spec.image_px,
            patch_size=spec.patch_px,
            projection_dim=spec.hidden_size,
        )
    )


class DenseVision(nn.Module):
    """The encoder under its temporary queries."""

    def __init__(self, encoder: CLIPVisionModel, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        patches = encoder.config.image_size // encoder.config.patch_size
        self.queries = nn.Parameter(torch.randn(_QUERIES, width) * 0.5)
        self.places = nn.Parameter(torch.randn(patches**2, width) * 0.5)
        self.norm = nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mix = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        classes = {name: c for name, (_, _, c) in _SLOTS.items()} | _PATCHES
        self.heads = nn.ModuleDict({name: nn.Linear(width, c) for name, c in classes.items()})

    def forward(
        self, pixel_values: torch.Tensor, **labels: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Return the loss and, per field, the share of the slots that show something read right."""
        states = self.encoder(pixel_values, output_hidden_states=True).hidden_states[-2]
        patches = self.norm(states[:, 1:])
        queries = self.queries.expand(len(patches), -1, -1)
        keys = patches + self.places
        pooled = queries + self.attend(queries, keys, patches, need_weights=False)[0]
        pooled = pooled + self.mix(pooled)
        views = {name: pooled[:, first : first + n] for name, (first, n, _) in _SLOTS.items()}
        views |= dict.fromkeys(_PATCHES, patches)
        losses, right = [], {}
        for name, view in views.items():
            logits = self.heads[name](view).flatten(0, 1).float()
            target = labels[name].flatten()
            # most slots are empty: weighed together they would drown what there is to see
            for at, weight in ((target > 0, _WEIGHTS.get(name, 1.0)), (target == 0, _EMPTY)):
                if at.any():
                    loss = nn.functional.cross_entropy(logits[at], target[at])
                    losses.append(weight * loss)
            seen = target > 0
            if seen.any():
                right[name] = (logits[seen].argmax(-1) == target[seen]).float().mean()
        return {"loss": torch.stack(losses).sum(), **right}


class VisionRows(Dataset[Batch]):
    """Pictures with everything that is in them; kept apart from those of the LLaVA stages."""

    def __init__(
        self, seed: int, count: int, split: Split = "train", writing: float | None = None
    ) -> None:
        self._seed, self._count, self._split, self._writing = seed + 1, count, split, writing

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Batch:
        item = self._item(index)
        while item.image is None:
            index += self._count
            item = self._item(index)
        return {"pixel_values": torch.from_numpy(pixel_values(item.image)), **_labels(item.truth)}

    def _item(self, index: int) -> Item:
        if self._writing is None:
            return make_item(self._seed, self._split, index)
        rng = generator(self._seed, "writing", index)
        is_writing = rng.random() < self._writing
        if is_writing:
            kind = rng.choice(("number", "word", "expression", "series"))
        else:
            kind = rng.choice(("scene", "scene", "chart", "easy-vqa"))
        if kind == "easy-vqa":
            return easyvqa.load(self._split, index)
        return make_kind(kind, self._seed, self._split, index)


def read_back(dense: DenseVision, seed: int, pictures: int, batch: int = 64) -> dict[str, float]:
    """Per field, the share read right on held-out pictures: check it before training further."""
    rows = VisionRows(seed, pictures, "test")
    found: dict[str, list[float]] = {}
    dense.eval()
    with torch.inference_mode():
        for start in range(0, pictures - batch + 1, batch):
            out = dense(**stack([rows[i] for i in range(start, start + batch)]))
            for name, value in out.items():
                found.setdefault(name, []).append(float(value))
    return {name: float(np.mean(values)) for name, values in found.items() if name != "loss"}


def _labels(truth: Truth) -> Batch:
    labels = {}
    for field in fields(Truth):
        value = getattr(truth, field.name)
        classes = [value] if isinstance(value, int) else list(value)
        slots = _SLOTS[field.name][1] if field.name in _SLOTS else (SIDE_PX // PATCH_PX) ** 2
        labels[field.name] = torch.tensor((classes or [-1] * slots), dtype=torch.long)
    return labels


def stack(rows: list[Batch]) -> Batch:
    """Stack rows of equal shapes into a batch."""
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
