"""OFX and QFX, version 1 (SGML) and 2 (XML), bank and card statements: one thin reader of tags for both.

Amounts keep the bank's sign, days are those printed whatever zone stands behind them, and a statement whose tags do not close is
cut off and refused.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk import banks, cells, charset, dates, lexicon
from creditrisk.errors import UnreadableFile
from creditrisk.settings import Intake
from creditrisk.statement import ROWS, Found, Problem, Refused, Stated, merged

TITLE = "OFX"
BEGINNING = re.compile(r"\s*(OFXHEADER\s*:|<\?OFX\b|<OFX\b)", re.IGNORECASE)
WITHIN = re.compile(r"(?:^|>)\s*(OFXHEADER\s*:\s*\d|<\?OFX\b|<(?:\w+:)?OFX\b[^<>]*>)", re.IGNORECASE | re.MULTILINE)
ODD_TAG = re.compile(r"<(?!/?[A-Z][A-Z0-9.]*>)")
ANY_TAG = re.compile(r"<(/?)(?:[A-Za-z]\w*:)?([A-Za-z][\w.]*)(?:\s[^<>]*?)?\s*(/?)>")
ESCAPED = re.compile(r"&(?:amp;)?(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,6})|#[xX]([0-9A-Fa-f]{1,5}));")
ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " "}
BOUNDS = re.compile(r"<(/?)(OFX|STMTRS|CCSTMTRS|INVSTMTRS|BANKTRANLISTP?)>")
FIELD = re.compile(r"<([A-Z][A-Z0-9.]*)>([^<]*)")
DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")
MILS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])  # currencies of three decimals
CENTS = re.compile(r"[+-]?\d+(?:[.,]\d{1,2})?")
BALANCE = re.compile(
    r"s a l d o|saldo( (total|anterior|inicial|final|atual|dispon\w*|bloqueado|em|conta|corrente|do|no|dia|periodo))*"
    r"|(opening|closing|previous|starting) balance"
)
OUT = frozenset(["DEBIT", "PAYMENT", "CHECK", "ATM", "POS", "FEE", "SRVCHG", "DIRECTDEBIT", "CASH", "REPEATPMT"])
SHOWN = 50


@dataclass
class _Statement:
    """One STMTRS: what stands outside its transactions, and their fields with the place in the text where each begins."""

    kind: str
    head: dict[str, str]
    booked: list[dict[str, str]]
    places: list[int]
    n_pending: int


def recognises(content: bytes) -> str:
    """Know OFX by its header, or by its root where the header is missing or something stands before it."""
    start = charset.opening_words(content)
    if BEGINNING.match(start) or (WITHIN.search(start) and not re.match(r"\s*(<!doctype html|<html|[\[{])", start, re.IGNORECASE)):
        return "ofx"
    return ""


def read(file: str, content: bytes, profile: banks.Profile | None, limits: Intake) -> Found:
    """Read every statement of the file. Raises UnreadableFile or Refused."""
    text, encoding = _decoded(file, content, profile)
    plain = _plain(file, text, limits.max_depth)
    ends = _line_ends(plain)
    statements = list(_statements(file, plain, ends))
    if not statements:
        raise UnreadableFile(file, f"there is no bank or card statement in the file{_status(plain)}.")
    if not any(statement.booked or statement.n_pending for statement in statements):
        if any(statement.kind == "INVSTMTRS" for statement in statements):
            raise UnreadableFile(file, "this is an investment statement: it holds securities and no bank or card transaction.")
        raise UnreadableFile(file, "the statement holds no transaction.")
    reader = _Reader(file, ends, limits, profile)
    tables = [reader.table(statement) for statement in statements]
    if reader.problems:
        raise Refused(reader.problems)
    rows = pa.concat_tables(tables).combine_chunks()
    longest = max((pc.max(pc.utf8_length(rows[name])).as_py() or 0 for name in ("text", "account", "code")), default=0)
    if longest > limits.max_field_length:
        raise UnreadableFile(file, f"a value is {longest} characters long, more than the {limits.max_field_length} allowed.")
    dialect = {
        "encoding": encoding,
        "version": _version(text),
        "statements": [{"kind": one.kind, "account": _account(one), "transactions": len(one.booked)} for one in statements[:SHOWN]],
    }
    if len(pc.unique(rows["line"])) < rows.num_rows:  # several to a line: the line says nothing
        rows = rows.set_column(rows.schema.get_field_index("line"), ROWS.field("line"), pa.array(np.arange(rows.num_rows) + 1, pa.int32()))
        dialect["line"] = "transaction"
    pending = sum(statement.n_pending for statement in statements)
    count = plain.count("<STMTTRN>") + plain.count("<STMTTRNP>")
    return Found(rows, dialect, reader.notes, reader.doubts, reader.stated, count=count, pending=pending)


# ------------------------------------------------------------------------------------------------------------------ text


def _decoded(file: str, content: bytes, profile: banks.Profile | None) -> tuple[str, str]:
    """Decode as UTF-8 where it is, else as the header says; headers that name UTF-8 or ASCII and are neither are common."""
    if profile and profile.encoding:
        return _whole(file, *charset.decode(file, content, profile.encoding))
    marked = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        if not marked:
            return _whole(file, content.decode("utf-8-sig"), "utf-8")
    except UnicodeDecodeError:
        header = content[:2000].decode("latin-1")
        named = re.search(r"CHARSET\s*:\s*([\w-]+)|encoding\s*=\s*[\"']([\w-]+)", header, re.IGNORECASE)
        page = (named[1] or named[2]).lower() if named else ""
        page = "cp1252" if re.fullmatch(r"(iso-?)?8859-1|latin-?1|(windows-?)?1252|us-?ascii|ascii", page) else page
        page = f"cp{page}" if re.fullmatch(r"125\d", page) else page
        try:
            if page and not page.startswith(("utf", "none")):
                return _whole(file, content.decode(page), page)
        except (UnicodeDecodeError, LookupError):
            pass  # the header is wrong: the likeliest code page is found from the bytes
    return _whole(file, *charset.decode(file, content))


def _whole(file: str, text: str, encoding: str) -> tuple[str, str]:
    if "\x00" in text:
        raise UnreadableFile(file, "the file contains NUL characters: it is damaged.")
    return text, encoding


def _plain(file: str, text: str, max_depth: int) -> str:
    """Return the text with every tag in capitals and without attributes, every other `<` escaped, on the same lines.

    Raises UnreadableFile for a document type, for elements nested too deep and where the end is missing.
    """
    if "<!" in text and re.search(r"<!\s*(DOCTYPE|ENTITY|ELEMENT)", text, re.IGNORECASE):
        raise UnreadableFile(file, "the file declares a document type (<!DOCTYPE>), which no bank's statement does; it is not read.")
    found = re.search(r"<(?:\w+:)?OFX\b[^<>]*>", text, re.IGNORECASE)
    if found is None:
        raise UnreadableFile(file, "there is an OFX header and no <OFX> below it: the file is cut off.")
    head, body = text[: found.start()], text[found.start() :]
    if "<!" in body:
        body = re.sub(r"<!--.*?-->", lambda comment: "\n" * comment[0].count("\n"), body, flags=re.DOTALL)
        body = re.sub(r"<!\[CDATA\[(.*?)\]\]>", lambda data: data[1].replace("&", "&amp;").replace("<", "&lt;"), body, flags=re.DOTALL)
    if ODD_TAG.search(body):
        body = "".join(_normal(body))
    # Nothing here recurses; what is nested below the first transaction is skipped as unknown fields.
    if re.search(rf"(?:<[A-Z][A-Z0-9.]*>\s*){{{max_depth + 1}}}", body.partition("<STMTTRN>")[0]):
        raise UnreadableFile(file, f"elements are nested more than {max_depth} deep.")
    return re.sub(r"[^\r\n]", " ", head) + body


def _normal(body: str) -> Iterator[str]:
    """Write tags one way: <name a="b"/> becomes <NAME></NAME>; a `<` that begins no tag becomes &lt;."""
    done = 0
    for tag in ANY_TAG.finditer(body):
        yield body[done : tag.start()].replace("<", "&lt;")
        name = tag[2].upper()
        yield f"<{name}></{name}>" if tag[3] else f"<{tag[1]}{name}>"
        yield "\n" * tag[0].count("\n")
        done = tag.end()
    yield body[done:].replace("<", "&lt;")


def _version(text: str) -> str:
    found = re.search(r"\bVERSION\s*[:=]\s*[\"']?(\d+)", text[:2000])
    return found[1] if found else ""


def _status(plain: str) -> str:
    """Say what the bank answered instead of a statement, where it did."""
    found = re.search(r"<SEVERITY>\s*ERROR[^<]*(?:</SEVERITY>\s*)?(?:<MESSAGE>([^<]*))?", plain)
    return f" (the bank answered with an error{': ' + found[1].strip() if found[1] else ''})" if found else ""


# ------------------------------------------------------------------------------------------------------------------ tags


def _statements(file: str, plain: str, ends: Any) -> Iterator[_Statement]:
    """Cut the text at statements and transactions, each of which must close before the next opens. Raises UnreadableFile."""
    kind, begun = "", 0
    open_: list[tuple[str, int]] = []
    for tag in BOUNDS.finditer(plain):
        closes, name = tag.groups()
        if not closes:
            if name in [other for other, _ in open_] or (name in STATEMENTS and kind):
                raise _cut(file, *open_[-1], ends)
            open_.append((name, tag.start()))
            kind, begun = (name, tag.end()) if name in STATEMENTS else (kind, begun)
        else:
            if name in STATEMENTS and _is_left_open(open_, plain, tag.start()):
                open_.pop()
            if name in STATEMENTS and open_ and open_[-1][0] == kind:
                name = kind  # a bank closes its card's statement as one of an account
            if not open_ or open_[-1][0] != name:
                raise _cut(file, *(open_[-1] if open_ else (name, tag.start())), ends)
            open_.pop()
            if name in STATEMENTS:
                yield _statement(file, kind, plain[begun : tag.start()], begun, ends)
                kind = ""
    if open_:
        raise _cut(file, *open_[-1], ends)


def _is_left_open(open_: list[tuple[str, int]], plain: str, end: int) -> bool:
    """Say whether a bank forgot to close its list: after a whole transaction comes the balance, then the end of the statement."""
    if not open_ or open_[-1][0] != "BANKTRANLIST":
        return False
    last = plain.rfind("STMTTRN>", open_[-1][1], end)
    return last > 0 and plain[last - 2 : last] == "</" and plain.find("<LEDGERBAL>", last, end) > 0


def _statement(file: str, kind: str, text: str, place: int, ends: Any) -> _Statement:
    """Cut one statement into its transactions and what stands outside them; `place` is where it begins in the file."""
    first, *pieces = text.split("<STMTTRN>")
    if "</STMTTRN>" in first:
        raise _cut(file, "STMTTRN", place + first.index("</STMTTRN>"), ends, what="closes here and was not opened")
    outside, booked, places = [first], [], []
    place += len(first)
    for piece in pieces:
        inside, closed, after = piece.partition("</STMTTRN>")
        if not closed or "</BANKTRANLIST" in inside or "</STMTTRN>" in after:
            raise _cut(file, "STMTTRN", place, ends)
        if inside.count("<TRNAMT>") > 1:
            raise _cut(file, "STMTTRN", place, ends, what="opens here and holds two amounts")
        booked.append(dict(FIELD.findall(inside)))
        places.append(place)
        outside.append(after)
        place += 9 + len(piece)
    rest = "".join(outside)
    if rest.count("<TRNAMT>") > rest.count("<STMTTRNP>"):
        raise _cut(file, "STMTTRN", place, ends, what="is missing around an amount above")
    return _Statement(kind, _head(rest), booked, places, rest.count("<STMTTRNP>"))


def _line_ends(text: str) -> NDArray[np.int64]:
    """Return where each line ends, whether by line feed, carriage return or both."""
    letters = np.frombuffer(text.encode("ascii"), np.uint8) if text.isascii() else np.frombuffer(text.encode("utf-32-le"), np.uint32)
    ends = np.flatnonzero(letters == 10)
    if "\r" in text:
        returns = np.flatnonzero(letters == 13)
        ends = np.union1d(ends, returns[letters[np.minimum(returns + 1, len(letters) - 1)] != 10])
    return np.asarray(ends, np.int64)


def _cut(file: str, name: str, place: int, ends: NDArray[np.int64], what: str = "opens here and does not close") -> UnreadableFile:
    line = int(np.searchsorted(ends, place)) + 1
    return UnreadableFile(file, f"<{name}> {what}: the file is cut off or damaged.", line=line, value=name)


def _head(text: str) -> dict[str, str]:
    """Return the values outside the transactions that say whose money it is and how much was there."""
    ledger = re.search(r"<LEDGERBAL>(.*?)(?:</LEDGERBAL>|<AVAILBAL>|$)", text, re.DOTALL)
    origin = re.search(r"<(?:BANK|CC|INV)ACCTFROM>(.*?)(?:</(?:BANK|CC|INV)ACCTFROM>|<BANKTRANLIST|<LEDGERBAL>|$)", text, re.DOTALL)
    found = {name: value.strip() for name, value in reversed(FIELD.findall(text)) if name in ("CURDEF", "CURSYM")}
    found |= {name: value.strip() for name, value in FIELD.findall(ledger[1])} if ledger else {}
    found |= {name: value.strip() for name, value in reversed(FIELD.findall(origin[1]))} if origin else {}
    return found


def _account(statement: _Statement) -> str:
    return " ".join(_unescaped(statement.head.get("ACCTID", "")).split())


def _unescaped(text: str) -> str:
    """Resolve the escapes OFX allows; an ampersand that escapes nothing stays.

    >>> _unescaped("H&amp;M &#x26; Co, R&D &amp;lt; AT&T;")
    'H&M & Co, R&D < AT&T;'
    """
    return ESCAPED.sub(_letter, text) if "&" in text else text


def _letter(found: re.Match[str]) -> str:
    if found[1]:
        return ENTITIES[found[1]]
    number = int(found[2]) if found[2] else int(found[3], 16)
    return chr(number) if 32 <= number < 0xD800 or 0xE000 <= number < 0x110000 else " "


# ------------------------------------------------------------------------------------------------------------------ rows


class _Reader:
    """The statements of one file on their way from fields to transactions."""

    def __init__(self, file: str, ends: Any, limits: Intake, profile: banks.Profile | None):
        self.file, self.ends, self.limits, self.profile = file, ends, limits, profile
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.doubts: list[Problem] = []
        self.stated: Stated = {}

    def table(self, statement: _Statement) -> pa.Table:
        """Return the transactions of one statement, and note its balance, its problems and what is doubtful."""
        booked = statement.booked
        lines = np.searchsorted(self.ends, np.array(statement.places, np.int64), side="right").astype(np.int32) + 1
        account, currency = _account(statement), statement.head.get("CURDEF", "")[:3].upper()
        amount = self._amounts(booked, lines, currency)
        days, states = dates.days(pa.array(_distinct(_day, [_posted(one) for one in booked]), pa.string()), "%Y%m%d")
        for row in np.flatnonzero(states != cells.READ)[:SHOWN]:
            value = _posted(booked[row])
            self.problem(int(lines[row]), "DTPOSTED", value, f"the transaction's date {value!r} (DTPOSTED) is not a date of the calendar.")
        n = len(booked)
        texts = _texts(booked)
        codes = self._with_balances(texts, amount, _codes(booked, amount))
        rows = pa.table(
            {
                "account": pa.array([account] * n, pa.string()),
                "currency": pa.array([_currency(one, currency) for one in booked], pa.string()),
                "booked_on": pa.array(days, pa.date32()),
                "amount": cells.to_money(amount),
                "balance": pa.nulls(n, cells.MONEY),
                "text": pa.array(texts, pa.string()),
                "code": pa.array(codes, pa.string()),
                "line": pa.array(lines),
            },
            schema=ROWS,
        )
        self._balance(statement, account, days)
        self._doubt(statement, amount)
        return rows

    def problem(self, line: int | None, column: str, value: str, what: str) -> None:
        """Note what is wrong with one value."""
        if len(self.problems) < SHOWN:
            where = self.file if line is None else f"{self.file}, line {line}"
            self.problems.append(Problem(line, column, value, f"{where}: {what}"))

    def _amounts(self, booked: list[dict[str, str]], lines: Any, currency: str) -> Any:
        texts = [one.get("TRNAMT", "").strip() for one in booked]
        if bare := sum(text in (".", ",") for text in texts):
            what = "transactions state a mark and no amount ('.'), as lines about the day's balance do; they are read as notices of 0."
            self.notes.append(Problem(None, "TRNAMT", None, f"{self.file}: {bare} {what}"))
        texts = ["0" if text in (".", ",") else text for text in texts]
        mark = self.profile.decimal if self.profile else None
        if not mark and any("," in text for text in texts) and all(CENTS.fullmatch(text) for text in texts):
            # Some write both marks in one file; before two digits at the end each is the decimal one.
            texts = [text.replace(",", ".") for text in texts]
        column = pa.array(texts, pa.string())
        if not mark and currency not in MILS and cells.decimal_mark(column) is None:
            value = next(text for text in texts if re.search(r"\d[.,]\d", text))
            what = f"amounts such as {value!r} have three digits behind their only mark and nothing says whether it is the decimal one; "
            what += "it is read so, as the standard has it; if it parts thousands, a bank profile (--profile) with decimal decides."
            self.doubts.append(Problem(int(lines[texts.index(value)]), "TRNAMT", value, f"{self.file}: {what}"))
        mark = mark or _mark(column)
        found = cells.amounts(column, mark, min(self.limits.max_amount, 10**14 - 1))
        for row in np.flatnonzero(found.state != cells.READ)[:SHOWN]:
            value = column[int(row)].as_py()
            read = cells.amount(value, mark)
            what = "is not an amount" if read is None else f"is beyond ± {self.limits.max_amount:,}"
            self.problem(int(lines[row]), "TRNAMT", value, f"the transaction's amount {value!r} (TRNAMT) {what}.")
        # Some card issuers write purchases without a sign and payments with a minus; only a profile can know.
        return -found.units if self.profile and self.profile.positive == "out" else found.units

    def _with_balances(self, texts: list[str], amount: Any, codes: list[str]) -> list[str]:
        """Mark the rows whose words are those of a balance: some banks list it among the transactions, where it is no income."""
        said = _distinct(lambda text: "yes" if BALANCE.fullmatch(lexicon.folded(text).rstrip(" 0123456789")) else "", texts)
        found = [bool(is_one and money) for is_one, money in zip(said, amount.tolist(), strict=True)]
        if any(found):
            first = texts[found.index(True)]
            what = f"{sum(found)} rows ({first!r} for example) read as balances that stand among the transactions; they are kept as rows."
            self.notes.append(Problem(None, "MEMO", first, f"{self.file}: {what}"))
        ways = ("IN" if money > 0 else "OUT" for money in amount.tolist())
        return [f"OFX BALANCE {way}" if is_one else code for is_one, way, code in zip(found, ways, codes, strict=True)]

    def _balance(self, statement: _Statement, account: str, days: Any) -> None:
        value = statement.head.get("BALAMT", "")
        if not value:
            merged(self.stated, account, None, None)
            return
        read = cells.amount(value, _mark(pa.array([value])))
        if read is None or abs(read[0]) > self.limits.max_amount:
            self.problem(None, "BALAMT", value, f"the ledger balance {value!r} (BALAMT) is not an amount.")
            return
        merged(self.stated, account, None, read[0])
        told = dates.reader("%Y%m%d")(_day(statement.head.get("DTASOF", "")))
        if told and len(days) and np.datetime64(told, "D") < days.max():
            what = f"the ledger balance is that of {told}, before the last transaction."
            self.doubts.append(Problem(None, "DTASOF", str(told), f"{self.file}: {what}"))

    def _doubt(self, statement: _Statement, amount: Any) -> None:
        if statement.kind == "INVSTMTRS":
            what = "an investment account: its cash transactions were read, trades in securities are not shown."
            self.notes.append(Problem(None, None, None, f"{self.file}: {_account(statement) or 'one statement'} is {what}"))
        if mended := [one for one in statement.booked if one.get("CORRECTFITID", "").strip()]:
            which = mended[0]["CORRECTFITID"].strip()
            what = f"{len(mended)} transactions replace or delete earlier ones (CORRECTFITID {which!r} for example); both are counted."
            self.doubts.append(Problem(None, "CORRECTFITID", which, f"{self.file}: {what}"))
        kinds = [one.get("TRNTYPE", "").strip().upper() for one in statement.booked]
        out = [value for kind, value in zip(kinds, amount, strict=True) if kind in OUT and value]
        if out and min(out) > 0:
            what = (
                f"all {len(out)} payments (TRNTYPE DEBIT and the like) have positive amounts, so they are read as money in; "
                'if they are not, a bank profile (--profile) with positive = "out" decides.'
            )
            self.doubts.append(Problem(None, "TRNAMT", None, f"{self.file}: {what}"))


def _mark(column: pa.Array) -> str:
    """Return the decimal mark; OFX writes no thousands, so a single mark before three digits is the decimal one."""
    found = cells.decimal_mark(column)
    if found is not None:
        return found or "."
    return "," if pc.any(pc.match_substring(column, ",")).as_py() and not pc.any(pc.match_substring(column, ".")).as_py() else "."


def _distinct(function: Callable[[str], str], texts: list[str]) -> list[str]:
    """Apply a function to each text, once to equal ones: a year has few days and few shops."""
    known = {text: function(text) for text in set(texts)}
    return [known[text] for text in texts]


def _posted(one: dict[str, str]) -> str:
    return one.get("DTPOSTED", "").strip() or one.get("DTUSER", "").strip()


def _day(text: str) -> str:
    """Return the printed day; the clock and the zone behind it shift nothing."""
    found = DAY.match(text)
    return "".join(found.groups()) if found else "?"


def _texts(booked: list[dict[str, str]]) -> list[str]:
    """Join name and memo; many banks begin the memo with the name."""
    names, memos = (_distinct(_words, [one.get(key, "") for one in booked]) for key in ("NAME", "MEMO"))
    return [
        memo if memo.startswith(name) else name if name.endswith(memo) else f"{name} {memo}"
        for name, memo in zip(names, memos, strict=True)
    ]


def _words(text: str) -> str:
    return " ".join(_unescaped(text).split())


def _codes(booked: list[dict[str, str]], amount: Any) -> list[str]:
    """Return the merchant's code where there is one, else the type of the transaction; a row about no money is a notice."""
    kinds = _distinct(lambda kind: f"OFX {kind.strip().upper()}".removesuffix("OFX "), [one.get("TRNTYPE", "") for one in booked])
    sics = _distinct(lambda sic: sic.strip() if re.fullmatch(r"\s*(?!0000)\d{4}\s*", sic) else "", [one.get("SIC", "") for one in booked])
    coded = zip(kinds, sics, amount.tolist(), strict=True)
    return [(f"MCC {sic}" if sic else kind) if money else "ZERO" for kind, sic, money in coded]


def _currency(one: dict[str, str], usual: str) -> str:
    """Return the currency of the amount: CURRENCY says it is another, ORIGCURRENCY only what it was converted from."""
    return one["CURSYM"].strip().upper()[:3] if "CURRENCY" in one and one.get("CURSYM") else usual
