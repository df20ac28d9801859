"""The runbooks that alerts link to, as pages: whoever is called at night needs no repository."""

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt
from markupsafe import Markup

from serving.console.pages import rendered
from serving.errors import NotFoundError

FOLDER = Path(str(files("deploy") / "runbooks"))


def add_runbooks(api: FastAPI) -> None:
    """Add one page for each runbook, under /console/runbooks."""
    known = {path.stem: path for path in sorted(FOLDER.glob("*.md"))}

    @api.get("/console/runbooks/{name}", include_in_schema=False)
    async def runbook(name: str) -> Response:
        """For whoever holds the link: from an alert no key comes along, and here is no secret."""
        if name not in known:
            there = ", ".join(known)
            raise NotFoundError(f"no runbook {name!r}; there are: {there}")
        return page(known[name])


def page(path: Path) -> HTMLResponse:
    """One runbook; its first line is the page's heading."""
    title, _, text = path.read_text(encoding="utf-8").partition("\n")
    told = Markup(MarkdownIt("js-default").render(text))  # noqa: S704 - our own files, without HTML
    return rendered("runbook", title=title.lstrip("# "), text=told)
