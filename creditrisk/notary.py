"""What each change stored, put on record with it: of every table of facts the digests of the rows that the change added.

Whoever alters, removes or adds a row by other means than this program is found by holding the tables against the record, and of rows
that were stored a few at a time the very one is named. Digests are salted, and the salt goes with whoever is erased: no digest from
before can be tried with names.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

LOCAL = 36_028_797_018_960_000  # from here on DuckDB numbers the rows of an open transaction; once committed they have other numbers
FEW = 50  # rows of one change that are known one by one; of more, how many they are and the sum of their digests
SHOWN = 160  # characters of a row
SALT = "(select coalesce(any_value(value), '') from salt)"
WRITTEN = re.compile(r"\b(insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|alter\s+table)\s+\"?(\w+)", re.IGNORECASE)
FACTS: Mapping[str, str] = dict.fromkeys(
    (
        *("account", "applicant", "application", "arrears", "batch_event", "claim", "claim_end", "correction", "decision", "description"),
        *("ended", "erasure", "import_cell", "import_change", "inspection", "job", "judgement", "label", "label_set", "lesson_online"),
        *("model", "model_event", "outcome", "repeat", "review", "schedule", "schedule_event", "session", "shadow", "snapshot"),
        *("statement_account", "suspect", "synthetic", "token", "transaction"),
    ),
    "*",
) | {
    "statement": "* exclude (source)",  # which has a digest of its own
    "prediction": "prediction_id, applicant_id",  # the rest is under the seal of those made together
    "batch_score": "batch_id, row, applicant_id",
}
# What comes by the million is hashed by DuckDB's own function, a fortieth of the work, which another version of it may do otherwise.
MANY = frozenset(
    (
        *("account", "applicant", "application", "arrears", "batch_score", "description", "import_cell", "judgement", "label", "outcome"),
        *("prediction", "shadow", "statement_account", "suspect", "synthetic", "transaction"),
    )
)
ENTRY, ANEW = "stored", "anew"
Stored = dict[str, list[Any]]  # by table: digests of rows; or how many there are and their sum, and ANEW where that is all of them


class Watched:
    """A cursor, or a relation made with it, that notes which tables of facts are written to, and how."""

    def __init__(self, held: Any, noted: "Watched | None" = None):
        self._held = held
        self.added: dict[str, None] = noted.added if noted else {}
        self.changed: dict[str, None] = noted.changed if noted else {}

    def execute(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Execute a statement."""
        self._note(query)
        made: duckdb.DuckDBPyConnection = self._held.execute(query, parameters)
        return made

    def executemany(self, query: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Execute a statement for each set of parameters."""
        self._note(query)
        made: duckdb.DuckDBPyConnection = self._held.executemany(query, parameters)
        return made

    def from_arrow(self, table: Any) -> "Watched":
        """Return a relation of a table of Arrow's."""
        return Watched(self._held.from_arrow(table), self)

    def query(self, name: str, query: str) -> Any:
        """Execute a statement about a relation under a name."""
        self._note(query)
        return self._held.query(name, query)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)

    def _note(self, query: str) -> None:
        for how, table in WRITTEN.findall(query):
            if table.lower() in FACTS:
                (self.added if how[0] in "iI" else self.changed)[table.lower()] = None


def forget(cursor: Any) -> None:
    """Take another salt, and take down all that is stored anew with it, once the open transaction ends."""
    cursor.execute("update salt set value = uuid()::varchar")
    if isinstance(cursor, Watched):
        cursor.changed.update(dict.fromkeys(FACTS))


def renew(cursor: Any) -> bool:
    """Have this version of DuckDB make the digests from now on; says whether it was another until now."""
    set_version = "update salt set version = $version where version <> $version returning version"
    return bool(cursor.execute(set_version, {"version": duckdb.__version__}).fetchall())


def entry(cursor: Watched) -> dict[str, Stored]:
    """Return what an open transaction stored in tables of facts, as its audit entry says it: the rows added, or, where others were
    changed, all there are."""
    found = {table: _added(cursor, table) for table in cursor.added if table not in cursor.changed}
    found = {table: digests for table, digests in found.items() if digests} | anew(cursor, cursor.changed).get(ENTRY, {})
    return {ENTRY: found} if found else {}


def anew(cursor: Any, tables: Iterable[str]) -> dict[str, Stored]:
    """Return of tables of facts how many rows there are, the sum of their digests, and that this counts from now on."""
    return {ENTRY: {table: [*_sum(cursor, table), ANEW] for table in tables}}


def faults(cursor: Any) -> Iterator[tuple[int, str | None]]:
    """Yield of each table of facts how many rows it has, and what in it is not as it was put on record, in a sentence."""
    accounts = {table: _Account() for table in FACTS}
    for seq, happened_at, user, action, subject, said in cursor.execute(RECORD).fetchall():
        for table, digests in json.loads(said).items():
            if table in accounts:
                accounts[table].take(digests, f"audit row {seq} ({user}, {action} {subject}, {happened_at:%Y-%m-%d %H:%M} UTC)")
    for table, account in accounts.items():
        n, total = _sum(cursor, table)
        yield n, None if [n, total] == account.sum else _named(cursor, table, account)


RECORD = """
    select seq, happened_at, user_name, action, subject, detail->>'stored' from audit
    where detail->>'stored' is not null order by seq
"""


@dataclass
class _Account:
    """What is on record of a table."""

    known: dict[str, list[str]] = field(default_factory=dict)  # digest of a row → which audit rows stored it
    n: int = 0
    total: int = 0
    last: str = "no audit row"  # that stored many at once

    def take(self, digests: list[Any], by: str) -> None:
        """Add what an audit row says."""
        if digests[-1] == ANEW:
            self.known, self.n, self.total = {}, 0, 0
        if isinstance(digests[0], int):
            self.n, self.total, self.last = self.n + digests[0], self.total + int(digests[1], 16), by
            return
        for digest in digests:
            self.known.setdefault(digest, []).append(by)

    @property
    def sum(self) -> list[Any]:
        """How many rows there should be, and the sum of their digests."""
        n = sum(map(len, self.known.values()))
        return [self.n + n, f"{self.total + sum(int(digest, 16) * len(by) for digest, by in self.known.items()):x}"]


def _named(cursor: Any, table: str, account: _Account) -> str:
    """Say which row is not as it was stored, or among which it is."""
    digests = cursor.execute(f"{_rows(table)} select {_digest(table)}, count(*) from it group by 1").fetchall()
    there = {f"{digest:016x}": n for digest, n in digests}
    lost = next((by[-1] for digest, by in account.known.items() if there.get(digest, 0) < len(by)), None)
    if lost:
        return f"A row of {table} that {lost} stored is no longer there as it was stored: altered or removed."
    others = [int(digest, 16) for digest, n in there.items() if n > len(account.known.get(digest, []))]
    if account.n:
        return (
            f"The {account.n:,} rows of {table} that were stored many at once, last by {account.last}, are no longer all there as they "
            f"were stored: altered, removed or added to. {len(others):,} are there."
        )
    strange = cursor.execute(f"{_rows(table)} select it::varchar from it where {_digest(table)} = $digest limit 1", {"digest": others[0]})
    return f"No audit row stored this row of {table}: {strange.fetchall()[0][0][:SHOWN]}"


def _added(cursor: Any, table: str) -> list[Any]:
    few = cursor.execute(f"{_rows(table, LOCAL)} select {_digest(table)} from it limit {FEW + 1}").fetchall()
    return [f"{digest:016x}" for (digest,) in few] if len(few) <= FEW else _sum(cursor, table, LOCAL)


def _sum(cursor: Any, table: str, first: int = 0) -> list[Any]:
    n, total = cursor.execute(f"{_rows(table, first)} select count(*), coalesce(sum({_digest(table)}), 0) from it").fetchall()[0]
    return [n, f"{int(total):x}"]


def _digest(table: str) -> str:
    return f"hash({SALT}, it)" if table in MANY else f"md5_number_lower({SALT} || it::varchar)"


def _rows(table: str, first: int = 0) -> str:
    return f'with it as (select {FACTS[table]} from "{table}" where rowid >= {first})'
