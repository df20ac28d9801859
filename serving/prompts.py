"""Render a conversation with a backbone's own template and tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from serving.engines.base import Description
from serving.errors import BadRequestError


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: its role, its text, and how many pictures stand before the text."""

    role: str
    text: str
    pictures: int = 0


class PromptFormat:
    """Prepares prompts for one backbone, without loading the model."""

    def __init__(self, description: Description) -> None:
        self.description = description
        self._tokenizer: Tokenizer = Tokenizer.from_str(description.tokenizer_json)
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string(description.chat_template)
        self._image_id = self._tokenizer.token_to_id(description.image_token)
        self._as_text = not self._shows_pictures()
        added = self._tokenizer.get_added_tokens_decoder().values()
        spelled = {t.content for t in added if t.special} | set(description.special_tokens.values())
        self._special = sorted({description.image_token, *spelled} - {""}, key=len, reverse=True)
        # sizing, routing and asking need the same prompt within a moment
        self._recent = lru_cache(maxsize=64)(self._encoded)

    def token_ids(self, turns: Sequence[Turn]) -> tuple[int, ...]:
        """Token ids with one image token per picture.

        Text that spells a special token (`<image>`, `</s>`, `<|start_header_id|>`) is broken up
        first, so that a question can neither forge a picture nor end its own turn or begin another.

        Raises:
            BadRequestError: the template refuses this order of roles.
        """
        return self._recent(tuple(turns))

    def _encoded(self, turns: tuple[Turn, ...]) -> tuple[int, ...]:
        text = self._template.render(
            messages=[self._message(turn) for turn in turns],
            add_generation_prompt=True,
            **self.description.special_tokens,
        )
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def size(self, token_ids: tuple[int, ...]) -> int:
        """Tokens that the model will see, with every picture's."""
        pictures = token_ids.count(self._image_id)
        return len(token_ids) + pictures * (self.description.image_tokens - 1)

    def _shows_pictures(self) -> bool:
        """Whether the template knows parts; a language model's own knows text alone."""
        content = [{"type": "image"}, {"type": "text", "text": "?"}]
        try:
            shown = self._template.render(
                messages=[{"role": "user", "content": content}], add_generation_prompt=True,
                **self.description.special_tokens,
            )  # fmt: skip
        except (TemplateError, TypeError, BadRequestError):  # it wants a string, and adds to it
            return False
        return self.description.image_token in shown

    def _message(self, turn: Turn) -> dict[str, Any]:
        text = turn.text
        for special in self._special:
            text = text.replace(special, special[:1] + " " + special[1:])
        if self._as_text:  # the picture's token before the text, as LLaVA's own prompts have it
            shown = f"{self.description.image_token}\n" * turn.pictures
            return {"role": turn.role, "content": shown + text}
        content = [{"type": "image"}] * turn.pictures + [{"type": "text", "text": text}]
        return {"role": turn.role, "content": content}


def _refuse(message: str) -> None:
    raise BadRequestError(f"messages: {message}") from TemplateError(message)
