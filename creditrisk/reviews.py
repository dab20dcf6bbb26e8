"""People's verdicts on predictions. A verdict is appended and never edited; a second thought is a new one.

Verdicts are kept and counted here. None enters training before somebody else has inspected it.
"""

from typing import Any, Literal, get_args
from uuid import uuid4

from pandas import DataFrame

from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.metrics import wilson
from creditrisk.store import Store, now

Verdict = Literal["correct", "incorrect", "cannot judge"]
About = Literal["label", "band", "decision", "reasons", "data"]


def add(
    store: Store,
    prediction_id: str,
    verdict: str,
    about: str,
    comment: str,
    *,
    user: str,
    corrected: str | None = None,
    seconds: float | None = None,
) -> str:
    """Record a verdict about one side of a prediction; returns the review's id.

    Raises InvalidInput for an unknown verdict or subject and for "incorrect" without a comment that says why.
    """
    if verdict not in get_args(Verdict) or about not in get_args(About):
        verdicts, subjects = ", ".join(get_args(Verdict)), ", ".join(get_args(About))
        raise InvalidInput(f"A verdict is one of {verdicts}, about one of {subjects}; got {verdict!r} about {about!r}.")
    if verdict == "incorrect" and len(comment.strip()) < 3:
        raise InvalidInput("An incorrect prediction needs a comment that says what is wrong with it.")
    if store.value("select 1 from prediction where prediction_id = $id", id=prediction_id) is None:
        raise UnknownThing("prediction", prediction_id)
    review_id = uuid4().hex
    with store.write(user, "review", prediction_id, verdict=verdict, about=about) as cursor:
        cursor.execute(
            "insert into review values ($review_id, $prediction_id, $verdict, $about, $corrected, $comment, $seconds, $at, $user)",
            {
                "review_id": review_id,
                "prediction_id": prediction_id,
                "verdict": verdict,
                "about": about,
                "corrected": corrected,
                "comment": comment.strip(),
                "seconds": seconds,
                "at": now(),
                "user": user,
            },
        )
    return review_id


def queue(store: Store, limit: int = 200) -> DataFrame:
    """Return each applicant's newest prediction that has no verdict yet, those nearest the cut-off first.

    Columns: prediction_id, applicant_id, name, score, band, pd, recommendation, is_proxy, model_id, scored_at.
    """
    return store.read(
        """with applied as (
            select applicant_id, name from application qualify row_number() over (partition by applicant_id order by applied_on desc) = 1
        )
        select prediction.prediction_id, prediction.applicant_id, applied.name, prediction.score, prediction.band, prediction.pd,
            prediction.recommendation, prediction.is_proxy, prediction.model_id, prediction.scored_at
        from prediction_current as prediction
        left join applied using (applicant_id)
        where prediction.prediction_id not in (select prediction_id from review)
        -- the cut-off margin / (margin + lgd) has log-odds ln(margin / lgd)
        order by abs(prediction.margin - ln((policy->>'margin')::double / (policy->>'lgd')::double)), prediction_id
        limit $limit""",
        limit=limit,
    )


def history(store: Store, prediction_id: str | None = None) -> DataFrame:
    """Return verdicts, newest first, with the applicant, model and score they are about."""
    return store.read(
        """select review.*, prediction.applicant_id, prediction.model_id, prediction.score, prediction.band, prediction.pd
        from review
        join prediction using (prediction_id)
        where $id is null or prediction_id = $id
        order by reviewed_at desc, review_id""",
        id=prediction_id,
    )


def summary(store: Store) -> dict[str, Any]:
    """Return how often people found a prediction incorrect: n judged, n_incorrect, share_incorrect with its 95 % interval, n_waiting."""
    n, incorrect = store.rows(
        "select count(*), count(*) filter (where verdict = 'incorrect') from review_current where verdict <> 'cannot judge'"
    )[0]
    waiting = store.value("select count(*) from prediction_current where prediction_id not in (select prediction_id from review)")
    low, high = wilson(incorrect, n)
    share = incorrect / n if n else float("nan")
    return {"n": n, "n_incorrect": incorrect, "share_incorrect": share, "low": low, "high": high, "n_waiting": waiting}
