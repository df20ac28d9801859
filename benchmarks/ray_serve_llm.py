"""The peer: Ray Serve LLM with the same model and vLLM arguments, at its fastest setting."""

import signal
import sys

import ray
from ray import serve
from ray.serve.llm import LLMConfig, build_openai_app

from benchmarks.overhead import MODEL, VLLM_ARGS, ZOO


def main() -> None:
    """Serve on the port given as the only argument until interrupted."""
    port = int(sys.argv[1])
    config = LLMConfig(
        model_loading_config={"model_id": MODEL, "model_source": str(ZOO / MODEL)},
        accelerator_config={"kind": "cpu"},
        placement_group_config={"bundles": [{"CPU": 1}]},
        engine_kwargs=VLLM_ARGS,
        experimental_configs={"stream_batching_interval_ms": 0},
        deployment_config={"num_replicas": 1},
    )
    # logical ones: with two, the ingress waits for ever for a core that the engine has reserved
    ray.init(num_cpus=8, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(build_openai_app({"llm_configs": [config]}))
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    serve.shutdown()  # type: ignore[no-untyped-call]  # Ray does not type it


if __name__ == "__main__":
    main()
