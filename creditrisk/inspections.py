"""A second look at verdicts before they teach: accepted, rejected or quarantined by somebody else, with a reason.

Nobody inspects a verdict of their own, and where two verdicts contradict each other, neither of the two who gave them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import accord, metrics, people
from creditrisk.errors import InvalidInput, NotAllowed, UnknownThing
from creditrisk.store import Store, now

Status = Literal["accepted", "rejected", "quarantined"]
SAME_ANSWER = 0.95  # who says the same in more of many verdicts than this may not have looked
MANY = 20
FEWEST, RESAMPLES = 10, 400  # cases read twice before kappa and alpha are given an interval, and how often they are drawn anew
NAN = float("nan")


def waiting(store: Store, user: str) -> DataFrame:
    """Return the verdicts nobody has inspected, contradicting ones first, then the oldest.

    Columns: review_id, prediction_id, applicant_id, verdict, about, corrected, comment, seconds, is_blind, slot, reviewed_at,
    reviewed_by, score, band, n_others (other people's verdicts on the same), is_conflict, is_fast, may_inspect (whether `user` may),
    why_not (a sentence where they may not, else empty).
    """
    found = store.read(
        f"""{TOLD}
        select review_id, prediction_id, applicant_id, verdict, about, corrected, comment, seconds, is_blind, slot, reviewed_at,
            reviewed_by, score, band, n_others, is_conflict, coalesce(seconds < $fast, false) as is_fast, sides
        from told
        where status is null
        order by is_conflict desc, if(is_conflict, prediction_id, null), reviewed_at, review_id""",
        fast=store.settings.reviews.too_fast_seconds,
    )
    why_not = [_refusal(row, user) or "" for row in found.to_dict("records")]
    return found.drop(columns="sides").assign(may_inspect=[not why for why in why_not], why_not=why_not)


def case(store: Store, prediction_id: str) -> DataFrame:
    """Return the verdicts that stand on one case, by subject and then in time, with the columns of the view `verdict` and is_conflict."""
    return store.read(
        f"{TOLD} select * exclude (sides) from told where prediction_id = $id order by about, reviewed_at, review_id", id=prediction_id
    )


# the two sides of a contradiction are two people's: "Rita" and "rita" are one
TOLD = """
with told as (
    select verdict.*,
        (select count(*) from verdict as other where other.prediction_id = verdict.prediction_id and other.about = verdict.about
            and lower(other.reviewed_by) <> lower(verdict.reviewed_by)) as n_others,
        (select count(*) from verdict as other where other.prediction_id = verdict.prediction_id and other.about = verdict.about
            and other.verdict <> verdict.verdict
            and 'cannot judge' not in (other.verdict, verdict.verdict)) > 0 as is_conflict,
        (select list(other.reviewed_by) from verdict as other
            where other.prediction_id = verdict.prediction_id and other.about = verdict.about) as sides
    from verdict
)
"""


def decide(store: Store, review_ids: Sequence[str], status: str, reason: str, *, user: str) -> int:
    """Accept, reject or quarantine verdicts, all or none; returns how many.

    Raises InvalidInput for none, an unknown status or a reason nobody could read next year, UnknownThing for a verdict that does not
    stand, NotAllowed for one's own and for both sides of a contradiction of one's own.
    """
    wanted = list(dict.fromkeys(review_ids))
    return decide_all(store, [(name, status, reason) for name in wanted], user=user)


def decide_all(store: Store, decisions: Sequence[tuple[str, str, str]], *, user: str) -> int:
    """Decide on verdicts, each (review_id, status, reason), all or none, as `decide` does; returns how many."""
    if not decisions:
        raise InvalidInput("Choose the verdicts to inspect: none was named.")
    for _, status, reason in decisions:
        if wrong := check(status, reason):
            raise InvalidInput(wrong)
    ids = [review_id for review_id, _, _ in decisions]
    said = {status for _, status, _ in decisions}
    subject = ids[0] if len(ids) == 1 else f"{len(ids)} verdicts"
    with store.write(user, "inspect", subject, status=", ".join(sorted(said)), n=len(ids)) as cursor:
        told = cursor.execute(f"{TOLD} select * from told where list_contains($ids::varchar[], review_id)", {"ids": ids}).df()
        if missing := sorted(set(ids) - set(told["review_id"])):
            raise UnknownThing("verdict that stands", missing[0], "Its reviewer may have thought again since.")
        for row in told.to_dict("records"):
            if why := _refusal(row, user):
                raise NotAllowed(why)
        by, at = str(user).strip(), now()
        cursor.executemany(
            """insert into inspection (review_id, status, reason, inspected_at, inspected_by)
            values ($review_id, $status, $reason, $at, $user)""",
            [{"review_id": name, "status": status, "reason": why.strip(), "at": at, "user": by} for name, status, why in decisions],
        )
    return len(ids)


def refusals(store: Store, user: str) -> dict[str, str | None]:
    """Return of every verdict that stands why `user` may not inspect it, in a sentence; None where they may."""
    told = store.read(f"{TOLD} select review_id, applicant_id, reviewed_by, is_conflict, sides from told")
    return {row["review_id"]: _refusal(row, user) for row in told.to_dict("records")}


def check(status: str, reason: str) -> str | None:
    """Return what is wrong with a decision, in a sentence, or None."""
    if status not in get_args(Status):
        return f"An inspection ends in one of {', '.join(get_args(Status))}; got {status!r}."
    if len(reason.strip()) < 3:
        return "An inspection needs a reason, in words that somebody can read next year."
    return None


def _refusal(row: Mapping[Any, Any], user: str) -> str | None:
    """Say why a person may not inspect a verdict; None where they may."""
    if people.same(row["reviewed_by"], user):
        return f"Nobody inspects their own verdict: that on {row['applicant_id']} is {str(user).strip()}'s."
    if row["is_conflict"] and any(people.same(side, user) for side in row["sides"]):
        return f"The verdicts on {row['applicant_id']} contradict each other and one is {str(user).strip()}'s: a third person decides."
    return None


def agreement(store: Store) -> dict[str, Any]:
    """Return how far two readers of the same case agree: n, and share, kappa, pabak, alpha, each with _low and _high (95 %).

    Only cases read by two people or more count, and of more than two readers the first two; "cannot judge" is left out. The interval
    of the share is Wilson's, that of PABAK follows from it; those of kappa and alpha are percentiles over resampled cases. NaN where
    undefined, and for those two where fewer than FEWEST cases were read twice.
    """
    pairs = store.rows(
        """select list(verdict order by reviewed_at, reviewed_by)[1:2] from verdict where verdict <> 'cannot judge'
        group by prediction_id, about having count(distinct lower(reviewed_by)) >= 2
        order by prediction_id, about"""
    )
    said = np.array([[answer == "incorrect" for answer in pair] for (pair,) in pairs], dtype=bool).reshape(-1, 2)
    n, agreed = len(said), int((said[:, 0] == said[:, 1]).sum())
    low, high = metrics.wilson(agreed, n)
    found = {"n": n, "share": agreed / n if n else NAN, "share_low": low, "share_high": high}
    found |= {"pabak": accord.pabak(*said.T) if n else NAN, "pabak_low": 2 * low - 1, "pabak_high": 2 * high - 1}
    random = np.random.default_rng(store.settings.reviews.seed)
    drawn = [said[random.integers(n, size=n)] for _ in range(RESAMPLES if n >= FEWEST else 0)]
    for name, measure in BEYOND_CHANCE.items():
        known = [value for rows in drawn if not np.isnan(value := measure(rows))]
        ends = np.quantile(known, [0.025, 0.975]) if known else (NAN, NAN)
        found |= {name: measure(said), f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return found


BEYOND_CHANCE: Mapping[str, Callable[[NDArray[np.bool_]], float]] = {
    "kappa": lambda said: accord.kappa(said[:, 0], said[:, 1]),
    "alpha": lambda said: accord.krippendorff(said.T.tolist()),
}


def reviewers(store: Store) -> DataFrame:
    """Return one row per reviewer: n verdicts, seconds (median), share_fast, share_correct, n_accepted, n_rejected, flags (in words)."""
    found = store.read(
        """select reviewed_by, count(*) as n, median(seconds) as seconds,
            avg((coalesce(seconds, $fast) < $fast)::integer) as share_fast,
            avg((verdict = 'correct')::integer) filter (where verdict <> 'cannot judge') as share_correct,
            count(*) filter (where status = 'accepted') as n_accepted,
            count(*) filter (where status = 'rejected') as n_rejected
        from verdict group by reviewed_by order by reviewed_by""",
        fast=store.settings.reviews.too_fast_seconds,
    )
    return found.assign(flags=[_flags(row, store.settings.reviews.too_fast_seconds) for row in found.to_dict("records")])


def _flags(row: Mapping[Any, Any], fast: int) -> str:
    said = []
    if row["share_fast"] > 0.2:
        said.append(f"{100 * row['share_fast']:.0f} % of the verdicts took less than {fast} seconds")
    if row["n"] >= MANY and row["share_correct"] > SAME_ANSWER:
        said.append(f"said “correct” in {100 * row['share_correct']:.0f} % of {row['n']:,} verdicts")
    judged = row["n_accepted"] + row["n_rejected"]
    if judged >= MANY and row["n_rejected"] > judged / 2:
        said.append(f"{row['n_rejected']:,} of {judged:,} inspected verdicts were rejected")
    return "; ".join(said)


def history(store: Store, prediction_id: str | None = None) -> DataFrame:
    """Return inspections, newest first: inspection_id, review_id, prediction_id, status, reason, inspected_at, inspected_by."""
    return store.read(
        """select inspection.*, review.prediction_id from inspection join review using (review_id)
        where $id is null or review.prediction_id = $id order by inspection_id desc""",
        id=prediction_id,
    )


def accepted(store: Store) -> DataFrame:
    """Return the verdicts that may teach: accepted and standing, with the columns of the view `verdict`."""
    return store.read("select * from verdict where status = 'accepted' order by review_id")
