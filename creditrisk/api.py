"""REST beside the pages: one process, one port, the same library calls. Each refusal is problem+json with the library's sentence.

What a body may hold is generated from the workspace's schema when the first request needs it: making the application
opens nothing. Endpoints are plain functions, so that a slow one does not hold up the others.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from creditrisk import __version__, blinding, certainty, corrections, desk, dispatch, hearings, labels, registry, repeats, rows, scoring
from creditrisk.errors import CreditRiskError, InvalidInput, JobBusy, StoreInUse
from creditrisk.people import asking
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store, to_json

MOST = 1_000  # applicants in one request; more is a batch
PATIENCE = 10  # seconds after which to ask again while something else is under way
Body_ = Annotated[Any, Body(description="One applicant, or a list of them.")]
User = Annotated[str, Header(alias="X-User", description="Who asks; kept with every prediction.", min_length=1, max_length=100)]

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Names this request: sent again with the same body, it is answered with the same predictions.",
        min_length=1,
        max_length=200,
    ),
]


def create_api(opened: Callable[[], Store]) -> FastAPI:
    """Return the application to mount; `opened` is called for each request, and the workspace it returns is seen by who sent that."""
    about = __doc__.split("\n", maxsplit=1)[0]
    api = FastAPIOffline(title="Credit Risk Workbench", version=__version__, description=about, redoc_url=None)
    loaded: dict[str, scoring.Model] = {}  # by id: a registered model never changes
    known: dict[str, tuple[str | None, certainty.Lines | None]] = {}  # by model: its warning, and what says how sure it is

    def open_store() -> Store:
        return opened().seen_by(*asking.get())

    def model(store: Store, name: str | None) -> scoring.Model:
        if name is None or name not in loaded:
            found = scoring.model(store, name)
            loaded[found.model_id] = found
            return found
        return loaded[name]

    def beside(store: Store, name: str) -> tuple[str | None, certainty.Lines | None]:
        if name not in known:
            label_set = labels.get(store, registry.get(store, name)["label_set_id"])
            known[name] = labels.banner(label_set), certainty.known(store, name)
        return known[name]

    def answer(store: Store, made: scoring.Prediction) -> dict[str, Any]:
        return _answer(made, *beside(store, made.model_id))

    @api.post("/v1/score", summary="Score one applicant or up to 1,000", responses=PROBLEMS)
    def score(body: Body_, x_user: User = "api", idempotency_key: Key = None) -> JSONResponse:
        if isinstance(body, bytes):  # FastAPI hands on unread what does not say that it is JSON
            raise InvalidInput("The body was not sent as JSON: add the header Content-Type: application/json.")
        store, made = open_store(), list[scoring.Prediction]()

        def scored() -> list[str]:
            asked = _asked(store.schema, body)
            made.extend(_scored(store, asked, model(store, registry.champion_id(store)), x_user))
            return [one.prediction_id for one in made]

        before = repeats.once(store, idempotency_key, body, scored, user=x_user)
        answers = [answer(store, one) for one in (made if before is None else [scoring.get(store, name, reader=x_user) for name in before])]
        return JSONResponse(answers if isinstance(body, list) else answers[0])

    @api.get("/v1/predictions/{prediction_id}", summary="A prediction as it was made", responses=PROBLEMS)
    def prediction(prediction_id: str, x_user: User = "api") -> JSONResponse:
        store = open_store()
        return JSONResponse(answer(store, scoring.get(store, prediction_id, reader=x_user)))

    @api.post(
        "/v1/corrections", summary="Say what movements really were; `dry_run` tells what would move and stores nothing", responses=PROBLEMS
    )
    def correct(said: CorrectionSaid, x_user: User = "api") -> JSONResponse:
        return JSONResponse(_corrected(open_store(), said, x_user))

    @api.get("/v1/corrections", summary="What people said of movements, newest first", responses=PROBLEMS)
    def told(applicant_id: str | None = None) -> JSONResponse:
        found = corrections.history(open_store(), applicant_id)
        return JSONResponse(json.loads(found.to_json(orient="records", date_format="iso", date_unit="us")))

    @api.get("/v1/health", summary="Whether scores can be had, and from which model", responses=PROBLEMS)
    def health() -> JSONResponse:
        return JSONResponse(_health(opened()))  # counts, and of nobody: any key will do

    api.include_router(hearings.routes(open_store, PROBLEMS))
    api.include_router(dispatch.routes(open_store, PROBLEMS))
    api.include_router(desk.routes(open_store, PROBLEMS, lambda store, name: (model(store, name), beside(store, name)[1])))

    def described() -> dict[str, Any]:
        if not api.openapi_schema:
            api.openapi_schema = _description(api, opened().schema)
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to change the description
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)
    return api


@lru_cache(maxsize=4)
def applicant_model(schema: Schema) -> type[BaseModel]:
    """Return the pydantic model of one applicant in a request, generated from the declared features."""
    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    fields: dict[str, Any] = {feature.name: (_field(feature), None) for feature in schema}
    values: Any = create_model("Features", __config__=strict, **fields)
    entry: dict[str, Any] = {
        "applicant_id": (Annotated[str | None, Field(min_length=1, max_length=rows.MAX_NAME, description=ID_MEANING)], None),
        "as_of": (Annotated[str | None, Field(description="The date the features describe, like 2026-01-31.")], None),
        "features": (Annotated[values | None, Field(description=FEATURES_MEANING)], None),
    }
    return create_model("Applicant", __config__=strict, **entry)


ID_MEANING = "Alone: an applicant of the workspace, scored from their newest features. With features: the name the score is kept under."
FEATURES_MEANING = (
    "Values to score; null counts as not known. So does one that a single applicant leaves out; among several, one that nobody "
    "names is refused."
)


def _field(feature: Feature) -> Any:
    about = Field(title=feature.title, description=f"{feature.meaning} Unit: {feature.unit or 'none'}.")
    if feature.type == "choice":
        return Annotated[Literal[(*feature.choices, *feature.spellings, *feature.missing)] | None, about]
    if feature.type == "flag":
        return Annotated[bool | Literal[0, 1] | None, about]
    whole = 1 if feature.type == "integer" else None
    number = Annotated[float, Field(ge=feature.low, le=feature.high, multiple_of=whole)]
    codes = tuple(int(code) if code.lstrip("-").isdigit() else code for code in feature.missing)
    return Annotated[number | Literal[codes] | None if codes else number | None, about]


def examples(schema: Schema) -> dict[str, Any]:
    """Return bodies of a score request that this workspace answers: one applicant, several, and one of whom little is known."""
    values = {feature.name: _usual(feature) for feature in schema if not feature.formula}
    one = {"applicant_id": "walk-in", "as_of": "2026-01-31", "features": values}
    return {
        "one": {"summary": "One applicant", "value": one},
        "several": {"summary": "Several, each with every figure", "value": [{**one, "applicant_id": f"walk-in {n}"} for n in (1, 2)]},
        "little": {"summary": "One of whom little is known", "value": {"features": dict(list(values.items())[:2])}},
    }


def _usual(feature: Feature) -> Any:
    """Return a value a feature may have."""
    if feature.type == "choice":
        return feature.choices[0]
    low = 0 if feature.low is None or feature.low < 0 else feature.low
    return int(low) if feature.high is None else int(min(max(low, 0), feature.high))


def _asked(schema: Schema, body: Any) -> list[dict[str, Any]]:
    """Return the applicants of a body, each checked; raises InvalidInput with one sentence for the first thing wrong."""
    entries = body if isinstance(body, list) else [body]
    if not 1 <= len(entries) <= MOST:
        raise InvalidInput(
            f"A request scores between 1 and {MOST:,} applicants; this one has {len(entries):,}. Send more as a file to /batches."
        )
    asked = []
    for place, entry in enumerate(entries, 1):
        try:
            asked.append(applicant_model(schema).model_validate(entry).model_dump(exclude_unset=True))
        except ValidationError as error:
            where = f"Applicant {place} of the list: " if isinstance(body, list) else ""
            raise InvalidInput(where + _sentence(schema, error)) from error
        if not asked[-1].get("applicant_id") and asked[-1].get("features") is None:
            raise InvalidInput(f"Applicant {place} has neither applicant_id nor features; give one of them or both.")
        if asked[-1].get("as_of") and asked[-1].get("features") is None:
            raise InvalidInput(
                f"Applicant {place} has as_of without features; an applicant of the workspace is scored from the newest features."
            )
    if len({entry.get("features") is None for entry in asked}) > 1:
        raise InvalidInput("Some of these applicants have features and some do not; send the two kinds in two requests.")
    return asked


def _sentence(schema: Schema, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    path, given = [str(part) for part in first["loc"]], repr(first["input"])[:60]
    feature = next((entry for entry in schema if path[:1] == ["features"] and path[1:2] == [entry.name]), None)
    if feature is not None:
        return f"{feature.name} {rows.complaint(feature, first['input']) or f'is {given}; it should be a number'}."
    if first["type"] == "extra_forbidden":
        known = "a feature that the schema declares" if path[0] == "features" else "one of applicant_id, as_of, features"
        return f"{'.'.join(path)[:80]} is not {known}."
    if not path:
        return f"An applicant is a JSON object with applicant_id, features or both, not {given}."
    return f"{'.'.join(path)} is {given}: {first['msg'].lower()}."


def _scored(store: Store, asked: list[dict[str, Any]], champion: scoring.Model, user: str) -> list[scoring.Prediction]:
    blinding.require(store, user, *(entry.get("applicant_id") for entry in asked))
    if asked[0].get("features") is None:
        names = [entry["applicant_id"] for entry in asked]
        made = {found.applicant_id: found for found in scoring.score_applicants(store, names, user=user, channel="api", using=champion)}
        return [made[name] for name in names]
    given = [{name: entry.get(name) for name in rows.KEYS} | entry["features"] for entry in asked]
    return scoring.score_values(store, given, user=user, channel="api", using=champion, complete=len(given) > 1)


def _answer(made: scoring.Prediction, banner: str | None, found: certainty.Lines | None) -> dict[str, Any]:
    return made.to_json(found) | {
        "because": made.because,
        "margin": made.margin,
        "baseline": made.baseline,
        "as_of": made.as_of.isoformat() if made.as_of else None,
        "label_source": made.label_source,
        "banner": banner,
        "missing": made.missing,
    }


class CorrectionSaid(BaseModel):
    """What somebody says that movements really were."""

    model_config = ConfigDict(strict=True, extra="forbid")
    scope: Literal["movement", "merchant", "words"] = Field(description="One movement, all described alike, or all with certain words.")
    category: str = Field(description="What they really were, such as RENT.", max_length=100)
    transaction_id: int | None = Field(None, description="Scope movement: which. Scope merchant: one of the merchant's movements.")
    words: str | None = Field(None, description="Scopes merchant and words: the description, or some of its words.", max_length=1_000)
    direction: Literal["in", "out"] | None = Field(None, description="Money in or out; left out, the one there is.")
    reason: str = Field("", description="Why; kept for ever.", max_length=2_000)
    dry_run: bool = Field(False, description="Say which figures and which score would move, and store nothing.")
    applicant_id: str | None = Field(None, description="Whose score a dry run shows; left out, of whom most would change.")


def _corrected(store: Store, said: CorrectionSaid, user: str) -> dict[str, Any]:
    asked = said.model_dump(include={"scope", "category", "transaction_id", "words", "direction"})
    if not said.dry_run:
        done = corrections.correct(store, user=user, reason=said.reason, **asked)
        answer = {"correction_id": done.correction_id, "n_learned": done.n_learned, **corrections.to_json(done.affected)}
    else:
        whose = said.applicant_id or corrections.affected(store, **asked).most_of
        if whose is None:
            raise InvalidInput("Nothing would change: these movements have that category already.")
        blinding.require(store, user, whose)
        answer = corrections.preview(store, whose, **asked).to_json()
    return json.loads(to_json(answer))  # type: ignore[no-any-return]


def _health(store: Store) -> dict[str, Any]:
    """Return what scores come from; raises TamperedArtefact where the champion's file is not the registered one, so that there are none."""
    model = registry.champion(store)
    if model:
        registry.artefact(store, model["model_id"])
    known = store.value("select count(*) from (select applicant_id from account union select applicant_id from applicant)")
    return {
        "ok": True,
        "version": __version__,
        "schema": store.schema.name,
        "fingerprint": store.schema.fingerprint,
        "applicants": known,
        "champion": model and model["model_id"],
        "algorithm": model and model["algorithm"],
        "label_source": model and model["label_source"],
        "is_proxy": model and model["is_proxy"],
    }


def _problem(status: int, title: str, sentence: str) -> JSONResponse:
    plain = sentence.encode("utf-8", "replace").decode()  # a lone surrogate in what was sent must not break the answer
    content = {"type": "about:blank", "title": title, "status": status, "detail": plain}
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def _refused(_request: Request, error: Any) -> JSONResponse:
    answer = _problem(error.status, type(error).__name__, str(error))
    if isinstance(error, JobBusy | StoreInUse):
        answer.headers["Retry-After"] = str(PATIENCE)
    return answer


def _malformed(request: Request, error: Any) -> JSONResponse:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return _problem(422, "InvalidInput", f"The body is not valid JSON: {first['ctx']['error']}.")
    if first["loc"] == ("body",):
        what = BODIES.get(request.url.path.rpartition("/")[2], "one applicant or a list of applicants")
        return _problem(422, "InvalidInput", f"The body is empty; send {what} as JSON.")
    return _problem(422, "InvalidInput", f"{first['loc'][-1]}: {first['msg'].lower()}.")


def _not_there(request: Request, error: Any) -> JSONResponse:
    return _problem(
        error.status_code, error.detail, f"{request.method} {request.url.path}: {str(error.detail).lower()}; see the documentation."
    )


def _broken(_request: Request, _error: Exception) -> JSONResponse:
    return _problem(500, "InternalError", "The program failed at this request; nothing was changed. The log says more.")


BODIES = {
    "corrections": "a correction",
    "reviews": "a verdict",
    "inspections": "an inspection",
    "decisions": "a decision",
    "what-if": "a prediction_id with changes,",
    "claims": "a claim, {} for the next case,",
}
HANDLERS: dict[type[Exception], Any] = {
    CreditRiskError: _refused,
    RequestValidationError: _malformed,
    HTTPException: _not_there,
    Exception: _broken,
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {name: {"type": "integer" if name == "status" else "string"} for name in ("type", "title", "status", "detail")},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused; `detail` says what to mend.", "content": {"application/problem+json": {"schema": PROBLEM}}},
    "5XX": {"description": "The workspace cannot answer.", "content": {"application/problem+json": {"schema": PROBLEM}}},
}


def _description(api: FastAPI, schema: Schema) -> dict[str, Any]:
    """Return the OpenAPI description with the applicant of this workspace's schema as the body of a score."""
    described = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
    applicant = applicant_model(schema).model_json_schema(ref_template="#/components/schemas/{model}")
    parts = {**applicant.pop("$defs", {}), "Applicant": applicant}
    described.setdefault("components", {}).setdefault("schemas", {}).update(parts)
    one = {"$ref": "#/components/schemas/Applicant"}
    body = described["paths"]["/v1/score"]["post"]["requestBody"]["content"]["application/json"]
    body["examples"] = examples(schema)
    body["schema"] = {"oneOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}]}
    changes = described["components"]["schemas"]["WhatIf"]["properties"]
    changes["changes"] |= {"properties": parts["Features"]["properties"], "additionalProperties": False}
    return described
