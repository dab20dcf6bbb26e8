"""REST of the review loop: a case in hand, verdicts, inspections, a case's story. Who may do what the library says, not the route."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header
from pandas import DataFrame
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from creditrisk import blinding, certainty, chronicle, feedback, inspections, reviews, scoring
from creditrisk.store import Store, to_json

MOST = 1_000  # verdicts in one inspection
User = Annotated[str, Header(alias="X-User", description="Who acts; kept with what they say.", min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=2_000)]


class VerdictSaid(BaseModel):
    """What somebody says of one side of a prediction."""

    model_config = ConfigDict(strict=True, extra="forbid")
    verdict: reviews.Verdict
    about: reviews.About = Field(description="What the verdict is about.")
    comment: Text = Field("", description="What is wrong, where it is incorrect.")
    corrected: Annotated[str, Field(max_length=200)] | None = Field(None, description="What would be right, where it is incorrect.")
    seconds: float | None = Field(None, ge=0, lt=reviews.LONGEST, description="How long it took; left out, counted from the claim.")


class InspectionSaid(BaseModel):
    """What a second person decides about verdicts, about all of them or none."""

    model_config = ConfigDict(strict=True, extra="forbid")
    review_ids: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=MOST)
    status: inspections.Status
    reason: Text = Field(description="Why; kept for ever.")


class ClaimAsked(BaseModel):
    """Which case somebody wants in hand."""

    model_config = ConfigDict(strict=True, extra="forbid")
    prediction_id: str | None = Field(None, max_length=100, description="Left out, the next by the mix of the settings.")


def routes(open_store: Callable[[], Store], problems: dict[int | str, dict[str, Any]]) -> APIRouter:
    """Return the routes to include; `open_store` is called for each request, `problems` describe a refusal."""
    router = APIRouter(prefix="/v1", tags=["reviews"], responses=problems)

    @router.post("/claims", summary="Take a case in hand: the one asked for, or the next")
    def claim(asked: ClaimAsked, x_user: User = "api") -> JSONResponse:
        store = open_store()
        taken = reviews.claim(store, user=x_user, prediction_id=asked.prediction_id)
        return _plain({"claim": None if taken is None else _shown(store, taken, x_user)})

    @router.post("/claims/{claim_id}/skip", summary="Pass a case on unjudged; it is not proposed to this person again")
    def skip(claim_id: int, x_user: User = "api") -> JSONResponse:
        reviews.skip(open_store(), claim_id, user=x_user)
        return _plain({"claim_id": claim_id, "skipped": True})

    @router.post("/claims/{claim_id}/release", summary="Give a case back, to be proposed to anybody again")
    def release(claim_id: int, x_user: User = "api") -> JSONResponse:
        reviews.release(open_store(), claim_id, user=x_user)
        return _plain({"claim_id": claim_id, "released": True})

    @router.post("/predictions/{prediction_id}/reviews", summary="Say whether a prediction is right, and about what", status_code=201)
    def judge(prediction_id: str, said: VerdictSaid, x_user: User = "api") -> JSONResponse:
        made = reviews.add(open_store(), prediction_id, user=x_user, **said.model_dump())
        return _plain({"review_id": made, "prediction_id": prediction_id}, 201)

    @router.get("/predictions/{prediction_id}/reviews", summary="What people said of a prediction, newest first")
    def judged(prediction_id: str, x_user: User = "api") -> JSONResponse:
        store = open_store()
        scoring.get(store, prediction_id)
        return _rows(blinding.covered(store, x_user, reviews.history(store, prediction_id, reader=x_user)))

    @router.get("/predictions/{prediction_id}/story", summary="What happened to a prediction, in order")
    def story(prediction_id: str, x_user: User = "api") -> JSONResponse:
        return _rows(chronicle.of_case(open_store(), prediction_id, reader=x_user))

    @router.get("/reviews", summary="Verdicts: all that were given, or those that wait for an inspection")
    def all_given(x_user: User = "api", state: Literal["given", "waiting"] = "given") -> JSONResponse:
        store = open_store()
        given = state == "given"
        found = reviews.history(store, reader=x_user, most=1000) if given else feedback.to_inspect(store, x_user)
        return _rows(blinding.covered(store, x_user, found))

    @router.post("/inspections", summary="Accept, reject or quarantine verdicts of others", status_code=201)
    def decide(said: InspectionSaid, x_user: User = "api") -> JSONResponse:
        return _plain({"inspected": inspections.decide(open_store(), said.review_ids, said.status, said.reason, user=x_user)}, 201)

    @router.get("/inspections", summary="Inspections, newest first, and how far readers agree")
    def inspected() -> JSONResponse:
        store = open_store()
        return _plain({"agreement": inspections.agreement(store), "inspections": _records(inspections.history(store))})

    return router


def _shown(store: Store, taken: reviews.Claim, holder: str) -> dict[str, Any]:
    """Return a claim with what its holder may see of the case: where it is read blind neither a score nor why it was proposed."""
    found = scoring.get(store, taken.prediction_id)
    case = {"applicant_id": found.applicant_id, "as_of": found.as_of, "inputs": found.inputs}
    if found.applicant_id in blinding.hidden(store, holder):
        return vars(taken) | {"slot": None, "probability": None, "case": case}
    return vars(taken) | {"case": found.to_json(certainty.known(store, found.model_id)) | case}


def _records(frame: DataFrame) -> list[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records", date_format="iso", date_unit="us"))  # type: ignore[no-any-return]


def _rows(frame: DataFrame) -> JSONResponse:
    return JSONResponse(_records(frame))


def _plain(answer: dict[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(json.loads(to_json(answer)), status_code=status)
