"""Asking a labelled set: what was answered before is kept, as its set grades it now."""

from pathlib import Path

import pytest

from evaluation.offline import Answered, DatasetError, Item, fingerprint, line_of
from serving.commands.ask import Asking, ask_all

pytestmark = pytest.mark.anyio
NOWHERE = Asking("http://127.0.0.1:9", ("old",), timeout_s=2)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def strict(answer: str) -> float:
    if answer == "odd":
        raise DatasetError("the grader of the set failed on 'odd'")
    return float(answer == "red")


def before(item: Item, answer: str, score: float) -> Answered:
    asked = fingerprint(item, NOWHERE.max_tokens)
    return Answered(
        item.id, "old", "attribute", item.question, answer, score, "the set's own", 0.9, 0.0, 0.0,
        1, asked=asked,
    )  # fmt: skip


async def test_an_answer_from_before_is_graded_again_and_asked_again_where_that_fails(
    tmp_path: Path,
) -> None:
    items = [Item(name, "what color is it?", ("red",), grader=strict) for name in ("a", "b")]
    out = tmp_path / "answers.jsonl"
    lines = [before(items[0], "red", 0.0), before(items[1], "odd", 0.0)]
    out.write_text("".join(map(line_of, lines)), encoding="utf-8")

    told = await ask_all(items, NOWHERE, out, lambda *_: None)

    found = {t.id: t for t in told}
    assert (found["a"].score, found["a"].error) == (1.0, "")
    assert found["b"].error.startswith("Connect")  # nobody is there: but it was asked
