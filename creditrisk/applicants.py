"""Who applied, for what, and how it really went. Applications and outcomes are appended, never edited."""

from operator import itemgetter
from typing import Any

from pandas import DataFrame

from creditrisk import pairs
from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.store import Store, now

MOST, LONGEST = 1_000_000_000, 1_200  # money asked for, and months it is asked for


def people(store: Store, search: str = "", limit: int | None = None) -> DataFrame:
    """Return one row per applicant whose id, name or account number contains `search`, those scored last first.

    Columns: applicant_id, name, applied_on, amount, term_months, purpose, n_transactions, first_on, last_on,
    prediction_id, pd, score, band, recommendation, is_proxy, scored_at.
    """
    return store.read(
        """with applied as (
            select * from application qualify row_number() over (partition by applicant_id order by applied_on desc) = 1
        ),
        known as (select applicant_id from account union select applicant_id from applied union select applicant_id from applicant),
        -- who is shown is settled first: what is held of them is then added up for a few and not for everybody
        chosen as (
            select applicant_id, prediction.prediction_id, prediction.scored_at
            from known
            left join applied using (applicant_id)
            left join prediction_current as prediction using (applicant_id)
            where contains(lower(concat_ws(' ', applicant_id, applied.name)), lower($search))
                or applicant_id in (select applicant_id from account where contains(lower(number), lower($search)))
            order by prediction.scored_at desc nulls last, regexp_replace(applicant_id, '[0-9]+$', ''),
                try_cast(regexp_extract(applicant_id, '[0-9]+$') as hugeint), applicant_id
            limit $limit
        ),
        held as (
            select account.applicant_id, sum(n_new)::integer as n_transactions, min(first_on) as first_on, max(last_on) as last_on
            from account
            join statement_account using (account_id)
            where account.applicant_id in (select applicant_id from chosen)
            group by account.applicant_id
        )
        select applicant_id, applied.name, applied.applied_on, applied.amount::double as amount, applied.term_months, applied.purpose,
            coalesce(held.n_transactions, 0) as n_transactions, held.first_on, held.last_on,
            prediction.prediction_id, prediction.pd, prediction.score, prediction.band, prediction.recommendation,
            prediction.is_proxy, prediction.scored_at
        from chosen
        left join held using (applicant_id)
        left join applied using (applicant_id)
        left join prediction on prediction.prediction_id = chosen.prediction_id
        order by chosen.scored_at desc nulls last, regexp_replace(applicant_id, '[0-9]+$', ''),
            try_cast(regexp_extract(applicant_id, '[0-9]+$') as hugeint), applicant_id""",
        search=search.strip(),
        limit=limit,
    )


def person(store: Store, applicant_id: str) -> dict[str, Any]:
    """Return what is known of one applicant; raises UnknownThing for a stranger.

    Keys: applicant_id, name, applied_on, amount, term_months, purpose, accounts, currency, n_statements, n_transactions,
    first_on, last_on, observed_bad, observed_on, prediction_id, score, band, pd; None where unknown.
    """
    # Asked one by one: to plan the join of these takes three times as long as all of them.
    applied = _applied(store, applicant_id)
    files = store.records(FILES, id=applicant_id)
    scored = _scored(store, applicant_id)
    if (
        not (applied or files or scored)
        and store.value("select 1 from applicant where applicant_id = $id limit 1", id=applicant_id) is None
    ):
        raise UnknownThing("applicant", applicant_id, "Store a bank statement or an application for them first.")
    observed = store.record("select observed_bad, observed_on from outcome_current where applicant_id = $id", id=applicant_id)
    return {
        "applicant_id": applicant_id,
        **(applied or dict.fromkeys(("name", "applied_on", "amount", "term_months", "purpose"))),
        **_held(files),
        **(observed or dict.fromkeys(("observed_bad", "observed_on"))),
        **(scored or dict.fromkeys(("prediction_id", "score", "band", "pd"))),
    }


def _applied(store: Store, applicant_id: str) -> dict[str, Any] | None:
    """Return the newest application of an applicant."""
    made = store.records(
        "select name, applied_on, amount::double as amount, term_months, purpose from application where applicant_id = $id", id=applicant_id
    )
    return max(made, key=lambda row: row["applied_on"], default=None)


def _scored(store: Store, applicant_id: str) -> dict[str, Any] | None:
    """Return the prediction of an applicant that `prediction_current` has: to rank a few here takes half of what planning the view does."""
    made = store.records("select prediction_id, score, band, pd, scored_at from prediction where applicant_id = $id", id=applicant_id)
    made.sort(key=itemgetter("prediction_id"))
    newest = max(made, key=itemgetter("scored_at"), default=None)  # of those of one instant, the first
    return newest and {name: newest[name] for name in ("prediction_id", "score", "band", "pd")}


FILES = """select number, currency, statement_id, n_new, first_on, last_on
from account left join statement_account using (account_id) where applicant_id = $id"""


def _held(files: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up what is held of an applicant: rows of `FILES`, of which an account that no file speaks of any more has one without a file."""
    stored = [row for row in files if row["statement_id"] is not None]
    return {
        "accounts": sorted({row["number"] for row in stored}) or None,
        "currency": max(stored, key=lambda row: row["n_new"])["currency"] if stored else None,
        "n_statements": len({row["statement_id"] for row in stored}),
        "n_transactions": sum(row["n_new"] for row in stored),
        "first_on": min((row["first_on"] for row in stored), default=None),
        "last_on": max((row["last_on"] for row in stored), default=None),
    }


def names(store: Store, limit: int) -> dict[str, str | None]:
    """Return the names of applicants by id, those scored last first."""
    return dict(
        store.rows(
            """with known as (
                select applicant_id from account union select applicant_id from application union select applicant_id from applicant
            ),
            applied as (select applicant_id, arg_max_null(name, applied_on) as name from application group by applicant_id),
            scored as (select applicant_id, max(scored_at) as scored_at from prediction group by applicant_id)
            select applicant_id, name
            from known
            left join applied using (applicant_id)
            left join scored using (applicant_id)
            order by scored_at desc nulls last, regexp_replace(applicant_id, '[0-9]+$', ''),
                try_cast(regexp_extract(applicant_id, '[0-9]+$') as hugeint), applicant_id
            limit $limit""",
            limit=limit,
        )
    )


def apply(store: Store, applications: DataFrame | list[dict[str, Any]], *, user: str) -> int:
    """Record applications (rows of applicant_id, applied_on, name, amount, term_months, purpose); returns how many were new.

    An application already on record for the same applicant and day stays as it is. Raises InvalidInput for an amount or
    term that is not positive and for a missing applicant or day, naming the row.
    """
    given = DataFrame(applications)
    sound = given["amount"].between(0, MOST, inclusive="right") & given["term_months"].between(1, LONGEST)
    wrong = given[given["applicant_id"].isna() | given["applied_on"].isna() | ~sound]
    if len(wrong):
        row = wrong.iloc[0]
        raise InvalidInput(
            f"Application of {row['applicant_id'] or 'nobody'!r} on {row['applied_on'] or 'no day'}: an applicant, a day, a positive "
            f"amount up to {MOST:,} (here {row['amount']:.6g}) and a positive term (here {row['term_months']} months) are needed."
        )
    with store.write(user, "apply", "application", n=len(given)) as cursor:
        cursor.register("given", given)
        added = cursor.execute(
            """insert into application
            select applicant_id, applied_on, name, amount, term_months, purpose, $at, $user from given
            on conflict do nothing returning applicant_id""",
            {"at": now(), "user": user},
        ).fetchall()
        pairs.named(cursor, [name for (name,) in added])
    return len(added)


def record_outcomes(store: Store, outcomes: DataFrame, *, user: str) -> dict[str, int]:
    """Record what really happened: applicant_id, observed_bad (boolean), observed_on, and days_past_due where the table has it.

    Returns counts matched, unmatched, known_already.

    Outcomes of people the workspace does not know are counted as unmatched and not stored. One that was observed on or before the day
    an applicant's newest figures describe is kept as the fact it is, counted, and never learned from or measured on with those figures:
    they may have known it.
    """
    with store.write(user, "outcomes", "outcome", n=len(outcomes)) as cursor:
        cursor.register("given", outcomes)
        added = cursor.execute(
            """insert into outcome
            select given.applicant_id::varchar, given.observed_bad, given.observed_on, $at, $user
            from given
            where given.applicant_id::varchar in (
                select applicant_id from account union select applicant_id from application union select applicant_id from applicant
            )
            returning applicant_id""",
            {"at": now(), "user": user},
        ).fetchall()
        if "days_past_due" in outcomes:
            cursor.register("known", DataFrame({"applicant_id": [name for (name,) in added]}))
            cursor.execute(
                """insert into arrears
                select applicant_id::varchar, days_past_due::integer, observed_on, $at, $user
                from given
                where applicant_id::varchar in (select applicant_id from known) and days_past_due is not null""",
                {"at": now(), "user": user},
            )
    early = store.value(
        """select count(*) from (
            from applicant qualify row_number() over (partition by applicant_id order by snapshot_id desc) = 1
        ) as held
        join outcome_current using (applicant_id)
        where observed_on <= as_of and list_contains($ids::varchar[], applicant_id)""",
        ids=[name for (name,) in added],
    )
    return {"matched": len(added), "unmatched": len(outcomes) - len(added), "known_already": int(early)}
