"""REST of a case: what if, what a person decided on a score, the record, the draft of the notice. Refusals are the library's."""

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from creditrisk import counterfactual, decisions, notice, record, scoring
from creditrisk.decisions import Decision
from creditrisk.store import Store, to_json

User = Annotated[str, Header(alias="X-User", description="Who asks or decides; kept with the decision.", min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=decisions.LONGEST)]


class DecisionSaid(BaseModel):
    """What a person decides on one score."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"example": {"action": "accept"}})
    action: decisions.Action = Field(description="Accept the recommendation, override it, refer the case, or ask for information.")
    outcome: Literal["approve", "decline"] | None = Field(None, description="With an override: what is decided.")
    comment: Text = Field("", description="Why; at least ten characters with an override or a referral.")
    reasons: list[Text] = Field(default=[], max_length=decisions.MOST_REASONS, description="With an override: the person's own reasons.")
    asked: list[Text] = Field(default=[], max_length=20, description="With `ask`: what the applicant is asked for.")
    after: int | None = Field(None, description="The last decision you know of; left out, there was none.")


class WhatIf(BaseModel):
    """Which figures of a score would be others."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    prediction_id: str = Field(max_length=200, description="The score that is wondered about.")
    changes: dict[str, float | bool | str | None] = Field(
        default={}, max_length=200, description="Figures and the values they would have; null for not known. Derived figures follow."
    )
    guidance: bool = Field(False, description="Say too what would reach the next band.")


Ready = Callable[[Store, str], counterfactual.Ready]


def routes(open_store: Callable[[], Store], problems: dict[int | str, dict[str, Any]], ready: Ready) -> APIRouter:
    """Return the routes to include; `open_store` is called for each request, `problems` describe a refusal, `ready` loads a model."""
    router = APIRouter(prefix="/v1", responses=problems)
    case = "/predictions/{prediction_id}"

    def opened(prediction_id: str, reader: str) -> Store:
        store = open_store()
        scoring.get(store, prediction_id, reader=reader)
        return store

    @router.post("/what-if", summary="What the model would say of other figures, and what would help; nothing is kept", tags=["what if"])
    def what_if(asked: WhatIf, x_user: User = "api") -> JSONResponse:
        store = open_store()
        prediction = scoring.get(store, asked.prediction_id, reader=x_user)
        wish = counterfactual.Wish(asked.changes, asked.guidance)
        return JSONResponse(counterfactual.answer(store, prediction, wish, ready(store, prediction.model_id), user=x_user))

    @router.post(f"{case}/decisions", tags=["decisions"], summary="Decide on a score: accept, override, refer, ask", status_code=201)
    def decide(prediction_id: str, said: DecisionSaid, x_user: User = "api") -> JSONResponse:
        made = decisions.decide(open_store(), prediction_id, decisions.Said(**said.model_dump()), user=x_user)
        return JSONResponse(plain(made), status_code=201)

    @router.get(f"{case}/decisions", tags=["decisions"], summary="What people decided on a score, newest first")
    def decided(prediction_id: str, x_user: User = "api") -> JSONResponse:
        return JSONResponse([plain(made) for made in decisions.of_case(opened(prediction_id, x_user), prediction_id)])

    @router.get(f"{case}/record", tags=["decisions"], summary="The record of the case, as HTML or PDF", response_class=HTMLResponse)
    def recorded(prediction_id: str, format: Literal["html", "pdf"] = "html", x_user: User = "api") -> Response:
        store = opened(prediction_id, x_user)
        if format == "pdf":
            return Response(record.pdf(store, prediction_id), media_type="application/pdf")
        return HTMLResponse(record.html(store, prediction_id))

    @router.get(f"{case}/notice", tags=["decisions"], summary="A draft of what the applicant is told", response_class=PlainTextResponse)
    def noticed(prediction_id: str, x_user: User = "api") -> PlainTextResponse:
        return PlainTextResponse(notice.draft(opened(prediction_id, x_user), prediction_id))

    return router


def plain(made: Decision) -> dict[str, Any]:
    """Return a decision in plain values, instants as ISO texts."""
    return json.loads(to_json(vars(made) | {"decided_at": made.decided_at.isoformat()}))  # type: ignore[no-any-return]
