"""How many replicas a backbone should have, from the requests that its replicas have under way."""

from typing import Any

LINES = "on_lines"
"""The name under which a replica tells Ray how many requests came past Ray."""


def by_requests(context: Any) -> tuple[float, dict[str, Any]]:
    """Ray Serve's own rule, with the requests that come on lines of ours counted too.

    Ray applies the bounds, the delays and the smoothing of `AutoscalingConfig` to what this says.

    Args:
        context: Ray Serve's `AutoscalingContext` of one deployment.

    Returns:
        The wanted number of replicas: requests under way over `target_ongoing_requests`; and the
        state that Ray keeps for the next call, of which there is none.
    """
    if context.current_num_replicas == 0:
        return context.target_num_replicas, {}
    told = (context.aggregated_metrics or {}).get(LINES, {})
    requests = context.total_num_requests + sum(told.values())
    return requests / context.config.get_target_ongoing_requests(), {}
