"""A Ray cluster of two nodes, which are two raylets on this machine; obeys lines.

Run by `test_two_nodes.py`, which deploys Barn to it with `serve deploy`: `kill` kills the second
node with everything on it, end of file stops.
"""

import os
import sys
import time
from pathlib import Path

from serving.build import Cluster, free_port
from serving.settings import load


def main(config: str) -> None:
    Cluster.of(load(config))  # the environment that Ray's processes inherit
    for name in ("PROMETHEUS_MULTIPROC_DIR", "RAY_AUTH_MODE"):  # but not these: no cluster has them
        del os.environ[name]  # noqa: TID251

    import ray
    from ray import serve
    from ray.cluster_utils import Cluster as Nodes

    port = free_port()
    nodes = Nodes(
        initialize_head=True,
        head_node_args={
            "num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": True,
            "dashboard_host": "127.0.0.1", "dashboard_port": port,
        },
    )  # fmt: skip
    second = nodes.add_node(num_cpus=2, object_store_memory=100_000_000)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, log_to_driver=False)
    print("nodes", f"http://127.0.0.1:{port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            nodes.remove_node(second, allow_graceful=False)
            print("killed", time.time(), flush=True)  # noqa: TID251 - beside the test's clock
        else:
            print("unknown:", line, flush=True)
    serve.shutdown()  # type: ignore[no-untyped-call]  # Ray does not type it
    ray.shutdown()
    nodes.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
