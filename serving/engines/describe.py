"""Read off a loaded processor what the front end must know to prepare prompts."""

from pathlib import Path
from typing import Any

from serving.engines.base import Description


def described(folder: Path) -> Description:
    """Describe a model's folder without its weights.

    Raises:
        OSError, ValueError: there is no such model, or it cannot be served.
    """
    from transformers import AutoConfig, AutoProcessor

    config = AutoConfig.from_pretrained(folder)
    processor: Any = AutoProcessor.from_pretrained(folder, backend="pil")  # type: ignore[no-untyped-call]
    return describe(folder, config, processor)


def describe(model: Path, config: Any, processor: Any) -> Description:
    """Describe a LLaVA-1.5 style model: a fixed number of tokens per picture.

    Args:
        model: where it was loaded from, for error messages.
        config: its transformers configuration.
        processor: its LlavaProcessor.

    Raises:
        ValueError: it is of another kind, which has a number of tokens for each size of picture, or
            it has no chat template, so there is no way to show it a conversation.
    """
    if config.model_type != "llava":
        raise ValueError(
            f"{model} is a {config.model_type} model; Barn serves LLaVA-1.5 style ones (model_type "
            "llava), whose pictures are of one size"
        )
    tokenizer = processor.tokenizer
    template = processor.chat_template or tokenizer.chat_template
    if not template:
        raise ValueError(f"{model} has no chat template; add chat_template.jinja to it")
    vision = config.vision_config
    patches = (vision.image_size // vision.patch_size) ** 2
    # CLIP begins with a class token, which only `full` keeps; SigLIP has none
    kept = patches + (vision.model_type == "clip_vision_model")
    kept -= config.vision_feature_select_strategy == "default"
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    return Description(
        tokenizer_json=tokenizer.backend_tokenizer.to_str(),
        chat_template=template,
        special_tokens={n: t for n in names if (t := getattr(tokenizer, n))},
        image_token=tokenizer.convert_ids_to_tokens(config.image_token_index),
        image_tokens=kept,
        image_side_px=vision.image_size,
        border=_border(processor.image_processor),
        context_tokens=config.text_config.max_position_embeddings,
    )


def _border(images: Any) -> tuple[int, int, int] | None:
    """The mean colour where an image processor makes pictures square by a border, as LLaVA's."""
    if not getattr(images, "do_pad", False):
        return None
    red, green, blue = (int(255 * mean) for mean in images.image_mean)
    return red, green, blue
