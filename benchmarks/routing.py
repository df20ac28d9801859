"""How fast and how right the router is, beside others that need no GPU, on the same questions.

    make bench-routing QUESTIONS=../shared/data/vqa_questions.jsonl

Barn's classify + decide on one core; then Barn's classifier, the nearest questions by a sentence
embedding, RouteLLM and LiteLLM's complexity router, each asked the real questions of one benchmark at a time
with that benchmark held out of what it may know. `make bench-routing` installs the rivals apart.
RouteLLM's matrix factorisation is trained here by its own code; its other routers load weights or
data from a hub.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.rivals import Row, read, score, texts, timed
from routing.domain import Family, Limits, ModelCard, ModelId, Query
from routing.features import plain, text_slots
from routing.policies.utility import Utility
from routing.policy import Asked, State, decide
from routing.quality import QualityTable
from routing.tasks import classify, features_of, scored, shipped
from serving.images import facts_of
from training.router.fit import hold_out
from training.router.questions import (
    Labelled,
    grammar_questions,
    real_questions,
    zoo_questions,
)
from training.router.train import PER_TEMPLATE, ZOO_PER_SKILL

ROOT = Path(__file__).parent.parent
ROUNDS = 2_000


def barn_latency(questions: list[str]) -> dict[str, float]:
    """Classify and decide for a 300-character question and a 1-megapixel image, in pieces."""
    model = shipped()
    cards = tuple(
        ModelCard(ModelId(f"llava-llama-{k}"), f"llama-{k}", 4_096, 1, k * 1e-3, k * 1e-3)
        for k in (1, 2, 3)
    )
    long = [(q * 20)[:300] for q in questions]
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 255, (1_000, 1_000, 3), dtype=np.uint8))
    table = QualityTable.parse((ROOT / "serving" / "zoo" / "table.json").read_bytes())

    def whole(k: int) -> None:
        facts = facts_of(image)
        query = Query(long[k % len(long)], (facts,), prompt_tokens={c.id: 200 for c in cards})
        slots = text_slots(query.text)
        asked = Asked(scored(query, slots, model), Limits())
        decide(query, asked, features_of(query, slots), cards, State(table), Utility(), u=0.5)

    whole_times = timed(whole, range(ROUNDS))
    text_times = timed(
        lambda k: scored(Query(long[k % len(long)]), text_slots(long[k % len(long)]), model),
        range(ROUNDS),
    )
    return {f"classify+decide {name}": value for name, value in whole_times.items()} | {
        f"text only {name}": value for name, value in text_times.items()
    }


def barn_throughput(questions: list[str]) -> float:
    """Lines a second of `barn classify`, end to end as a process on one core."""
    lines = b"".join(json.dumps({"question": q}).encode() + b"\n" for q in questions)
    repeat = max(1, 60_000 // len(questions))
    code = "from serving.cli import main; import sys; sys.argv = ['barn', 'classify']; main()"
    command = ["taskset", "-c", "0", sys.executable, "-c", code]
    empty = _seconds(command, b"")
    return len(questions) * repeat / max(1e-9, _seconds(command, lines * repeat) - empty)


def _seconds(command: list[str], data: bytes) -> float:
    began = time.perf_counter()
    subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def questions_file(rows: Sequence[Labelled], path: Path) -> Path:
    """Write the questions as `benchmarks.rivals` reads them."""
    lines = [
        {"question": r.text, "family": r.task.family.value, "split": "test" if r.real else "train",
         "fold": r.group, "key": plain(r.text)}
        for r in rows
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def barn(rows: Sequence[Labelled], asked: Sequence[Row]) -> dict[str, Any]:
    """The shipped recipe, fitted again without each benchmark; `barn train-router` does the same."""
    groups = sorted({r.group for r in rows if r.real})
    unseen = hold_out(rows, groups, lambda text: print(text, file=sys.stderr))
    found = unseen.cross_fitted()[0] > 0.5
    places = [
        i for g in groups for i, r in enumerate(asked) if r["split"] == "test" and r["fold"] == g
    ]
    said = {i: bool(v) for i, v in zip(places, found, strict=True)}
    return {
        "name": "Barn",
        **score(asked, said),
        **timed(lambda text: classify(Query(text)), texts(asked)),
    }


def rival(script: str, python: Path, data: Path, path: Path | None = None) -> list[dict[str, Any]]:
    """What a rival's script says of itself, or that it is not installed."""
    if not python.exists() or (path is not None and not path.is_dir()):
        return [{"name": script, "missing": "`make bench-routing` installs it"}]
    env = os.environ | {"PYTHONPATH": f"{path}:{ROOT}" if path else str(ROOT)}
    command = [str(python), "-m", f"benchmarks.{script}", str(data)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env, cwd=ROOT)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("questions", type=Path, help="real questions, one JSON object a line")
    parser.add_argument("--out", type=Path, default=Path("runs/routing.json"))
    parser.add_argument("--litellm", type=Path, default=ROOT / ".venv-litellm" / "bin" / "python",
                        help="Python of an environment with litellm")  # fmt: skip
    parser.add_argument("--rivals", type=Path, default=ROOT / ".venv-litellm" / "rivals",
                        help="folder that benchmarks/rivals.txt was installed to")  # fmt: skip
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    real = real_questions(args.questions)
    asked = [r.text for r in real]
    rows = [*grammar_questions(7, PER_TEMPLATE), *zoo_questions(7, ZOO_PER_SKILL), *real]
    data = questions_file(rows, args.out.with_suffix(".jsonl"))
    compared = [
        barn(rows, read(data)),
        *rival("rival_knn", Path(sys.executable), data, args.rivals),
        *rival("rival_routellm", Path(sys.executable), data, args.rivals),
        *rival("rival_litellm", args.litellm, data),
    ]
    share = float(np.mean([r.task.family is Family.VISION for r in real]))
    report: dict[str, Any] = {
        "latency": barn_latency(asked),
        "classify lines/s": barn_throughput(asked),
        "compared": compared,
        "always the larger family": max(share, 1 - share),
        "python": platform.python_version(),
    }
    print(json.dumps(report, indent=1))
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
