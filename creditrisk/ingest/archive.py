"""The statement files a workspace keeps: which there are, and their lines as they stood. Nothing is written here."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pandas import DataFrame

from creditrisk.errors import UnknownThing
from creditrisk.ingest.reading import Reading
from creditrisk.store import Store


def stored(store: Store, readings: Sequence[Reading]) -> dict[str, int]:
    """Return the statement that each of these files is already, by digest; files nobody has stored are absent."""
    digests = [reading.sha256 for reading in readings]
    return dict(store.rows("select sha256, statement_id from statement where list_contains($digests, sha256)", digests=digests))


def statements(store: Store) -> DataFrame:
    """Return every stored file, newest first, without its bytes: one row per file, accounts and days it covers beside it."""
    return store.read(
        """
        with covered as (
            select statement_id, count(*) as n_accounts, min(first_on) as first_on, max(last_on) as last_on,
                if(count(*) = 1, any_value(applicant_id), null) as applicant_id
            from statement_account join account using (account_id)
            group by statement_id
        )
        select statement.* exclude (source), n_accounts, first_on, last_on, applicant_id
        from statement left join covered using (statement_id)
        order by statement_id desc
        """
    )


def lines(store: Store, statement_id: int) -> DataFrame:
    """Return the rows a file added: line, printed (the line as it stood in the file), account, booked_on, text, amount, balance,
    category, confidence, source, transaction_id."""
    found = store.read(
        """select line, account, booked_on, text, amount, balance, category, confidence, source, transaction_id
        from movement where statement_id = $id order by line""",
        id=statement_id,
    )
    record = store.record("select source, dialect from statement where statement_id = $id", id=statement_id)
    if record is None:
        raise UnknownThing("statement", str(statement_id))
    content = pa.input_stream(pa.BufferReader(record["source"]), compression="zstd").read()
    found.insert(1, "printed", _printed(content, json.loads(record["dialect"]), found["line"].tolist()))
    return found


def _printed(content: bytes, dialect: dict[str, Any], lines_: list[int]) -> list[str]:
    """Return the lines as they stood in the file; nothing where the format has no lines."""
    if "encoding" not in dialect or dialect.get("line") == "transaction":
        return [""] * len(lines_)
    text = content.decode(dialect["encoding"], errors="replace")
    whole = io.StringIO(text, newline="").readlines()
    return [whole[line - 1].rstrip("\r\n") for line in lines_]


def held(store: Store, statement_id: int) -> dict[str, Any]:
    """Return what is held of a file: file_name, format, status, n_transactions, n_new, n_duplicate, dialect, problems, stored_at,
    stored_by, and `accounts`, of each how its balances follow: applicant_id, account, currency, opening, closing, sum_amount (money,
    exact), off (closing less opening and sum, None where one is not known), first_on, last_on, n_transactions, reconciliation.

    Raises UnknownThing for a file nobody stored.
    """
    known = store.record(
        """select file_name, format, status, n_transactions, n_new, n_duplicate, dialect, problems, stored_at, stored_by
        from statement where statement_id = $id""",
        id=statement_id,
    )
    if known is None:
        raise UnknownThing("statement", str(statement_id))
    names = ("applicant_id", "account", "currency", "opening", "closing", "sum_amount", "off", "first_on", "last_on", "n_transactions")
    accounts = store.rows(
        """select applicant_id, number, currency, opening, closing, sum_amount, closing - opening - sum_amount, first_on, last_on,
            n_transactions, reconciliation
        from statement_account join account using (account_id)
        where statement_id = $id
        order by n_transactions desc, account_id""",
        id=statement_id,
    )
    said = [dict(zip((*names, "reconciliation"), row, strict=True)) for row in accounts]
    return {**known, "dialect": json.loads(known["dialect"]), "problems": json.loads(known["problems"]), "accounts": said}
