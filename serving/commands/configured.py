"""Settings for a command; what is wrong with them becomes a message, not a traceback."""

from collections.abc import Mapping

import typer
from rich.console import Console
from rich.markup import escape

from serving.settings import Settings, SettingsError, load


def configured(config: str, overrides: Mapping[str, object] | None = None) -> Settings:
    """Load a configuration (see `serving.settings.load`), or say what is wrong and exit with 2."""
    try:
        return load(config, overrides)
    except SettingsError as error:
        Console(stderr=True).print(f"[red]barn:[/red] {escape(str(error))}")
        raise typer.Exit(2) from error
