"""Answer held-out questions with a trained model, in batches; confidences and inner states too."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoTokenizer, LlavaForConditionalGeneration, PreTrainedTokenizerFast

from training.steps import text_ids
from training.tokenizer import IMAGE
from training.vision import pixel_values

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Said:
    """One answer and the probability of exactly it (see `evaluation.confidence`)."""

    text: str
    confidence: float
    tokens: int


class Answerer:
    """One model of the zoo, greedy."""

    def __init__(self, folder: Path) -> None:
        self.model = LlavaForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        self.model.eval()
        self.tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(folder)
        self._patches = int(self.model.config.image_seq_length)
        self._eos = int(self.tokenizer.eos_token_id)

    @torch.inference_mode()
    def answer(
        self, asked: Sequence[tuple[Image.Image | None, str]], *, most: int = 12, batch: int = 48
    ) -> list[Said]:
        """Answer every (picture or None, question), in order."""
        told: list[Said] = []
        for start in range(0, len(asked), batch):
            some = asked[start : start + batch]
            out = self.model.generate(
                **self._inputs(some),
                max_new_tokens=most,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
            )
            logprobs = torch.stack(out.logits, dim=1).log_softmax(-1)
            new = out.sequences[:, -logprobs.shape[1] :]
            chosen = logprobs.gather(-1, new[..., None])[..., 0]
            told += [self._said(ids, log) for ids, log in zip(new, chosen, strict=True)]
        return told

    def _said(self, ids: torch.Tensor, logprobs: torch.Tensor) -> Said:
        found = (ids == self._eos).nonzero()
        length = int(found[0]) + 1 if len(found) else len(ids)
        text = str(self.tokenizer.decode(ids[:length], skip_special_tokens=True))
        return Said(text.strip(), min(1.0, float(logprobs[:length].sum().exp())), length)

    @torch.inference_mode()
    def states(self, asked: Sequence[tuple[Image.Image | None, str]], *, batch: int = 48) -> Floats:
        """Hidden states at the position that starts the answer: (layers + 1, n, width)."""
        layers: list[torch.Tensor] = []
        for start in range(0, len(asked), batch):
            inputs = self._inputs(asked[start : start + batch])
            out = self.model(**inputs, output_hidden_states=True, logits_to_keep=1)
            layers.append(torch.stack([h[:, -1] for h in out.hidden_states]))
        return torch.cat(layers, dim=1).numpy()

    def _inputs(self, asked: Sequence[tuple[Image.Image | None, str]]) -> dict[str, torch.Tensor]:
        rows = [self._ids(picture is not None, question) for picture, question in asked]
        length = max(map(len, rows))
        pad = int(self.tokenizer.pad_token_id)
        ids = torch.tensor([[pad] * (length - len(r)) + r for r in rows])
        mask = torch.tensor([[0] * (length - len(r)) + [1] * len(r) for r in rows])
        pictures = [pixel_values(p) for p, _ in asked if p is not None]
        inputs = {"input_ids": ids, "attention_mask": mask}
        if pictures:
            inputs["pixel_values"] = torch.from_numpy(np.stack(pictures))
        return inputs

    def _ids(self, seen: bool, question: str) -> list[int]:  # noqa: FBT001 - one or the other
        image = IMAGE * self._patches + "\n" if seen else ""
        return text_ids(self.tokenizer, f"<s>USER: {image}{question} ASSISTANT:")
