"""SWIFT MT940 statements and MT942 interim reports: `:61:` movements, each with the `:86:` that follows, between two balances.

Written for what banks send rather than for the rule book: any header, any envelope, either decimal mark, entry dates left blank.
A statement without its closing balance is cut off, and a line that cannot be read refuses the file.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from creditrisk import banks
from creditrisk.errors import UnreadableFile
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Refused, Stated, merged

TITLE = "MT940"
SHOWN = 50  # problems listed of one file

TAG = re.compile(r"[\s\x01\x03\ufeff]*:(13[CD]?|20|21|25P?|28C?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS):")
BEGINS = re.compile(rb"^[ \t\x01]*(?:\{4:)?:(20|25P?|28C?|34F|60[FM]|61|62[FM]|64|86|NS):|^\{1:[A-Z]\d\d", re.MULTILINE)
REPORT = re.compile(rb"^[ \t]*:(34F|13D|90[CD]):", re.MULTILINE)
BALANCE = re.compile(r"(?P<side>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})?(?P<amount>\d[\d.,]*)")
MOVEMENT = re.compile(
    r"\s*(?P<value>\d{6})(?P<entry>\d{4}| {4})? *(?P<mark>R?[CD]|E[CD])[A-Z]? *(?P<amount>[\d.,]+)"
    r" *(?P<type>(?!NONREF)[NFS][A-Z0-9 ]{3})?(?P<reference>.*)"
)
TOTALS = re.compile(r"(?P<count>\d{0,5})(?P<currency>[A-Z]{3})(?P<amount>\d[\d.,]*|,\d+)")
END = re.compile(r"\s*-[X\x03]*")
STRUCTURED = re.compile(r"(?P<gvc>\d{3})?(?P<mark>[?>~<^|@])\d\d")
CLOCK = re.compile(r":[0-5]\d:[0-5]\d(?:\D|$)")
CUT = re.compile(r":62[FM]:[CD]\d{6}[A-Z]{0,3}\d+(?:[.,]\d?)?\Z")
BEGUN = re.compile(r"[\r\n](:\d{0,2}[A-Z]?|\{[1-4]?)\Z")
WRAPPED = frozenset({"61", "86", "NS", "25"})
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
WIDTH, PART = 60, 27  # lines and `?20` parts this long were wrapped by the bank in the middle of a word


@dataclass(frozen=True)
class _Field:
    """One field: its tag, '{' for an envelope or '-' for the end of a message; `line` is that of the tag."""

    tag: str
    line: int
    lines: list[str]

    @property
    def value(self) -> str:
        return self.lines[0].strip() if self.lines else ""


@dataclass
class _Row:
    line: int
    booked_on: date
    mark: str
    amount: str
    type: str
    reference: str
    extra: list[str]
    words: list[str] = field(default_factory=list)
    coded: list[str] = field(default_factory=list)
    length: int = 0


@dataclass
class _Statement:
    """One message; `ended` says that its end was marked, `report` that it is an interim report (MT942)."""

    line: int
    account: str = ""
    currency: str = ""
    opening: Decimal | None = None
    opened_on: date | None = None
    closing: Decimal | None = None
    is_last_page: bool = True
    report: bool = False
    ended: bool = False
    rows: list[_Row] = field(default_factory=list)
    totals: dict[str, tuple[int, int, Decimal]] = field(default_factory=dict)


def recognises(content: bytes) -> str:
    """Return 'mt940' or 'mt942' where a SWIFT field stands at the start of one of the first lines."""
    start = content[:8192]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = content = start.decode("utf-16", errors="replace").encode()
    if b"@@:" in start:
        start = content = _unfolded(content.decode("latin-1")).encode("latin-1")
    lines = re.split(rb"\r\n|\n|\r", start.removeprefix(b"\xef\xbb\xbf"))
    if not BEGINS.search(b"\n".join(lines[:25])):
        return ""
    if re.search(rb"\{2:[IO]942", start):
        return "mt942"
    return "mt942" if REPORT.search(content) and not re.search(rb":6[02][FM]:", content) else "mt940"


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every statement of a file; raises UnreadableFile or Refused where one of them is not whole."""
    text, encoding = banks.decode(file, content, profile.encoding if profile else None)
    if "\x00" in text:
        raise UnreadableFile(file, "this is a binary file (it contains NUL characters), not text.")
    folded, text = text, _unfolded(text)
    reader = _Reader(file, limits, profile.currency if profile else None, CUT.search(text) is not None)
    if begun := BEGUN.search(text):
        what = f"the file ends in {begun[1]!r}, the beginning of a field: it is cut off."
        raise UnreadableFile(file, what, line=len(re.split(r"\r\n|\n|\r", text)), value=begun[1])
    for part in _fields(file, text, limits.max_field_length):
        reader.take(part)
    found = reader.found(len(re.findall(r":61:(?=\s*\d{6})", text)))
    found.dialect.update({"encoding": encoding} if text is folded else {"line_end": "@@"})
    return found


def _unfolded(text: str) -> str:
    """Give a file its lines where "@@" stands for the end of each, as in messages that were passed on through German systems."""
    return re.sub(r"@@\s*(?=\S)", "\n", text) if "@@:" in text and not re.search(r"[\r\n]:\d\d", text) else text


def _fields(file: str, text: str, longest: int) -> Iterator[_Field]:
    """Cut a file into fields; what stands before the first and after the end of a message is a bank's own header."""
    here: _Field | None = None
    size = 0
    for number, line in _lines(file, text, longest):
        mark = "{" if line.startswith("{1:") else "-" if line.startswith("-}") or END.fullmatch(line) else ""
        tag = TAG.match(line)
        if tag and here and here.tag in ("86", "61") and _is_clock(here.lines[-1], line):
            tag = None
        if here and (mark or tag):
            yield here
            here = None
        if mark:
            yield _Field(mark, number, [line])
        elif tag:
            here = _Field(tag[1], number, [line[tag.end() :]])
            size = len(line)
        elif here and here.tag in WRAPPED:
            here.lines.append(line)
            size += len(line)
            if size > longest:
                raise UnreadableFile(file, f"the field :{here.tag}: is longer than {longest} characters.", line=here.line)
    if here:
        yield here


def _lines(file: str, text: str, longest: int) -> Iterator[tuple[int, str]]:
    """Return the lines with their numbers; one in which a message ends or begins comes in parts."""
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if not line:
            continue
        if len(line) > longest:
            raise UnreadableFile(file, f"the line is longer than {longest} characters.", line=number)
        if "{" in line or "-}" in line:
            yield from ((number, part) for part in re.split(r"(?=-\})|(?=\{1:)|(?<=\{4:)", line) if part)
        else:
            yield number, line.rstrip("\x03 \t")


def _is_clock(before: str, line: str) -> bool:
    """Say whether a line that looks like a field is the rest of a time that was wrapped: '…T13' and ':20:11'."""
    return bool(CLOCK.match(line)) and bool(re.search(r"(?:^|[T \-])\d\d$", before))


class _Reader:
    """Takes the fields of a file one by one and holds what they add up to."""

    def __init__(self, file: str, limits: Intake, currency: str | None, ends_open: bool):
        self.file, self.limits, self.currency, self.ends_open = file, limits, currency, ends_open
        self.moves = Movements(file, max_amount=limits.max_amount)
        self.statements: list[_Statement] = []
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.doubts: list[Problem] = []
        self.now: _Statement | None = None
        self.row: _Row | None = None
        self.expected = 0
        self.envelope: _Field | None = None
        self.ends = 0
        self.report = False

    def problem(self, line: int, value: str | None, what: str) -> None:
        """Note why the file is refused."""
        self.problems.append(Problem(line, None, value, f"{self.file}, line {line}: {what}"))
        if len(self.problems) == SHOWN:
            raise Refused(self.problems)

    def note(self, line: int, what: str) -> None:
        """Note what an analyst must know of a file that is read."""
        self.notes.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))

    def take(self, part: _Field) -> None:
        """Take the next field of the file."""
        if part.tag in ("20", "{"):
            self._next(part)
        elif part.tag == "-":
            self.row = self.envelope = None
            self.ends += 1
            if self.now:
                self.now.ended = True
        elif part.tag == "61":
            self._movement(part)
        elif part.tag in ("86", "NS"):
            self._describe(part)
        elif part.tag.startswith("25"):
            self._account(part)
        elif part.tag in ("60F", "60M", "62F", "62M"):
            self._balance(part)
        elif part.tag in ("34F", "13D", "90C", "90D"):
            self._report(part)
        elif part.tag in ("64", "65"):
            self.row = None

    def _next(self, part: _Field) -> None:
        self.row = None
        if part.tag == "{":
            self.now, self.envelope = None, part
            self.report = bool(re.search(r"\{2:[IO]942", part.value))
            return
        self.now = _Statement(part.line, report=self.report)
        self.statements.append(self.now)

    def _open(self, part: _Field) -> _Statement:
        """Return the statement a field belongs to; fields without a `:20:` begin one of their own."""
        if self.now is None:
            self.now = _Statement(part.line, report=self.report)
            self.statements.append(self.now)
        return self.now

    def _account(self, part: _Field) -> None:
        statement = self._open(part)
        if not statement.account and not statement.rows:
            statement.account = part.value
        elif self.row:
            self.note(
                part.line, f"a second account number ({part.value[:20]!r}) follows a movement; it is taken as the movement's description."
            )
            self.row.words.extend(part.lines)

    def _balance(self, part: _Field) -> None:
        self.row = None
        found = BALANCE.fullmatch(re.sub(r"\s", "", part.value))
        amount = money(found["amount"], found["currency"] or "") if found else None
        day = _calendar(found["day"]) if found else None
        if found is None or amount is None:
            self.problem(part.line, part.value, f"the balance {part.value!r} of :{part.tag}: cannot be read.")
            return
        signed = amount if found["side"] == "C" else -amount
        statement = self._open(part)
        if part.tag.startswith("60"):
            if statement.opening is not None and statement.closing is None:
                self.problem(part.line, part.value, "a second opening balance follows without a closing one before it.")
            elif statement.closing is not None:  # the next page, without a :20: of its own
                self.now = _Statement(part.line, statement.account)
                self.statements.append(self.now)
                statement = self.now
            statement.opening, statement.opened_on = signed, day
        else:
            statement.closing, statement.is_last_page = signed, part.tag == "62F"
        if found["currency"] and statement.currency and statement.currency != found["currency"]:
            self.problem(part.line, found["currency"], f"the balances are in {statement.currency} and in {found['currency']}.")
        statement.currency = statement.currency or found["currency"] or ""

    def _report(self, part: _Field) -> None:
        statement = self._open(part)
        statement.report, self.row = True, None
        if part.tag == "34F":
            statement.currency = statement.currency or part.value[:3]
        if part.tag.startswith("90") and (found := TOTALS.fullmatch(part.value)):
            amount = money(found["amount"], found["currency"])
            statement.totals[part.tag[-1]] = (part.line, int(found["count"] or 0), amount or Decimal(0))
            statement.currency = statement.currency or found["currency"]

    def _movement(self, part: _Field) -> None:
        statement = self._open(part)
        found, used = MOVEMENT.fullmatch(part.lines[0]), 1
        if found is None and len(part.lines) > 1:
            found, used = MOVEMENT.fullmatch(part.lines[0] + part.lines[1]), 2
        self.row = None
        if found is None or _is_garbled(found):
            self.problem(part.line, part.value, f"the movement {part.value!r} cannot be read as date, C or D, and amount.")
            return
        booked_on = booked(found["value"], (found["entry"] or "").strip())
        if booked_on is None:
            dates = found["value"] + (found["entry"] or "")
            self.problem(part.line, dates.strip(), f"{dates.strip()!r} of :61: is not a day of the calendar.")
            return
        if found["mark"].startswith("E"):
            self.expected += 1  # announced, not booked
            return
        statement.ended = statement.ended and statement.closing is not None
        if statement.closing is not None:
            self.note(part.line, "a movement stands after the closing balance of its statement.")
        self.row = _Row(
            part.line,
            booked_on,
            found["mark"],
            found["amount"],
            (found["type"] or "").strip(),
            found["reference"].strip(),
            part.lines[used:],
        )
        statement.rows.append(self.row)

    def _describe(self, part: _Field) -> None:
        if self.row:
            (self.row.coded if part.tag == "NS" else self.row.words).extend(part.lines)
            self.row.length += sum(map(len, part.lines))
            if self.row.length > self.limits.max_field_length:
                what = f"the description is longer than {self.limits.max_field_length} characters."
                raise UnreadableFile(self.file, what, line=self.row.line)

    # what they add up to

    def found(self, count: int) -> Found:
        """Check every statement and return what is in the file."""
        if self.envelope and (self.now is None or self.ends):
            self.problem(self.envelope.line, None, "the message that begins here has no end (-}): the file is cut off.")
        sound = not self.problems  # what could not be read is also missing; that is said once
        for statement in self.statements:
            if sound:
                self._check_whole(statement)
            self._add(statement)
        if not self.statements:
            raise UnreadableFile(self.file, "there is a message and no statement in it.")
        if self.problems:
            raise Refused(sorted(self.problems, key=lambda problem: problem.line or 0))
        if any(statement.report and statement.opening is None and statement.closing is None for statement in self.statements):
            self.note(self.statements[0].line, "an interim report (MT942) states no balances, so nothing confirms its movements.")
        dialect: dict[str, Any] = {"statements": len(self.statements)}
        return Found(self.moves.table(), dialect, self.notes, self.doubts, self._stated(), count, self.expected)

    def _check_whole(self, statement: _Statement) -> None:
        """Refuse a statement that is cut off; note what is missing of one that is not."""
        if statement.report and statement.opening is None and statement.closing is None:
            if not statement.ended and not statement.totals:
                self.problem(statement.line, None, "the interim report has neither totals (:90D:, :90C:) nor an end: the file is cut off.")
        elif statement.opening is None and statement.closing is None:
            what = "this is a fragment of a statement: it has neither an opening balance (:60F:) nor a closing one (:62F:)."
            self.problem(statement.line, None, what)
        elif statement.closing is None and not statement.ended:
            self.problem(statement.line, None, "the statement has no closing balance (:62F: or :62M:): the file is cut off.")
        elif statement.closing is None:
            self.note(statement.line, "the statement has no closing balance (:62F: or :62M:), so nothing confirms its movements.")
        elif statement.opening is None:
            self.note(statement.line, "the statement has no opening balance (:60F: or :60M:), so nothing confirms its movements.")

    def _add(self, statement: _Statement) -> None:
        """Take the movements of one statement, with its account and currency."""
        statement.currency = statement.currency or self.currency or ""
        statement.account = _number(statement.account, statement.currency)
        total = Decimal(0)
        sums = {"C": (0, Decimal(0)), "D": (0, Decimal(0))}
        for row in statement.rows:
            amount = money(row.amount, statement.currency)
            if amount is None:
                self.problem(row.line, row.amount, f"the amount {row.amount!r} cannot be read.")
                continue
            out = row.mark in ("D", "RC")  # a reversed credit leaves the account, a reversed debit comes back
            side = "D" if out else "C"
            sums[side] = (sums[side][0] + 1, sums[side][1] + amount)
            signed = -amount if out else amount
            total += signed
            self.moves.add(
                account=statement.account, currency=statement.currency, booked_on=row.booked_on, amount=signed,
                text=_text(row), code=_code(row), line=row.line,
            )  # fmt: skip
        for side, (line, count, amount) in statement.totals.items():
            if (count, amount) != sums[side]:
                self.note(line, f"the report counts {count} movements of {amount} where {sums[side][0]} of {sums[side][1]} are listed.")
        if statement.opening is not None and statement.closing is not None and statement.opening + total != statement.closing:
            what = f"{statement.opening} and the movements of {total} do not make the closing balance of {statement.closing}."
            self.doubts.append(Problem(statement.line, None, None, f"{self.file}, line {statement.line}: the opening balance of {what}"))
            if self.ends_open and statement is self.statements[-1]:
                self.problem(
                    statement.line,
                    str(statement.closing),
                    f"the file ends within its closing balance of {statement.closing}: it is cut off.",
                )

    def _stated(self) -> Stated:
        """Return the balances of every account that is kept in one currency; say where its statements do not follow each other."""
        stated: Stated = {}
        accounts: dict[str, list[_Statement]] = defaultdict(list)
        for statement in self.statements:
            accounts[statement.account].append(statement)
        for account, pages in accounts.items():
            if len({page.currency for page in pages}) > 1:
                continue
            if all(page.opened_on for page in pages):
                pages.sort(key=lambda page: page.opened_on or date.min)
            for before, page in pairwise(pages):
                if None not in (before.closing, page.opening) and before.closing != page.opening:
                    what = f"the statement opens with {page.opening} and the one before it closed with {before.closing}: one is missing."
                    self.doubts.append(Problem(page.line, None, None, f"{self.file}, line {page.line}: {what}"))
            for page in pages:
                merged(stated, account, page.opening, page.closing)
            if not pages[-1].is_last_page:
                self.note(pages[-1].line, "the last page closes with an intermediate balance (:62M:); another one follows it.")
        return stated


def money(text: str, currency: str = "") -> Decimal | None:
    """Read an amount without a sign: comma or point, no or some decimals; None for anything else or more than one reading.

    >>> money("9,"), money("1.234,50"), money("12.50"), money("1.234"), money("1.234", "KWD")
    (Decimal('9'), Decimal('1234.50'), Decimal('12.50'), None, Decimal('1.234'))
    """
    if re.fullmatch(r"0*\d{1,15}(?:,\d*|\.\d{0,2})?|,\d+", text):
        return Decimal(text.replace(",", "."))
    if re.fullmatch(r"\d{1,15}\.\d{3}", text):
        return Decimal(text) if currency in THREE_DECIMALS else None
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+,\d*", text):
        return Decimal(text.replace(".", "").replace(",", "."))
    return Decimal(text.replace(",", "")) if re.fullmatch(r"\d{1,3}(?:,\d{3})+\.\d*", text) else None


def _is_garbled(movement: re.Match[str]) -> bool:
    """Say whether letters stand in an amount: '1E400' and '5O,00', but not '500NTRF' of a bank that leaves out ',00'."""
    return not re.search(r"[.,]", movement["amount"]) and not movement["type"] and bool(movement["reference"].strip())


def _calendar(text: str) -> date | None:
    year = 1900 + int(text[:2]) + (100 if int(text[:2]) < 69 else 0)
    try:
        return date(year, int(text[2:4]), int(text[4:]))
    except ValueError:
        return None


@lru_cache(8192)
def booked(value: str, entry: str = "") -> date | None:
    """Return the entry date (MMDD) with the year that brings it nearest to the value date (YYMMDD), else the value date.

    The value date may be the 30 February of a year of twelve equal months, but only where the entry date is there to say the day.

    >>> booked("250102", "1231"), booked("240230", "0301"), booked("240230"), booked("240105")
    (datetime.date(2024, 12, 31), datetime.date(2024, 3, 1), None, datetime.date(2024, 1, 5))
    """
    day = _calendar(value)
    if not entry:
        return day
    near = day or (_calendar(value[:4] + "28") if value[2:] in ("0229", "0230") else None)
    if near is None:
        return None
    years = [_calendar(f"{year % 100:02}{entry}") for year in (near.year - 1, near.year, near.year + 1)]
    return min((found for found in years if found), key=lambda found: abs(found - near), default=None)


def _number(account: str, currency: str) -> str:
    """Return an account number without the currency that some banks put behind it."""
    return re.sub(rf"[/ ]?{currency}$", "", account).strip() if currency else account


def _code(row: _Row) -> str:
    structured = STRUCTURED.match(row.words[0].lstrip()) if row.words else None
    parts = [f"SWIFT {row.type}"] if len(row.type) > 1 else []
    if structured and structured["gvc"] and structured["gvc"] != "000":
        parts.append(f"GVC {structured['gvc']}")
    if row.mark.startswith("R"):
        parts.append("RVSL")
    return " ".join(parts)


def _text(row: _Row) -> str:
    """Return what a movement says of itself; the bank's own reference only where it says nothing else."""
    words = _structured(row.words) if row.words and STRUCTURED.match(row.words[0].lstrip()) else _joined(row.words)
    said = " ".join(part for part in (words, _coded(row.coded)) if part)
    name = re.search(r"\s{3,}(\S.*)", row.reference)  # some banks put the other side behind the reference
    for more in (name[1] if name else "", " ".join(line.strip() for line in row.extra if line.strip())):
        if more not in said:
            said = f"{said} {more}".strip()
    return said or row.reference.partition("//")[0].replace("NONREF", "").strip()


def _joined(lines: list[str]) -> str:
    """Join wrapped lines: a full one was cut in the middle of a word, a short one was not."""
    said = ""
    for line in lines:
        said += line if len(line) >= WIDTH else f"{line} "
    return said.strip()


def _structured(lines: list[str]) -> str:
    """Return posting text, name and purpose of a description in numbered parts ('166?00GUTSCHRIFT?20EREF+1?32NAME')."""
    whole = _joined(lines)
    mark = STRUCTURED.match(whole.lstrip())
    parts = re.split(rf"{re.escape(mark['mark'] if mark else '?')}(\d\d)", whole)[1:]
    said: dict[str, str] = defaultdict(str)
    for number, part in zip(parts[::2], parts[1::2], strict=True):
        kind = "0" if number == "00" else "1" if number in ("32", "33") else "2" if number[0] in "26" else ""
        said[kind] += part if len(part) >= PART else f"{part} "
    return " ".join(said[kind].strip() for kind in "012" if said[kind].strip())


def _coded(lines: list[str]) -> str:
    """Return posting text, name and purpose of a `:NS:` field, whose lines begin with the number of their part."""
    if not lines:
        return ""
    found = [(line[:2], line[2:].strip()) for line in lines if re.match(r"\d\d", line)]
    order = ("17", "15", "16", *(f"{number:02}" for number in range(1, 15)))
    return " ".join(text for wanted in order for number, text in found if number == wanted and text)
