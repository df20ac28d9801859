"""What shadowing every request does to the requests themselves, on a running service.

    make serve &
    .venv/bin/python -m benchmarks.shadow --url http://127.0.0.1:8000

One user asks the control at a fixed pace that leaves the machine room; blocks of requests with the
experiment running and with it paused alternate, so that whatever else the machine does falls on
both. Prints both distributions and the ratio of the 99th percentiles with a bootstrap interval.
"""

import argparse
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.overhead import undisturbed
from evaluation.offline import Item
from serving.commands.ask import question_body
from training.datasets import easy_vqa

SETTLE_S = 2.5  # until every front end has heard of a change


def asked(client: httpx.Client, item: Item, backbone: str) -> float:
    """Ask once; seconds until the answer."""
    began = time.perf_counter()
    client.post("/v1/chat/completions", json=question_body(item, backbone, 4)).raise_for_status()
    return time.perf_counter() - began


def ratio_interval(on: list[float], off: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the ratio of the 99th percentiles."""
    rng = np.random.default_rng(1)

    def p99(times: list[float]) -> Any:
        return np.quantile(rng.choice(times, (2_000, len(times))), 0.99, axis=1)

    low, high = np.quantile(p99(on) / p99(off), (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--control", default="llava-llama-1")
    parser.add_argument("--candidate", default="llava-llama-2")
    parser.add_argument("--blocks", type=int, default=12, help="of 60 requests, of each kind")
    parser.add_argument("--every-s", type=float, default=0.12, help="between two requests")
    parser.add_argument("--out", type=Path, default=Path("runs/shadow.json"))
    args = parser.parse_args()
    undisturbed()
    items = easy_vqa(60)
    name = f"shadow-{uuid.uuid4().hex[:8]}"
    times: dict[str, list[float]] = {"running": [], "paused": []}
    key = os.environ.get("BARN_API_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=args.url, timeout=60, headers=headers) as client:
        spec = {"name": name, "control": args.control, "candidate": args.candidate,
                "mode": "shadow", "share": 1.0}  # fmt: skip
        client.post("/v1/experiments", json=spec).raise_for_status()
        try:
            for block in range(args.blocks):
                for status in sorted(times, reverse=bool(block % 2)):
                    change = {"status": status}
                    client.patch(f"/v1/experiments/{name}", json=change).raise_for_status()
                    time.sleep(SETTLE_S)
                    for item in items:
                        took = asked(client, item, args.control)
                        times[status].append(took)
                        time.sleep(max(0.0, args.every_s - took))
            copies = client.get(f"/v1/experiments/{name}").json()["candidates"][args.candidate][
                "copies"
            ]
        finally:
            client.patch(f"/v1/experiments/{name}", json={"status": "stopped"})
    report: dict[str, Any] = {"copies": copies, "interval": ratio_interval(*times.values())}
    for status, some in times.items():
        p50, p99 = (float(q) for q in 1e3 * np.quantile(some, (0.5, 0.99)))
        report[status] = {"requests": len(some), "p50_ms": p50, "p99_ms": p99}
        print(f"shadowing {status}: {len(some)} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    report["ratio"] = report["running"]["p99_ms"] / report["paused"]["p99_ms"]
    low, high = report["interval"]
    print(f"p99 with shadowing / without: {report['ratio']:.3f} [{low:.3f}, {high:.3f}]; {copies}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
