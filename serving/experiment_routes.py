"""Routes of experiments: start, look, pause, stop, promote."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from evaluation.compare import (
    Pair,
    Verdict,
    calibration_errors,
    closing_in,
    solved,
)
from evaluation.differences import shadow_differences, split_differences
from evaluation.experiments import ExperimentError, Spec, Status, load_spec
from evaluation.learning import learnable, observed, relearned
from evaluation.shadows import agreement, flips, judged_pairs, outcomes, pairs, unchanged
from evaluation.splits import (
    compared,
    graded_answers,
    split_calibration,
    split_closing_in,
    tried,
)
from evaluation.stores.rows import Row
from evaluation.stores.sql import Store
from routing.quality import QualityTable, updated
from serving.errors import BadRequestError, ConflictError, NotFoundError
from serving.judge import Judge, off_loop
from serving.parsing import parsed


class Change(BaseModel):
    """The body of PATCH /v1/experiments/NAME."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status


def experiment_report(store: Store, row: Row, now_s: float) -> dict[str, Any]:
    """One experiment: its spec, its state and what is known of each candidate so far."""
    spec = load_spec(row["spec"])
    told = _shadowed(store, spec, now_s) if spec.mode == "shadow" else _split(store, spec)
    return {
        "name": spec.name, "status": row["status"], "note": row["note"],
        "created_s": row["created_s"], "spec": spec.model_dump(), "candidates": told,
    }  # fmt: skip


def _split(store: Store, spec: Spec) -> dict[str, Any]:
    graded, asked = graded_answers(store, spec), tried(store, spec)
    measured = split_differences(store, spec, graded)
    return {
        candidate: {
            "withdrawn": candidate in spec.withdrawn,
            "verdicts": [
                {"task": t, "difference": v.difference, **asdict(v)}
                for t, v in compared(spec, candidate, graded, asked).items()
            ],
            "measures": {m: d.told() for m, d in measured[candidate].items()},
            "ece": dict(
                zip(
                    ("control", "candidate"),
                    split_calibration(spec, candidate, graded),
                    strict=True,
                )
            ),
            "closing_in": split_closing_in(spec, candidate, graded),
        }
        for candidate in spec.candidates
    }


def _shadowed(store: Store, spec: Spec, now_s: float) -> dict[str, Any]:
    copies = outcomes(store, spec, now_s)
    told = {}
    for candidate in spec.candidates:
        graded = pairs(store, spec, candidate)
        who = solved(graded)
        measured = shadow_differences(store, spec, candidate, graded)
        told[candidate] = {
            "copies": copies[candidate],
            "verdicts": [
                _verdict(v, [p for p in graded if v.task in {p.task, "all"}])
                for v in judged_pairs(spec, graded)
            ],
            "solved": who.told(),
            "agreement": agreement(store, spec, candidate),
            "measures": {m: d.told() for m, d in measured.items()},
            "closing_in": closing_in(graded, alpha=spec.alpha_each),
            "changed_answers": flips(store, spec, candidate, graded),
            "unchanged_answers": unchanged(store, spec, candidate, graded),
        }  # fmt: skip
    return told


def _verdict(verdict: Verdict, pairs: Sequence[Pair]) -> dict[str, Any]:
    errors = dict(zip(("old_ece", "new_ece"), calibration_errors(pairs), strict=True))
    return asdict(verdict) | {"solved": verdict.solved.told()} | errors


def add_experiments(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    """Add the routes; `body` reads a request's body within the size limit."""
    _add_reading(api, judge)
    _add_making(api, judge, body)
    _add_changing(api, judge, body)


def _add_reading(api: FastAPI, judge: Judge) -> None:
    @api.get("/v1/experiments")
    async def listed(request: Request) -> Response:
        """List the experiments, the newest first."""
        judge.keyring.of(request.headers, request.cookies)
        rows = await off_loop(judge.register.all)
        kept = ("name", "status", "note", "created_s", "changed_s")
        return JSONResponse({"experiments": [{k: row[k] for k in kept} for row in rows]})

    @api.get("/v1/experiments/{name}")
    async def one(name: str, request: Request) -> Response:
        """Tell all about one experiment; looking changes nothing, however often.

        For operators: it quotes what users asked.
        """
        judge.keyring.of(request.headers, request.cookies).require_operator()
        row = await off_loop(lambda: _found(judge, name))
        told = await off_loop(lambda: experiment_report(judge.store, row, judge.now()))
        return Response(orjson.dumps(told), media_type="application/json")


def _add_making(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    @api.post("/v1/experiments", status_code=201)
    async def create(request: Request) -> Response:
        """Start an experiment."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        spec = parsed(Spec, await body(request))
        for name in (spec.control, *spec.candidates):
            if name not in judge.backbones:
                hosted = ", ".join(judge.backbones)
                raise BadRequestError(f"no backbone {name!r}; there are: {hosted}", "candidates")
        try:
            await off_loop(lambda: judge.register.create(spec, judge.now()))
        except ExperimentError as error:
            raise ConflictError(str(error), "name") from error
        await off_loop(judge.refresh)
        return JSONResponse({"name": spec.name, "status": "running"}, 201)


def _add_changing(api: FastAPI, judge: Judge, body: Callable[[Request], Any]) -> None:
    @api.patch("/v1/experiments/{name}")
    async def change(name: str, request: Request) -> Response:
        """Pause, continue, stop or promote; promoting writes a new quality table."""
        judge.keyring.of(request.headers, request.cookies).require_operator()
        wanted = parsed(Change, await body(request))
        told = await off_loop(lambda: _changed(judge, name, wanted.status))
        await off_loop(judge.refresh)
        return JSONResponse(told)


def _found(judge: Judge, name: str) -> Row:
    try:
        return judge.register.find(name)
    except ExperimentError as error:
        raise NotFoundError(str(error)) from error


def _changed(judge: Judge, name: str, status: Status) -> dict[str, Any]:
    """Change an experiment; a promotion whose table cannot be written changes nothing."""
    spec = load_spec(_found(judge, name)["spec"])
    table: QualityTable | None = None
    try:
        if status == "promoted":
            judge.register.check(name)
            table = _promote(judge, spec)
        judge.register.change(name, status, judge.now())
    except ExperimentError as error:
        if table is not None:
            judge.tables.withdraw()
        raise ConflictError(str(error), "status") from error
    told: dict[str, Any] = {"name": name, "status": status}
    return told if table is None else told | {"table_version": table.version}


def _promote(judge: Judge, spec: Spec) -> QualityTable:
    """What the experiment showed of the candidates becomes part of what they are worth.

    Copies are added to the posteriors. A split's answers were given to users, so that refits learn
    from them anyway: it is refitted now.
    """
    note = f"promoted {spec.name}"
    if spec.mode == "split":
        base = judge.tables.base()
        made = relearned(base, learnable(judge.store, base.since_s))
        return judge.tables.publish(made.model_copy(update={"note": note}), base)
    seen = observed(
        (candidate, pair.task, pair.new_score)
        for candidate in spec.trying
        for pair in pairs(judge.store, spec, candidate)
    )
    table = updated(judge.tables.current(), seen, {}, note=note)
    return judge.tables.publish(table, updated(judge.tables.base(), seen, {}, note=note))
