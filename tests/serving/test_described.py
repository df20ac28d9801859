"""What front ends know of a backbone is of the model that it has now, and is right for it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import (
    AutoConfig,
    AutoProcessor,
    CLIPVisionConfig,
    LlavaConfig,
    SiglipVisionConfig,
)

from serving.described import kept_at
from serving.engines.describe import describe
from serving.parts import load_engine
from serving.settings import Backbone

ZOO = Path(__file__).parents[2] / "serving" / "zoo" / "llava-llama-1"


def test_another_model_under_the_same_name_has_another_description(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    first = kept_at(tmp_path, "old", str(model))
    again = kept_at(tmp_path, "old", str(model))
    (model / "config.json").write_text('{"other": 1}')

    assert first == again
    assert kept_at(tmp_path, "old", str(model)) != first
    assert kept_at(tmp_path, "old", "hub/one") != kept_at(tmp_path, "old", "hub/other")


@pytest.mark.parametrize(
    ("vision", "strategy", "tokens"),
    [
        (CLIPVisionConfig(image_size=336, patch_size=14), "default", 576),
        (CLIPVisionConfig(image_size=336, patch_size=14), "full", 577),
        (SiglipVisionConfig(image_size=384, patch_size=14), "full", 729),
    ],
)
def test_a_picture_has_the_tokens_that_its_encoder_gives(
    vision: Any, strategy: Any, tokens: int
) -> None:
    config = LlavaConfig(vision_config=vision, vision_feature_select_strategy=strategy)
    config.image_token_index = AutoConfig.from_pretrained(ZOO).image_token_index

    assert describe(ZOO, config, processor()).image_tokens == tokens


def test_a_model_whose_pictures_have_no_fixed_size_is_refused() -> None:
    with pytest.raises(ValueError, match="llava_next"):
        describe(ZOO, SimpleNamespace(model_type="llava_next"), processor())


def test_auto_takes_vllm_only_where_a_gpu_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.parts._can_vllm", lambda: True)

    engine = load_engine(Backbone(id="old", generation="llama-1", model="zoo:llava-llama-1"))

    assert type(engine).__name__ == "Transformers"


def processor() -> Any:
    return AutoProcessor.from_pretrained(ZOO, use_fast=False)  # type: ignore[no-untyped-call]
