"""How an account was run, as people look at it: what its files cover, where money went, what nobody could name, what came back.

A `Scope` says what is looked at; every function here answers for one, so that a file and an applicant are shown by the same means.
Coverage, gaps and balances are those that features follow; nothing booked on or after the day of the scope is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection
from pandas import DataFrame

from creditrisk import balances, categories, cells, ingest, ledger
from creditrisk.balances import Days
from creditrisk.categories import UNKNOWN, Category
from creditrisk.coverage import Coverage
from creditrisk.ledger import Asked
from creditrisk.reconcile import across
from creditrisk.store import Store, statement

RETURNED = ("RETURNED_ITEM", "FEE_NSF")
PENALTIES = ("FEE_OVERDRAFT", "FEE_LATE", "FEE_INTEREST")
RECENT_DAYS = 90  # the window of the share that the policy looks at
MOST_LISTED = 20_000


@dataclass(frozen=True)
class Scope:
    """What is looked at: accounts of one currency before the day `as_of`, in one file or in all; `key` is its name in a URL."""

    key: str
    title: str
    account_ids: tuple[int, ...]
    currency: str | None
    as_of: date
    statement_id: int | None = None


@dataclass(frozen=True)
class Conduct:
    """What pictures show of a scope.

    stretches: which days which file covers and which none does: account_id, account, kind ('file', 'gap'), from_on, to_on (its last day),
    statement_id, file_name, n_transactions, reconciliation. A gap is what features leave out of an account that is the only one.
    months: sums by month (its first day), category, title, meaning, class, direction ('in', 'out'): amount (signed), n.
    mix: sums by category, title, meaning, class: amount (signed), n; the largest first.
    unknown: what is not categorised, by month: moved, unknown (amounts, unsigned), share, n, n_unknown.
    unknown_shares: the same of all: recent (of the amounts of the last 90 days, which the policy looks at), amount, rows; None where
    nothing moved; n, n_unknown.
    merchants: whom a correction would pay off on most: words (cleaned), direction, n, amount (signed), share (of all money moved),
    first_on, last_on, text.
    balances: the end-of-day balance of the accounts together: day, balance (NaN where one is not seen), n_accounts (how many are known).
    events: what came back and what it cost: booked_on, kind ('returned', 'fee'), text, title, amount, account.
    breaks: where a stated balance is not what the one before and the movements since give: day, account, stated, computed.
    movements: transaction_id, booked_on, text, cleaned, category, confidence, source, amount, balance, account, statement_id, file_name,
    line; the newest first, of a file in its order and with `printed`, the line as it stood there; at most MOST_LISTED of them.
    """

    scope: Scope
    stretches: DataFrame
    months: DataFrame
    mix: DataFrame
    unknown: DataFrame
    unknown_shares: dict[str, Any]
    merchants: DataFrame
    balances: DataFrame
    events: DataFrame
    breaks: DataFrame
    movements: DataFrame


def scopes(store: Store, *, applicant_id: str | None = None, statement_id: int | None = None, as_of: date | None = None) -> list[Scope]:
    """Return what can be looked at of an applicant or a file: per currency all accounts together where one person has several, then each.

    The account with the most transactions comes first, and its currency. `as_of` None means the day after the last transaction.
    The money of several people is never added up.
    """
    found = store.rows(
        """select account_id, number, currency, applicant_id, sum(n_transactions)::bigint as n, max(last_on) as last_on
        from account join statement_account using (account_id)
        where ($applicant_id is null or applicant_id = $applicant_id) and ($statement_id is null or statement_id = $statement_id)
        group by all
        order by n desc, account_id""",
        applicant_id=applicant_id,
        statement_id=statement_id,
    )
    if not found:
        return []
    day = as_of or max(last_on for *_, last_on in found) + timedelta(days=1)
    made: list[Scope] = []
    for currency in dict.fromkeys(row[2] for row in found):
        of = [(int(account_id), number) for account_id, number, its, *_ in found if its == currency]
        if len(of) > 1 and len({owner for _, _, its, owner, *_ in found if its == currency}) == 1:
            together = f"All {len(of)} accounts{f' in {currency}' if currency else ''}"
            made.append(Scope(f"all-{currency}", together, tuple(account_id for account_id, _ in of), currency or None, day, statement_id))
        made += [Scope(str(one), name or "The account", (one,), currency or None, day, statement_id) for one, name in of]
    return made


def look(store: Store, scope: Scope) -> Conduct:
    """Read everything that pictures show of a scope; its movements are looked up once."""
    with _seen(store, scope) as seen:
        coverage, days = _followed(seen, scope)
        seen.register("gap", _gaps(coverage))
        covered = _asked(seen, scope, statement("conduct", "stretch"), "account, account_id, from_on, kind, statement_id").df()
        files = _asked(seen, scope, FILES, "first_on, statement_id").fetchall()
        return Conduct(
            scope=scope,
            stretches=covered,
            months=named(seen.execute(MONTHS).df()),
            mix=named(seen.execute(MIX).df()),
            unknown=seen.execute(UNKNOWN_BY_MONTH).df(),
            unknown_shares=_shares(seen, scope),
            merchants=seen.execute(MERCHANTS).df(),
            balances=_daily(coverage, days),
            events=named(seen.execute(EVENTS, {"returned": list(RETURNED), "penalties": list(PENALTIES)}).df()),
            breaks=_broken(covered, files, seen.execute(DAYS).fetchall()),
            movements=_listed(store, scope, seen),
        )


FILES = "select account_id, statement_id, first_on, last_on, opening, closing from statement_account where first_on < $as_of::date"

MONTHS = """
    select date_trunc('month', booked_on)::date as month, category, if(amount < 0, 'out', 'in') as direction,
        sum(amount)::double as amount, count(*) as n
    from seen
    where amount <> 0
    group by all
    order by month, direction, category
"""

MIX = """
    select category, sum(amount)::double as amount, count(*) as n
    from seen
    where amount <> 0
    group by category
    order by abs(sum(amount)) desc, category
"""

UNKNOWN_BY_MONTH = """
    select date_trunc('month', booked_on)::date as month, sum(abs(amount))::double as moved,
        coalesce(sum(abs(amount)) filter (where category = 'UNKNOWN'), 0)::double as unknown,
        unknown / nullif(moved, 0) as share,
        count(*) as n, count(*) filter (where category = 'UNKNOWN') as n_unknown
    from seen
    group by month
    order by month
"""

SHARES = """
    select
        coalesce(sum(abs(amount)) filter (where recent and category = 'UNKNOWN'), 0)::double
        / nullif(sum(abs(amount)) filter (where recent), 0)::double as recent,
        coalesce(sum(abs(amount)) filter (where category = 'UNKNOWN'), 0)::double / nullif(sum(abs(amount)), 0)::double as amount,
        count(*) filter (where category = 'UNKNOWN') / nullif(count(*), 0)::double as rows,
        count(*) as n,
        count(*) filter (where category = 'UNKNOWN') as n_unknown
    from (select *, booked_on >= $as_of::date - $days::integer as recent from seen)
"""

MERCHANTS = """
    select coalesce(nullif(cleaned, ''), text) as words, direction, count(*) as n, sum(amount)::double as amount,
        (sum(abs(amount)) / (select nullif(sum(abs(amount)), 0) from seen))::double as share,
        min(booked_on) as first_on, max(booked_on) as last_on, min(text) as text
    from seen
    where category = 'UNKNOWN'
    group by words, direction
    order by sum(abs(amount)) desc, words
    limit 25
"""

EVENTS = """
    select booked_on, if(list_contains($returned, category), 'returned', 'fee') as kind, text, category, amount::double as amount, account
    from seen
    where list_contains($returned, category) or list_contains($penalties, category)
    order by booked_on, line
"""

DAYS = """
    select account_id, account, booked_on, sum(amount) as moved, list(distinct balance) filter (where balance is not null) as printed
    from seen
    group by all
    order by account_id, booked_on
"""


# --- what is covered ---------------------------------------------------------------------------------------------------


def months_covered(stretches: DataFrame) -> list[dict[str, Any]]:
    """Say of each account how many calendar months it spans (n), and which of them (first days) are missing or covered in part.

    >>> found = months_covered(DataFrame({"account": ["1", "1", "1"], "kind": ["file", "gap", "file"],
    ...     "from_on": [date(2026, 1, 5), date(2026, 2, 11), date(2026, 4, 1)],
    ...     "to_on": [date(2026, 2, 10), date(2026, 3, 31), date(2026, 4, 30)]}))
    >>> [(row["n"], row["missing"], row["partly"]) for row in found]
    [(4, [datetime.date(2026, 3, 1)], [datetime.date(2026, 2, 1)])]
    """
    rows = stretches.to_dict("records")
    answer = []
    for account in dict.fromkeys(row["account"] for row in rows):
        own = [(row["kind"], _day(row["from_on"]), _day(row["to_on"])) for row in rows if row["account"] == account]
        first, last = min(start for _, start, _ in own), max(end for _, _, end in own)
        months = _months(first, last)
        named: dict[str, list[date]] = {"missing": [], "partly": []}
        for month in months:
            start, end = max(month, first), min(_next(month) - timedelta(days=1), last)
            gone = sum(max(0, (min(end, upto) - max(start, since)).days + 1) for kind, since, upto in own if kind == "gap")
            if gone:
                named["missing" if gone == (end - start).days + 1 else "partly"].append(month)
        answer.append({"account": account, "n": len(months), **named})
    return answer


# --- where stated balances do not follow ---------------------------------------------------------------------------------


def _broken(covered: DataFrame, files: list[tuple[Any, ...]], days: list[tuple[Any, ...]]) -> DataFrame:
    """Hold every stated balance of the accounts against the movements; nothing is compared across a gap.

    Looked at are each file's opening and closing and the running balances at the end of a day, so that one missing row is one break.
    """
    gaps = covered[covered["kind"] == "gap"]
    after = [(its, _day(last) + timedelta(days=1)) for its, last in zip(gaps["account_id"], gaps["to_on"], strict=True)]
    found = [
        (day, name, float(stated), float(computed))
        for account_id, name in dict.fromkeys((row[0], row[1]) for row in days)
        for day, stated, computed in across(
            [(day, moved, printed or []) for its, _, day, moved, printed in days if its == account_id],
            [(first, last, opening, closing) for its, _, first, last, opening, closing in files if its == account_id],
            {day for its, day in after if its == account_id},
        )
    ]
    return DataFrame(sorted(found), columns=["day", "account", "stated", "computed"])


# --- the movements themselves ------------------------------------------------------------------------------------------


def chosen(movements: DataFrame, category: str | None = None, words: str | None = None) -> DataFrame:
    """Return those of a category and with certain words in their text, whatever their case."""
    found = movements
    if category:
        found = found[found["category"] == category]
    if words and words.strip():
        asked = words.strip().upper()
        found = found[found["text"].str.upper().str.contains(asked, regex=False) | found["cleaned"].str.contains(asked, regex=False)]
    return found.reset_index(drop=True)


def _listed(store: Store, scope: Scope, seen: DuckDBPyConnection) -> DataFrame:
    order = "booked_on desc, statement_id, line desc" if scope.statement_id is None else "is_elsewhere, statement_id, line"
    found = seen.execute(
        f"""select transaction_id, booked_on, text, cleaned, category, confidence, source, amount::double as amount,
            balance::double as balance, account, statement_id, file_name, line
        from seen
        join (select statement_id, file_name from statement) using (statement_id)
        order by {order}
        limit $most""",
        {"most": MOST_LISTED},
    ).df()
    if scope.statement_id is not None and len(found):
        lines = ingest.lines(store, scope.statement_id)
        printed = dict(zip(lines["line"], lines["printed"], strict=True))
        own = found["statement_id"] == scope.statement_id
        found["printed"] = [printed.get(line, "") if mine else "" for line, mine in zip(found["line"], own, strict=True)]
    return found


def to_csv(frame: DataFrame) -> bytes:
    """Write a frame as CSV (UTF-8 with its mark, so that spreadsheets read it), no text of which a spreadsheet would calculate."""
    return cells.harmless(frame).to_csv(index=False, lineterminator="\r\n", date_format="%Y-%m-%d").encode("utf-8-sig")


# --- how it is asked ---------------------------------------------------------------------------------------------------


def _shares(seen: DuckDBPyConnection, scope: Scope) -> dict[str, Any]:
    found = seen.execute(SHARES, {"as_of": scope.as_of, "days": RECENT_DAYS}).fetchall()[0]
    return dict(zip(("recent", "amount", "rows", "n", "n_unknown"), found, strict=True))


def name_of(kind: Category) -> str:
    """What a category is called in a chart."""
    return kind.title


def named(found: DataFrame) -> DataFrame:
    """Put title, meaning and class beside the category; own transfers are a class of their own."""
    known = categories.taxonomy()
    kinds = [known.get(code, known[UNKNOWN]) for code in found["category"]]
    return found.assign(
        **{
            "title": [name_of(kind) for kind in kinds],
            "meaning": [kind.meaning for kind in kinds],
            "class": ["own" if kind.code in ("TRF_OWN_IN", "TRF_OWN_OUT") else kind.group for kind in kinds],
        }
    )


@contextmanager
def _seen(store: Store, scope: Scope) -> Iterator[DuckDBPyConnection]:
    """Lend a cursor to which the movements looked at are the table `seen`."""
    with store.reading() as cursor:
        whole = statement("conduct", "seen")
        cursor.execute(f"create or replace temporary table seen as {whole}", _given(scope, whole))
        yield cursor


def _followed(cursor: DuckDBPyConnection, scope: Scope) -> tuple[Coverage, Days]:
    """Return what features follow of the accounts looked at, each of them an applicant of its own."""
    own = _own()
    coverage = Coverage(ledger.files(cursor, Asked(scope.as_of), f"with {own}", _given(scope, own)))
    return coverage, ledger.days(ledger.moved(cursor, coverage))


def _gaps(coverage: Coverage) -> pa.Table:
    """Return the days that no file covers: account_id, account, from_on, to_on (the last of them)."""
    who, from_age, to_age = coverage.hole
    late = np.flatnonzero(coverage.unseen > 0)
    whose, from_age = np.append(who, late), np.append(from_age, coverage.unseen[late])
    place = np.argsort(coverage.owner)[whose]
    first, last = coverage.as_of[whose] - from_age, coverage.as_of[whose] - np.append(to_age, np.zeros(len(late), np.int64)) - 1
    return pa.table(
        {
            "account_id": coverage.account_id[place],
            "account": pa.array(coverage.number[place], pa.string()),
            "from_on": first.astype("datetime64[D]"),
            "to_on": last.astype("datetime64[D]"),
        }
    )


def _daily(coverage: Coverage, days: Days) -> DataFrame:
    """Return a row per day: the end-of-day balance of the accounts looked at together, NaN where one of them is not seen that day.

    An account counts from the first day its balance is known; n_accounts is how many do.
    """
    is_known, balance = balances.known(days, coverage)
    account, day, balance = days.account[is_known], days.day[is_known], balance[is_known]
    span = np.arange(day.min(), coverage.as_of[0]) if len(day) else day
    total, n, is_seen = np.zeros(len(span), np.int64), np.zeros(len(span), np.int64), np.ones(len(span), bool)
    hidden, from_age, to_age = coverage.hole
    for its in np.unique(account):
        who = coverage.owner[its]
        place = np.searchsorted(day[account == its], span, side="right") - 1
        has_begun = place >= 0
        total += np.where(has_begun, balance[account == its][place], 0)
        n += has_begun
        age = coverage.as_of[who] - span
        holes = [(age <= start) & (age > end) for start, end in zip(from_age[hidden == who], to_age[hidden == who], strict=True)]
        is_seen &= ~(has_begun & np.logical_or.reduce([age <= coverage.unseen[who], *holes]))
    level = np.where(is_seen, total / 10_000, np.nan)
    return DataFrame({"day": span.astype("datetime64[D]").astype("datetime64[us]"), "balance": level, "n_accounts": n})


def _own() -> str:
    return ", ".join(f"{name} as ({statement('conduct', name)})" for name in ("account", "statement_account"))


def _asked(cursor: DuckDBPyConnection, scope: Scope, query: str, order: str) -> DuckDBPyConnection:
    """Run a query to which each account looked at is an applicant of its own, so that what features follow comes out by account."""
    whole = f"with {_own()}, answer as ({query}) select * from answer order by {order}"
    return cursor.execute(whole, _given(scope, whole))


def _given(scope: Scope, query: str) -> dict[str, Any]:
    """Return what a query asks for by name."""
    known = {"as_of": scope.as_of, "accounts": list(scope.account_ids), "statement_id": scope.statement_id}
    return {name: value for name, value in known.items() if f"${name}" in query}


def _day(value: Any) -> date:
    found: date = value.date() if hasattr(value, "date") else value
    return found


def _months(first: date, last: date) -> list[date]:
    found = [first.replace(day=1)]
    while _next(found[-1]) <= last:
        found.append(_next(found[-1]))
    return found


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
