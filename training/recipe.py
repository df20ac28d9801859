"""What is held constant in the backbone swap, and the one thing that varies."""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VisionPhase(_Frozen):
    """Some steps of the encoder's training; `writing` is the share of pictures of writing."""

    steps: int
    learning_rate: float
    writing: float | None = None
    muon_learning_rate: float | None = None


class VisionSpec(_Frozen):
    """The vision encoder: trained here, or a CLIP checkpoint by path or hub id."""

    checkpoint: str | None = None
    hidden_size: int = 128
    intermediate_size: int = 512
    layers: int = 5
    heads: int = 4
    patch_px: int = 8
    image_px: int = 64
    batch: int = 64
    phases: tuple[VisionPhase, ...] = ()


class BackboneSpec(_Frozen):
    """One language model: the only part that differs between two runs."""

    id: str
    generation: Literal["llama-1", "llama-2", "llama-3"]
    checkpoint: str | None = None
    vocabulary: int = 1_024
    hidden_size: int = 192
    intermediate_size: int = 512
    layers: int = 5
    heads: int = 6
    key_value_heads: int = 6
    rope_theta: float = 1e4
    context_tokens: int = 256
    pretrain_tokens: int = 0


class StageSpec(_Frozen):
    """One LLaVA stage; `items` are pictures with all their questions, or lines of a LLaVA JSON.

    `passes` is how often stage 1 of the embedded profile sees each of its pictures. The learning
    rate follows a cosine over all items; with `stop` it ends at that step, and falls to zero in a
    line over the last `cooldown` steps before it (Hägele et al. 2024, "Scaling laws and
    compute-optimal training beyond fixed training durations").
    """

    items: int
    batch: int
    learning_rate: float
    passes: int = 1
    data: Path | None = None
    images: Path | None = None
    warmup_ratio: float = 0.03
    stop: int | None = None
    cooldown: int = 0
    micro_batch: int | None = None
    muon_learning_rate: float | None = None


class Profile(_Frozen):
    """A whole study. `embedded` trains from nothing on two cores; `llava-7b` is full scale.

    `look` is how the embedded profile's stage 2 begins: pictures of `tune` in which things are to
    be found, asked about in lessons (see `training.data.lessons`). `finish` and `settle` are how it
    ends: new pictures, of which some are harder (see `training.data.mixture.HARDER`), and then some
    that ask for places above all (`PLACING`).
    """

    name: str
    seed: int = 7
    bf16: bool = True
    use_cpu: bool = True
    vision: VisionSpec = VisionSpec()
    backbones: tuple[BackboneSpec, ...] = Field(min_length=1)
    align: StageSpec
    look: StageSpec | None = None
    tune: StageSpec
    finish: StageSpec | None = None
    settle: StageSpec | None = None
    pretrain_batch: int = 16
    pretrain_length: int = 128
    pretrain_learning_rate: float = 2e-3
    pretrain_muon_learning_rate: float | None = None
    weight_decay: float = 0.01
    adam_beta2: float = 0.98
    accelerate: dict[str, str | bool | dict[str, str | int | bool | list[str]]] = {}

    @classmethod
    def load(cls, name_or_path: str) -> "Profile":
        """Read a shipped profile by name, or any YAML file by path.

        Raises:
            FileNotFoundError: neither a shipped profile nor a file; the message lists the names.
            pydantic.ValidationError: the file says something the recipe does not know.
        """
        shipped = {p.name.removesuffix(".yaml"): p for p in files("training.profiles").iterdir()}
        source = shipped.get(name_or_path, Path(name_or_path))
        if not source.is_file():
            names = ", ".join(sorted(n for n in shipped if "." not in n and n[0] != "_"))
            raise FileNotFoundError(
                f"no profile {name_or_path!r}; shipped: {names}; or give a path"
            )
        return cls.model_validate(yaml.safe_load(source.read_text(encoding="utf-8")))
