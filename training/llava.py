"""Assemble LLaVA around a language model and train it in LLaVA's two stages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import Dataset
from transformers import (
    CLIPVisionModel,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from training.data.items import Item
from training.data.mixture import USUAL, Mixture, make_item
from training.packing import IGNORED, Packer, Row, Turn
from training.recipe import BackboneSpec, Profile, StageSpec
from training.steps import Batch, Steps
from training.tokenizer import IMAGE
from training.turns import ENDINGS, conversations
from training.vision import pixel_values

FEATURE_LAYER = -2


def assemble(
    encoder: CLIPVisionModel, language: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> LlavaForConditionalGeneration:
    """Join a trained encoder and language model by a fresh two-layer MLP projector."""
    config = LlavaConfig(
        vision_config=encoder.config,
        text_config=language.config,
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        projector_hidden_act="gelu",
        vision_feature_layer=FEATURE_LAYER,
        vision_feature_select_strategy="default",
        image_seq_length=(encoder.config.image_size // encoder.config.patch_size) ** 2,
        tie_word_embeddings=False,
    )
    model = LlavaForConditionalGeneration(config)
    model.model.vision_tower.load_state_dict(encoder.state_dict())
    model.model.language_model.load_state_dict(language.model.state_dict())
    model.lm_head.load_state_dict(language.lm_head.state_dict())
    return model


def features_of(encoder: CLIPVisionModel, pixels: torch.Tensor) -> torch.Tensor:
    """What LLaVA reads of a picture: the penultimate layer's patches, (n, patches, width)."""
    hidden = encoder(pixels, output_hidden_states=True).hidden_states[FEATURE_LAYER]
    return hidden[:, 1:]


class PackedLlava(nn.Module):
    """LLaVA's loss over packed rows; the encoder stays frozen."""

    def __init__(self, llava: LlavaForConditionalGeneration, *, train_language: bool) -> None:
        super().__init__()
        self.llava = llava
        llava.model.vision_tower.requires_grad_(requires_grad=False)
        llava.model.language_model.requires_grad_(requires_grad=train_language)
        llava.lm_head.requires_grad_(requires_grad=train_language)

    def activation_checkpointing_enable(self, **options: Any) -> None:
        """As Trainer asks its model for it: compute activations again instead of keeping them."""
        self.llava.activation_checkpointing_enable(**options)

    def forward(  # noqa: PLR0913 - what a batch of LLaVA consists of
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        features: torch.Tensor | None = None,
        pixel_values: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return the mean cross-entropy of the answer tokens."""
        core = self.llava.model
        embedded = core.get_input_embeddings()(input_ids)
        if features is None and pixel_values is not None:
            with torch.no_grad():
                features = features_of(core.vision_tower, pixel_values)
        if features is not None:
            seen = core.multi_modal_projector(features.to(embedded.dtype)).to(embedded.dtype)
            where = (input_ids == self.llava.config.image_token_index)[..., None]
            embedded = embedded.masked_scatter(where.expand_as(embedded), seen)
        hidden = core.language_model(
            inputs_embeds=embedded,
            attention_mask=attention_mask,
            position_ids=position_ids,
            use_cache=False,
        ).last_hidden_state
        wanted = labels[:, 1:]
        at = wanted != IGNORED
        logits = self.llava.lm_head(hidden[:, :-1][at])
        return {"loss": nn.functional.cross_entropy(logits.float(), wanted[at])}


@dataclass(frozen=True, slots=True)
class Whitening:
    """Centre and whiten vision features: (x − mean) @ matrix; (width,) and (width, width).

    A pre-norm encoder's residual stream has a large mean and one direction that outweighs the rest;
    a projector that starts on it learns ten times slower. The map is affine, so it is folded into
    the projector's first layer after training (`fold`): the exported model is plain LLaVA.
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, features: NDArray[np.float16]) -> "Whitening":
        """Measure it on (n, patches, width) features."""
        rows = features.reshape(-1, features.shape[-1]).astype(np.float64)
        mean = rows.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(rows - mean, rowvar=False))
        scale = 1 / np.sqrt(values + 0.01 * np.median(values))
        return cls(mean.astype(np.float32), (vectors * scale).astype(np.float32))

    def __call__(self, features: NDArray[np.float16]) -> NDArray[np.float32]:
        """Whiten (patches, width) features."""
        centred = torch.from_numpy(features.astype(np.float32) - self.mean)
        white: NDArray[np.float32] = (centred @ torch.from_numpy(self.matrix)).numpy()
        return white  # by torch, which keeps to one thread in a loader process

    def fold(self, llava: LlavaForConditionalGeneration) -> None:
        """Move the map into the projector, which then takes features as they are."""
        layer = llava.model.multi_modal_projector.linear_1
        with torch.no_grad():
            weight = layer.weight.double() @ torch.from_numpy(self.matrix).double().T
            layer.bias -= (weight @ torch.from_numpy(self.mean).double()).to(layer.bias.dtype)
            layer.weight.copy_(weight)


class EmbeddedRows(Dataset[tuple[Row, torch.Tensor | None]]):
    """Items of the mixture by number, with cached vision features; `choose` says what is asked."""

    def __init__(  # noqa: PLR0913 - what rows are made of
        self,
        seed: int,
        items: Sequence[int],
        packer: Packer,
        cache: Path,
        choose: Callable[[int, int, Item], list[list[Turn]]] = conversations,
        *,
        mixture: Mixture = USUAL,
        whiten: Path | None = None,
    ) -> None:
        """Read the features of `items` from `cache`, whitened as those of `whiten` are."""
        self._seed, self._items, self._packer, self._choose = seed, items, packer, choose
        self._mixture = mixture
        self._features: NDArray[np.float16] = np.load(cache, mmap_mode="r")
        self._whiten = whitening(whiten or cache)

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> tuple[Row, torch.Tensor | None]:
        at = self._items[index]
        item = make_item(self._seed, "train", at, self._mixture)
        turns = self._choose(self._seed, at, item)
        row = self._packer.row(turns, has_image=item.image is not None)
        if item.image is None:
            return row, None
        return row, torch.from_numpy(self._whiten(self._features[at]))


@lru_cache(maxsize=1)
def whitening(cache: Path) -> Whitening:
    """The whitening of a feature cache, measured on two thousand of its pictures."""
    features: NDArray[np.float16] = np.load(cache, mmap_mode="r")
    return Whitening.of(np.asarray(features[:: max(1, len(features) // 2_000)]))


@dataclass(frozen=True)
class Collate:
    """Batches rows and their `name` (features or pixel values); can travel to a loader process."""

    packer: Packer
    name: str

    def __call__(self, rows: list[tuple[Row, torch.Tensor | None]]) -> Batch:
        batch, order = self.packer.batch([row for row, _ in rows])
        pictures = [picture for at in order if (picture := rows[at][1]) is not None]
        return batch | ({self.name: torch.stack(pictures)} if pictures else {})


def cache_features(  # noqa: PLR0913 - what pictures are drawn from
    profile: Profile,
    encoder: CLIPVisionModel,
    seed: int,
    count: int,
    path: Path,
    mixture: Mixture = USUAL,
) -> Path:
    """Encode the first `count` pictures of the mixture once; float16, (count, patches, width)."""
    from tqdm import tqdm

    spec = profile.vision
    shape = (count, (spec.image_px // spec.patch_px) ** 2, spec.hidden_size)
    if path.exists() and np.load(path, mmap_mode="r").shape == shape:
        return path
    partial = path.with_suffix(".partial.npy")
    cached = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
    encoder.eval()
    for start in tqdm(range(0, count, 256), desc="encode pictures"):
        stop = min(count, start + 256)
        items: list[Item] = [make_item(seed, "train", i, mixture) for i in range(start, stop)]
        blank = np.zeros((3, spec.image_px, spec.image_px), np.float32)
        pixels = np.stack([blank if i.image is None else pixel_values(i.image) for i in items])
        with torch.inference_mode():
            cached[start:stop] = features_of(encoder, torch.from_numpy(pixels)).numpy()
    cached.flush()
    partial.rename(path)
    return path


def packer_for(profile: Profile, spec: BackboneSpec, tokenizer: PreTrainedTokenizerFast) -> Packer:
    """Make the packer that fits the encoder's patches and the backbone's context."""
    patches = (profile.vision.image_px // profile.vision.patch_px) ** 2
    return Packer(tokenizer, patches, spec.context_tokens)


def train_stages(
    steps: Steps,
    profile: Profile,
    spec: BackboneSpec,
    llava: LlavaForConditionalGeneration,
    rows: Any,
) -> None:
    """Stage 1 trains the projector alone; stage 2 the projector and the language model.

    Where pictures are drawn here, stage 1 is `training.words` and has been run already; stage 2
    then begins with lessons in looking and ends with what is learned last, where the profile plans
    them.
    """
    stages = ("look", "tune", *ENDINGS) if profile.align.data is None else ("align", "tune")
    for stage in stages:
        plan: StageSpec | None = getattr(profile, stage)
        if plan is None:
            continue
        data, collator = rows(stage)
        torch.manual_seed(profile.seed)
        steps.run(
            f"{spec.id}/{stage}",
            PackedLlava(llava, train_language=stage != "align"),
            data,
            collator,
            batch=plan.batch,
            micro_batch=plan.micro_batch,
            learning_rate=plan.learning_rate,
            warmup_ratio=plan.warmup_ratio,
            muon_learning_rate=plan.muon_learning_rate,
            stop=plan.stop,
            cooldown=plan.cooldown,
        )
