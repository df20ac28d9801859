"""The recipe end to end at toy size: side by side, resumed, and the path of the full scale."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaForConditionalGeneration,
)
from typer.testing import CliRunner

from serving.engines.describe import describe
from serving.images import Decoded, facts_of
from training.answering import Answerer
from training.cli import app
from training.conversations import padded_pixels
from training.data.items import is_held_out
from training.data.mixture import HARDER, MAKERS, USUAL, Mixture, make_item, make_kind
from training.llava import Collate, PackedLlava, assemble
from training.optimiser import Muon
from training.packing import Packer
from training.paraphrases import respelled
from training.pretrain import build_language_model
from training.recipe import BackboneSpec, Profile, StageSpec, VisionPhase, VisionSpec
from training.run import StaleWorkError, train
from training.study import cosine, held_out, linear_cka, run_study
from training.tokenizer import train_tokenizer
from training.turns import conversations
from training.vision import build_encoder

pytestmark = pytest.mark.timeout(300)
TINY = {"hidden_size": 32, "intermediate_size": 64, "layers": 2, "heads": 2}


def profile() -> Profile:
    def backbone(name: str, **more: object) -> BackboneSpec:
        return BackboneSpec.model_validate(
            {"id": name, "vocabulary": 600, "key_value_heads": 2, "pretrain_tokens": 4_096,
             **TINY, **more}
        )  # fmt: skip

    return Profile(
        name="toy",
        vision=VisionSpec(
            hidden_size=32, intermediate_size=64, layers=2, heads=2, batch=8,
            phases=(VisionPhase(steps=2, learning_rate=1e-3),),
        ),
        backbones=(backbone("one", generation="llama-1"), backbone("two", generation="llama-3")),
        align=StageSpec(items=16, batch=8, learning_rate=1e-3),
        look=StageSpec(items=4, batch=4, learning_rate=1e-3),
        tune=StageSpec(items=16, batch=8, learning_rate=1e-3),
        finish=StageSpec(items=8, batch=8, learning_rate=1e-3),
        settle=StageSpec(items=8, batch=8, learning_rate=1e-3),
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    train(profile(), folder, folder / "zoo", jobs=2, only=())
    return folder


def test_every_backbone_is_exported_in_the_hubs_layout(trained: Path) -> None:
    for name in ("one", "two"):
        weights = load_file(trained / "zoo" / name / "model.safetensors")
        assert all(w.dtype is torch.bfloat16 for w in weights.values())
        assert any(k.startswith("vision_tower.vision_model.embeddings") for k in weights)
        assert Answerer(trained / "zoo" / name).answer([(None, "what is 1+1?")])


def test_every_stage_has_run(trained: Path) -> None:
    for stage, steps in (("look", 1), ("tune", 2), ("finish", 1), ("settle", 1)):
        assert (trained / "one" / stage / f"checkpoint-{steps}").is_dir()


def test_the_vision_encoder_is_the_same_in_both(trained: Path) -> None:
    one, two = (load_file(trained / "zoo" / n / "model.safetensors") for n in ("one", "two"))
    vision = [k for k in one if k.startswith("vision_tower")]

    assert vision
    assert all(torch.equal(one[k], two[k]) for k in vision)


def test_a_second_run_trains_nothing_again_and_a_lost_stage_alone_is_made_anew(
    trained: Path,
) -> None:
    weights = trained / "zoo" / "one" / "model.safetensors"
    before, done = load_file(weights), (trained / "one" / "DONE")
    stamp = weights.stat().st_mtime_ns
    train(profile(), trained, trained / "zoo", jobs=1, only=())
    untouched = weights.stat().st_mtime_ns == stamp
    done.unlink()
    train(profile(), trained, trained / "zoo", jobs=1, only=("one",))

    again = load_file(weights)
    assert untouched
    assert all(torch.equal(before[k], again[k]) for k in before)  # same seed, same weights


def test_checkpoints_of_another_tokenizer_are_not_resumed(trained: Path) -> None:
    (trained / "one" / "DONE").unlink()
    mark = trained / "one" / "tokenizer.sha256"
    before = mark.read_text()
    mark.write_text("0" * 64)

    with pytest.raises(StaleWorkError, match="another tokenizer"):
        train(profile(), trained, trained / "zoo", jobs=1, only=("one",))

    mark.write_text(before)
    (trained / "one" / "DONE").touch()


def test_what_another_recipe_began_is_not_resumed(trained: Path) -> None:
    other = profile().model_copy(update={"tune": StageSpec(items=16, batch=8, learning_rate=1e-4)})

    with pytest.raises(StaleWorkError, match="another recipe"):
        train(other, trained, trained / "zoo", jobs=1, only=("one",))


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"vision": profile().vision.model_copy(update={"batch": 4})},
     {"tune": StageSpec(items=8, batch=8, learning_rate=1e-3)}],
)  # fmt: skip
def test_features_of_other_pictures_or_of_another_encoder_are_not_used(
    trained: Path, change: dict[str, object]
) -> None:
    with pytest.raises(StaleWorkError, match="other pictures"):
        train(profile().model_copy(update=change), trained, trained / "zoo", jobs=1, only=("one",))


def test_an_encoder_of_an_unknown_recipe_is_not_used(trained: Path) -> None:
    mark = trained / "pictures.sha256"
    before = mark.read_text()
    mark.unlink()

    with pytest.raises(StaleWorkError, match="unknown recipe"):
        train(profile(), trained, trained / "zoo", jobs=1, only=("one",))

    mark.write_text(before)


def test_stages_in_turns_give_the_weights_of_one_go(trained: Path, tmp_path: Path) -> None:
    train(profile(), tmp_path, tmp_path / "zoo", jobs=1, only=("two",))  # `trained` took turns

    one_go, turns = (
        load_file(f / "zoo" / "two" / "model.safetensors") for f in (tmp_path, trained)
    )
    assert all(torch.equal(one_go[k], turns[k]) for k in one_go)


def test_the_full_scale_path_trains_from_checkpoints_and_llava_json(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(600, 7, context_tokens=256)
    llama = LlamaConfig(
        vocab_size=600, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=256,
    )  # fmt: skip
    LlamaForCausalLM(llama).save_pretrained(tmp_path / "llama")
    tokenizer.save_pretrained(tmp_path / "llama")
    clip = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2,
        image_size=28, patch_size=14,
    )  # fmt: skip
    CLIPVisionModel(clip).save_pretrained(tmp_path / "clip")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "a.png")
    said = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "red"}]
    (tmp_path / "data.json").write_text(
        json.dumps([{"id": i, "image": "a.png", "conversations": said} for i in range(8)])
    )
    shipped = Profile.load("llava-7b")
    stage = {"items": 8, "batch": 4, "micro_batch": 2, "data": tmp_path / "data.json",
             "images": tmp_path}  # fmt: skip
    small = shipped.model_copy(
        update={
            "use_cpu": True,
            "accelerate": {"activation_checkpointing": True},
            "vision": VisionSpec(checkpoint=str(tmp_path / "clip"), image_px=28, patch_px=14),
            "backbones": (
                shipped.backbones[2].model_copy(
                    update={"checkpoint": str(tmp_path / "llama"), "context_tokens": 256}
                ),
            ),
            "align": shipped.align.model_copy(update=stage),
            "tune": shipped.tune.model_copy(update=stage),
        }
    )

    train(small, tmp_path / "work", tmp_path / "zoo", jobs=1, only=())

    folder = tmp_path / "zoo" / "llava-llama-3-8b"
    processor: Any = AutoProcessor.from_pretrained(folder, use_fast=False)  # type: ignore[no-untyped-call]
    fit = describe(folder, AutoConfig.from_pretrained(folder), processor).fit
    for size in ((40, 30), (20, 57), (16, 9)):  # as they were trained, though shrunk on their way
        image = Image.effect_noise(size, 60).convert("RGB")
        shown = Decoded(image, "", facts_of(image)).shrunk(fit)
        sent = Image.frombytes("RGB", (shown.width_px, shown.height_px), shown.rgb)
        served = processor.image_processor(sent, return_tensors="np")["pixel_values"][0]
        assert np.abs(served - padded_pixels(image, 28).numpy()).max() < 0.02

    model = LlavaForConditionalGeneration.from_pretrained(folder)
    config: Any = model.config
    assert config.text_config.num_hidden_layers == 2
    assert config.vision_config.patch_size == 14


def test_llava_7b_has_the_published_hyperparameters() -> None:
    full = Profile.load("llava-7b")

    assert (full.align.learning_rate, full.align.batch) == (1e-3, 256)
    assert (full.tune.learning_rate, full.tune.batch) == (2e-5, 128)
    assert full.align.warmup_ratio == full.tune.warmup_ratio == 0.03
    assert (full.weight_decay, full.adam_beta2) == (0.0, 0.999)


def test_a_profile_that_shards_says_how_it_is_started() -> None:
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["train", "--profile", "llava-7b"])

    assert told.exit_code == 2
    assert "accelerate launch" in told.output


def test_the_study_says_who_alone_solves_what(trained: Path) -> None:
    text, facts = run_study(trained / "zoo", ["one", "two"], per_skill=2, easy=4, say=print)

    assert "Written by `barn study --per-skill 2 --easy 4`" in text
    table = text.split("## Who alone solves what")[1].split("##")[0].strip().splitlines()
    heads, *rows = [line.strip("| ").split(" | ") for line in table if line.startswith("|")]
    assert heads == ["task", "all", "one alone", "two alone", "nobody"]
    asked = {row[0]: sum(map(int, row[1:])) for row in rows[1:]}
    assert asked["easy-vqa"] == 4
    assert {n for task, n in asked.items() if task != "easy-vqa"} == {2}
    right = {(r["backbone"], r["task"]): r["accuracy"] for r in json.loads(facts)["rows"]}
    for task, everybody, one, _, _ in rows[1:]:
        assert right["one", task] == pytest.approx((int(everybody) + int(one)) / asked[task])


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match="shipped: embedded, llava-7b"):
        Profile.load("nothing")


@pytest.mark.parametrize("kind", list(MAKERS))
def test_pictures_are_the_same_for_the_same_seed_and_differ_between_splits(kind: str) -> None:
    first, again = make_kind(kind, 3, "test", 1), make_kind(kind, 3, "test", 1)

    assert first.asked == again.asked
    assert first.image is not None
    assert again.image is not None
    assert first.image.tobytes() == again.image.tobytes()


def test_expressions_of_the_test_split_never_occur_in_training() -> None:
    def expressions(split: str) -> set[str]:
        items = [make_kind("expression", 1, split, i) for i in range(400)]  # type: ignore[arg-type]
        return {"/".join(a.answer for a in item.asked[:3]) for item in items}

    both = expressions("train") & expressions("test")
    assert both <= {"4/2/2"}  # 2 + 2 and 2 x 2 have the same three numbers
    assert is_held_out("a") in {True, False}


def test_answers_are_right_by_construction() -> None:
    for index in range(200):
        for asked in make_item(5, "train", index).asked:
            if asked.skill == "arithmetic" and "+" in asked.question:
                left, _, right = asked.question.partition("+")
                numbers = [int("".join(c for c in t if c.isdigit())) for t in (left, right)]
                assert int(asked.answer) == sum(numbers)


def test_the_studys_questions_are_always_the_same_and_of_every_skill() -> None:
    first, again = held_out(5, 10), held_out(5, 10)

    assert [q.id for q in first] == [q.id for q in again]
    assert len({q.asked.skill for q in first}) == 15


def test_rows_that_share_a_line_are_blind_to_each_other() -> None:
    tokenizer = train_tokenizer(600, 7, context_tokens=256)
    spec = BackboneSpec.model_validate(
        {"id": "one", "generation": "llama-1", "vocabulary": 600, "key_value_heads": 2, **TINY}
    )
    torch.manual_seed(1)
    encoder = build_encoder(VisionSpec(hidden_size=32, intermediate_size=64, layers=2, heads=2))
    llava = assemble(encoder, build_language_model(spec, tokenizer), tokenizer)
    packer = Packer(tokenizer, 64, 256)
    collate, model = Collate(packer, "features"), PackedLlava(llava, train_language=True)
    items = [make_item(7, "train", index) for index in range(16)]
    rows = [
        (
            packer.row(conversations(7, index, item), has_image=item.image is not None),
            torch.randn(64, 32) if item.image is not None else None,
        )
        for index, item in enumerate(items)
    ]
    together = collate(rows)
    apart = [collate([row]) for row in rows]
    told = [int((one["labels"] >= 0).sum()) for one in apart]
    with torch.no_grad():
        losses = [float(model(**one)["loss"]) for one in apart]
        loss = float(model(**together)["loss"])

    assert len(together["input_ids"]) < len(rows)
    assert loss == pytest.approx(np.average(losses, weights=told), rel=1e-4)


def test_similarities_are_one_for_equal_states() -> None:
    states = torch.randn(20, 8, generator=torch.Generator().manual_seed(1)).numpy()

    assert cosine(states, states) == pytest.approx(1.0)
    assert linear_cka(states, states) == pytest.approx(1.0)
    assert linear_cka(states, states * 3 + 1) == pytest.approx(1.0)
    assert respelled("What colour is it?") == "what color is it"


def test_our_muon_moves_matrices_as_torchs_does() -> None:
    def matrices() -> list[torch.nn.Parameter]:
        drawn = torch.Generator().manual_seed(0)
        shapes = [(64, 24), (24, 64), (24, 24), (64, 24)]
        return [torch.nn.Parameter(0.1 * torch.randn(s, generator=drawn)) for s in shapes]

    ours, theirs, before = matrices(), matrices(), matrices()
    steps = (
        (Muon(ours, lr=0.02, weight_decay=0.1), ours),
        (torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, momentum=0.95), theirs),
    )
    for optimiser, moved in steps:
        for k in range(4):
            drawn = torch.Generator().manual_seed(k)
            for matrix in moved:
                matrix.grad = torch.randn(matrix.shape, generator=drawn)
            optimiser.step()

    for one, other, start in zip(ours, theirs, before, strict=True):
        # torch's works in bfloat16, so the two agree to some hundredths of the way that was gone
        assert (one - other).norm() < 0.03 * (one - start).norm()


def test_lessons_are_of_training_alone_and_true_of_their_pictures() -> None:
    for index in range(200):
        for split in ("train", "test"):
            item = make_kind("scene", 5, split, index)
            assert any(a.lesson for a in item.asked) == (split == "train")
        chart = make_kind("chart", 5, "train", index)
        listed = next(a for a in chart.asked if a.lesson)
        words = (chart.told or "").split()
        bars = [colour + value for colour, value in zip(words[::2], words[1::2], strict=True)]
        assert sorted(listed.answer.split()) == sorted(bars)


def test_the_last_stage_asks_for_things_by_their_shape_alone() -> None:
    asked_by_shape = 0
    for index in range(300):
        item = make_item(5, "train", index, HARDER)
        if item.kind != "scene":
            continue
        things = [t.replace("large ", "").split() for t in (item.told or "").split(", ")]
        (lesson,) = (a for a in item.asked if a.lesson)
        if "place" in lesson.question.lower():
            told = set(lesson.answer.split(", "))
            assert told == {f"{t[-1]} {' '.join(t[:-2])}" for t in things}
        else:
            words = lesson.answer.split()
            told = {f"{a} {b}" for a, b in zip(words[::2], words[1::2], strict=True)}
            assert told == {f"{t[-1]} {t[-2]}" for t in things}
        for shape in {t[-1] for t in things}:
            where = f"where is the {shape}?"
            answers = {a.answer for a in item.asked if a.question.lower().startswith(where)}
            assert answers <= {" ".join(t[:-2]) for t in things if t[-1] == shape}
            asked_by_shape += len(answers)
    assert asked_by_shape > 30


def test_the_last_stage_draws_more_series_than_can_be_learned_by_heart() -> None:
    def series(mixture: Mixture) -> set[str]:
        drawn = (make_item(3, "train", index, mixture) for index in range(2_500))
        return {i.told or "" for i in drawn if any(a.skill == "series" for a in i.asked if i.image)}

    usual, harder = series(USUAL), series(HARDER)
    assert len(usual) < 240 * 0.9
    assert len(harder) > 1.1 * len(usual)
    for told in harder:
        first, second, third = map(int, told.removesuffix(" ?").split())
        assert second - first == third - second
        terms = [first, second, third, 2 * third - second]
        assert not is_held_out(*terms)
        assert 0 <= min(terms) <= max(terms) <= 99


def test_text_alone_asks_sums_and_series_with_their_answers() -> None:
    items = [i for k in range(400) if (i := make_item(3, "train", k)).kind == "no-image"]
    asked = [one for item in items for one in item.asked]

    assert {a.skill for a in asked} == {"arithmetic", "logic", "series"}
    for one in asked:
        numbers = [int(n) for n in re.findall(r"\d+", one.question)]
        if one.skill == "series":
            assert int(one.answer) == 2 * numbers[2] - numbers[1]
        else:
            a, b, *limit = numbers
            sign = next(s for s in "+-x" if s in one.question.replace("next", ""))
            result = {"+": a + b, "-": a - b, "x": a * b}[sign]
            wanted = ("yes" if result > limit[0] else "no") if limit else str(result)
            assert one.answer == wanted


def test_a_count_lesson_tells_every_kind_and_its_number() -> None:
    for index in range(60):
        item = make_kind("scene", 3, "train", index)
        (lesson,) = [a for a in item.asked if a.lesson and a.skill == "counting"]
        counted = {w.rstrip("0123456789"): int(w[-1]) for w in lesson.answer.split()}
        words = (item.told or "").replace(",", "").split()
        assert all(words.count(key) == number for key, number in counted.items())
        assert sum(counted.values()) == (item.told or "").count(",") + 1
