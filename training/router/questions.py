"""Labelled questions for the task classifier: drawn from the grammars, and real ones.

How a real question is labelled: by the data set that its benchmark took it from, since the data set
says what is asked for (`RULES`). IconQA mixes kinds: what asks only to count is counting. From VQA,
MathVista took what needs reasoning and says which: what needs knowledge of usual quantities is
commonsense, and what asks for a percentage, a gap or a comparison multi_hop.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from routing.domain import Task
from training.data.items import generator
from training.data.mixture import make_item
from training.router.slots import WORDS
from training.router.styles import VISION
from training.router.styles_exams import EXAMS
from training.router.styles_photos import PHOTOS
from training.router.styles_reasoning import REASONING
from training.router.styles_requests import REQUESTS

RULES: dict[str, Task] = {
    "A-OKVQA": Task.COMMONSENSE, "IQTest": Task.COMMONSENSE, "KVQA": Task.KNOWLEDGE,
    "AI2D": Task.SCIENCE, "ScienceQA": Task.SCIENCE, "TQA": Task.SCIENCE,
    "SciBench": Task.SCIENCE, "TheoremQA": Task.SCIENCE, "PMC-VQA": Task.SCIENCE,
    "VQA-RAD": Task.SCIENCE,
    "CLEVR-Math": Task.ARITHMETIC, "IconQA": Task.ARITHMETIC, "TabMWP": Task.ARITHMETIC,
    "ChartQA": Task.CHART, "ChartQA_Human": Task.CHART, "DVQA": Task.CHART,
    "FigureQA": Task.CHART, "PlotQA": Task.CHART, "MapQA": Task.CHART, "PaperQA": Task.CHART,
    "DocVQA": Task.CHART,  # MathVista took its figure questions only
    "FunctionQA": Task.GEOMETRY, "GEOS": Task.GEOMETRY, "Geometry3K": Task.GEOMETRY,
    "UniGeo": Task.GEOMETRY,
    "Super-CLEVR": Task.MULTI_HOP,
    "TextVQA": Task.OCR, "VizWiz": Task.OCR, "textVQA": Task.OCR, "STVQA": Task.OCR,
    "ESTVQA": Task.OCR, "ocrVQA": Task.OCR,
    "FUNSD": Task.EXTRACTION, "POIE": Task.EXTRACTION, "SROIE": Task.EXTRACTION,
    "docVQA": Task.EXTRACTION, "infographicVQA": Task.EXTRACTION,
    "VQA2.0": Task.COMMONSENSE, "VQA-AS": Task.COMMONSENSE,
}  # fmt: skip
_COUNTS = re.compile(r"^how many (\w+ ){1,3}(are|do|can) (there|you see)", re.IGNORECASE)
_COMPARES = re.compile(r"percent|\bgap\b|more than|less than|larger than|half", re.IGNORECASE)

GROUPS: dict[str, str] = {
    "ChartQA_Human": "chartqa", "docVQA": "docvqa", "infographicVQA": "infovqa",
    "textVQA": "textvqa", "STVQA": "textvqa", "ESTVQA": "textvqa", "ocrVQA": "textvqa",
    "FUNSD": "kie", "POIE": "kie", "SROIE": "kie", "VQA2.0": "vqav2", "VQA-AS": "vqav2",
    "A-OKVQA": "aokvqa", "Super-CLEVR": "superclevr", "CLEVR-Math": "clevrmath",
    "TabMWP": "mathword", "IconQA": "mathword", "GEOS": "geometry", "Geometry3K": "geometry",
    "UniGeo": "geometry", "FunctionQA": "geometry", "TQA": "ai2d", "KVQA": "okvqa",
    "PaperQA": "charxiv", "IQTest": "iq", "SciBench": "mmmu", "TheoremQA": "mmmu",
    "PMC-VQA": "mmmu", "VQA-RAD": "mmmu",
}  # fmt: skip
"""Which grammar a real source belongs with; see `training.router.fit.hold_out`."""


OF_SKILL: dict[str, Task] = {
    "recognition": Task.RECOGNITION, "attribute": Task.ATTRIBUTE, "counting": Task.COUNTING,
    "spatial": Task.SPATIAL, "existence": Task.EXISTENCE, "ocr": Task.OCR,
    "chart value": Task.EXTRACTION, "arithmetic": Task.ARITHMETIC, "series": Task.ARITHMETIC,
    "chart sum": Task.CHART, "chart difference": Task.CHART, "chart comparison": Task.CHART,
    "two-hop": Task.MULTI_HOP, "logic": Task.MULTI_HOP,
}  # fmt: skip
"""The task of each skill in the embedded models' own pictures."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, its task, and the benchmark (real or in style) that it belongs to."""

    text: str
    task: Task
    group: str
    real: bool = False


def real_questions(path: Path) -> list[Labelled]:
    """Read and label the real questions of `vqa_questions.jsonl`."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        source, text = row["source"], row["question"]
        if row.get("choices"):
            text += "\nChoices: " + ", ".join(map(str, row["choices"]))
        task = RULES[source]
        if source == "IconQA" and _COUNTS.search(text):
            task = Task.COUNTING
        elif source in {"VQA2.0", "VQA-AS"} and _COMPARES.search(text):
            task = Task.MULTI_HOP
        found.append(Labelled(text, task, GROUPS.get(source, source.lower()), real=True))
    return found


def grammar_questions(seed: int, per_template: int) -> Iterator[Labelled]:
    """Draw from every template `per_template` times, with varied wording around it."""
    group, task = "", Task.CHAT
    for line in (VISION + PHOTOS + REASONING + EXAMS + REQUESTS).splitlines():
        if line.startswith("# "):
            group, _, name = line[2:].partition(" | ")
            task = Task(name)
        elif line:
            rng = generator(seed, group, line)
            for _ in range(per_template):
                yield Labelled(_varied(rng, filled(rng, line), task), task, group)


def zoo_questions(seed: int, per_skill: int) -> Iterator[Labelled]:
    """Questions about the pictures that the embedded models are trained on, as many of each skill.

    The mixture itself has most of what is learned last.
    """
    left = dict.fromkeys(OF_SKILL, per_skill)
    for index in count():
        if not any(left.values()):
            return
        for asked in make_item(seed, "train", index).asked:
            if left.get(asked.skill, 0) > 0:
                left[asked.skill] -= 1
                yield Labelled(asked.question, OF_SKILL[asked.skill], "zoo")


_SLOT = re.compile(r"\{(\w+)\}")
_EITHER = re.compile(r"\(([^()]*/[^()]*)\)")


def filled(rng: Random, template: str) -> str:
    """Fill a template's slots and draw its alternatives."""
    text = template
    while found := _EITHER.search(text):
        text = text[: found.start()] + rng.choice(found.group(1).split("/")) + text[found.end() :]
    return _SLOT.sub(lambda slot: rng.choice(WORDS[slot.group(1)]), text)


_ENDINGS = (
    "\nAnswer the question using a single word or phrase.",
    "\nAnswer with the option's letter from the given choices directly.",
    " Please answer yes or no.",
    " Answer with a single word.",
)


def _varied(rng: Random, text: str, task: Task) -> str:
    if rng.random() < 0.15:
        text = text.lower()
    elif rng.random() < 0.03:
        text = text.upper()
    if rng.random() < 0.1:
        text = text.rstrip("?.")
    if rng.random() < 0.12 and len(text) > 12:
        at = rng.randrange(2, len(text) - 2)
        text = text[:at] + text[at + 1 :]  # a letter is missing
    if task is not Task.CHAT and rng.random() < 0.12:
        text += rng.choice(_ENDINGS)
    if task is not Task.CHAT and rng.random() < 0.06:
        text += "\nChoices: " + ", ".join(f"({c}) {rng.choice(WORDS['thing'])}" for c in "ABCD")
    if rng.random() < 0.05:
        text = rng.choice(("Question: ", "<image>\n", "Look at the picture. ", "Hi! ")) + text
    return text
