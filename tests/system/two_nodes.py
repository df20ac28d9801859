"""Barn on a Ray cluster of two nodes, which are two raylets on this machine; obeys lines.

Run by `test_two_nodes.py`: `kill` kills the second node with everything on it, `roll N` rolls the
backbone's weights to another model, end of file stops.
"""

import sys
import time
from pathlib import Path

from serving.build import Cluster
from serving.settings import Settings, load


def main(config: str) -> None:
    settings = load(config)
    Cluster.of(settings)  # the environment that Ray's processes inherit

    import ray
    from ray import serve
    from ray.cluster_utils import Cluster as Nodes

    from serving.replicas import application

    small = {"num_cpus": 2, "object_store_memory": 100_000_000, "include_dashboard": False}
    nodes = Nodes(initialize_head=True, head_node_args=small)
    second = nodes.add_node(num_cpus=2, object_store_memory=100_000_000)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, log_to_driver=False)
    where = {"host": settings.service.host, "port": settings.service.port}
    serve.start(http_options=where, proxy_location="HeadOnly")
    serve.run(application(settings), name="barn", route_prefix="/")
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["kill"]:
                nodes.remove_node(second, allow_graceful=False)
                print("killed", time.time(), flush=True)  # noqa: TID251 - beside the test's clock
            case ["roll", other]:
                serve.run(application(_with_model(settings, other)), name="barn", route_prefix="/")
                print("rolled", flush=True)
            case _:
                print("unknown:", line, flush=True)
    serve.shutdown()  # type: ignore[no-untyped-call]  # Ray does not type it
    ray.shutdown()
    nodes.shutdown()  # type: ignore[no-untyped-call]


def _with_model(settings: Settings, model: str) -> Settings:
    changed = tuple(b.model_copy(update={"model": model}) for b in settings.backbones)
    return settings.model_copy(update={"backbones": changed})


if __name__ == "__main__":
    main(str(Path(sys.argv[1])))
