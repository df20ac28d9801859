"""The application as `serve deploy` and KubeRay import it, on an existing Ray cluster."""

from typing import Any

from serving.beside import start_experiments
from serving.settings import check_files, load


def app(arguments: dict[str, str]) -> Any:
    """Build the application of a configuration.

    Args:
        arguments: `config`, a profile's name or the path of a YAML file on every node; `host`, the
            address of Serve's `http_options`. The application cannot see that one: without it,
            it is taken for one that others can reach, and keys are needed.

    Raises:
        SettingsError: the configuration cannot be used; the message says which key.
    """
    host = arguments.get("host", "0.0.0.0")  # noqa: S104 - the worst is assumed, not listened on
    settings = load(arguments.get("config", "embedded"), {"service.host": host})
    check_files(settings)
    from serving.replicas import application  # Ray's import takes seconds: after what can fail

    start_experiments(settings)
    return application(settings)
