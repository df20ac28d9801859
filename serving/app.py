"""The application as `serve deploy` and KubeRay import it, on an existing Ray cluster."""

from typing import Any

from serving.beside import start_experiments
from serving.settings import load


def app(arguments: dict[str, str]) -> Any:
    """Build the application of a configuration.

    Args:
        arguments: `config`, a profile's name or the path of a YAML file on every node.

    Raises:
        SettingsError: the configuration cannot be used; the message says which key.
    """
    from serving.replicas import application

    settings = load(arguments.get("config", "embedded"))
    start_experiments(settings)
    return application(settings)
