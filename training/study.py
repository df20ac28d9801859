"""The study's table: accuracy, calibration, which questions only one backbone solves, stability."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from evaluation.offline import Answered, complete
from evaluation.summary import Row, Versus, rows, versus
from training.answering import Answerer
from training.data import easyvqa
from training.data.items import REASONING_SKILLS, VISION_SKILLS, Asked
from training.data.mixture import MAKERS, make_kind
from training.paraphrases import respelled, reworded

SEED = 99
Shown = tuple[Image.Image | None, str]
FAMILIES = dict.fromkeys(VISION_SKILLS, "vision") | dict.fromkeys(REASONING_SKILLS, "reasoning")


@dataclass(frozen=True, slots=True)
class Question:
    """One held-out question."""

    id: str
    image: Image.Image | None
    asked: Asked


@dataclass(frozen=True, slots=True)
class Stability:
    """How steady a backbone's inner state is when the question or the picture changes a little.

    Per layer: mean cosine similarity of the answer position's hidden states before and after, and
    linear CKA (Kornblith et al. 2019) between the two sets. One is perfectly steady.
    """

    backbone: str
    change: str
    cosine: tuple[float, ...]
    cka: tuple[float, ...]


def held_out(per_skill: int, easy: int) -> list[Question]:
    """The same questions every time: `per_skill` of each skill, and `easy` of easy-VQA's test."""
    found: dict[str, list[Question]] = {}
    wanted = {*VISION_SKILLS, *REASONING_SKILLS}
    index = 0
    while any(len(found.get(s, [])) < per_skill for s in wanted):
        for kind in MAKERS:
            item = make_kind(kind, SEED, "test", index)
            for number, asked in enumerate(item.asked):
                own = found.setdefault(asked.skill, [])
                if len(own) < per_skill:
                    own.append(Question(f"{kind}-{index}-{number}", item.image, asked))
        index += 1
    questions = [q for skill in sorted(wanted) for q in found[skill]]
    count = easyvqa.image_count("test")
    for index in range(0, count, max(1, count // easy)):
        item = easyvqa.load("test", index)
        share = -(-easy // count)
        start = index % max(1, len(item.asked) - share + 1)
        for number, asked in enumerate(item.asked[start : start + share]):
            questions.append(Question(f"easy-{index}-{number}", item.image, asked))
    return questions


def answers(
    zoo: Path, backbones: Sequence[str], questions: Sequence[Question], say: Callable[[str], None]
) -> list[Answered]:
    """Every backbone's graded answer to every question; exact match on the only right answer."""
    told = []
    for name in backbones:
        said = Answerer(zoo / name).answer([(q.image, q.asked.question) for q in questions])
        right = 0
        for question, one in zip(questions, said, strict=True):
            score = float(one.text == question.asked.answer)
            right += score > 0
            told.append(
                Answered(
                    question.id, name, question.asked.skill, question.asked.question, one.text,
                    score, "exact", one.confidence, 0.0, 0.0, one.tokens,
                )
            )  # fmt: skip
        say(f"{name}: {right} of {len(questions)} right")
    return told


def stability(
    zoo: Path, backbones: Sequence[str], questions: Sequence[Question]
) -> list[Stability]:
    """Compare hidden states under other spelling, other words, and small changes of the picture."""
    some = [q for q in questions if q.image is not None][:: max(1, len(questions) // 200)]
    plain = [(q.image, q.asked.question) for q in some]
    known = [k for k, (_, text) in enumerate(plain) if reworded(text) is not None]
    whole = range(len(plain))
    # of each change: the places of the questions that it was made to, and what became of them
    changes: dict[str, tuple[Sequence[int], list[Shown]]] = {
        "other spelling": (whole, [(image, respelled(text)) for image, text in plain]),
        "other words": (known, [(plain[k][0], reworded(plain[k][1]) or "") for k in known]),
    } | {
        name: (whole, [(None if image is None else change(image), text) for image, text in plain])
        for name, change in CHANGES.items()
    }
    found = []
    for name in backbones:
        model = Answerer(zoo / name)
        before = model.states(plain)
        for change, (places, asked) in changes.items():
            after = model.states(asked)
            # the embedding of the last token says nothing: it is the same for every question
            pairs = [(a[places], b) for a, b in zip(before[1:], after[1:], strict=True)]
            found.append(
                Stability(
                    name, change, tuple(cosine(a, b) for a, b in pairs),
                    tuple(linear_cka(a, b) for a, b in pairs),
                )
            )  # fmt: skip
    return found


def darker(image: Image.Image) -> Image.Image:
    """The same picture, six per cent darker."""
    return ImageEnhance.Brightness(image).enhance(0.94)


def shifted(image: Image.Image) -> Image.Image:
    """The same picture, one pixel to the right; its left edge is drawn twice."""
    moved = image.copy()
    moved.paste(image, (1, 0))
    return moved


def noisy(image: Image.Image) -> Image.Image:
    """The same picture with Gaussian noise of three per cent, the same for every picture."""
    rng = np.random.default_rng(1)  # noqa: TID251 - noise that is drawn once for all
    noise = rng.normal(0, 0.03 * 255, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def compressed(image: Image.Image) -> Image.Image:
    """The same picture after JPEG at quality 60."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=60)
    return Image.open(file).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "6 % darker": darker, "1 px to the right": shifted, "noise": noisy, "JPEG": compressed,
}  # fmt: skip
"""Small changes of a picture after which the answer should be the same."""


def cosine(a: np.ndarray, b: np.ndarray) -> float:  # (n, width) each
    """Mean cosine similarity of corresponding rows."""
    up = (a * b).sum(axis=1)
    return float((up / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12)).mean())


def linear_cka(a: np.ndarray, b: np.ndarray) -> float:  # (n, width) each
    """Linear centred kernel alignment, in [0, 1]."""
    x, y = a - a.mean(axis=0), b - b.mean(axis=0)
    cross = float(np.linalg.norm(x.T @ y) ** 2)
    size = float(np.linalg.norm(x.T @ x)) * float(np.linalg.norm(y.T @ y))
    return cross / size if size > 1e-9 else 1.0  # states that never vary are perfectly steady


def run_study(
    zoo: Path, backbones: Sequence[str], *, per_skill: int, easy: int, say: Callable[[str], None]
) -> tuple[str, str]:
    """Answer, summarise and write: the text of STUDY.md, and the same as JSON."""
    questions = held_out(per_skill, easy)
    say(f"{len(questions)} held-out questions")
    told = answers(zoo, backbones, questions, say)
    summary, pairs = rows(told, FAMILIES), versus(told)
    steady = stability(zoo, backbones, questions)
    facts = {"rows": [asdict(r) for r in summary], "versus": [asdict(v) for v in pairs],
             "stability": [asdict(s) for s in steady]}  # fmt: skip
    command = f"barn study --per-skill {per_skill} --easy {easy}"
    return study_text(told, summary, pairs, steady, command), json.dumps(facts, indent=1)


def study_text(
    told: Sequence[Answered],
    summary: Sequence[Row],
    pairs: Sequence[Versus],
    steady: Sequence[Stability],
    command: str,
) -> str:
    """The study as Markdown; `command` is what has written it."""
    n = len({one.id for one in told})
    names = sorted({r.backbone for r in summary})
    at = {(r.backbone, r.task): r for r in summary}
    tasks = ["easy-vqa", *VISION_SKILLS, "vision", *REASONING_SKILLS, "reasoning"]
    out = [
        "# The backbone swap, measured",
        "",
        f"Written by `{command}`: {n} held-out questions, answered greedily; exact match with the "
        "only right answer, 95 % Wilson intervals in brackets. One vision encoder, projector shape,"
        " data, order, optimiser and schedule for all; only the language backbone differs, in what "
        "the generations changed: vocabulary, rotary base, context, and the newest one's grouped "
        "queries, whose saved weights go to its MLP. Text pre-training reads the same stream to "
        "other depths (1 : 2 : 15).",
        "",
        "## Accuracy",
        "",
        _line(["task", *names]),
        _line(["---", *["---:"] * len(names)]),
        *(_line([_strong(t), *(_accuracy(at[m, t]) for m in names)]) for t in tasks),
        "",
        "## Calibration (all questions)",
        "",
        _line(["backbone", "mean confidence", "accuracy", "ECE", "smooth ECE", "Brier", "AURC"]),
        _line(["---", *["---:"] * 6]),
        *(_calibration(at[m, family], family) for family in ("vision", "reasoning") for m in names),
        "",
        "## Which answers changed",
        "",
        _line(["old → new", "family", "both", "only old", "only new", "neither", "Jaccard",
               "if independent", "difference", "McNemar p"]),
        _line(["---", "---", *["---:"] * 8]),
        *(_changed(v) for v in pairs if v.task in {"all", *REASONING_SKILLS}),
        "",
        "## Who alone solves what",
        "",
        "Questions by who answers them right; where two are named, the third one is wrong.",
        "",
        *_solved(told, names),
        "",
        "## Stability of inner representations",
        "",
        "Hidden states at the answer's first position, before and after a paraphrase (another "
        "spelling, capital and end; other words, where there is another way to ask) or a small "
        "change of the picture (noise: Gaussian, 3 %; JPEG: quality 60); per layer from the first.",
        "",
        _line(["backbone", "change", "cosine similarity", "linear CKA"]),
        _line(["---", "---", "---", "---"]),
        *(_line([s.backbone, s.change, _numbers(s.cosine), _numbers(s.cka)]) for s in steady),
        "",
    ]  # fmt: skip
    return "\n".join(out)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _strong(task: str) -> str:
    return f"**all {task}-heavy**" if task in {"vision", "reasoning"} else task


def _accuracy(row: Row) -> str:
    return f"{row.accuracy:.1%} [{row.interval[0]:.1%}, {row.interval[1]:.1%}]"


def _calibration(row: Row, family: str) -> str:
    numbers = (row.ece, row.smooth_ece, row.brier, row.aurc)
    cells = [f"{row.mean_confidence:.1%}", f"{row.accuracy:.1%}", *(f"{v:.3f}" for v in numbers)]
    return _line([f"{row.backbone}, {family}", *cells])


def _changed(v: Versus) -> str:
    who = v.solved
    counts = [str(c) for c in (who.both, who.only_old, who.only_new, who.neither)]
    overlap = [f"{who.jaccard:.2f}", f"{who.jaccard_if_independent:.2f}"]
    ends = [f"{v.difference:+.1%}", f"{v.p_value:.2g}"]
    return _line([f"{v.old} → {v.new}", v.task, *counts, *overlap, *ends])


def _solved(told: Sequence[Answered], names: Sequence[str]) -> list[str]:
    """A row of each task: how many questions each set of backbones solves, and no other."""
    right: dict[str, list[set[str]]] = {}
    for answers in complete(told):
        task = next(iter(answers.values())).task
        right.setdefault(task, []).append({b for b, a in answers.items() if a.score > 0})
    sets = [set(some) for k in range(len(names), -1, -1) for some in combinations(names, k)]
    heads = [_who(some, names) for some in sets]
    lines = [_line(["task", *heads]), _line(["---", *["---:"] * len(heads)])]
    for task in ("easy-vqa", *VISION_SKILLS, *REASONING_SKILLS):
        lines.append(_line([task, *(str(right[task].count(some)) for some in sets)]))
    return lines


def _who(some: set[str], names: Sequence[str]) -> str:
    if not some:
        return "nobody"
    if len(some) == len(names):
        return "all"
    return " and ".join(sorted(some)) + (" alone" if len(some) == 1 else "")


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{v:.3f}" for v in values)
