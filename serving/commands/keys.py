"""`barn key` and `barn keys`: keys for the configuration, and keys of a running service."""

from typing import Annotated
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from serving.access import hashed, new_key
from serving.commands.configured import for_tables
from serving.commands.route import Key, Url, call

keys_app = typer.Typer(help="List, make and revoke the API keys of a running service.")
_LOCAL = "http://127.0.0.1:8000"


def key(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    role: Annotated[str, typer.Option(help="user or operator.")] = "user",
) -> None:
    """Make an API key for the configuration, which holds only its hash."""
    made = new_key()
    typer.echo(f"key (shown once): {made}")
    typer.echo("put this into the configuration:")
    typer.echo(f"access: {{keys: [{{name: {name}, role: {role}, sha256: {hashed(made)}}}]}}")


@keys_app.command("list")
def keys_list(url: Url = _LOCAL, api_key: Key = "") -> None:
    """Show who may call, and how much."""
    shown = Table("name", "role", "models", "requests", "tokens", "from")
    for one in call("GET", url, "/v1/keys", api_key)["keys"]:
        shown.add_row(
            one["name"], one["role"], ", ".join(one["models"]) or "all",
            one["requests"] or "no limit", one["tokens"] or "no limit",
            "configuration" if one["configured"] else "barn keys",
        )  # fmt: skip
    for_tables().print(shown)


@keys_app.command("create")
def keys_create(  # noqa: PLR0913 - what a key may be told
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    role: Annotated[str, typer.Option(help="user or operator.")] = "user",
    model: Annotated[list[str] | None, typer.Option(help="Allow only these; none: all.")] = None,
    requests: Annotated[str | None, typer.Option(help="At most, e.g. 60/minute.")] = None,
    tokens: Annotated[str | None, typer.Option(help="At most, e.g. 200000/day.")] = None,
    url: Url = _LOCAL,
    api_key: Key = "",
) -> None:
    """Make a key; it is shown once, the service keeps its hash."""
    wanted = {
        "name": name, "role": role, "models": model or [], "requests": requests, "tokens": tokens
    }  # fmt: skip
    typer.echo(call("POST", url, "/v1/keys", api_key, orjson.dumps(wanted))["key"])


@keys_app.command("revoke")
def keys_revoke(
    name: Annotated[str, typer.Argument(help="Whose key goes.")],
    url: Url = _LOCAL,
    api_key: Key = "",
) -> None:
    """Take a key away; every front end knows it with its next look at the store."""
    call("DELETE", url, f"/v1/keys/{quote(name, safe='')}", api_key)
    typer.echo(f"{name} is revoked")
