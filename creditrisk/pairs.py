"""Movements that belong together: own transfers, refunds, returned items and reversed fees, each paired with its original.

Two movements are never paired for their amount and day alone: the bank's words, its codes, a number or a name must say so.
Money that comes in, in the order of days, takes the nearest of what went out and is still free. Hence a movement is in one pair
at most, later days change nothing that was known before, and the pairs are the same in whatever order the files arrived.
"""

from collections.abc import Collection, Sequence
from typing import Any

import pyarrow as pa

from creditrisk import categories
from creditrisk.store import now, statement

AT_ONCE = 2_000_000
CANDIDATE = pa.schema({"in_id": pa.int64(), "out_id": pa.int64(), "kind": pa.string(), "evidence": pa.string(), "known_on": pa.date32()})


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


def _candidates(cursor: Any, applicant_ids: Collection[str]) -> pa.Table:
    """Return in_id, out_id, kind, evidence and known_on of every two that may belong together, in the order they are believed."""
    spent = [kind.code for kind in categories.taxonomy().values() if kind.group in categories.SPENT]
    given: dict[str, Any] = {"applicants": list(applicant_ids), "spent": spent}
    made: list[str] = []

    def run(name: str, before: str) -> None:
        text = statement("pairs", name)
        cursor.execute(before + text, {key: value for key, value in given.items() if f"${key}" in text})

    # Tables and not one query: how many rows a step has decides how the next is joined, and a wrong guess costs a hundredfold.
    def step(name: str) -> None:
        run(name, f"create temporary table {name} as ")
        made.append(name)

    def has(what: str) -> bool:
        return bool(cursor.execute(f"select exists (from {what})").fetchall()[0][0])

    def drop(names: Sequence[str]) -> None:
        for name in names:
            cursor.execute(f"drop table {name}")
            made.remove(name)

    try:
        for name in ("touched", "own", "said", "sought"):
            step(name)
        kinds = ["transfer"] if has("touched where has_sibling") else []
        if has("sought") or has("own"):
            step("shop")
            step("merchant")
            kinds += ["returned", "fee", "refund"]
        if not kinds:
            return CANDIDATE.empty_table()
        step("found")
        for given["first"], given["last"] in _batches(cursor):
            step("here")
            for kind in kinds:
                run(kind, "insert into found by name ")
            drop(["here"])
        return cursor.sql(statement("pairs", "candidate")).to_arrow_table()
    finally:
        drop(made.copy())


def _batches(cursor: Any) -> list[tuple[int, int]]:
    """Return the first and last of the purses looked at together: some AT_ONCE movements, so that what is joined stays small."""
    found: list[tuple[int, int]] = []
    room = 0
    for purse, n in cursor.execute("select purse, sum(n) from touched group by purse order by purse").fetchall():
        first = found.pop()[0] if found and room > 0 else purse
        room = (room if first != purse else AT_ONCE) - n
        found.append((first, purse))
    return found


def _chosen(candidates: pa.Table) -> pa.Table:
    """Return the candidates that hold, one for a movement at most: the first of those both of whose movements are still free."""
    taken: set[int] = set()
    places = []
    for place, ends in enumerate(zip(*(candidates[side].to_numpy().tolist() for side in ("in_id", "out_id")), strict=True)):
        if taken.isdisjoint(ends):
            taken.update(ends)
            places.append(place)
    return candidates.take(pa.array(places, pa.int64()))


def _keep(cursor: Any, applicant_ids: Collection[str], chosen: pa.Table) -> None:
    has_any = cursor.execute("select exists (from pair)").fetchall()[0][0]
    if not len(chosen) and not has_any:
        return
    cursor.register("chosen", chosen)
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
