"""Pre-train one language model on its token budget, or load the checkpoint it names."""

from functools import lru_cache
from itertools import islice

import torch
from torch.utils.data import Dataset
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from training.data.corpus import lines
from training.recipe import BackboneSpec, Profile
from training.steps import Batch, Steps, text_ids
from training.tokenizer import CHAT_TEMPLATE, IMAGE, train_tokenizer


class TokenBlocks(Dataset[Batch]):
    """The corpus cut into blocks of equal length, up to a budget of tokens.

    It is read with the first block that is asked for: a stage that has finished needs none.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, budget: int, length: int, seed: int
    ) -> None:
        self._tokenizer, self._seed = tokenizer, seed
        self._count, self._length = budget // length, length
        self._blocks: torch.Tensor | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Batch:
        if self._blocks is None:
            self._blocks = self._read()
        return {"input_ids": self._blocks[index], "labels": self._blocks[index]}

    def _read(self) -> torch.Tensor:
        ids: list[int] = []
        stream, wanted = lines(self._seed), self._count * self._length
        begin, end = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        while len(ids) < wanted:
            some = islice(stream, 5_000)
            for line in self._tokenizer(list(some), add_special_tokens=False)["input_ids"]:
                ids += [begin, *line, end]
        return torch.tensor(ids[:wanted]).view(-1, self._length)


def load_tokenizer(spec: BackboneSpec, seed: int) -> PreTrainedTokenizerFast:
    """Train the backbone's tokenizer, or load its checkpoint's and add `<image>` to it."""
    if spec.checkpoint is None:
        return _trained(spec.vocabulary, seed, spec.context_tokens)
    tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(spec.checkpoint)
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE]})
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


@lru_cache(maxsize=8)  # a process that trains a backbone stage by stage needs it once
def _trained(vocabulary: int, seed: int, context_tokens: int) -> PreTrainedTokenizerFast:
    return train_tokenizer(vocabulary, seed, context_tokens=context_tokens)


def build_language_model(
    spec: BackboneSpec, tokenizer: PreTrainedTokenizerFast
) -> LlamaForCausalLM:
    """Build an untrained LLaMA of the given generation, or load the checkpoint it names."""
    if spec.checkpoint is not None:
        model = LlamaForCausalLM.from_pretrained(spec.checkpoint)
        model.resize_token_embeddings(len(tokenizer), pad_to_multiple_of=64)
        return model
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=spec.vocabulary,
            hidden_size=spec.hidden_size,
            intermediate_size=spec.intermediate_size,
            num_hidden_layers=spec.layers,
            num_attention_heads=spec.heads,
            num_key_value_heads=spec.key_value_heads,
            head_dim=spec.hidden_size // spec.heads,
            rope_parameters={"rope_type": "default", "rope_theta": spec.rope_theta},
            max_position_embeddings=spec.context_tokens,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            tie_word_embeddings=False,
        )
    )


def pretrain(
    steps: Steps, profile: Profile, spec: BackboneSpec, tokenizer: PreTrainedTokenizerFast
) -> LlamaForCausalLM:
    """Return the backbone's language model after its pre-training budget."""
    torch.manual_seed(profile.seed)
    model = build_language_model(spec, tokenizer)
    if spec.pretrain_tokens:
        blocks = TokenBlocks(tokenizer, spec.pretrain_tokens, profile.pretrain_length, profile.seed)
        steps.run(
            f"{spec.id}/pretrain",
            model,
            blocks,
            _stack,
            batch=profile.pretrain_batch,
            learning_rate=profile.pretrain_learning_rate,
            muon_learning_rate=profile.pretrain_muon_learning_rate,
        )
    return model


def _stack(rows: list[Batch]) -> Batch:
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


__all__ = ["TokenBlocks", "build_language_model", "load_tokenizer", "pretrain", "text_ids"]
