"""The whole study in order: vision encoder, features, then every backbone."""

import ctypes
import hashlib
import json
import shutil
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm
from transformers import (
    CLIPVisionModel,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

from training.conversations import LlavaJson
from training.data.mixture import kind_of
from training.export import export
from training.llava import (
    Collate,
    EmbeddedRows,
    assemble,
    cache_features,
    packer_for,
    train_stages,
    whitening,
)
from training.packing import Packer
from training.pretrain import load_tokenizer, pretrain
from training.recipe import BackboneSpec, Profile, StageSpec
from training.steps import EnoughStagesError, Steps
from training.turns import ENDINGS, lessons
from training.vision import DenseVision, VisionRows, build_encoder, read_back, stack
from training.words import PatchWords, WordAlignment, where_words, word_tables

_DONE = "DONE"
_PR_SET_PDEATHSIG = 1


class StaleWorkError(RuntimeError):
    """The work folder was begun with something that has changed since."""


def train(profile: Profile, work: Path, zoo: Path, *, jobs: int, only: tuple[str, ...]) -> None:
    """Train what is not finished yet, and export each backbone to `zoo / id`.

    Args:
        profile: the recipe.
        work: checkpoints and caches; a second call with the same folder resumes.
        zoo: where the finished models go.
        jobs: backbones trained side by side, each with its share of the cores.
        only: ids of the backbones to train; empty means all.

    Raises:
        StaleWorkError: `work` was begun with another recipe, tokenizer or other pictures.
    """
    work.mkdir(parents=True, exist_ok=True)
    train_encoder(profile, work)
    wanted = [b for b in profile.backbones if not only or b.id in only]
    wanted.sort(key=lambda b: -b.pretrain_tokens)  # the longest first, so that none is left over
    if jobs == 1:
        for spec in wanted:
            train_backbone(profile, spec, work, zoo)
        return
    threads = max(1, torch.get_num_threads() // jobs)
    with ProcessPoolExecutor(
        jobs,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(threads,),
    ) as pool:
        _in_turns(pool, jobs, profile, wanted, work, zoo)


def _begin(threads: int) -> None:
    """A worker's share of the cores; it ends when the run does, however that ends (Linux).

    One that lived on would write over the checkpoints of the next run.
    """
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _in_turns(  # noqa: PLR0913 - what is trained where
    pool: Executor,
    jobs: int,
    profile: Profile,
    wanted: Sequence[BackboneSpec],
    work: Path,
    zoo: Path,
) -> None:
    """Train stage by stage, whoever has had the fewest first.

    Whole backbones, three on two cores, would leave a core over for a third of the time.
    """
    had = dict.fromkeys(wanted, 0)
    waiting = list(wanted)
    under_way: dict[Future[bool], BackboneSpec] = {}
    while waiting or under_way:
        waiting.sort(key=lambda spec: (had[spec], -spec.pretrain_tokens))
        while waiting and len(under_way) < jobs:
            spec = waiting.pop(0)
            job = pool.submit(train_backbone, profile, spec, work, zoo, most_stages=1)
            under_way[job] = spec
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for job in done:
            spec = under_way.pop(job)
            if not job.result():
                had[spec] += 1
                waiting.append(spec)


def train_encoder(profile: Profile, work: Path) -> CLIPVisionModel:
    """Return the frozen vision encoder: trained once, or the profile's checkpoint."""
    spec = profile.vision
    folder = work / "vision" / "encoder"
    if spec.checkpoint is not None:
        return build_encoder(spec)
    drawn = (
        spec.model_dump_json(), profile.seed, profile.weight_decay, profile.adam_beta2,
        *_counts(profile), _drawing(),
    )  # fmt: skip
    mark = work / "pictures.sha256"
    if folder.is_dir() and not mark.exists():  # nobody knows what it was trained on
        raise StaleWorkError(f"{work} holds an encoder of an unknown recipe; choose another --work")
    _same(mark, repr(drawn), "encoder, or of other pictures")
    if not folder.is_dir():
        torch.manual_seed(profile.seed)
        dense = DenseVision(build_encoder(spec), spec.hidden_size)
        for number, phase in enumerate(spec.phases, start=1):
            count = phase.steps * spec.batch
            rows = VisionRows(profile.seed + 100 * (number - 1), count, writing=phase.writing)
            Steps(profile, work).run(
                f"vision/{number}",
                dense,
                rows,
                stack,
                batch=spec.batch,
                learning_rate=phase.learning_rate,
                muon_learning_rate=phase.muon_learning_rate,
            )
        heads = read_back(dense, profile.seed, 1_024)
        tqdm.write(", ".join(f"{name} {value:.3f}" for name, value in sorted(heads.items())))
        unnamed = folder.with_name("encoder.new")  # named when it is whole: a kill leaves no half
        shutil.rmtree(unnamed, ignore_errors=True)
        dense.encoder.save_pretrained(unnamed)
        (unnamed / "heads.json").write_text(json.dumps(heads, indent=1), encoding="utf-8")
        unnamed.rename(folder)
    encoder = CLIPVisionModel.from_pretrained(folder).eval()
    if profile.align.data is None:
        count = profile.align.items + profile.tune.items
        cache_features(profile, encoder, profile.seed, count, work / "features.npy")
        for stage, ending in ENDINGS.items():
            plan: StageSpec | None = getattr(profile, stage)
            if plan is not None:
                seed, path = profile.seed + ending.seed, _features(work, stage)
                cache_features(profile, encoder, seed, plan.items, path, ending.mixture)
    return encoder


def train_backbone(
    profile: Profile, spec: BackboneSpec, work: Path, zoo: Path, *, most_stages: int | None = None
) -> bool:
    """Pre-train, align, tune and export one backbone; False when stages are left.

    Args:
        profile: the recipe.
        spec: the backbone.
        work: checkpoints and caches.
        zoo: where the finished model goes.
        most_stages: stop after so many stages; a stage that had finished before is not counted.
    """
    _same(work / spec.id / "recipe.sha256", _recipe(profile, spec), "recipe")
    if (work / spec.id / _DONE).exists():
        return True
    try:
        _train_backbone(profile, spec, work, zoo, Steps(profile, work, most_stages))
    except EnoughStagesError:
        return False
    return True


def _train_backbone(
    profile: Profile, spec: BackboneSpec, work: Path, zoo: Path, steps: Steps
) -> None:
    encoder = train_encoder(profile, work)
    tokenizer = load_tokenizer(spec, profile.seed)
    vocabulary = json.dumps(sorted(tokenizer.get_vocab().items()))
    _same(work / spec.id / "tokenizer.sha256", vocabulary, "tokenizer")
    language = pretrain(steps, profile, spec, tokenizer)
    torch.manual_seed(profile.seed)
    llava = assemble(encoder, language, tokenizer)
    packer = packer_for(profile, spec, tokenizer)
    if profile.align.data is None:
        align_words(steps, spec, llava, tokenizer, work / "features.npy")
    train_stages(steps, profile, spec, llava, lambda stage: _rows(profile, stage, packer, work))
    if profile.align.data is None:
        whitening(work / "features.npy").fold(llava)
    export(llava, tokenizer, profile.vision, zoo / spec.id)
    (work / spec.id / _DONE).touch()


def _counts(profile: Profile) -> tuple[int, ...]:
    plans = (profile.align, profile.tune, profile.finish, profile.settle)
    return tuple(0 if plan is None else plan.items for plan in plans)


def _drawing() -> str:
    """The code that draws pictures and asks about them: features are of its pictures."""
    code = sorted(Path(str(files("training.data"))).glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in code)).hexdigest()


def _recipe(profile: Profile, spec: BackboneSpec) -> str:
    """All that a backbone's weights depend on but the code: other backbones are not a part."""
    return profile.model_copy(update={"backbones": (spec,), "accelerate": {}}).model_dump_json()


def _same(told: Path, what: str, name: str) -> None:
    """Refuse to resume what was begun otherwise: the checkpoints would mean something else.

    Raises:
        StaleWorkError: the file `told` holds another mark.
    """
    mark = hashlib.sha256(what.encode()).hexdigest()
    if told.exists() and told.read_text(encoding="utf-8") != mark:
        raise StaleWorkError(
            f"{told.parent} holds checkpoints of another {name}: it has changed since; remove the "
            "folder or choose another --work"
        )
    if not told.exists():  # never written over: others may be reading it
        told.parent.mkdir(parents=True, exist_ok=True)
        told.write_text(mark, encoding="utf-8")


def align_words(
    steps: Steps,
    spec: BackboneSpec,
    llava: LlavaForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    cache: Path,
) -> None:
    """Stage 1 of the embedded profile; see `training.words`."""
    plan = steps.profile.align
    tables = word_tables(llava, tokenizer)
    where = where_words(llava, tokenizer, int(llava.config.image_seq_length))
    rows = PatchWords(steps.profile.seed, plan, cache, tables, where)
    scale = float(tables["patch_colour"][1:].var())
    steps.run(
        f"{spec.id}/align",
        WordAlignment(llava, scale),
        rows,
        stack,
        batch=plan.batch,
        learning_rate=plan.learning_rate,
    )


def _features(work: Path, stage: str) -> Path:
    """Where the features of a stage with pictures of its own are."""
    return work / f"features-{stage}.npy"


def _rows(profile: Profile, stage: str, packer: Packer, work: Path) -> tuple[Any, Any]:
    plan = profile.align if stage == "align" else profile.tune
    if plan.data is not None:
        return LlavaJson(plan, profile.vision, packer), Collate(packer, "pixel_values")
    # drawn pictures come here for stage 2 only; `align_words` has seen those before them
    cache, seed = work / "features.npy", profile.seed
    if (ending := ENDINGS.get(stage)) is not None:
        items = range(getattr(profile, stage).items)
        rows = EmbeddedRows(
            seed + ending.seed, items, packer, _features(work, stage), ending.choose,
            mixture=ending.mixture, whiten=cache,
        )  # fmt: skip
        return rows, Collate(packer, "features")
    items = range(profile.align.items, profile.align.items + profile.tune.items)
    if stage == "tune" or profile.look is None:
        return EmbeddedRows(seed, items, packer, cache), Collate(packer, "features")
    shown = [i for i in items if kind_of(seed, "train", i) in {"scene", "chart", "no-image"}]
    rows = EmbeddedRows(seed, shown[: profile.look.items], packer, cache, lessons)
    return rows, Collate(packer, "features")
