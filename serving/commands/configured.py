"""Settings for a command, and the cards they make; what is wrong with them becomes a message."""

from collections.abc import Mapping
from datetime import UTC, datetime

import typer
from rich.console import Console
from rich.markup import escape

from routing.domain import ModelCard, ModelId
from serving.settings import Settings, SettingsError, load

WIDE = 160


def configured(config: str, overrides: Mapping[str, object] | None = None) -> Settings:
    """Load a configuration (see `serving.settings.load`), or say what is wrong and exit with 2."""
    try:
        return load(config, overrides)
    except SettingsError as error:
        Console(stderr=True).print(f"[red]barn:[/red] {escape(str(error))}")
        raise typer.Exit(2) from error


def for_tables() -> Console:
    """A console that cuts no table short in a file or a pipe, which have no width of their own."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=WIDE)


def unix(moment: datetime) -> float:
    """Unix time of a moment on the command line, which has no zone: it is UTC."""
    return moment.replace(tzinfo=UTC).timestamp()


def cards_of(settings: Settings) -> tuple[ModelCard, ...]:
    """Cards with the configured prices, for replays."""
    return tuple(
        ModelCard(ModelId(b.id), b.generation, 1 << 20, b.max_images, b.price_in, b.price_out)
        for b in settings.backbones
    )
