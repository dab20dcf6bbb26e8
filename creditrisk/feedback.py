"""Verdicts and inspections as tables: what waits goes out to be filled in elsewhere, and what was filled in comes back.

A table comes back whole or not at all: each wrong row is named, and while one is wrong none is kept. Whoever brings it in has said
it: a column cannot speak for somebody else, so that the second person stays a second person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pandas import DataFrame, to_numeric

from creditrisk import inspections, reviews
from creditrisk.errors import InvalidInput
from creditrisk.people import same
from creditrisk.rows import Problem
from creditrisk.store import Store

MOST = 100_000  # rows that one table brings back


@dataclass(frozen=True)
class Taken:
    """What came of a table: how many of its rows were new, had been kept before, were left empty, and what was wrong with others."""

    n: int = 0
    n_known: int = 0
    n_empty: int = 0
    problems: list[Problem] = field(default_factory=list)


def to_judge(store: Store, limit: int | None = None) -> DataFrame:
    """Return the cases that wait for a verdict, those nearest the cut-off first, with empty columns for what a reviewer says.

    Columns: prediction_id, applicant_id, score, band, pd, recommendation, is_proxy, held_by, verdict, about, corrected, comment.
    """
    found = reviews.queue(store, limit or MOST)
    known = ["prediction_id", "applicant_id", "score", "band", "pd", "recommendation", "is_proxy", "held_by"]
    return found[known].assign(verdict="", about="", corrected="", comment="")


def to_inspect(store: Store, user: str) -> DataFrame:
    """Return the verdicts that wait for an inspection, contradictions first, with empty columns status and reason.

    Those `user` may not inspect are among them, with why_not saying why.
    """
    told = ["review_id", "prediction_id", "applicant_id", "verdict", "about", "corrected", "comment", "seconds", "reviewed_by"]
    told += ["is_conflict", "is_fast", "why_not"]
    return inspections.waiting(store, user)[told].assign(status="", reason="")


def given(store: Store) -> DataFrame:
    """Return every verdict that stands with what it is about and what an inspector said of it: the feedback as a data set of its own.

    Columns: those of the view `verdict` without the policy; reviewed_at and inspected_at are UTC.
    """
    return store.read("select * exclude (policy) from verdict order by reviewed_at, review_id")


def judge(store: Store, table: DataFrame, *, user: str) -> Taken:
    """Keep the verdicts of a table (prediction_id, verdict, about; corrected, comment, seconds where it has them), whole or not at all.

    A row without a verdict was not judged; one that says what this person has said before adds nothing. Raises InvalidInput for a
    table without these columns.
    """
    asked = _asked(table, ("prediction_id", "verdict", "about"), "verdict")
    predicted = {
        name: {"band": band, "decision": decision}
        for name, band, decision in store.rows("select prediction_id, band, recommendation from prediction")
    }
    others = {name: who for name, who in reviews.holders(store).items() if not same(who, user)}
    mine = {
        (name, about): (verdict, corrected, comment)
        for name, about, verdict, corrected, comment in store.rows(
            "select prediction_id, about, verdict, corrected, comment from review_current where lower(reviewed_by) = lower($user)",
            user=str(user).strip(),
        )
    }
    said, problems, known, before = list[reviews.Said](), list[Problem](), 0, set[tuple[str, str]]()
    for place, row in asked:
        one = _said(row)
        key = one.prediction_id, one.about
        if one.prediction_id not in predicted:
            problems.append(_problem(place, "prediction_id", row, "is no prediction of this workspace"))
        elif one.prediction_id in others:
            problems.append(
                _problem(place, "prediction_id", row, f"is in the hands of {others[one.prediction_id]}; wait until they are done")
            )
        elif key in before:
            problems.append(_problem(place, "about", row, "was judged in an earlier row; say it once"))
        elif sentence := reviews.check(one, predicted[one.prediction_id]):
            problems.append(Problem(place, "verdict", row["verdict"], f"Row {place}: {sentence}"))
        elif mine.get(key) == (one.verdict, one.corrected, one.comment):
            known += 1
        else:
            said.append(one)
        before.add(key)
    if said and not problems:
        reviews.add_all(store, said, user=user)
    return Taken(0 if problems else len(said), known, len(table) - len(asked), problems)


def inspect(store: Store, table: DataFrame, *, user: str) -> Taken:
    """Keep the inspections of a table (review_id, status, reason), whole or not at all.

    A row without a status was not inspected; one that says again what this person decided adds nothing. Raises InvalidInput for a
    table without these columns.
    """
    asked = _asked(table, ("review_id", "status", "reason"), "status")
    refused = inspections.refusals(store, user)
    mine = {
        name: (status, reason)
        for name, status, reason in store.rows(
            "select review_id, status, reason from inspection_current where lower(inspected_by) = lower($user)", user=str(user).strip()
        )
    }
    decided, problems, known, before = list[tuple[str, str, str]](), list[Problem](), 0, set[str]()
    for place, row in asked:
        name, status, reason = row["review_id"], row["status"].lower(), row["reason"]
        if name not in refused:
            problems.append(_problem(place, "review_id", row, "is no verdict that stands here; its reviewer may have thought again since"))
        elif name in before:
            problems.append(_problem(place, "review_id", row, "was inspected in an earlier row; decide once"))
        elif sentence := inspections.check(status, reason) or refused[name]:
            problems.append(Problem(place, "status", row["status"], f"Row {place}: {sentence}"))
        elif mine.get(name) == (status, reason):
            known += 1
        else:
            decided.append((name, status, reason))
        before.add(name)
    if decided and not problems:
        inspections.decide_all(store, decided, user=user)
    return Taken(0 if problems else len(decided), known, len(table) - len(asked), problems)


def _asked(table: DataFrame, needed: Sequence[str], filled: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows that were filled in, each with its number, every cell as its text."""
    if missing := [name for name in needed if name not in table]:
        raise InvalidInput(f"The table has no column {missing[0]!r}; it needs {', '.join(needed)}. Nothing was stored.")
    if len(table) > MOST:
        raise InvalidInput(f"The table has {len(table):,} rows, more than the {MOST:,} allowed; bring it in parts. Nothing was stored.")
    whole = table.astype(object).where(table.notna(), "").to_dict("records")
    texts = [{str(name): str(value).strip() for name, value in row.items()} for row in whole]
    return [(place, row) for place, row in enumerate(texts, 1) if row[filled]]


def _said(row: Mapping[str, str]) -> reviews.Said:
    """Read a row; seconds that are no number are NaN, which no verdict takes."""
    seconds = row.get("seconds") or None
    return reviews.Said(
        row["prediction_id"],
        row["verdict"].lower(),
        {"recommendation": "decision"}.get(row["about"].lower(), row["about"].lower()),
        row.get("comment", ""),
        row.get("corrected") or None,
        None if seconds is None else float(to_numeric(seconds, errors="coerce")),
    )


def _problem(place: int, column: str, row: Mapping[str, str], what: str) -> Problem:
    return Problem(place, column, row[column], f"Row {place}: {column} {row[column][:60]!r} {what}.")
