"""Save a trained LLaVA in the hub's own layout, so that transformers and vLLM both load it."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from training.recipe import VisionSpec
from training.vision import MEAN, STD

_WEIGHTS = "model.safetensors"


def export(
    llava: LlavaForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    vision: VisionSpec,
    folder: Path,
) -> None:
    """Write weights (bf16 safetensors), configuration, tokenizer and processor to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    llava.config.architectures = ["LlavaForConditionalGeneration"]
    vision_config: Any = llava.config.vision_config
    vision_config._name_or_path = ""  # a folder of whoever trained it
    llava.to(torch.bfloat16).save_pretrained(folder)
    _use_hub_names(folder / _WEIGHTS)
    _processor(tokenizer, vision).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(_preprocessor(vision), encoding="utf-8")


def _use_hub_names(weights: Path) -> None:
    """Transformers 5 drops `vision_model.` from the names; the hub and vLLM expect it."""
    if not weights.exists():
        return  # sharded full-scale checkpoints come out of FSDP under their final names
    tensors = load_file(weights)
    old, new = "vision_tower.", "vision_tower.vision_model."
    renamed = {
        name.replace(old, new, 1) if name.startswith(old) and not name.startswith(new) else name: t
        for name, t in tensors.items()
    }
    save_file(renamed, weights, metadata={"format": "pt"})


def _processor(tokenizer: PreTrainedTokenizerFast, vision: VisionSpec) -> LlavaProcessor:
    side = {"height": vision.image_px, "width": vision.image_px}
    kind = LlavaImageProcessorPil if _pads(vision) else CLIPImageProcessorPil
    return LlavaProcessor(
        image_processor=kind(
            size={"shortest_edge": vision.image_px},
            crop_size=side,
            image_mean=list(MEAN),
            image_std=list(STD),
            **({"do_pad": True} if _pads(vision) else {}),
        ),
        tokenizer=tokenizer,
        patch_size=vision.patch_px,
        vision_feature_select_strategy="default",
        chat_template=tokenizer.chat_template,
        num_additional_image_tokens=1,
    )


def _pads(vision: VisionSpec) -> bool:
    """Whether pictures are made square by a border, as LLaVA-1.5's data are, or cropped.

    What is drawn here is square already.
    """
    return vision.checkpoint is not None


def _preprocessor(vision: VisionSpec) -> str:
    """The file that older readers look for beside `processor_config.json`."""
    side = {"height": vision.image_px, "width": vision.image_px}
    return json.dumps(
        {
            "image_processor_type": (
                "LlavaImageProcessor" if _pads(vision) else "CLIPImageProcessor"
            ),
            "do_pad": _pads(vision),
            "processor_class": "LlavaProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "size": {"shortest_edge": vision.image_px},
            "resample": 3,
            "do_center_crop": True,
            "crop_size": side,
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": list(MEAN),
            "image_std": list(STD),
        },
        indent=2,
    )
