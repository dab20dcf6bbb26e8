"""Whoever alters, removes or adds a row past the program is found, in every table of facts, and by name where rows came a few at a time."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from creditrisk import integrity, notary, privacy
from creditrisk import store as stores
from creditrisk.settings import Settings, load
from creditrisk.store import Store
from tests.conftest import ROOT

VALUES = {"VARCHAR": "'one'", "BOOLEAN": "true", "DATE": "date '2026-01-31'", "TIMESTAMP": "timestamp '2026-01-31 02:00:00'"}
VALUES |= {"JSON": "'{}'", "BLOB": "'one'::blob", "VARCHAR[]": "['one']"}
OTHERS = {"VARCHAR": "'another'", "BOOLEAN": "false", "DATE": "date '2025-01-31'", "TIMESTAMP": "timestamp '2025-01-31 02:00:00'"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace with a row in every table of facts, each stored by a change of its own."""
    folder = tmp_path_factory.mktemp("facts")
    opened = stores.open_in_memory(replace(load(ROOT / "creditrisk.toml"), data=folder / "data", models=folder / "models"))
    for table in notary.FACTS:
        allowed = choices(opened, table)
        given = ", ".join(f"{allowed.get(name) or value(kind)} as {stores.quoted(name)}" for name, kind in columns(opened, table))
        with opened.write("ana", "score", f"one of {table}") as cursor:
            cursor.execute(f'insert into "{table}" by name select {given}')
    yield opened
    opened.close()


def columns(store: Store, table: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in store.rows(f'describe "{table}"')]


def choices(store: Store, table: str) -> dict[str, str]:
    """Return the first of the texts that the table allows, by column."""
    rules = store.rows("select expression from duckdb_constraints() where table_name = $name and constraint_type = 'CHECK'", name=table)
    found = (re.search(r"(\w+)\"? (?:IN \(|= )('[^']+')", rule) for (rule,) in rules)
    return {match[1]: match[2] for match in found if match}


def value(kind: str) -> str:
    return VALUES.get(kind, f"[0.5]::{kind}" if kind.endswith("[]") else f"1::{kind}")


def wrong(cursor: Any) -> list[str]:
    return [said for _, said in notary.faults(cursor) if said]


def past(store: Store, sql: str) -> list[str]:
    """Do something to the tables that the program does not hear of; return what is found then, and undo it."""
    with store.reading() as cursor:
        cursor.begin()
        try:
            cursor.execute(sql)
            return wrong(cursor)
        finally:
            cursor.rollback()


OTHERWISE = {  # tables that are no facts of their own, or are held otherwise
    "audit": "each row's hash covers it and the one before",
    "salt": "without it no digest is right",
    "migration": "which version wrote the file",
    "job_event": "progress of a job, which nobody answers for; its end is in the audit",
    "pair": "found anew from the transactions",
    "invented": "nobody; made anew from a seed",
    "batch": "a digest of what was asked is in the audit",
    "batch_part": "the digest of its rows is in the audit",
}


def test_every_table_is_one_of_facts_or_held_otherwise(store: Store) -> None:
    tables = {name for (name,) in store.rows("select table_name from duckdb_tables()")}
    assert tables == set(notary.FACTS) | set(OTHERWISE)


@pytest.mark.parametrize("table", notary.FACTS)
def test_a_row_altered_removed_or_added_past_the_program_is_found(store: Store, table: str) -> None:
    by = next(seq for seq, subject in store.rows("select seq, subject from audit") if subject == f"one of {table}")
    with store.reading() as cursor:
        sealed = [name for name, *_ in cursor.execute(f'describe (select {notary.FACTS[table]} from "{table}")').fetchall()]
    altered: list[str] = []
    for name, kind in reversed(columns(store, table)):
        for other in {OTHERS.get(kind, "null"), "null"} if name in sealed and not altered else ():
            with suppress(duckdb.ConstraintException):  # the database itself does not have it
                altered += past(store, f'update "{table}" set {stores.quoted(name)} = {other}')
    assert altered[0].startswith(f"A row of {table} that audit row {by} (ana, score one of {table}, ")
    (removed,) = past(store, f'delete from "{table}"')
    assert removed.endswith("stored is no longer there as it was stored: altered or removed.")
    with suppress(duckdb.ConstraintException):
        (added,) = past(store, f'insert into "{table}" select * from "{table}"')
        assert added.startswith(f"No audit row stored this row of {table}: {{")


def test_of_rows_that_came_many_at_once_the_table_and_the_change_are_named(store: Store) -> None:
    many = "insert into outcome select 'a' || n, n % 2 = 0, null, now()::timestamp, 'ana' from range(200) as of(n)"
    with store.write("ana", "outcomes", "many") as cursor:
        cursor.execute(many)
    (said,) = past(store, "update outcome set observed_bad = not observed_bad where applicant_id = 'a7'")
    assert said.startswith("The 200 rows of outcome that were stored many at once, last by audit row ")
    assert said.endswith("are no longer all there as they were stored: altered, removed or added to. 200 are there.")
    (said,) = past(store, "delete from outcome where applicant_id = 'a7'")
    assert said.endswith("199 are there.")
    (said,) = past(store, "delete from outcome where applicant_id = 'one'")
    assert "one of outcome" in said


def test_what_was_stored_before_is_taken_down_once_and_holds_from_then_on(settings: Settings) -> None:
    with closing(stores.open_workspace(settings)) as store, store.write("ana", "outcomes", "one") as cursor:
        cursor.execute("insert into outcome values ('a', true, null, now()::timestamp, 'ana')")
    with closing(stores.open_workspace(settings)) as store, store.reading() as cursor:  # as a version left it that did not seal rows
        cursor.execute("delete from migration where name = '0064_salt'")
        cursor.execute("insert into outcome values ('b', true, null, now()::timestamp, 'ana')")
        assert len(wrong(cursor)) == 1
        cursor.execute("drop table salt")
    with closing(stores.open_workspace(settings)) as store:
        assert store.rows("select user_name, subject from audit where action = 'seal'") == [("creditrisk", "what is stored")]
        assert all(found["passed"] for found in integrity.check(store))
        assert len(past(store, "delete from outcome where applicant_id = 'b'")) == 1


def test_an_erasure_and_what_replaces_rows_by_right_leave_nothing_to_find(filled: Store) -> None:
    before = filled.value("select value from salt")
    privacy.erase(filled, "A000007", user="ada", reason="asked for it")
    with filled.reading() as cursor:
        assert wrong(cursor) == []
    assert filled.value("select value from salt") != before  # with it, digests from before could be tried with names
    said = json.loads(filled.value("select detail->>'stored' from audit where action = 'erase'"))
    assert {table for table, digests in said.items() if digests[-1] == notary.ANEW} == set(notary.FACTS)
    assert past(filled, "update label set bad = not bad where applicant_id = 'A000008'")


def test_another_version_of_the_database_takes_everything_down_anew(settings: Settings) -> None:
    with closing(stores.open_workspace(settings)) as store, store.write("ana", "outcomes", "one") as cursor:
        cursor.execute("insert into outcome values ('a', true, null, now()::timestamp, 'ana')")
    with closing(stores.open_workspace(settings)) as store:
        assert not store.rows("select 1 from audit where action = 'seal'"), "the same version goes on with what is on record"
        with store.reading() as cursor:  # as a version left it whose hashes are other ones
            cursor.execute("update salt set value = 'other', version = '1.0.0'")
            assert wrong(cursor)
    with closing(stores.open_workspace(settings)) as store:
        assert store.rows("select user_name from audit where action = 'seal'") == [("creditrisk",)]
        assert all(found["passed"] for found in integrity.check(store))


def test_what_comes_by_the_million_is_of_facts() -> None:
    assert set(notary.FACTS) > notary.MANY
