"""`barn train` and `barn study`: run the recipe, and write down what it gave."""

from pathlib import Path
from typing import Annotated

import typer

from training.recipe import Profile

app = typer.Typer(help="Train the backbones of the controlled study.")


@app.command()
def train(
    profile: Annotated[str, typer.Option(help="A shipped profile or a YAML file.")] = "embedded",
    work: Annotated[Path | None, typer.Option(help="Checkpoints and caches.")] = None,
    zoo: Annotated[Path | None, typer.Option(help="Where finished models go.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Backbones trained side by side.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="Train only these backbones.")] = None,
) -> None:
    """Reproduce the study's models from nothing; run it again to resume after an interruption."""
    from training.run import train as run

    try:
        plan = Profile.load(profile)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from error
    work = work or Path("runs") / plan.name
    run(plan, work, zoo or work / "zoo", jobs=jobs, only=tuple(only or ()))
