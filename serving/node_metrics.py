"""Where the processes of one node put their metrics together, and the port that tells them."""

import hashlib
import os
import tempfile
import threading
from pathlib import Path

from serving.settings import SHARED_METRICS, Settings
from serving.telemetry import Metrics


def metrics_folder() -> Path | None:
    """Where the processes of this node keep their metrics; None where they do not share them."""
    told = os.environ.get(SHARED_METRICS)
    return None if told is None else Path(told)


def shared_metrics(settings: Settings) -> dict[str, str]:
    """What the processes of a cluster's node must find in their environment to share metrics.

    Nothing where they inherit it. On a cluster the folder is the node's own, whether or not
    `events.folder` is: nodes are scraped one by one and add up.
    """
    if settings.service.ray_address is None and SHARED_METRICS in os.environ:
        return {}
    mark = hashlib.sha256(str(settings.events.folder).encode()).hexdigest()[:12]
    return {SHARED_METRICS: str(Path(tempfile.gettempdir()) / f"barn-metrics-{mark}")}


def tell_on_a_port(settings: Settings, metrics: Metrics, stop: threading.Event) -> None:
    """Tell this node's metrics on the configured port, if there is one, until `stop` is set."""
    if settings.service.metrics_port:
        where = (settings.service.host, settings.service.metrics_port, stop)
        threading.Thread(target=metrics.listen, args=where, name="metrics", daemon=True).start()
