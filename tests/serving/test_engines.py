"""Every engine keeps the contract: the scripted one, transformers and vLLM on a real model."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from easy_vqa import get_test_image_paths, get_test_questions

from serving.engines.base import Engine, Fit, Prompt, Sampling
from serving.engines.scripted import Scripted
from serving.images import decode_bytes
from serving.parts import LoadedEngine
from serving.prompts import PromptFormat, Turn
from serving.settings import ImageLimits
from tests.contracts.engine import (
    CHECKS,
    Check,
    asked,
    collected,
    starts_what_is_asked_in_the_background_last,
    tells_where_the_time_went,
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
ZOO = Path(__file__).parents[2] / "serving" / "zoo"
MODEL = str(ZOO / "llava-llama-2")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def transformers_engine() -> Iterator[LoadedEngine]:
    from serving.engines.transformers import Transformers

    engine = Transformers(MODEL)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
async def vllm_engine() -> Any:
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed; see `make test-vllm`")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # noqa: TID251 - vLLM reads it at import
    from serving.engines.vllm import Vllm

    engine = Vllm(
        MODEL, max_images=1, dtype="bfloat16", enforce_eager=True, max_model_len=256,
        max_num_seqs=16, distributed_executor_backend="uni", threads=1,
    )  # fmt: skip
    yield engine
    engine.close()


def shown(engine: LoadedEngine, index: int = 0) -> Prompt:
    questions, _, images = get_test_questions()
    data = Path(dict(get_test_image_paths())[images[index]]).read_bytes()
    picture = decode_bytes(data, ImageLimits(), "test").shrunk(Fit(64))
    ids = PromptFormat(engine.description).token_ids((Turn("user", questions[index], 1),))
    return Prompt(ids, (picture,), Sampling())


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
async def test_the_scripted_engine(check: Check) -> None:
    engine: Engine = Scripted(("a ", "small ", "cat"))

    await check(engine, Prompt((1, 2)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
async def test_transformers(check: Check, transformers_engine: LoadedEngine) -> None:
    await check(transformers_engine, shown(transformers_engine))


@pytest.mark.vllm
@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
async def test_vllm(check: Check, vllm_engine: LoadedEngine) -> None:
    await check(vllm_engine, shown(vllm_engine))


async def test_transformers_tells_where_the_time_went(transformers_engine: LoadedEngine) -> None:
    await tells_where_the_time_went(transformers_engine, shown(transformers_engine))


@pytest.mark.vllm
async def test_vllm_tells_where_the_time_went(vllm_engine: LoadedEngine) -> None:
    await tells_where_the_time_went(vllm_engine, shown(vllm_engine))


async def test_transformers_starts_copies_after_users(transformers_engine: LoadedEngine) -> None:
    await starts_what_is_asked_in_the_background_last(
        transformers_engine, shown(transformers_engine)
    )


@pytest.mark.vllm
async def test_vllm_starts_copies_after_users(vllm_engine: LoadedEngine) -> None:
    await starts_what_is_asked_in_the_background_last(vllm_engine, shown(vllm_engine))


async def test_transformers_stops_where_nobody_reads_any_more(
    transformers_engine: LoadedEngine,
) -> None:
    steps: list[int] = []
    model: Any = vars(transformers_engine)["_model"]
    hook = model.register_forward_hook(lambda *_: steps.append(1))
    hot = {"temperature": 100.0, "seed": 7, "max_new_tokens": 120, "streamed": True}
    prompt = asked(shown(transformers_engine), **hot)

    whole = len(await collected(transformers_engine, prompt))
    needed = len(steps)
    async with aclosing(transformers_engine.stream(prompt)) as pieces:
        await anext(pieces)
    await collected(transformers_engine, asked(prompt, max_new_tokens=1))  # others are answered
    hook.remove()

    assert needed >= whole > 20  # left to itself, it would have gone on for long
    assert len(steps) - needed < 10


async def accuracy(engine: LoadedEngine, count: int) -> float:
    answers = get_test_questions()[1]
    picked = range(0, len(answers), len(answers) // count)
    right = 0
    for index in picked:
        pieces = await collected(engine, asked(shown(engine, index), max_new_tokens=8))
        right += "".join(p.text for p in pieces).strip() == answers[index]
    return right / len(picked)


async def test_transformers_sees_pictures(transformers_engine: LoadedEngine) -> None:
    assert await accuracy(transformers_engine, 40) >= 0.88


@pytest.mark.vllm
async def test_vllm_sees_pictures(vllm_engine: LoadedEngine) -> None:
    assert await accuracy(vllm_engine, 40) >= 0.88


async def test_a_stop_string_ends_the_answer_before_it(transformers_engine: LoadedEngine) -> None:
    prompt = shown(transformers_engine)
    whole = "".join(
        p.text for p in await collected(transformers_engine, asked(prompt, max_new_tokens=8))
    )

    pieces = await collected(
        transformers_engine, asked(prompt, max_new_tokens=8, stop=(whole[-1:],), streamed=True)
    )

    assert "".join(p.text for p in pieces) == whole[: whole.index(whole[-1:])]
    assert pieces[-1].finish_reason == "stop"


async def test_a_seed_makes_a_draw_repeatable(transformers_engine: LoadedEngine) -> None:
    hot = asked(shown(transformers_engine), max_new_tokens=8, temperature=2.0, seed=5)

    first, second = [await collected(transformers_engine, hot) for _ in range(2)]

    assert [p.text for p in first] == [p.text for p in second]
