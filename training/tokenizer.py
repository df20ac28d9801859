"""A byte-level BPE tokenizer per vocabulary size, with LLaVA's special tokens."""

from itertools import islice

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from training.data.corpus import lines
from training.data.mixture import make_item

SPECIAL = ("<unk>", "<s>", "</s>", "<pad>", "<image>")
IMAGE = "<image>"

CHAT_TEMPLATE = """\
{{ bos_token }}{% for message in messages %}\
{% if message['role'] == 'system' %}{% if message['content'] is string %}{{ message['content'] }}\
{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}{{ '\\n' }}\
{% else %}{{ message['role'].upper() }}: \
{% if message['content'] is string %}{{ message['content'] }}{% else %}\
{% for part in message['content'] if part['type'] in ('image', 'image_url') %}<image>{{ '\\n' }}\
{% endfor %}{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}\
{% endfor %}{% endif %}{{ ' ' if message['role'] == 'user' else eos_token }}{% endif %}\
{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"""
"""As llava-hf/llava-1.5: images first, then the text; `USER: … ASSISTANT: …`."""


def train_tokenizer(vocabulary: int, seed: int, *, context_tokens: int) -> PreTrainedTokenizerFast:
    """Train on the head of the corpus and on questions; digits are always single tokens."""
    core = Tokenizer(models.BPE(unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_sample(seed), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        extra_special_tokens=[IMAGE],
        model_max_length=context_tokens,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )


def _sample(seed: int) -> list[str]:
    questions = [
        f"USER: {IMAGE}\n{asked.question} ASSISTANT: {asked.answer}".replace(IMAGE, "")
        for index in range(2_000)
        for asked in make_item(seed, "train", index).asked
    ]
    return [*islice(lines(seed), 100_000), *questions]
