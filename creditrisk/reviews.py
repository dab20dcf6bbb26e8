"""People's verdicts on predictions: which case is proposed next and how likely that was, who holds it, what they said.

A verdict is appended and never edited; a second thought is a new one. No verdict trains a model before somebody else has
inspected it (`inspections`). Two people are never given the same case, unless one reads it for the second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.metrics import wilson
from creditrisk.policy import Decision
from creditrisk.scorecard import BANDS
from creditrisk.settings import Reviews
from creditrisk.store import Store, now

Verdict = Literal["correct", "incorrect", "cannot judge"]
About = Literal["label", "band", "decision", "reasons", "data"]
RIGHT: Mapping[str, tuple[str, ...]] = {  # what a corrected value may be; anything where the subject is not here
    "label": ("good", "bad"),
    "band": tuple(band.name for band in BANDS),
    "decision": get_args(Decision),
}
LONGEST = 86_400  # seconds a verdict may be said to have taken
NEAREST, LARGEST = 0.2, 0.1  # of the waiting cases, these shares are near the cut-off and large


@dataclass(frozen=True)
class Claim:
    """A case in somebody's hands until `expires_at`; `probability` is how likely this draw was to take it (None: chosen by hand)."""

    claim_id: int
    prediction_id: str
    slot: str
    probability: float | None
    is_blind: bool
    claimed_at: datetime
    expires_at: datetime
    claimed_by: str


# --- which case, and who has it -------------------------------------------------------------------------------------


def claim(store: Store, *, user: str, prediction_id: str | None = None) -> Claim | None:
    """Take a case in hand: the one asked for, else the one already held, else one drawn by the mix of the settings; None where none waits.

    Drawn are the newest predictions without a verdict: some near the cut-off, some where model and proxy label disagree, some of the
    largest, some whose label is suspect, the rest at random; now and then one that somebody else judged, for a second reading. A share
    is read blind.
    Raises NotAllowed where somebody else holds the case asked for, UnknownThing for a prediction nobody made.
    """
    if mine := held(store, user, prediction_id):  # asked for by hand, a case drawn at random stays one drawn at random
        return mine
    with store.write(user, "claim", prediction_id or "next case") as cursor:
        if prediction_id is None:
            waiting = cursor.execute(WAITING, {"user": str(user).strip(), "at": now()}).df()
            number = cursor.execute("select count(*) from claim").fetchall()[0][0]
            drawn = draw(waiting, store.settings.reviews, number)
        else:
            _require_free(cursor, prediction_id, user)
            drawn = prediction_id, "chosen", None, False
        if drawn is None:
            return None
        return _claimed(cursor, *drawn, user=user, minutes=store.settings.reviews.claim_minutes)


def held(store: Store, user: str, prediction_id: str | None = None) -> Claim | None:
    """Return the claim (on that case, or the newest) that a person holds now, or None."""
    return next((mine for mine in all_held(store, user) if prediction_id in (None, mine.prediction_id)), None)


def open_claims(store: Store) -> list[Claim]:
    """Return the claims that somebody holds now, newest first."""
    return [
        Claim(**row)
        for row in store.records(
            """select claim_id, prediction_id, slot, probability, is_blind, claimed_at, expires_at, claimed_by from claim_open
            where expires_at > $at order by claim_id desc""",
            at=now(),
        )
    ]


def all_held(store: Store, user: str, claims: Sequence[Claim] | None = None) -> list[Claim]:
    """Return every claim that a person holds now, newest first; `claims` is what `open_claims` returned, where that is known already."""
    own, at = str(user).strip().lower(), now()
    held = open_claims(store) if claims is None else claims
    return [claim for claim in held if claim.claimed_by.lower() == own and claim.expires_at > at]


def skip(store: Store, claim_id: int, *, user: str) -> None:
    """Pass a case on unjudged; it is proposed to others, not to this person again. Raises UnknownThing for a claim not held."""
    _let_go(store, claim_id, "skipped", user)


def release(store: Store, claim_id: int, *, user: str) -> None:
    """Give a case back unjudged; it may be proposed to anybody again. Raises UnknownThing for a claim not held."""
    _let_go(store, claim_id, "released", user)


def _let_go(store: Store, claim_id: int, how: str, user: str) -> None:
    with store.write(user, "claim", str(claim_id), how=how) as cursor:
        asked = {"id": claim_id, "user": str(user).strip()}
        if not cursor.execute("select 1 from claim_open where claim_id = $id and claimed_by = $user", asked).fetchall():
            raise UnknownThing("claim of yours", str(claim_id), "It has been judged or given back already.")
        _ended(cursor, claim_id, how, None)


def draw(waiting: DataFrame, mix: Reviews, number: int) -> tuple[str, str, float | None, bool] | None:
    """Draw a case: (prediction_id, slot, probability, is_blind), or None where none waits. The same `number` draws the same.

    `waiting` has prediction_id, distance (log-odds from the cut-off), disagrees, amount, is_suspect, n_verdicts (1: for a second reading).
    """
    random = np.random.default_rng([mix.seed, number])
    fresh, once = waiting[waiting["n_verdicts"] == 0], waiting[waiting["n_verdicts"] == 1]
    is_blind = bool(random.random() < mix.blind)
    again = random.random() < mix.twice
    if len(once) and (again or fresh.empty):
        return str(once["prediction_id"].iloc[int(random.integers(len(once)))]), "second reading", 1 / len(once), is_blind
    if fresh.empty:
        return None
    slots = _slots(fresh, mix)
    chance = np.sum([share * rows / rows.sum() for share, rows in slots.values()], axis=0)
    slot = str(random.choice(list(slots), p=[share for share, _ in slots.values()]))
    place = int(random.choice(np.flatnonzero(slots[slot][1])))
    return str(fresh["prediction_id"].iloc[place]), slot, float(chance[place]), is_blind


def _slots(fresh: DataFrame, mix: Reviews) -> dict[str, tuple[float, NDArray[np.bool_]]]:
    """Return each slot's share of the draws and its cases; the share of a slot without cases goes to the random one."""
    distance, amount = fresh["distance"].to_numpy(float), fresh["amount"].to_numpy(float, na_value=np.nan)
    near = distance <= np.quantile(distance, NEAREST)
    known = amount[~np.isnan(amount)]
    large = amount >= np.quantile(known, 1 - LARGEST) if len(known) else np.zeros(len(fresh), dtype=bool)
    asked = {
        "near cut-off": (mix.near_cutoff, near),
        "disagreement": (mix.disagreement, fresh["disagrees"].fillna(False).to_numpy(bool)),
        "exposure": (mix.exposure, large),
        "suspect": (mix.suspect, fresh["is_suspect"].to_numpy(bool)),
    }
    found = {slot: (share, rows) for slot, (share, rows) in asked.items() if share > 0 and rows.any()}
    left = 1 - sum(share for share, _ in found.values())
    return found | ({"random": (left, np.ones(len(fresh), dtype=bool))} if left > 1e-9 else {})


WAITING = """
with applied as (
    select applicant_id, amount from application qualify row_number() over (partition by applicant_id order by applied_on desc) = 1
), judged as (
    select prediction_id, count(distinct lower(reviewed_by)) as n_verdicts, bool_or(lower(reviewed_by) = lower($user)) as is_mine
    from review group by prediction_id
)
select prediction.prediction_id,
    -- the cut-off margin / (margin + lgd) has log-odds ln(margin / lgd)
    abs(prediction.margin - ln((prediction.policy->>'margin')::double / (prediction.policy->>'lgd')::double)) as distance,
    label.bad <> (prediction.margin >= ln((prediction.policy->>'margin')::double / (prediction.policy->>'lgd')::double)) as disagrees,
    applied.amount::double as amount,
    suspect.applicant_id is not null as is_suspect,
    coalesce(judged.n_verdicts, 0) as n_verdicts
from prediction_current as prediction
join model using (model_id)
left join label on label.label_set_id = model.label_set_id and label.applicant_id = prediction.applicant_id and model.is_proxy
left join applied on applied.applicant_id = prediction.applicant_id
left join suspect on suspect.model_id = prediction.model_id and suspect.applicant_id = prediction.applicant_id
left join judged on judged.prediction_id = prediction.prediction_id
where coalesce(judged.n_verdicts, 0) < 2 and not coalesce(judged.is_mine, false)
    and prediction.prediction_id not in (select prediction_id from claim_open where expires_at > $at)
    and prediction.prediction_id not in (
        select prediction_id from claim join claim_end using (claim_id) where how = 'skipped' and lower(claimed_by) = lower($user)
    )
order by prediction.applicant_id, prediction.prediction_id -- ids of predictions are drawn by lot: one bank would not be like the next
"""


def _require_free(cursor: Any, prediction_id: str, user: str) -> None:
    if not cursor.execute("select 1 from prediction where prediction_id = $id", {"id": prediction_id}).fetchall():
        raise UnknownThing("prediction", prediction_id)
    others = cursor.execute(
        """select claimed_by, expires_at from claim_open
        where prediction_id = $id and lower(claimed_by) <> lower($user) and expires_at > $at order by claim_id desc limit 1""",
        {"id": prediction_id, "user": str(user).strip(), "at": now()},
    ).fetchall()
    if others:
        who, until = others[0]
        raise NotAllowed(f"{who} has this case in hand until {until:%H:%M} UTC; take another, or wait.")


def _claimed(cursor: Any, prediction_id: str, slot: str, probability: float | None, is_blind: bool, *, user: str, minutes: int) -> Claim:
    at = now()
    facts: dict[str, Any] = {
        "prediction_id": prediction_id,
        "slot": slot,
        "probability": probability,
        "is_blind": is_blind,
        "claimed_at": at,
        "expires_at": at + timedelta(minutes=minutes),
        "claimed_by": str(user).strip(),
    }
    made = cursor.execute(
        """insert into claim (prediction_id, slot, probability, is_blind, claimed_at, expires_at, claimed_by)
        values ($prediction_id, $slot, $probability, $is_blind, $claimed_at, $expires_at, $claimed_by) returning claim_id""",
        facts,
    ).fetchall()
    return Claim(claim_id=int(made[0][0]), **facts)


def _ended(cursor: Any, claim_id: int, how: str, review_id: str | None) -> None:
    cursor.execute(
        "insert into claim_end values ($id, $how, $review_id, $at)", {"id": claim_id, "how": how, "review_id": review_id, "at": now()}
    )


# --- what they said -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What one person says of one side of one prediction; `seconds` None is counted from their claim, where there is one."""

    prediction_id: str
    verdict: str
    about: str
    comment: str = ""
    corrected: str | None = None
    seconds: float | None = None


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
    """Record a verdict about one side of a prediction; returns the review's id. A claim the person holds on it ends with it.

    Raises InvalidInput for what `check` complains of; UnknownThing for a prediction nobody made; NotAllowed where somebody else
    holds the case.
    """
    said = Said(prediction_id, verdict, about, comment, corrected or None, seconds)
    with store.write(user, "review", prediction_id, verdict=verdict, about=about) as cursor:
        return _kept(cursor, said, str(user).strip())


def add_all(store: Store, said: Sequence[Said], *, user: str) -> list[str]:
    """Record verdicts, all or none, as `add` records one; returns the reviews' ids. Raises InvalidInput where there is none."""
    if not said:
        raise InvalidInput("There is no verdict to record.")
    with store.write(user, "review", f"{len(said)} predictions" if len(said) > 1 else said[0].prediction_id, n=len(said)) as cursor:
        return [_kept(cursor, each, str(user).strip()) for each in said]


def check(said: Said, advised: Mapping[str, str] | None = None) -> str | None:
    """Return what is wrong with a verdict, in a sentence, or None; `advised` holds the band and decision that were predicted."""
    if said.verdict not in get_args(Verdict) or said.about not in get_args(About):
        verdicts, subjects = ", ".join(get_args(Verdict)), ", ".join(get_args(About))
        return f"A verdict is one of {verdicts}, about one of {subjects}; got {said.verdict!r} about {said.about!r}."
    if said.verdict == "incorrect" and len(said.comment.strip()) < 3:
        return "An incorrect prediction needs a comment that says what is wrong with it."
    if said.seconds is not None and not 0 <= said.seconds < LONGEST:
        return f"A verdict takes between 0 and {LONGEST:,} seconds, not {said.seconds:g}."
    if said.corrected is None:
        return None
    if said.verdict != "incorrect":
        return f"Only what is incorrect has another value that would be right; this {said.about} was called {said.verdict!r}."
    if said.corrected not in RIGHT.get(said.about, (said.corrected,)):
        return f"What would be right about a {said.about} is one of {', '.join(RIGHT[said.about])}, not {said.corrected!r}."
    if advised and advised.get(said.about) == said.corrected:
        return f"The {said.about} is {said.corrected!r} already: say what else would be right, or that it is correct."
    return None


def _kept(cursor: Any, said: Said, user: str) -> str:
    """Check and keep a verdict inside the caller's transaction, and end the claim it came from; returns the review's id."""
    found = cursor.execute("select band, recommendation from prediction where prediction_id = $id", {"id": said.prediction_id}).fetchall()
    if wrong := check(said, dict(zip(("band", "decision"), found[0], strict=True)) if found else None):
        raise InvalidInput(wrong)
    _require_free(cursor, said.prediction_id, user)
    review_id, at = uuid4().hex, now()
    mine = cursor.execute(
        """select claim_id, is_blind, claimed_at from claim_open
        where claimed_by = $user and prediction_id = $id and expires_at > $at order by claim_id desc limit 1""",
        {"user": user, "id": said.prediction_id, "at": at},
    ).fetchall()
    claim_id, is_blind, since = mine[0] if mine else (None, False, None)
    facts = {
        "review_id": review_id,
        "prediction_id": said.prediction_id,
        "verdict": said.verdict,
        "about": said.about,
        "corrected": said.corrected,
        "comment": said.comment.strip(),
        "seconds": (at - since).total_seconds() if said.seconds is None and since else said.seconds,
        "at": at,
        "user": user,
        "claim_id": claim_id,
        "is_blind": is_blind,
    }
    cursor.execute(
        """insert into review by name select $review_id as review_id, $prediction_id as prediction_id, $verdict as verdict,
        $about as about, $corrected as corrected, $comment as comment, $seconds as seconds, $at as reviewed_at,
        $user as reviewed_by, $claim_id as claim_id, $is_blind as is_blind""",
        facts,
    )
    if claim_id is not None:
        _ended(cursor, claim_id, "judged", review_id)
    return review_id


# --- reading them ---------------------------------------------------------------------------------------------------


def queue(store: Store, limit: int = 200, waiting: DataFrame | None = None, claims: Sequence[Claim] | None = None) -> DataFrame:
    """Return each applicant's newest prediction that has no verdict yet, those nearest the cut-off first.

    Columns: those of `nearest`, then held_by and held_until (who has it in hand now and how long, null where nobody). `waiting` and
    `claims` are what `nearest` and `open_claims` return, where that is known already.
    """
    hands, found = _hands(open_claims(store) if claims is None else claims), nearest(store, limit) if waiting is None else waiting
    theirs = [hands.get(name) for name in found["prediction_id"]]
    until: Any = [None if claim is None else claim.expires_at for claim in theirs]
    who: Any = [None if claim is None else claim.claimed_by for claim in theirs]
    return found.assign(held_by=who, held_until=np.array(until, "datetime64[us]"))


def _hands(claims: Sequence[Claim]) -> dict[str, Claim]:
    """Return of each case in somebody's hands the claim made last."""
    at = now()
    return {claim.prediction_id: claim for claim in reversed(claims) if claim.expires_at > at}


def nearest(store: Store, limit: int = 200) -> DataFrame:
    """Return the cases of `queue`, whoever has them in hand: prediction_id, applicant_id, name, score, band, pd, recommendation, is_proxy,
    model_id, scored_at."""
    return store.read(
        """with applied as (select applicant_id, arg_max_null(name, applied_on) as name from application group by applicant_id)
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


def holders(store: Store, claims: Sequence[Claim] | None = None) -> dict[str, str]:
    """Return who has which prediction in hand now: prediction_id to a name; `claims` as for `queue`."""
    return {name: claim.claimed_by for name, claim in _hands(open_claims(store) if claims is None else claims).items()}


def history(store: Store, prediction_id: str | None = None, *, reader: str | None = None, most: int | None = None) -> DataFrame:
    """Return verdicts, newest first and at most so many, with the applicant, model and score they are about, as `reader` may see them."""
    found = store.read(
        """select review.*, prediction.applicant_id, prediction.model_id, prediction.score, prediction.band, prediction.pd
        from review
        join prediction using (prediction_id)
        where $id is null or prediction_id = $id
        order by reviewed_at desc, review_id
        limit $most""",
        id=prediction_id,
        most=most,
    )
    return found if reader is None else shown_to(reader, found, all_held(store, reader))


def shown_to(reader: str, verdicts: DataFrame, held: Sequence[Claim]) -> DataFrame:
    """Leave out of verdicts what their reader must not know yet: those of others on a case that the reader has in hand."""
    in_hand = verdicts["prediction_id"].isin([claim.prediction_id for claim in held])
    return verdicts[~in_hand | (verdicts["reviewed_by"].str.lower() == str(reader).strip().lower())].reset_index(drop=True)


def summary(store: Store) -> dict[str, Any]:
    """Return how often people found a prediction incorrect: n judged, n_incorrect, share_incorrect with its 95 % interval, n_waiting.

    `random` holds n, n_incorrect, share_incorrect, low and high of the cases drawn at random: the others were chosen because they are
    doubtful, so that their share says nothing about all predictions.
    """
    counts = dict.fromkeys((True, False), (0, 0)) | {
        is_random: (n, incorrect)
        for is_random, n, incorrect in store.rows(
            """select coalesce(slot = 'random', false), count(*), count(*) filter (where verdict = 'incorrect')
            from verdict where verdict <> 'cannot judge' group by all"""
        )
    }
    n, incorrect = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    waiting = store.value("select count(*) from prediction_current where prediction_id not in (select prediction_id from review)")
    return {**_share(n, incorrect), "n_waiting": waiting, "random": _share(*counts[True])}


def today(store: Store, user: str) -> dict[str, int]:
    """Return what a person did since midnight UTC: n judged, n_skipped."""
    return done_on(store, now().date()).get(str(user).strip(), {"n": 0, "n_skipped": 0})


def done_on(store: Store, day: date) -> dict[str, dict[str, int]]:
    """Return what each person who did anything on a day (UTC) did: by their name n judged, n_skipped."""
    judged, skipped = (
        dict(store.rows(asked, day=day))
        for asked in (
            "select reviewed_by, count(distinct prediction_id) from review where reviewed_at::date = $day group by reviewed_by",
            """select claimed_by, count(*) from claim join claim_end using (claim_id)
            where how = 'skipped' and ended_at::date = $day group by claimed_by""",
        )
    )
    return {who: {"n": judged.get(who, 0), "n_skipped": skipped.get(who, 0)} for who in {*judged, *skipped}}


def _share(n: int, incorrect: int) -> dict[str, Any]:
    low, high = wilson(incorrect, n)
    share = incorrect / n if n else float("nan")
    return {"n": n, "n_incorrect": incorrect, "share_incorrect": share, "low": low, "high": high}
