"""REST of what is sent in and what runs: statements, trainings and their jobs, models, batches. The library decides, the route asks.

An upload is read from where it was spooled, never held as text; a result of many rows is written to a file and sent from there.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Header, UploadFile
from pandas import DataFrame
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, JSONResponse, Response

from creditrisk import dictionary, ingest, jobs, registry, training
from creditrisk.batch import keep, results
from creditrisk.errors import InvalidInput
from creditrisk.plan import CANDIDATES
from creditrisk.store import Store, to_json

MOST_FILES = 50
User = Annotated[str, Header(alias="X-User", description="Who acts; kept with what is done.", min_length=1, max_length=100)]
Kind = Literal["csv", "xlsx", "parquet"]
MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


class TrainingAsked(BaseModel):
    """What to train on; what is left out is as the installation has it."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [{"algorithms": ["logistic"]}]})
    algorithms: list[Literal[CANDIDATES]] | None = Field(None, min_length=1, max_length=10)  # type: ignore[valid-type]
    label_set_id: str | None = Field(None, max_length=100, description="Left out, the one made last.")
    split: Literal["random", "time"] | None = Field(None, description="Who is kept away from training: a random part, or the latest.")
    test_size: float | None = Field(None, ge=0.05, le=0.5)
    folds: int | None = Field(None, ge=2, le=20)
    seed: int | None = Field(None, ge=0, lt=2**31)
    balance: Literal["none", "weights", "smote"] | None = None
    tune: int | None = Field(None, ge=0, le=1_000, description="Trials per algorithm.")


def routes(open_store: Callable[[], Store], problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """Return the routes to include; `open_store` is called for each request, `problems` describe a refusal."""
    router = APIRouter(prefix="/v1", responses=problems)

    @router.post("/statements", summary="Store bank statements: whole files or nothing", status_code=201, tags=["statements"])
    def statements(
        files: Annotated[list[UploadFile], File(description="Statements in any format the workbench reads.", max_length=MOST_FILES)],
        applicant_id: Annotated[str | None, Form(max_length=200, description="Whose they are; left out, the files have to say.")] = None,
        profile: Annotated[str | None, Form(max_length=200, description="The bank profile to read them with.")] = None,
        x_user: User = "api",
    ) -> JSONResponse:
        return _plain(_stored(open_store(), files, applicant_id, profile, x_user), 201)

    @router.post("/train", summary="Train candidates in the background", status_code=202, tags=["models"])
    def train(asked: TrainingAsked, x_user: User = "api") -> JSONResponse:
        store = open_store()
        chosen: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in asked.model_dump(exclude_none=True).items()
        }
        job_id = training.start(store, replace(training.defaults(store), **chosen), user=x_user)
        return _plain(jobs.get(store, job_id), 202, {"Location": f"jobs/{job_id}"})

    @router.get("/jobs", summary="Trainings asked for, newest first", tags=["models"])
    def all_jobs() -> JSONResponse:
        return _rows(jobs.current(open_store()))

    @router.get("/jobs/{job_id}", summary="How far a training is", tags=["models"])
    def job(job_id: str) -> JSONResponse:
        return _plain(jobs.get(open_store(), job_id))

    @router.post("/jobs/{job_id}/stop", summary="Stop a training", tags=["models"])
    def stop_job(job_id: str, x_user: User = "api") -> JSONResponse:
        store = open_store()
        jobs.stop(store, job_id, x_user)
        return _plain(jobs.get(store, job_id))

    @router.get("/models", summary="Every model and its standing, newest first", tags=["models"])
    def models() -> JSONResponse:
        return _plain(registry.models(open_store()).to_dict("records"))

    @router.get("/models/{model_id}", summary="A model's card", tags=["models"])
    def model(model_id: str) -> JSONResponse:
        return _plain({name: value for name, value in registry.card(open_store(), model_id).items() if name not in ("json", "markdown")})

    @router.get("/template", summary="A file to fill in for a batch: every column models read, with an example row", tags=["batches"])
    def template() -> Response:
        return Response(dictionary.as_csv(dictionary.template(open_store())), media_type=MIME["csv"])

    @router.post("/batches", summary="Score a file of applicants in the background", status_code=202, tags=["batches"])
    def batch(
        file: Annotated[UploadFile, File(description="CSV, Parquet or Excel: a row per applicant, every column models read.")],
        model_id: Annotated[str | None, Form(max_length=100, description="Left out, the champion.")] = None,
        baseline: Annotated[Literal["cut-off", "everyone"], Form(description="What contributions are held against.")] = "cut-off",
        x_user: User = "api",
    ) -> JSONResponse:
        store, name = open_store(), file.filename or "applicants"
        made = keep.start(store, name, file.file, user=x_user, channel="api", model_id=model_id or None, baseline=baseline)
        return _plain(keep.get(store, made), 202, {"Location": f"batches/{made}"})

    @router.get("/batches", summary="Batches, newest first", tags=["batches"])
    def batches() -> JSONResponse:
        return _rows(keep.batches(open_store()))

    @router.get("/batches/{batch_id}", summary="How far a batch is, and how it came out", tags=["batches"])
    def one_batch(batch_id: str) -> JSONResponse:
        store = open_store()
        return _plain({**keep.get(store, batch_id), "summary": results.summary(store, batch_id)})

    @router.post("/batches/{batch_id}/stop", summary="Stop a batch; what is scored stays", tags=["batches"])
    def stop_batch(batch_id: str, x_user: User = "api") -> JSONResponse:
        store = open_store()
        keep.stop(store, batch_id, user=x_user)
        return _plain(keep.get(store, batch_id))

    @router.post("/batches/{batch_id}/go-on", summary="Score what is left of a batch", status_code=202, tags=["batches"])
    def go_on(batch_id: str, x_user: User = "api") -> JSONResponse:
        store = open_store()
        return _plain(keep.get(store, keep.go_on(store, batch_id, user=x_user)), 202, {"Location": f"../{batch_id}"})

    @router.get("/batches/{batch_id}/results", summary="The scores of a batch, with reasons", response_class=FileResponse, tags=["batches"])
    def handed_out(batch_id: str, kind: Kind = "csv", x_user: User = "api") -> FileResponse:
        return _file(f"{batch_id}.{kind}", kind, lambda file: results.write(open_store(), batch_id, file, kind, reader=x_user))

    @router.get("/batches/{batch_id}/refused", summary="Rows set aside, with what is wrong", response_class=FileResponse, tags=["batches"])
    def refused(batch_id: str) -> FileResponse:
        store = open_store()
        return _file(f"{batch_id}-set-aside.csv", "csv", lambda file: file.write_bytes(results.refused_csv(store, batch_id)))

    @router.get("/batches/{batch_id}/drift", summary="How far each figure moved since training", tags=["batches"])
    def moved(batch_id: str) -> JSONResponse:
        return _rows(results.drift(open_store(), batch_id))

    return router


def _stored(store: Store, files: list[UploadFile], applicant_id: str | None, profile: str | None, user: str) -> list[dict[str, Any]]:
    """Read files and store those that can be; raises InvalidInput, with the first problem, where none can."""
    store.require(user, "ingest", "statements")
    readings = [
        ingest.read(file.filename or "statement", file.file.read(), profile=profile or None, settings=store.settings) for file in files
    ]
    good = [reading for reading in readings if reading.status != "rejected"]
    if not good:
        first = readings[0].problems[0].message if readings[0].problems else "nothing in it can be read."
        raise InvalidInput(f"No file was stored. {first}")
    saved = dict(zip(map(id, good), ingest.save(store, good, user=user, applicant_id=applicant_id or None), strict=True))
    return [ingest.to_json(reading, saved.get(id(reading))) for reading in readings]


def _file(name: str, kind: Kind, write: Callable[[Path], object]) -> FileResponse:
    """Write a file that is gone once it is sent."""
    folder = tempfile.TemporaryDirectory(prefix="creditrisk-")
    try:
        file = Path(folder.name) / name.replace("/", "_")
        write(file)
    except BaseException:
        folder.cleanup()
        raise
    return FileResponse(file, media_type=MIME[kind], filename=name, background=BackgroundTask(folder.cleanup))


def _rows(frame: DataFrame) -> JSONResponse:
    return JSONResponse(json.loads(frame.to_json(orient="records", date_format="iso", date_unit="us")))


def _plain(answer: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(json.loads(to_json(answer)), status_code=status, headers=headers)
