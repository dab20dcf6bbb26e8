"""Put transactions straight into a store, so that a test can state them in a line each."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from creditrisk.store import Store, now

Movement = tuple[str, str, str]  # day, amount, category


def keep(
    store: Store,
    applicant_id: str,
    movements: Sequence[Movement],
    *,
    opening: str | None = None,
    account: str = "1",
    reconciliation: str = "ok",
) -> None:
    """Store movements of one account as one file of `len(movements)` lines with an opening balance."""
    with store.write("tester", "ingest", applicant_id) as cursor:
        [(statement_id,)] = cursor.execute(
            """insert into statement values (nextval('statement_seq'), $file, uuid()::varchar, 'csv', '{}', 'accepted', $n, $n, 0, 0, 'EUR',
            'ok', '[]', ''::blob, $at, 'tester') returning statement_id""",
            {"file": f"{applicant_id}-{account}.csv", "n": len(movements), "at": now()},
        ).fetchall()
        cursor.execute(
            "insert into account (applicant_id, number, currency) values ($a, $n, 'EUR') on conflict do nothing",
            {"a": applicant_id, "n": account},
        )
        [(account_id,)] = cursor.execute(
            "select account_id from account where applicant_id = $a and number = $n", {"a": applicant_id, "n": account}
        ).fetchall()
        days = [date.fromisoformat(day) for day, _, _ in movements]
        cursor.execute(
            "insert into statement_account values ($s, $a, $opening, null, $first, $last, $n, $n, 0, $reconciliation)",
            {
                "s": statement_id,
                "a": account_id,
                "opening": None if opening is None else Decimal(opening),
                "first": min(days),
                "last": max(days),
                "n": len(movements),
                "reconciliation": reconciliation,
            },
        )
        for line, (day, amount, category) in enumerate(movements, start=2):
            [(description_id,)] = cursor.execute(
                """insert into description (text, code, direction, cleaned, category, confidence, source)
                values (uuid()::varchar, '', $direction, '', $category, 1, 'rule') returning description_id""",
                {"direction": "out" if amount.startswith("-") else "in", "category": category},
            ).fetchall()
            cursor.execute(
                """insert into transaction
                select $a, $day, $amount, $d, 1, null, $s, $line, coalesce(max(transaction_id), 0) + 1 from transaction""",
                {"a": account_id, "day": day, "amount": Decimal(amount), "d": description_id, "s": statement_id, "line": line},
            )
