"""`barn train`, `barn train-router`, `barn study`: run the recipes, write down what they gave."""

import os
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
    from training.run import StaleWorkError
    from training.run import train as run

    try:
        plan = Profile.load(profile)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from error
    if "fsdp" in plan.accelerate and "WORLD_SIZE" not in os.environ:  # noqa: TID251 - the launcher's
        raise typer.BadParameter(
            f"{plan.name} shards its models over GPUs; start it as: accelerate launch "
            f"--num_processes GPUS -m training.cli train --profile {profile}"
        )
    work = work or Path("runs") / plan.name
    try:
        run(plan, work, zoo or work / "zoo", jobs=jobs, only=tuple(only or ()))
    except StaleWorkError as error:
        raise typer.BadParameter(str(error)) from error


@app.command("train-router")
def train_router(
    questions: Annotated[Path, typer.Argument(help="Real questions, one JSON object a line.")],
    out: Annotated[Path, typer.Option(help="Where the arrays go.")] = Path("routing/models"),
    seed: Annotated[int, typer.Option(help="Of the drawn questions.")] = 7,
) -> None:
    """Fit the router's task classifier; whole benchmarks are held out to see what generalises."""
    from training.router.train import train_router as run

    if not questions.is_file():
        raise typer.BadParameter(f"no file {questions}")
    _, facts = run(questions, out, seed, typer.echo)
    for name, value in facts.items():
        typer.echo(f"{name}: {value:.3f}")


@app.command()
def study(
    zoo: Annotated[Path, typer.Option(help="Folder of the trained models.")] = Path("serving/zoo"),
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = Path("training/STUDY.md"),
    per_skill: Annotated[int, typer.Option(min=1, help="Held-out questions of each skill.")] = 400,
    easy: Annotated[int, typer.Option(min=1, help="Questions of easy-VQA's test split.")] = 2_000,
) -> None:
    """Compare all backbones as the study does, and write the table; JSON goes beside it."""
    from training.study import run_study

    names = sorted(p.parent.name for p in zoo.glob("*/config.json"))
    if not names:
        raise typer.BadParameter(f"no models in {zoo}")
    text, facts = run_study(zoo, names, per_skill=per_skill, easy=easy, say=typer.echo)
    out.write_text(text, encoding="utf-8")
    out.with_suffix(".json").write_text(facts + "\n", encoding="utf-8")
    typer.echo(f"wrote {out}")


if __name__ == "__main__":  # for `accelerate launch -m training.cli train …`
    app()
