"""What every router is asked in `benchmarks.routing`, and how its answers are scored.

Standard library only: LiteLLM's environment imports this too. A line of the questions' file is
{"question", "family", "split", "fold", "key"}. "train" lines (grammars and pictures) belong to the
training of every fold; a "test" line (a real question) is asked in the fold that is its benchmark
and belongs to the training of every other one. `key` is its plain text: no training line with the
key of a question that is asked may be used.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

Row = dict[str, str]
T = TypeVar("T")


def read(path: Path) -> list[Row]:
    """All lines of a questions' file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def folds(rows: Sequence[Row]) -> Iterator[tuple[list[int], list[int]]]:
    """Per fold: the places of the questions that are asked, and of those that may be known."""
    for fold in sorted({r["fold"] for r in rows if r["split"] == "test"}):
        asked = [i for i, r in enumerate(rows) if r["split"] == "test" and r["fold"] == fold]
        keys = {rows[i]["key"] for i in asked}
        kept = [
            i
            for i, r in enumerate(rows)
            if r["key"] not in keys and not (r["split"] == "test" and r["fold"] == fold)
        ]
        yield asked, kept


def score(rows: Sequence[Row], said: Mapping[int, bool]) -> dict[str, float]:
    """Accuracy of "is vision-heavy" by place, and the mean of both families' accuracies."""
    right: dict[str, list[bool]] = {"vision": [], "reasoning": []}
    for i, vision in said.items():
        family = rows[i]["family"]
        right[family].append(vision == (family == "vision"))
    every = [r for some in right.values() for r in some]
    return {
        "family accuracy": round(statistics.fmean(every), 4),
        "balanced accuracy": round(statistics.fmean(map(statistics.fmean, right.values())), 4),
        "questions": len(every),
    }


def texts(rows: Sequence[Row]) -> list[str]:
    """The questions that are asked."""
    return [r["question"] for r in rows if r["split"] == "test"]


def timed(work: Callable[[T], object], inputs: Sequence[T]) -> dict[str, float]:
    """Microseconds of one call on this process's last core: wall clock, and CPU of this thread."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for one in inputs[:200]:
        work(one)
    wall, cpu = [], []
    for one in inputs:
        began, busy = time.perf_counter_ns(), time.thread_time_ns()
        work(one)
        cpu.append((time.thread_time_ns() - busy) / 1e3)
        wall.append((time.perf_counter_ns() - began) / 1e3)
    told = {}
    for name, times in (("", sorted(wall)), ("CPU ", sorted(cpu))):
        told[f"{name}p50 us"] = round(statistics.median(times), 1)
        told[f"{name}p99 us"] = round(times[int(0.99 * len(times))], 1)
    return told


def tell(name: str, *facts: Mapping[str, Any]) -> None:
    """Print one router's facts as a line of JSON."""
    print(json.dumps({"name": name, **{k: v for some in facts for k, v in some.items()}}))
