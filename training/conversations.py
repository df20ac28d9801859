"""LLaVA's own JSON format: pictures on disk and real conversations, for the full-scale profile."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from training.packing import Packer, Row, Turn
from training.recipe import StageSpec, VisionSpec
from training.vision import MEAN, STD


class LlavaJson(Dataset[tuple[Row, torch.Tensor | None]]):
    """The rows of one LLaVA JSON file; a row is one conversation about at most one picture."""

    def __init__(self, stage: StageSpec, vision: VisionSpec, packer: Packer) -> None:
        if stage.data is None or not stage.data.is_file():
            raise FileNotFoundError(
                f"the profile's data file {stage.data} does not exist; "
                "set `data` and `images` of both stages to LLaVA's JSON files and folders"
            )
        rows = json.loads(stage.data.read_text(encoding="utf-8"))
        self._rows = rows[: stage.items]
        self._images = stage.images or Path()
        self._side = vision.image_px
        self._packer = packer

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> tuple[Row, torch.Tensor | None]:
        entry = self._rows[index]
        said = [turn["value"].replace("<image>", "").strip() for turn in entry["conversations"]]
        turns: list[Turn] = list(zip(said[::2], said[1::2], strict=False))
        picture = entry.get("image")
        row = self._packer.row([turns], has_image=picture is not None)
        if picture is None:
            return row, None
        with Image.open(self._images / picture) as file:
            return row, padded_pixels(file.convert("RGB"), self._side)


def padded_pixels(image: Image.Image, side_px: int) -> torch.Tensor:
    """LLaVA-1.5's pictures: made square by a border of the mean colour; (3, side, side).

    The exported processor does the same (see `training.export`).
    """
    side = max(image.size)
    square = Image.new("RGB", (side, side), tuple(int(255 * m) for m in MEAN))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    small = square.resize((side_px, side_px), Image.Resampling.BICUBIC)
    array = (np.asarray(small, np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
