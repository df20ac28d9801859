"""`barn …`: start the service, and everything around it."""

import json
import signal
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from serving.build import Cluster
from serving.commands.configured import configured
from serving.settings import Settings, SettingsError, profiles

app = typer.Typer(
    help="Barn: vision-language models behind a task-aware router.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_err = Console(stderr=True)

Config = Annotated[
    str,
    typer.Option(
        help="A profile (embedded, gpu, multi-node) or a YAML file.", envvar="BARN_CONFIG"
    ),
]


@app.command()
def serve(
    config: Config = "embedded",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where events are kept.")] = None,
) -> None:
    """Start the service; Ctrl-C stops it, after the answers under way."""
    settings = configured(
        config, {"service.host": host, "service.port": port, "events.folder": folder}
    )
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = ", ".join(b.id for b in settings.backbones)
    try:
        cluster = Cluster.of(settings)
        _err.print(f"starting Ray Serve and {len(settings.backbones)} backbones: {names}")
        with cluster:
            with _err.status("loading and warming up …"):
                cluster.deploy()
            _announce(settings, time.monotonic() - started)
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
            _err.print("stopping: finishing the answers under way …")
    except SettingsError as error:
        _err.print(f"[red]barn:[/red] {error}")
        raise typer.Exit(2) from error
    except RuntimeError as error:  # a replica did not start; its own words are in it
        _err.print("[red]barn:[/red] not every backbone came up", escape(str(error)))
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        _err.print("stopped before it was ready")
    _err.print("stopped")


def _announce(settings: Settings, seconds: float) -> None:
    url = settings.service.url
    ask = {"model": "auto", "messages": [{"role": "user", "content": "what is 7 + 5?"}]}
    print(f"Barn is ready after {seconds:.1f} s: {url}  (docs: {url}/docs)")
    print(f"try: curl -s {url}/v1/chat/completions -d '{json.dumps(ask)}'", flush=True)


@app.command()
def config(
    name: Annotated[
        str, typer.Argument(help="A profile or a YAML file.", envvar="BARN_CONFIG")
    ] = "embedded",
) -> None:
    """Print the configuration as it will be used, environment included; secrets stay hidden."""
    print(configured(name).model_dump_json(indent=2))


@app.command("profiles")
def list_profiles() -> None:
    """List the profiles that ship with Barn."""
    for name, path in profiles().items():
        print(f"{name:12} {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}")


def main() -> None:
    """Entry point of `barn`; other packages add commands through `barn.commands`."""
    # imported here, so that `barn serve` does not wait for what it does not need
    from serving.commands import evaluate, judge, keys, policies, route, traffic

    for command in (evaluate.evaluate, route.classify, route.explain, judge.quality,
                    judge.export, keys.key):  # fmt: skip
        app.command()(command)
    app.command("route-bench")(evaluate.route_bench)
    app.command("off-policy")(policies.off_policy)
    app.command("load")(traffic.load_test)
    app.add_typer(route.table_app, name="table")
    app.add_typer(keys.keys_app, name="keys")
    for entry in entry_points(group="barn.commands"):
        command = entry.load()
        app.command(entry.name)(command)
    app()


if __name__ == "__main__":
    main()
