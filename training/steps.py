"""The one way a stage is trained here: Hugging Face's Trainer, resumable and seeded."""

import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from training.optimiser import MuonAdamW
from training.products import quicken
from training.recipe import Profile

Batch = dict[str, torch.Tensor]
_MUON_DECAY = 0.1
"""Muon's steps are of one size: without decay a long stage leaves weights too large to learn."""


class EnoughStagesError(Exception):
    """As many stages were trained as were wanted, and there is another one."""


class Steps:
    """Runs stages under one folder; a stage that has finished is not run again.

    With `most`, so many are trained, and the next one is refused.
    """

    def __init__(self, profile: Profile, folder: Path, most: int | None = None) -> None:
        self.profile = profile
        self.folder = folder
        self._left = most

    def run(  # noqa: PLR0913 - a training stage has this many independent choices
        self,
        stage: str,
        model: torch.nn.Module,
        rows: Dataset[Any],
        collate: Callable[[list[Any]], Batch],
        *,
        batch: int,
        learning_rate: float,
        micro_batch: int | None = None,
        warmup_ratio: float = 0.03,
        muon_learning_rate: float | None = None,
        stop: int | None = None,
        cooldown: int = 0,
    ) -> None:
        """Train `model` in place for one pass over `rows`; resume from the stage's checkpoint.

        With `muon_learning_rate`, Muon moves the layers' matrices and AdamW the rest; only then can
        the pass be cut short (see `training.recipe.StageSpec`).

        Raises:
            EnoughStagesError: this one would be trained, and is one too many.
            ValueError: the batch cannot be divided among the processes.
        """
        folder = self.folder / stage
        # one for each GPU, by `accelerate launch`
        processes = int(os.environ.get("WORLD_SIZE", "1"))  # noqa: TID251 - the launcher's
        if batch % processes:
            raise ValueError(f"{stage}: a batch of {batch} cannot be shared by {processes} GPUs")
        share = batch // processes
        micro = min(micro_batch or share, share)
        steps = len(rows) // batch  # type: ignore[arg-type]  # all our data sets are sized
        last = min(steps, stop or steps)
        before = get_last_checkpoint(str(folder)) if folder.is_dir() else None
        if before is not None and _step(before) >= last:
            if _load(before, model):
                return  # else it is sharded, and the Trainer below puts it together
        elif self._left is not None:
            if self._left == 0:
                raise EnoughStagesError(stage)
            self._left -= 1
        warmup = max(1, round(warmup_ratio * steps))
        arguments = TrainingArguments(
            output_dir=str(folder),
            max_steps=last,
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=share // micro,
            learning_rate=learning_rate,
            warmup_steps=warmup,
            lr_scheduler_type="cosine",
            weight_decay=self.profile.weight_decay,
            adam_beta2=self.profile.adam_beta2,
            max_grad_norm=1.0,
            bf16=self.profile.bf16,
            use_cpu=self.profile.use_cpu,
            seed=self.profile.seed,
            data_seed=self.profile.seed,
            save_steps=250,
            save_total_limit=1,
            save_strategy="steps",
            logging_steps=max(1, min(50, steps // 10)),
            report_to="none",
            remove_unused_columns=False,
            dataloader_num_workers=1,
            dataloader_drop_last=True,
            label_names=["labels"],
            **self.profile.accelerate,
        )
        muon = schedule = None
        if muon_learning_rate is not None:
            muon = MuonAdamW(
                model,
                muon_learning_rate=muon_learning_rate,
                learning_rate=learning_rate,
                decay=self.profile.weight_decay,
                beta2=self.profile.adam_beta2,
                muon_decay=_MUON_DECAY,
            )
            schedule = LambdaLR(muon, partial(share_of_rate, warmup, steps, stop, cooldown))
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=rows,
            data_collator=collate,
            optimizers=(muon, schedule),
        )
        folder.mkdir(parents=True, exist_ok=True)
        quicken(model)
        trainer.train(resume_from_checkpoint=before)


def _step(checkpoint: str) -> int:
    """The step that a checkpoint's folder is named after."""
    return int(checkpoint.rpartition("-")[2])


def _load(checkpoint: str, model: torch.nn.Module) -> bool:
    """Take a checkpoint's weights; False where they are sharded."""
    weights = Path(checkpoint) / "model.safetensors"
    if not weights.is_file():
        return False
    load_model(model, weights)
    return True


def share_of_rate(warmup: int, steps: int, stop: int | None, cooldown: int, step: int) -> float:
    """The share of the learning rate at a step: warm-up, a cosine over `steps`, a line to `stop`.

    >>> [round(share_of_rate(10, 100, 60, 20, k), 2) for k in (0, 5, 10, 40, 50, 60)]
    [0.0, 0.5, 1.0, 0.75, 0.29, 0.0]
    """
    if step < warmup:
        return step / warmup
    share = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
    if stop is not None and cooldown:
        share *= min(1.0, max(0.0, (stop - step) / cooldown))
    return share


def text_ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Tokenise without adding special tokens of the tokenizer's own."""
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
