"""PDF statements with text: words and where they stand become rows of cells, which are then read as any delimited file is.

A column is where amounts stand below each other; what says which way money went is a heading, a sign, or the running balance, never a
guess. What the statement prints as totals and balances is held against what was read.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import pyarrow as pa

from creditrisk import banks, cells
from creditrisk.errors import UnreadableFile
from creditrisk.formats import delimited
from creditrisk.formats.guard import extract
from creditrisk.settings import Intake
from creditrisk.statement import Found, Problem, Refused

TITLE = "PDF"
CORE = re.compile(
    r"(?P<sign>[(+−–-]?)[€£$]?[+−–-]?(?:[A-Z]{3})?[€£$]?\d{1,3}(?:[.,'’]?\d{3})*[.,]\d{2}\)?[+−–-]?(?:CR|DR|Cr|Dr|cr|dr|C|D|S|H)?"
)
BEFORE = re.compile(r"[(+−–-]|[€£$]|[+−–-][€£$]|[€£$][+−–-]")
AFTER = re.compile(r"[+−–-]|\)|CR|DR|Cr|Dr|cr|dr|C|D|S|H")
DAY = re.compile(r"(?P<a>\d{1,2})(?P<mark>[./-])(?P<b>\d{1,2})\.?")
DAY_MONTH = re.compile(
    r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[. -]?\s?(?P<b>[^\W\d_]{3,9})\.?|(?P<b2>[^\W\d_]{3,9})\.?\s?(?P<d2>\d{1,2})(?:st|nd|rd|th)?"
)
OUT = re.compile(
    r"(total|sum|gesamt|totaal|summe).*\b(debits?|withdrawals?|out|payments?|charges|belastungen|soll|debet|debits|af|lastschriften)\b"
)
INTO = re.compile(r"(total|sum|gesamt|totaal|summe).*\b(credits?|deposits?|in|receipts|gutschriften|haben|bij|paid in)\b")
MONEY_OUT = re.compile(r"^(money|paid|payments) out\b")
MONEY_IN = re.compile(r"^(money|paid|payments) in\b")
ACCOUNT = re.compile(
    r"(?:account|konto|a/c|acct|compte|cuenta|conto|rekening)[ -]?(?:number|no|nr|num|nummer|n°|#)?\.?\s*[:#]?\s*"
    r"((?:[\dX*•x][\dX*•x -]{3,30})?\d{3,})",
    re.IGNORECASE,
)
CARD = re.compile(r"minimum (payment|amount)|credit limit|credit card|kreditkarte|carte de credit|tarjeta de credito|carta di credito")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
MONEY_ROLES = ("debit", "credit", "amount", "balance")


@dataclass
class Word:
    """Some letters: where they begin and end, how large they are (points), and whether they can be seen."""

    text: str
    left: float
    right: float
    size: float
    seen: bool


@dataclass
class Money(Word):
    """An amount as printed."""

    value: Decimal = Decimal(0)
    mark: int = 0


@dataclass
class Line:
    """One printed line: `y` from the top of its page, `day` the first thing in it that is a date, `words` what is neither day nor money."""

    page: int
    y: float
    words: list[Word]
    money: list[Money] = field(default_factory=list)
    day: Word | None = None

    @property
    def text(self) -> str:
        """The words of the line that are neither its date nor amounts."""
        return " ".join(word.text for word in self.words)

    @property
    def whole(self) -> str:
        """The words of the line with its date."""
        return f"{self.day.text} {self.text}" if self.day else self.text


@dataclass
class Entry:
    """A transaction on its way: printed day, words, amounts by column."""

    line: Line
    day: str
    words: list[str]
    money: dict[int, Money]
    last_y: float


@dataclass
class Band:
    """A column of amounts."""

    left: float
    right: float
    role: str = ""
    n: int = 0


def recognises(content: bytes) -> str:
    """A PDF says so within its first kilobyte."""
    return "pdf" if b"%PDF-" in content[:1024] and not content.lstrip().startswith((b"<", b"{", b"From ")) else ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read a statement whose amounts stand in columns. Raises UnreadableFile or Refused."""
    pages = extract(file, content, "pages", max_rows=limits.max_rows)
    lines = _lines(pages)
    if not lines:
        raise UnreadableFile(file, "the PDF has no text, only pictures (a scan); ask the bank for the original PDF or a CSV export.")
    decimal = (profile.decimal if profile else None) or _decimal(lines)
    for line in lines:
        _tokenise(line, decimal)
    paper = _Paper(file, lines, profile, limits)
    found = paper.found()
    blank = [number for number, page in enumerate(pages, 1) if not page["words"]]
    if blank:
        said = f"{file}: page {', '.join(map(str, blank))} has no text; if it is a picture, its transactions are missing."
        found.doubts.append(Problem(None, None, None, said))
    return found


# --------------------------------------------------------------------------------------------------------- words and lines


def _lines(pages: Sequence[dict[str, Any]]) -> list[Line]:
    """Put words on one baseline into one line."""
    found: list[Line] = []
    for number, page in enumerate(pages, 1):
        for text, left, right, y, size, seen in page["words"]:
            if not found or found[-1].page != number or abs(found[-1].y - y) > max(0.25 * size, 0.8):
                found.append(Line(number, y, []))
            found[-1].words.append(Word(text, left, right, size, seen))
    for line in found:
        line.words.sort(key=lambda word: word.left)
    return found


def _decimal(lines: Sequence[Line]) -> str:
    texts = [word.text for line in lines for word in line.words if CORE.fullmatch(word.text)]
    return (cells.decimal_mark(pa.array(texts, pa.string())) if texts else None) or "."


def _tokenise(line: Line, decimal: str) -> None:
    """Take the amounts and the first date out of a line's words."""
    words: list[Word] = []
    for word in line.words:
        last = words[-1] if words else None
        gap = word.left - last.right if last else 0.0
        joined = None
        if last and gap < 1.3 * word.size:
            if CORE.fullmatch(word.text) and BEFORE.fullmatch(last.text):
                joined = last.text + word.text
            elif re.match(r"\d{3}(\D|$)", word.text) and re.fullmatch(r"[+−–-]?\d{1,3}( \d{3})*", last.text) and gap < 0.6 * word.size:
                joined = f"{last.text} {word.text}" if CORE.fullmatch(word.text) or re.fullmatch(r"\d{3}", word.text) else None
            elif AFTER.fullmatch(word.text) and CORE.fullmatch(last.text.replace(" ", "")):
                joined = last.text + word.text
        if (
            last
            and joined
            and (BEFORE.fullmatch(last.text) or _is_money(joined, decimal) or re.fullmatch(r"[+−–-]?\d{1,3}( \d{3})+", joined))
        ):
            words[-1] = Word(joined, last.left, word.right, word.size, last.seen and word.seen)
        else:
            words.append(word)
    start, count = _date_at(words, decimal)
    if count:
        part = words[start : start + count]
        line.day = Word(" ".join(word.text for word in part), part[0].left, part[-1].right, part[0].size, all(word.seen for word in part))
        words = words[:start] + words[start + count :]
        again, more = _date_at(words[start:], decimal)  # a value date beside it is nobody's words
        words = words[:start] + words[start + more :] if more and not again else words
    line.words = []
    for word in words:
        read_ = cells.amount(word.text, decimal) if _is_money(word.text, decimal) else None
        if read_ is None:
            line.words.append(word)
        else:
            line.money.append(Money(word.text, word.left, word.right, word.size, word.seen, *read_))


def _is_money(text: str, decimal: str) -> bool:
    return bool(CORE.fullmatch(text.replace(" ", ""))) and bool(re.search(rf"{re.escape(decimal)}\d\d(\D|$)", text))


def _date_at(words: Sequence[Word], decimal: str) -> tuple[int, int]:
    """Return where the first date of a line begins and how many words it has; no words for no date."""
    for start in range(min(len(words), 6)):
        for count in (4, 3, 2, 1):
            part = words[start : start + count]
            if len(part) == count and all(b.left - a.right < 1.2 * b.size for a, b in pairwise(part)):
                text = " ".join(word.text for word in part)
                if not _is_money(text, decimal) and (_is_day(text) or _is_short_day(text)):
                    return start, count
    return 0, 0


def _is_day(text: str) -> bool:
    return 5 < len(text) < 30 and any(cells.date_reader(form)(text) for form in cells.date_shapes(text) if re.search("[Yyb]", form))


def _is_short_day(text: str) -> bool:
    if found := DAY.fullmatch(text):
        first, second = int(found["a"]), int(found["b"])
        return 0 < min(first, second) <= 12 and max(first, second) <= 31
    found = DAY_MONTH.fullmatch(text)
    return bool(found) and (found["b"] or found["b2"]).lower() in cells.MONTH and 1 <= int(found["d"] or found["d2"]) <= 31  # type: ignore[index]


# ------------------------------------------------------------------------------------------------------------- a statement


class _Paper:
    """A printed statement on its way from lines to rows."""

    def __init__(self, file: str, lines: list[Line], profile: banks.Profile | None, limits: Intake):
        self.file, self.lines, self.profile, self.limits = file, lines, profile, limits
        self.notes: list[str] = []
        self.doubts: list[str] = []
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.totals: dict[str, Decimal] = {}
        self.bands: list[Band] = []
        self.sign = "as printed"

    def found(self) -> Found:
        """Return the transactions. Raises UnreadableFile or Refused."""
        aligned = self._aligned()
        self.bands = self._bands(aligned)
        self._headings()
        entries = self._entries(aligned)
        if not entries:
            raise UnreadableFile(self.file, "no line of the PDF reads as a transaction (a date, words, and an amount in a column).")
        self._structure(entries)
        self._check_seen(entries)
        self._signs(entries)
        days = self._days(entries)
        read_ = self._through_delimited(entries, days)
        return self._checked(read_)

    # where things stand

    def _aligned(self) -> list[Line]:
        """Return the lines that begin a transaction: their date stands where most dates beside an amount stand."""
        dated = [line for line in self.lines if line.day and line.money]
        if not dated:
            raise UnreadableFile(self.file, "no line of the PDF reads as a transaction (a date, words, and an amount in a column).")
        places = Counter(round(line.day.left / 6) for line in dated if line.day)
        place = max(places, key=lambda at: places[at - 1] + places[at] + places[at + 1]) * 6
        core = [line.day for line in dated if line.day and abs(line.day.left - place) <= 9]
        self.date_left, self.date_right = min(day.left for day in core), max(day.right for day in core)
        return [line for line in self.lines if line.day and line.day.left < self.date_right and line.day.right > self.date_left]

    def _bands(self, aligned: Sequence[Line]) -> list[Band]:
        """Find the columns of amounts: what overlaps from line to line."""
        first = {page: min(line.y for line in aligned if line.page == page) for page in {line.page for line in aligned}}
        last = {page: max(line.y for line in aligned if line.page == page) for page in first}
        inside = [line for line in self.lines if line.page in first and first[line.page] <= line.y <= last[line.page]]
        bands: list[Band] = []
        for money in sorted((money for line in inside for money in line.money), key=lambda money: money.left):
            if bands and money.left < bands[-1].right - 1:
                bands[-1].right = max(bands[-1].right, money.right)
                bands[-1].n += 1
            else:
                bands.append(Band(money.left, money.right, n=1))
        return bands

    def _band(self, money: Money) -> int | None:
        return next((place for place, band in enumerate(self.bands) if money.left < band.right and money.right > band.left), None)

    def _headings(self) -> None:
        """Give columns the role their heading names; columns in the middle of words are no columns."""
        for place, line in enumerate(self.lines):
            if line.money:
                continue
            near = [other for other in self.lines[max(0, place - 2) : place + 3] if other.page == line.page and abs(other.y - line.y) < 26]
            near = [other for other in near if not other.money]
            phrases = _phrases(line)
            named = {role for phrase in phrases for role in [_role(phrase.text)] if role}
            if not (named & set(MONEY_ROLES)) or not (named & {"date", "value_date", "text"} or len(named & set(MONEY_ROLES)) > 1):
                continue
            for phrase in _stacked(near):
                role = _role(phrase.text)
                if role in MONEY_ROLES and (band := self._nearest(phrase)) and not band.role:
                    band.role = role
            if any(band.role for band in self.bands):
                break
        rows = max((band.n for band in self.bands), default=0)
        strong = [band for band in self.bands if band.role or band.n >= max(2, 0.15 * rows)] or self.bands
        has_names = any(band.role for band in self.bands)  # where nothing is named, a column may be as rare as its payments
        self.bands = [band for band in self.bands if band in strong or (not has_names and band.left > strong[0].left)]

    def _nearest(self, phrase: Word) -> Band | None:
        def away(band: Band) -> float:
            if phrase.left < band.right and phrase.right > band.left:
                return 0.0
            return min(abs(phrase.left - band.right), abs(phrase.right - band.left))

        best = min(self.bands, key=lambda band: (away(band), abs(phrase.right - band.right)), default=None)
        return best if best and away(best) < 40 else None

    # transactions

    def _entries(self, aligned: Sequence[Line]) -> list[Entry]:
        """Follow the lines down the pages: a date begins a transaction, words below it continue it."""
        starts = {id(line) for line in aligned}
        entries: list[Entry] = []
        current: Entry | None = None
        page, filled = 0, 0
        edge = -1e9  # how far down the table is known to reach on this page
        for line in self.lines:
            if line.page != page:
                page, current, edge = line.page, None, -1e9
            reaches = line.y - edge < 4 * _size(line)
            money = {place: one for one in line.money if (place := self._band(one)) is not None}
            loose = [one.text for one in line.money if self._band(one) is None]
            label = banks.folded(line.text)
            if self._is_summary(line, label, money):
                current = None
                edge = line.y if money else edge
            elif id(line) in starts and line.day:
                current = Entry(line, line.day.text, [line.text, *loose], money, line.y)
                entries.append(current)
            elif current and money and not current.money and line.y - current.last_y < 3 * _size(line):
                current.money, current.last_y = money, line.y
                current.words += [line.text, *loose]
            elif entries and money and line.words and self._moves(money) and reaches:
                current = Entry(line, entries[-1].day, [line.text, *loose], money, line.y)
                entries.append(current)
                filled += 1
            elif current and line.words and not money and line.y - current.last_y < 2.4 * _size(line) and self._below(line):
                current.words.append(" ".join([line.whole, *loose]))
                current.last_y = line.y
            elif not line.money and any(_role(phrase.text) in MONEY_ROLES for phrase in _phrases(line)):
                edge = line.y
            edge = current.last_y if current else edge
        if filled:
            self.doubts.append(f"{filled} lines with an amount have no date of their own; they were taken to be of the day above them.")
        empty = [entry for entry in entries if not self._moves(entry.money)]
        if empty and (entries := [entry for entry in entries if self._moves(entry.money)]):
            where = ", ".join(f"{entry.day!r} on page {entry.line.page}" for entry in empty[:3])
            self.doubts.append(f"{len(empty)} lines with a date have no amount and were set aside ({where}).")
        return entries

    def _moves(self, money: dict[int, Money]) -> bool:
        return any(self.bands[place].role != "balance" for place in money)

    def _below(self, line: Line) -> bool:
        left = min((band.left for band in self.bands), default=1e9)
        return line.words[0].left >= self.date_left - 3 and line.words[0].left < left

    def _is_summary(self, line: Line, label: str, money: dict[int, Money]) -> bool:
        """Take note of a line that states a balance or a total."""
        if not line.money:
            return False
        values = [one.value for one in line.money]
        is_opening = bool(delimited.OPENING.search(label))
        is_closing = not is_opening and bool(delimited.CLOSING.search(label))
        moved = [place for place in money if self.bands[place].role in ("debit", "credit")]
        if (is_opening or is_closing) and len(values) == 1:
            if is_opening and self.opening is None:
                self.opening = values[0]
            elif is_closing:
                self.closing = values[0]
            return True
        if (is_opening or is_closing) and not line.day:
            return True
        for side, pattern, plain in (("out", OUT, MONEY_OUT), ("in", INTO, MONEY_IN)):
            if len(values) == 1 and not line.day and (pattern.search(label) or plain.search(label)):
                self.totals.setdefault(side, abs(values[0]))
                return True
        if re.match(r"(grand )?(sub)?totals?\b|summen?\b|totaal\b|gesamt", label) and not line.day:
            for place in moved if len(moved) == 2 else ():
                self.totals["out" if self.bands[place].role == "debit" else "in"] = abs(money[place].value)
            return True
        return False

    # what the columns mean

    def _structure(self, entries: list[Entry]) -> None:
        """Name the columns no heading names, where the rows leave no choice. Raises UnreadableFile where they do."""
        unknown = [band for band in self.bands if not band.role]
        if not unknown:
            return
        known = {band.role for band in self.bands}
        free = [role for role in MONEY_ROLES if role not in known]
        if len(self.bands) == 1:
            unknown[0].role = "amount"
            return
        fitting = []
        for roles in product(free, repeat=len(unknown)):
            every = [*roles, *known]
            if len(set(roles)) < len(roles) or ("amount" in every and ("debit" in every or "credit" in every)):
                continue
            for band, role in zip(unknown, roles, strict=True):
                band.role = role
            if self._chains(entries):
                fitting.append(roles)
        for band, role in zip(unknown, fitting[0] if len(fitting) == 1 else [""] * len(unknown), strict=True):
            band.role = role
        if len(fitting) != 1:
            raise UnreadableFile(
                self.file,
                f"amounts stand in {len(self.bands)} columns and neither headings nor running balances say which is money in, money out "
                "or the balance.",
                line=None,
            )

    def _chains(self, entries: Sequence[Entry]) -> bool:
        """Say whether the running balances follow from the amounts, under the roles the columns have now."""
        rows = []
        for entry in entries:
            by_role = {self.bands[place].role: one for place, one in entry.money.items()}
            if "balance" not in by_role or len(by_role) < 2:
                return False
            moved = [(role, one) for role, one in by_role.items() if role != "balance"]
            if len(moved) != 1:
                return False
            rows.append((moved[0][0], moved[0][1].value, by_role["balance"].value))
        for order in (rows, rows[::-1]):
            steps = [(after[0], after[1], after[2] - before[2]) for before, after in pairwise(order)]
            fits = {"debit": lambda value, step: step == -abs(value), "credit": lambda value, step: step == abs(value)}
            if steps and all(fits.get(role, lambda value, step: abs(step) == abs(value))(value, step) for role, value, step in steps):
                return True
        return False

    def _check_seen(self, entries: Sequence[Entry]) -> None:
        """Refuse rows written in white: what is printed is not what the text says."""
        hidden = [entry for entry in entries if not all(one.seen for one in entry.money.values())]
        if not hidden:
            return
        if len(hidden) < len(entries):
            entry = hidden[0]
            what = f"a transaction on page {entry.line.page} ({entry.day}) cannot be seen: its text is white or invisible."
            raise UnreadableFile(self.file, what, value=entry.day)
        self.notes.append("the text lies invisibly over the pages, as in a scan that was read by a machine; its figures may be misread.")

    def _signs(self, entries: list[Entry]) -> None:
        """Give amounts without a sign the one the running balance shows. Raises UnreadableFile where it shows none."""
        places = {band.role: place for place, band in enumerate(self.bands)}
        if "amount" not in places or {"debit", "credit"} & places.keys():
            return
        if "balance" not in places:
            self._as_card(entries, places["amount"])
            return
        moves = [entry.money.get(places["amount"]) for entry in entries]
        if any(one is not None and one.mark for one in moves):
            return
        after = [entry.money.get(places["balance"]) for entry in entries]
        values = [one.value if one else Decimal(0) for one in moves]
        balances = [one.value if one else None for one in after]
        for order in (1, -1):
            signs = _signed(values[::order], balances[::order], self.opening)
            if signs is not None:
                for one, sign in zip(moves[::order], signs, strict=True):
                    if one is not None:
                        one.value, one.mark = sign * one.value, sign
                self.sign = "from the running balance"
                return
        what = "the amounts have no sign, and the running balance does not say of every one whether it came in or went out."
        raise UnreadableFile(self.file, what)

    def _as_card(self, entries: Sequence[Entry], place: int) -> None:
        """Turn the sign on a credit card's statement, which prints what is owed: purchases plain, payments with a minus or CR."""
        given = self.profile.positive if self.profile else None
        if given or not any(CARD.search(banks.folded(line.whole)) for line in self.lines):
            return
        for entry in entries:
            one = entry.money[place]
            is_in = one.mark > 0 or one.text.strip("()")[:1] in cells.MINUS or one.text[-1:] in cells.MINUS or one.text.startswith("(")
            one.value, one.mark = (abs(one.value), 1) if is_in else (-abs(one.value), -1)
        self.opening = None if self.opening is None else -self.opening
        self.closing = None if self.closing is None else -self.closing
        self.sign = "a card: what is owed is printed plain"
        self.notes.append("this is read as a credit card's statement: plain amounts are money out, those with a minus or CR money in.")

    # days

    def _days(self, entries: Sequence[Entry]) -> list[str]:
        """Return the day of every entry as text; days without a year get the one that the statement's own dates allow."""
        texts = [entry.day for entry in entries]
        if all(map(_is_day, texts)):
            return texts
        if not all(_is_short_day(text) or _is_day(text) for text in texts):
            bad = next(text for text in texts if not _is_short_day(text))
            raise UnreadableFile(self.file, f"{bad!r} is not a date of the calendar.", value=bad)
        start, end = self._period(texts)
        orders = {order: [_placed(text, order, start, end) for text in texts] for order in ("dm", "md")}
        fitting = {order: days for order, days in orders.items() if None not in days}
        unlike = {tuple(days): order for order, days in fitting.items()}
        if len(unlike) > 1:
            inside = {days: order for days, order in unlike.items() if all(start <= day <= end for day in days if day)}
            ordered = {days: order for days, order in (inside or unlike).items() if _in_order([day for day in days if day])}
            unlike = inside if len(inside) == 1 else ordered if len(ordered) == 1 else unlike
        if self.profile and self.profile.date_format and len(unlike) > 1:
            wanted = "md" if self.profile.date_format.find("%m") < self.profile.date_format.find("%d") else "dm"
            unlike = {tuple(fitting[wanted]): wanted}
        if len(unlike) != 1:
            what = f"the days (for example {texts[0]!r}) have no year and can be read in more than one way"
            what = what if unlike else f"the days (for example {texts[0]!r}) do not fit the dates the statement names"
            raise UnreadableFile(
                self.file, f'{what}; a bank profile (--profile) with date_format = "%d/%m" or "%m/%d" decides.', value=texts[0]
            )
        return [day.isoformat() for day in next(iter(unlike)) if day]

    def _period(self, days: Sequence[str]) -> tuple[date, date]:
        """Return the first and last full date the statement names outside its rows. Raises UnreadableFile where it names none."""
        found = []
        for line in self.lines:
            text = line.whole
            for part in re.findall(
                r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.? [^\W\d_]{3,9}\.?,? \d{4}|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}", text
            ):
                forms = [form for form in cells.date_shapes(part) if cells.date_reader(form)(part)]
                forms = [form for form in forms if not form.startswith("%y")] or forms
                found += [day for form in forms[:2] if (day := cells.date_reader(form)(part)) and 1970 <= day.year <= 2100]
        if not found:
            raise UnreadableFile(self.file, f"the days (for example {days[0]!r}) have no year, and no date on the statement names one.")
        end = max(found)
        near = [day for day in found if end - day <= timedelta(400)]
        return (min(near) if min(near) < end else end - timedelta(62)), end

    # out of it

    def _through_delimited(self, entries: Sequence[Entry], days: Sequence[str]) -> Found:
        """Write the rows as delimited text and read that; what is said of a line is said of its page."""
        roles = [role for role in MONEY_ROLES if any(band.role == role for band in self.bands)]
        rows = ["\t".join(["Date", "Description", *(role.title() for role in roles)])]
        for entry, day in zip(entries, days, strict=True):
            by_role = {self.bands[place].role: one for place, one in entry.money.items()}
            money = [_printed(by_role[role]) if role in by_role else "" for role in roles]
            text = " ".join(" ".join(entry.words).replace('"', "'").split())
            rows.append("\t".join([day, text or "-", *money]))
        given = self.profile or banks.Profile(name="")
        form = given.date_format if given.date_format and "%y" in given.date_format.lower() else None
        declared = banks.Profile(
            name=given.name,
            encoding="utf-8",
            delimiter="\t",
            decimal=".",
            positive=given.positive,
            currency=given.currency,
            date_format=form,
        )
        try:
            found = delimited.read(self.file, ("\n".join(rows) + "\n").encode(), declared, self.limits)
        except Refused as refused:
            raise Refused([self._on_page(problem, entries) for problem in refused.problems]) from refused
        except UnreadableFile as error:
            raise UnreadableFile(self.file, error.what, column=error.column, value=error.value) from error
        account, currency = self._account(), given.currency or self._currency()
        n = found.rows.num_rows
        table = found.rows.set_column(0, "account", pa.array([account] * n, pa.string()))
        table = table.set_column(1, "currency", pa.array([currency] * n, pa.string()))
        table = table.set_column(7, "line", pa.array(range(1, n + 1), pa.int32())).cast(found.rows.schema)
        kept = {key: value for key, value in found.dialect.items() if key in ("date_format", "set_aside")}
        columns = {band.role: [round(band.left), round(band.right)] for band in self.bands}
        dialect = {**kept, "columns": columns, "sign": self.sign, "line": "transaction", "profile": given.name or None}
        stated = {account: (self.opening, self.closing)} if (self.opening, self.closing) != (None, None) else {}
        return replace(found, rows=table, dialect=dialect, stated=stated, count=len(entries))

    def _on_page(self, problem: Problem, entries: Sequence[Entry]) -> Problem:
        if problem.line is None or not 2 <= problem.line <= len(entries) + 1:
            return problem
        page = entries[problem.line - 2].line.page
        return replace(problem, line=None, message=problem.message.replace(f", line {problem.line}:", f", page {page}:", 1))

    def _checked(self, found: Found) -> Found:
        """Hold the printed totals and balances against the rows."""
        amounts = found.rows["amount"].to_pylist()
        sums = {"in": sum((one for one in amounts if one > 0), Decimal(0)), "out": -sum((one for one in amounts if one < 0), Decimal(0))}
        wrong = [
            f"the statement prints {total} as its total of money {side}, and the transactions read come to {sums[side]:.2f}."
            for side, total in self.totals.items()
            if total != sums[side]
        ]
        balanced = None not in (self.opening, self.closing) and self.opening + sum(amounts, Decimal(0)) == self.closing  # type: ignore[operator]
        if None not in (self.opening, self.closing) and not balanced:
            wrong.append(f"the statement goes from {self.opening} to {self.closing}, and the transactions read come to {sum(amounts):.2f}.")
        doubts = self.doubts
        if not balanced and not (len(self.totals) == 2 and not wrong):
            doubts = [*doubts, "neither balances nor totals on the statement confirm that every transaction was read."]
        if balanced or (len(self.totals) == 2 and not wrong):
            found = replace(found, doubts=[])
        problems = [Problem(None, None, None, f"{self.file}: {sentence}") for sentence in (*self.notes, *wrong)]
        return replace(
            found,
            notes=found.notes + problems,
            doubts=found.doubts + [Problem(None, None, None, f"{self.file}: {said}") for said in doubts],
        )

    def _account(self) -> str:
        for line in self.lines:
            text = line.whole
            if found := IBAN.search(text):
                return found[0].replace(" ", "")
        for line in self.lines:
            if found := ACCOUNT.search(line.text):
                return re.sub(r"[ -]", "", re.sub(r"^\d\d-\d\d-\d\d\s+", "", found[1]))
        return ""

    def _currency(self) -> str:
        glued = {cells.glued_currency(one.text) for line in self.lines for one in line.money} - {"", "$", "¥"}
        if len(glued) == 1:
            return glued.pop()
        words = Counter(word for line in self.lines for word in re.findall(r"\b[A-Z]{3}\b", line.text) if word in cells.CURRENCIES)
        if words:
            return words.most_common(1)[0][0] if len(words) == 1 else ""
        signs = {cells.SYMBOLS[sign] for line in self.lines for sign in "€£" if sign in line.text}
        return signs.pop() if len(signs) == 1 else ""


def _printed(one: Money) -> str:
    return f"{'+' if one.mark > 0 else ''}{one.value:f}"


def _size(line: Line) -> float:
    return max((word.size for word in [*line.words, *line.money]), default=10.0)


def _role(text: str) -> str | None:
    return banks.means(text)


def _phrases(line: Line) -> list[Word]:
    """Join the words of a line that stand close."""
    found: list[Word] = []
    for word in line.words:
        if found and word.left - found[-1].right < 0.8 * word.size:
            found[-1] = Word(f"{found[-1].text} {word.text}", found[-1].left, word.right, word.size, True)
        else:
            found.append(replace(word))
    return found


def _stacked(lines: Iterable[Line]) -> list[Word]:
    """Return the phrases of a heading, alone and joined with the one that stands right below."""
    every = [_phrases(line) for line in lines]
    joined = [
        Word(f"{above.text} {below.text}", min(above.left, below.left), max(above.right, below.right), above.size, True)
        for first, second in pairwise(every)
        for above in first
        for below in second
        if above.left < below.right and above.right > below.left
    ]
    return [*joined, *(phrase for phrases in every for phrase in phrases)]


def _signed(values: Sequence[Decimal], balances: Sequence[Decimal | None], opening: Decimal | None) -> list[int] | None:
    """Find the only signs under which every printed balance follows from the one before; None where there are none or several.

    >>> _signed([Decimal(5), Decimal(2), Decimal(1)], [Decimal(15), None, Decimal(14)], Decimal(10))
    [1, -1, 1]
    """
    signs: list[int] = []
    known, open_ = opening, []
    for value, balance in zip(values, balances, strict=True):
        open_.append(value)
        if balance is None:
            continue
        if known is None or len(open_) > 12:
            return None
        fitting = [signed for signed in product((1, -1), repeat=len(open_)) if _dot(signed, open_) == balance - known]
        fitting = [signed for signed in fitting if all(sign == 1 or value for sign, value in zip(signed, open_, strict=True))]
        if len(fitting) != 1:
            return None
        signs += fitting[0]
        known, open_ = balance, []
    return None if open_ else signs


def _dot(signs: Sequence[int], values: Sequence[Decimal]) -> Decimal:
    return sum((sign * value for sign, value in zip(signs, values, strict=True)), Decimal(0))


def _placed(text: str, order: str, start: date, end: date) -> date | None:
    """Give a day without a year the year in which it lies in the statement's time, or nearest before its end."""
    if _is_day(text):
        return next((day for form in cells.date_shapes(text) if (day := cells.date_reader(form)(text))), None)
    if found := DAY.fullmatch(text):
        number, month = (int(found["a"]), int(found["b"])) if order == "dm" else (int(found["b"]), int(found["a"]))
    elif found := DAY_MONTH.fullmatch(text):
        number, month = int(found["d"] or found["d2"]), cells.MONTH[(found["b"] or found["b2"]).lower()]
    else:
        return None
    for year in (end.year, end.year - 1, end.year + 1):
        try:
            placed = date(year, month, number)
        except ValueError:
            continue
        if start - timedelta(35) <= placed <= end + timedelta(10):
            return placed
    return None


def _in_order(days: Sequence[date]) -> bool:
    return all(a <= b for a, b in pairwise(days)) or all(a >= b for a, b in pairwise(days))
