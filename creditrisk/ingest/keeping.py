"""Readings kept: whole files or nothing, all of them in one transaction, the same file never twice."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from creditrisk.ingest import posting
from creditrisk.ingest.reading import Reading
from creditrisk.statement import Problem
from creditrisk.store import Store

_saving = threading.Lock()  # what is stored already is asked and answered for one caller at a time: two may bring the same file


@dataclass(frozen=True)
class Saved:
    """What became of a reading: rows the workspace did not have, and rows it had; no id where nothing was stored."""

    reading: Reading
    n_new: int = 0
    n_duplicate: int = 0
    statement_id: int | None = None


def save(store: Store, readings: Sequence[Reading], *, user: str, applicant_id: str | Mapping[str, str] | None = None) -> list[Saved]:
    """Store the readings that were not rejected, all in one transaction, and say of each what was new.

    The applicant of an account is `applicant_id` (one for all, or by file name), else the account number, else the file's stem.
    """
    with _saving:
        known = dict(store.rows("select sha256, statement_id from statement"))
        fresh: dict[str, Reading] = {}
        for reading in readings:
            if reading.status != "rejected" and reading.sha256 not in known:
                fresh.setdefault(reading.sha256, reading)
        stored = _store(store, list(fresh.values()), user, applicant_id) if fresh else {}
    saved = []
    for reading in readings:
        if reading.status == "rejected":
            saved.append(Saved(reading))
        elif reading.sha256 in known:
            said = _said_again(store, reading, int(known[reading.sha256]), applicant_id)
            saved.append(Saved(said, 0, reading.n_transactions, int(known[reading.sha256])))
        else:
            number, new = stored[reading.sha256]
            saved.append(Saved(reading, new, reading.n_transactions - new, number))
            known[reading.sha256] = number
    return saved


def _store(store: Store, fresh: list[Reading], user: str, applicant_id: str | Mapping[str, str] | None) -> dict[str, tuple[int, int]]:
    """Append files nobody has stored in one transaction; return statement id and number of new rows by digest."""
    subject = fresh[0].file if len(fresh) == 1 else f"{len(fresh)} files"
    store.require_room(sum(len(reading.content) for reading in fresh), subject)
    with store.write(user, "ingest", subject, files=[[reading.file, reading.sha256] for reading in fresh]) as cursor:
        return posting.append(cursor, fresh, user, applicant_id)


def _said_again(store: Store, reading: Reading, statement_id: int, applicant_id: str | Mapping[str, str] | None) -> Reading:
    """Warn where a file that is stored already comes again for somebody else."""
    given = posting.given(reading, applicant_id) or (None if any(reading.accounts) else Path(reading.file).stem)
    owners = store.rows(
        "select distinct applicant_id from statement_account join account using (account_id) where statement_id = $id", id=statement_id
    )
    if given is None or (given,) in owners:
        return reading
    whose = ", ".join(owner for (owner,) in owners[:3])
    message = f"{reading.file}: this file is stored already, as statement {statement_id} for {whose}; nothing was stored for {given}."
    return replace(reading, status="warned", problems=[*reading.problems, Problem(None, None, None, message)])


def to_json(reading: Reading, saved: Saved | None = None) -> dict[str, Any]:
    """Return the keys of `inspect` and `ingest`; money as text with at least two decimals."""
    return {
        "file": reading.file,
        "format": reading.format,
        "dialect": reading.dialect,
        "status": reading.status,
        "n_transactions": reading.n_transactions,
        "sum_amount": _said(reading.sum_amount),
        "opening": _said(reading.opening),
        "closing": _said(reading.closing),
        "currency": reading.currency,
        "accounts": [number for number in reading.accounts if number],
        "reconciliation": reading.reconciliation,
        "n_new": saved.n_new if saved else None,
        "n_duplicate": saved.n_duplicate if saved else None,
        "problems": [vars(problem) for problem in reading.problems],
    }


def _said(money: Decimal | None) -> str | None:
    if money is None:
        return None
    whole, _, part = f"{money:.4f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
