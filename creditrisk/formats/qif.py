"""QIF, the exchange format of home-finance programs: bank, cash and card sections, one record up to each `^`.

A record is one transaction however it is split. The date order is told by all dates of the file or by a profile, never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from creditrisk import banks, cells, charset, dates, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Refused, date_question, decimal_question

TITLE = "QIF"
BEGINNING = re.compile(r"(?:[ \t]*(?:#[^\r\n]*|\^+)?[ \t]*[\r\n]+)*!(?:Type|Account|Option|Clear)\b", re.IGNORECASE)
BARE = re.compile(r"D\d[^\r\n]{4,14}[\r\n]+(?:[A-Z$][^\r\n]*[\r\n]+){1,20}\^+\s*(?:[\r\n]|$)")
END = re.compile(r"\^+")  # old Quicken writes two
MONEY_SECTIONS = frozenset(["bank", "cash", "ccard", "oth a", "oth l", "oth"])
LIST_SECTIONS = frozenset(["cat", "class", "memorized", "security", "prices", "budget", "tag", "invitem", "template", "bill"])
SHOWN = 50


@dataclass
class _Record:
    """One record of a section: the line it begins on, its section and account, and the first value of each field."""

    line: int
    section: str
    account: str
    fields: dict[str, str] = field(default_factory=dict)
    splits: list[str] = field(default_factory=list)


def recognises(content: bytes) -> str:
    """Know QIF by a section at its beginning, or by records of bare fields."""
    start = charset.opening_words(content)
    return "qif" if BEGINNING.match(start) or BARE.match(start) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read the transactions of every section that holds money. Raises UnreadableFile or Refused."""
    text, encoding = charset.decode(file, content, profile.encoding if profile else None)
    if "\x00" in text:
        raise UnreadableFile(file, "the file contains NUL characters: it is damaged.")
    lines = re.split(r"\r\n|\n|\r", text)
    records = _records(file, lines, limits)
    kept = [record for record in records if record.section != "invst" or _moves_cash(record)]
    trades = len(records) - len(kept)
    if not kept:
        what = f"it has {trades} trades in securities and" if trades else "it has"
        raise UnreadableFile(file, f"the file holds no transaction of a bank, cash or card account ({what} lists and names only).")
    reader = _Reader(file, kept, profile)
    moves = Movements(file, max_amount=limits.max_amount)
    accounts = {record.account for record in kept}
    for record, day, amount in zip(kept, reader.days(), reader.amounts(), strict=True):
        # Names such as "Checking" belong to many people: one is used only to tell several accounts of a file apart.
        account = record.account if len(accounts) > 1 else ""
        if day is not None and amount is not None:
            currency = (profile.currency if profile else None) or ""
            moves.add(
                account=account, currency=currency, booked_on=day, amount=amount, text=_text(record), code=_code(record), line=record.line
            )
    if reader.problems:
        raise Refused(sorted(reader.problems, key=lambda problem: problem.line or 0))
    notes = reader.notes()
    if trades:
        what = f"{trades} trades in securities were set aside; only what moved cash was read."
        notes.append(Problem(None, None, None, f"{file}: {what}"))
    elif any(record.section == "invst" for record in kept):
        what = "entries of the investment section are shown with the cash they say they moved, else with an amount of 0."
        notes.append(Problem(None, None, None, f"{file}: {what}"))
    dialect: dict[str, Any] = {
        "encoding": encoding,
        "date_format": reader.form,
        "decimal": reader.mark,
        "sections": sorted({record.section for record in kept}),
        "accounts": sorted(accounts - {""}),
        "set_aside": {"trades": trades} if trades else {},
    }
    return Found(moves.table(), dialect, notes, count=_counted(lines) - trades)


# --------------------------------------------------------------------------------------------------------------- records


def _records(file: str, lines: Sequence[str], limits: Intake) -> list[_Record]:
    """Cut the lines into the records of sections with money. Raises UnreadableFile for a section nobody knows and an open record."""
    section, account = "bank", ""
    found: list[_Record] = []
    now: _Record | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or (line.startswith("#") and now is None):
            continue
        if len(line) > limits.max_field_length:
            raise UnreadableFile(file, f"the line is longer than {limits.max_field_length} characters.", line=number)
        if line.startswith("!"):
            if now is not None and now.section in MONEY_SECTIONS:
                raise UnreadableFile(file, "the transaction that begins here has no end (^) before the next section.", line=now.line)
            section, now = _section(file, line, number, section), None
        elif END.fullmatch(line):
            if now is not None and section == "account":
                account = now.fields.get("N", "").strip() or account
            elif now is not None and section in (*MONEY_SECTIONS, "invst"):
                found.append(now)
            now = None
        elif section in (*MONEY_SECTIONS, "invst", "account"):
            now = now or _Record(number, section, account)
            if line[0] in "DT" and line[0] in now.fields and section != "account" and not (line[0] == "D" and "S" in now.fields):
                what = f"a second {line[:20]!r} stands before the end (^) of the transaction that begins in line {now.line}."
                raise UnreadableFile(file, what, line=number, column=line[0], value=line[1:])
            _take(now, line)
    if now is not None and section in (*MONEY_SECTIONS, "invst"):
        raise UnreadableFile(file, "the last transaction has no end (^): the file is cut off.", line=now.line)
    return [record for record in found if _is_transaction(file, record)]


def _section(file: str, line: str, number: int, before: str) -> str:
    """Return the section a line opens; options change nothing."""
    kind, _, name = line[1:].partition(":")
    kind, name = kind.strip().lower(), " ".join(name.lower().split())
    if kind == "account":
        return "account"
    if kind in ("option", "clear"):
        return before
    name = "ccard" if name in ("creditcard", "credit card") else name
    if kind != "type" or name not in MONEY_SECTIONS | LIST_SECTIONS | {"invst"}:
        raise UnreadableFile(file, f"{line!r} is no section of a QIF file that is known here.", line=number, value=line)
    return name


def _take(record: _Record, line: str) -> None:
    """Note one field; below the first split, amounts and memos are those of the split."""
    mark, value = line[0], line[1:].strip()
    if mark == "$" and record.section != "invst":
        record.splits.append(value)
    elif mark not in record.fields and not (mark == "D" and "S" in record.fields):
        record.fields[mark] = value


def _is_transaction(file: str, record: _Record) -> bool:
    """Say whether a record is about money; raises UnreadableFile where it lost its date."""
    if "D" not in record.fields and record.fields:
        raise UnreadableFile(file, "the transaction that begins here has no date (D).", line=record.line)
    return bool(record.fields)


def _moves_cash(record: _Record) -> bool:
    """Say whether a record of an investment account is cash in the account, not a trade in securities (N is the action)."""
    return record.fields.get("N", "").lower() in ("cash", "") or not (record.fields.get("T") or record.fields.get("U"))


def _counted(lines: Sequence[str]) -> int:
    """Count the transactions by their ends alone: each `^` that follows a date in a section of money."""
    count, counts, dated = 0, True, False
    for line in map(str.strip, lines):
        if line[:1] == "!" and not line[1:7].lower().startswith(("option", "clear")):
            name = " ".join(line.partition(":")[2].lower().split())
            counts, dated = name in MONEY_SECTIONS | {"invst", "creditcard", "credit card"}, False
        elif END.fullmatch(line):
            count, dated = count + (counts and dated), False
        else:
            dated = dated or line[:1] == "D"
    return count


# ------------------------------------------------------------------------------------------------------------------ rows


class _Reader:
    """Dates and amounts of all records together: only all of them tell how they are written."""

    def __init__(self, file: str, records: list[_Record], profile: banks.Profile | None):
        self.file, self.records, self.profile = file, records, profile
        self.problems: list[Problem] = []
        self.form = self.mark = ""

    def problem(self, record: _Record, field_: str, value: str, what: str) -> None:
        """Note what is wrong with one field."""
        if len(self.problems) < SHOWN:
            self.problems.append(Problem(record.line, field_, value, f"{self.file}, line {record.line}: {what}"))

    def days(self) -> list[date | None]:
        """Return the day of every record."""
        texts = [_plain_date(record.fields["D"]) for record in self.records]
        self.form = self._form(texts)
        reader = dates.reader(self.form)
        found = [reader(text) for text in texts]
        for record, day in zip(self.records, found, strict=True):
            if day is None:
                value = record.fields["D"]
                self.problem(record, "D", value, f"the date {value!r} is not a date of the calendar written like the others.")
        return found

    def _form(self, texts: list[str]) -> str:
        declared = self.profile.date_format.replace("'", "/") if self.profile and self.profile.date_format else None
        if declared:
            return declared
        column = pa.array(texts, pa.string())
        forms = dates.formats(column)
        if not forms:
            value = self.records[0].fields["D"]
            raise UnreadableFile(self.file, f"the date {value!r} is not a date.", line=self.records[0].line, column="D", value=value)
        usual = [form for form in forms if not re.match(r"%y\W", form)] or forms
        read = {form: dates.days(column, form)[0] for form in usual}
        first = next(iter(read))
        if all(np.array_equal(read[first], days) for days in read.values()):
            return first
        ordered = [form for form, days in read.items() if _in_order(days, [record.account for record in self.records])]
        if len(ordered) == 1:
            return ordered[0]
        place = next(place for place, text in enumerate(texts) if len({dates.reader(form)(text) for form in usual}) > 1)
        raise date_question(self.file, usual, line=self.records[place].line, column="D", value=self.records[place].fields["D"])

    def amounts(self) -> list[Decimal | None]:
        """Return the amount of every record; an entry of an investment account that moves no money is one of nothing."""
        texts = [record.fields.get("T") or record.fields.get("U") or "" for record in self.records]
        self.mark = self._mark(texts)
        found: list[Decimal | None] = []
        for record, text in zip(self.records, texts, strict=True):
            read = cells.amount(text, self.mark)
            if read is None and not text and record.section == "invst":
                read = Decimal(0), 0
            elif read is None:
                what = f"the amount {text!r} is not an amount." if text else "the transaction that begins here has no amount (T)."
                self.problem(record, "T", text, what)
            found.append(read[0] if read else None)
        return found

    def _mark(self, texts: list[str]) -> str:
        if self.profile and self.profile.decimal:
            return self.profile.decimal
        mark = cells.decimal_mark(pa.array(texts + [split for record in self.records for split in record.splits], pa.string()))
        if mark is None:
            place = next((place for place, text in enumerate(texts) if re.search(r"\d[.,]\d", text)), 0)
            raise decimal_question(self.file, line=self.records[place].line, column="T", value=texts[place])
        return mark or "."

    def notes(self) -> list[Problem]:
        """Warn of splits that are not the whole, and of an opening balance that stands among the transactions."""
        found: list[Problem] = []
        for record in self.records:
            parts = [cells.amount(split, self.mark) for split in record.splits if split]
            whole = cells.amount(record.fields.get("T") or record.fields.get("U") or "", self.mark)
            if len(found) < SHOWN and parts and whole and (None in parts or sum(part[0] for part in parts if part) != whole[0]):
                what = f"the parts of the split do not add up to the amount {whole[0]}; the amount counts."
                found.append(Problem(record.line, "$", None, f"{self.file}, line {record.line}: {what}"))
            elif len(found) < SHOWN and whole and whole[0] and _is_opening(record):
                what = f"the opening balance {whole[0]} stands among the transactions and is read as one."
                found.append(Problem(record.line, "P", None, f"{self.file}, line {record.line}: {what}"))
        return found


def _plain_date(text: str) -> str:
    """Write a date as other formats do: Quicken pads with blanks and marks years from 2000 with an apostrophe.

    >>> _plain_date("2/ 4' 9"), _plain_date("12/31'2020"), _plain_date("5 Jan 2024")
    ('2/4/09', '12/31/2020', '5 Jan 2024')
    """
    text = re.sub(r"\s*(['/.-])\s*", r"\1", text.strip())
    text = re.sub(r"'(\d)$", r"'0\1", text)
    mark = next((mark for mark in "/.-" if mark in text), "/")
    return text.replace("'", mark)


def _in_order(days: Any, accounts: list[str]) -> bool:
    """Say whether the days of each account rise or fall throughout."""
    coded = np.unique(np.array(accounts), return_inverse=True)[1]
    steps = [np.diff(days[coded == account]).astype(np.int64) for account in range(int(coded.max()) + 1)]
    return all((step >= 0).all() for step in steps) or all((step <= 0).all() for step in steps)


def _is_opening(record: _Record) -> bool:
    return lexicon.folded(record.fields.get("P", "")) in ("opening balance", "starting balance")


def _text(record: _Record) -> str:
    payee, memo = record.fields.get("P", ""), record.fields.get("M", "")
    whole = memo if memo.startswith(payee) else payee if payee.endswith(memo) else f"{payee} {memo}"
    return whole or record.fields.get("L", "") or record.fields.get("N", "")


def _code(record: _Record) -> str:
    """Return what the structure says: an opening balance, a transfer to another account, or the kind of payment in words."""
    way = "OUT" if (record.fields.get("T") or record.fields.get("U") or "").startswith(("-", "(")) else "IN"
    if _is_opening(record):
        return f"QIF OPENING {way}"
    number, category = record.fields.get("N", ""), record.fields.get("L", "")
    if category.startswith("["):
        return f"QIF TRANSFER {way}"
    return f"QIF {number.upper()}" if re.fullmatch(r"[A-Za-z]{3,12}", number) else ""
