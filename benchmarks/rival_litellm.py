"""LiteLLM's complexity router as a library, in its own environment; see `benchmarks.routing`.

Its tiers speak of complexity, not of a family, so its level of a question (a score, or the
probability that the simple tier suffices) is cut where most of the questions it may know are right:
more than it offers as it comes.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import asks the network for prices

from litellm.router_strategy.complexity_router.complexity_router import (  # type: ignore[import-not-found]
    ComplexityRouter,
)

from benchmarks.rivals import folds, read, score, tell, texts, timed


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise RuntimeError("it waited")


def levels() -> dict[str, Callable[[str], float]]:
    """The level of one question, lower for simpler, by each way to use the router."""
    first = ComplexityRouter("router", None)
    second = ComplexityRouter("router", None, {"classifier_type": "heuristic_v2"})
    told = "tier-probability:simple="

    def unlikely_simple(text: str) -> float:
        signals = _finished(second.aclassify(text)).signals
        return -next(float(s.removeprefix(told)) for s in signals if s.startswith(told))

    return {
        "heuristic, score": lambda text: round(first.classify(text)[1], 6),
        "heuristic_v2, probability": unlikely_simple,
    }


def best_cut(known: Sequence[tuple[float, bool]]) -> tuple[float, bool]:
    """The cut, and whether vision lies below it, that get most (level, is vision) pairs right."""
    counts = Counter(known)
    total = {v: sum(n for (_, w), n in counts.items() if w == v) for v in (True, False)}
    below = {True: 0, False: 0}
    best: tuple[int, float, bool] = (-1, 0.0, True)
    for cut in [*sorted({level for level, _ in counts}), float("inf")]:
        right = below[True] + total[False] - below[False]
        best = max(best, (right, cut, True), (len(known) - right, cut, False))
        for v in (True, False):
            below[v] += counts[cut, v]
    return best[1:]


def main() -> None:
    """Measure every way, and print one line each."""
    rows = read(Path(sys.argv[1]))
    vision = [r["family"] == "vision" for r in rows]
    for name, level in levels().items():
        found = [level(r["question"]) for r in rows]
        said: dict[int, bool] = {}
        for asked, known in folds(rows):
            cut, vision_below = best_cut([(found[i], vision[i]) for i in known])
            said |= {i: (found[i] < cut) == vision_below for i in asked}
        whole = f"LiteLLM {version('litellm')} complexity router, {name}"
        tell(whole, score(rows, said), timed(level, texts(rows)))


if __name__ == "__main__":
    main()
