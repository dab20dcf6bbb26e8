"""Movements that belong together: own transfers, refunds, returned items and reversed fees, each paired with its original.

Two movements are never paired for their amount and day alone: the bank's words, its codes, a number or a name must say so.
Money that comes in, in the order of days, takes the nearest of what went out and is still free. Hence a movement is in one pair
at most, later days change nothing that was known before, and the pairs are the same in whatever order the files arrived.
"""

from collections.abc import Collection, Sequence
from typing import Any

from pandas import DataFrame

from creditrisk import categories
from creditrisk.store import now, statement


def arrived(cursor: Any, statement_ids: Sequence[int]) -> None:
    """Pair the movements of those whose rows are new with these statements; `cursor` is inside a write."""
    found = cursor.execute(
        """select distinct applicant_id from statement_account join account using (account_id)
        where n_new > 0 and statement_id in (select unnest($ids::integer[]))""",
        {"ids": list(statement_ids)},
    ).fetchall()
    find(cursor, [name for (name,) in found])


def named(cursor: Any, applicant_ids: Sequence[str]) -> None:
    """Pair anew the movements of those with several accounts, now that their names are known; `cursor` is inside a write."""
    found = cursor.execute(
        """select distinct applicant_id from account
        where applicant_id in (select unnest($ids::varchar[]))
        group by applicant_id, currency having count(*) > 1""",
        {"ids": list(applicant_ids)},
    ).fetchall()
    find(cursor, [name for (name,) in found])


def find(cursor: Any, applicant_ids: Collection[str]) -> None:
    """Find all pairs of these applicants; those found again stay as they were, those that a nearer partner undid go.

    `cursor` is inside a write: the pairs are committed with what made them true, or not at all.
    """
    if not applicant_ids:
        return
    _keep(cursor, applicant_ids, _chosen(_candidates(cursor, applicant_ids)))


def _candidates(cursor: Any, applicant_ids: Collection[str]) -> list[tuple[Any, ...]]:
    """Return in_id, out_id, kind, evidence and known_on of every two that may belong together, in the order they are believed."""
    spent = [kind.code for kind in categories.taxonomy().values() if kind.group in categories.SPENT]
    made: list[str] = []

    # Tables and not one query: how many rows a step has decides how the next is joined, and a wrong guess costs a hundredfold.
    def step(name: str, **given: Any) -> int:
        cursor.execute(f"create temporary table {name} as {statement('pairs', name)}", given)
        made.append(name)
        return int(cursor.execute(f"select count(*) from {name}").fetchall()[0][0])

    try:
        step("touched", applicants=list(applicant_ids))
        step("said")
        found = []
        if step("came", spent=spent):
            for name, needed in (("returned", ("bounced",)), ("fee", ("charged",)), ("refund", ("shop", "bought"))):
                if all(step(each, **({"spent": spent} if each == "bought" else {})) for each in needed):
                    step(name)
                    found.append(name)
        if cursor.execute("select bool_or(has_sibling) from touched").fetchall()[0][0]:
            step("transfer")
            found.append("transfer")
        if not found:
            return []
        every = " union all by name ".join(f"from {name}" for name in found)
        return cursor.execute(f"with found as ({every}) {statement('pairs', 'candidate')}").fetchall()  # type: ignore[no-any-return]
    finally:
        for name in made:
            cursor.execute(f"drop table {name}")


def _chosen(candidates: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the candidates that hold, one for a movement at most: the first of those both of whose movements are still free."""
    taken: set[int] = set()
    chosen = []
    for candidate in candidates:
        ends = candidate[:2]
        if taken.isdisjoint(ends):
            taken.update(ends)
            chosen.append(candidate)
    return chosen


def _keep(cursor: Any, applicant_ids: Collection[str], chosen: list[tuple[Any, ...]]) -> None:
    has_any = cursor.execute("select exists (from pair)").fetchall()[0][0]
    if not chosen and not has_any:
        return
    frame = DataFrame(chosen, columns=["in_id", "out_id", "kind", "evidence", "known_on"])
    cursor.register("chosen", frame.astype({"in_id": "int64", "out_id": "int64"}))
    if has_any:
        cursor.execute(
            """delete from pair
            where in_id in (
                select transaction_id from transaction join account using (account_id)
                where applicant_id in (select unnest($applicants::varchar[]))
            )
            and not exists (from chosen where chosen.in_id = pair.in_id and chosen.out_id = pair.out_id and chosen.kind = pair.kind)""",
            {"applicants": list(applicant_ids)},
        )
    cursor.execute(
        """insert into pair (out_id, in_id, kind, evidence, known_on, paired_at)
        select out_id, in_id, kind, evidence, known_on, $at from chosen
        where not exists (from pair where chosen.in_id = pair.in_id and chosen.out_id = pair.out_id and chosen.kind = pair.kind)
        order by in_id""",
        {"at": now()},
    )
    cursor.unregister("chosen")
