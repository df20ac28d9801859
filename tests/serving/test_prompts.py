"""Prompts by templates of every kind: those that know pictures, and a language model's own."""

from dataclasses import replace

import pytest

from serving.prompts import PromptFormat, Turn
from tests.builders import TEMPLATE, description


@pytest.mark.parametrize(
    "said",
    [
        "{{ m['content'] }}",
        "{{ 'USER: ' + m['content'] }}",
        "{{ m['content'].strip() }}",
        "{% if m['content'] is not string %}{{ raise_exception('text only') }}{% endif %}"
        "{{ m['content'] }}",
    ],
    ids=["prints", "adds", "strips", "refuses"],
)
def test_a_template_for_text_alone_shows_the_picture_before_the_text(said: str) -> None:
    text_only = replace(
        description(), chat_template="{% for m in messages %}" + said + "{% endfor %}ASSISTANT:"
    )
    shown, image = PromptFormat(text_only), 96  # as `description` numbers its tokens

    ids = shown.token_ids((Turn("user", "what is it?", 1),))

    assert ids.count(image) == 1
    assert ids.index(image) < len(ids) - len("what is it?ASSISTANT:")
    assert shown.token_ids((Turn("user", "<image>", 0),)).count(image) == 0  # none is forged
    assert shown.size(ids) == len(ids) + description().image_tokens - 1


def test_a_template_that_knows_pictures_is_used_as_it_is() -> None:
    assert description().chat_template == TEMPLATE

    ids = PromptFormat(description()).token_ids((Turn("user", "?", 2),))

    assert ids.count(96) == 2
