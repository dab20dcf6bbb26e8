"""A message read as a stream: statements, their entries one at a time, and what they add up to.

Nobody may break this: no document type, no entity but the five of XML and no other file is ever read.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from xml.parsers import expat

from creditrisk.errors import UnreadableFile
from creditrisk.formats.camt import entry
from creditrisk.formats.camt.bags import Bag, calendar, first, number
from creditrisk.settings import Intake
from creditrisk.statement import Found, Movements, Problem, Refused, Stated, merged

SHOWN = 50  # problems listed of one file
PIECE = 1_048_576  # small enough for memory, large enough that a long comment is not read again and again
KINDS = {"BkToCstmrAcctRpt": "camt.052", "BkToCstmrStmt": "camt.053", "BkToCstmrDbtCdtNtfctn": "camt.054"}
STATEMENTS = frozenset({"Rpt", "Stmt", "Ntfctn"})
BAGS = STATEMENTS | {"Ntry", "TxDtls", "Bal"}
NOT_BOOKED = frozenset({"PDNG", "INFO", "FUTR"})
OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)


@dataclass
class Statement:
    line: int
    said: Bag
    balances: list[Bag] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    total: Decimal = Decimal(0)
    entries: int = 0

    @property
    def account(self) -> str:
        ids = ("Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id", "Acct/Id/BBAN", "Acct/Id/UPIC")
        return next((first(self.said, path) for path in ids if first(self.said, path)), "").replace(" ", "")

    @property
    def currency(self) -> str:
        stated = next((first(balance, "Amt@Ccy") for balance in self.balances), "")
        return first(self.said, "Acct/Ccy") or stated


class Reader:
    """Walks through a message; holds one entry at a time in bags of texts by path ('RmtInf/Ustrd')."""

    def __init__(self, file: str, limits: Intake, currency: str | None):
        self.file, self.limits, self.declared = file, limits, currency
        self.moves = Movements(file, max_amount=limits.max_amount)
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.doubts: list[Problem] = []
        self.statements: list[Statement] = []
        self.set_aside: Counter[str] = Counter()
        self.path: list[str] = []
        self.bags: list[tuple[int, Bag, int]] = []  # depth, texts, line
        self.details: list[Bag] = []
        self.text: list[str] = []
        self.length = 0
        self.skipped = 0
        self.entries = self.messages = self.count = self.undated = 0
        self.deepest, self.above = limits.max_depth, 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype

    # the stream

    def parse(self, content: bytes) -> None:
        """Read the whole file; raises UnreadableFile where it is not XML, too deep or not whole."""
        blank = re.match(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*", content)
        before, content = (blank[0], content[blank.end() :]) if blank else (b"", content)
        self.above = before.count(b"\n")  # XML must begin on the first line; some files begin with empty ones
        try:
            for start in range(0, len(content), PIECE):
                self.parser.Parse(content[start : start + PIECE], False)
            self.parser.Parse(b"", True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            cut = "; the file is cut off" if error.code in (3, 5, 6, 20) else ""
            raise UnreadableFile(self.file, f"this is not well-formed XML ({what}){cut}.", line=error.lineno + self.above) from error
        except (ValueError, LookupError) as error:
            raise UnreadableFile(self.file, f"the encoding of this XML file cannot be read ({error}).") from error

    def _line(self) -> int:
        return self.parser.CurrentLineNumber + self.above

    def _doctype(self, *_: object) -> None:
        what = "the file declares a document type (<!DOCTYPE); such files are not read."
        raise UnreadableFile(self.file, what, line=self._line())

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.path.append(name)
        if len(self.path) > self.deepest:
            what = f"the elements are nested deeper than {self.limits.max_depth} levels."
            raise UnreadableFile(self.file, what, line=self._line())
        if len(attributes) > self.limits.max_columns:
            raise UnreadableFile(self.file, f"<{name}> has {len(attributes)} attributes.", line=self._line())
        self.text.clear()
        self.length = 0
        if self.skipped or name == "SplmtryData":
            self.skipped += 1
        elif name in BAGS:
            self._begin(name)
        elif attributes and self.bags and attributes.get("Ccy", "").strip():
            self._keep(f"{self._where()}@Ccy", attributes["Ccy"].strip())
        elif not self.bags and name.startswith(tuple(KINDS)):
            self.messages += 1

    def _begin(self, name: str) -> None:
        line, bag = self._line(), Bag()
        if name in STATEMENTS and not self.bags:
            self.statements.append(Statement(line, bag))
        elif not self.bags:
            return  # an entry outside any statement is found by the count
        if name == "Bal" and len(self.bags) == 1:
            self.statements[-1].balances.append(bag)
        if name == "TxDtls":
            self.details.append(bag)
        self.bags.append((len(self.path), bag, line))

    def _end(self, _: str) -> None:
        if self.skipped:
            self.skipped -= 1
        elif self.bags:
            if self.text:
                said = "".join(self.text).strip()
                if said:
                    self._keep(self._where(), said)
            depth, bag, line = self.bags[-1]
            if depth == len(self.path):
                self.bags.pop()
                if self.path[-1] == "Ntry":
                    self._entry(bag, line)
                    self.details = []
        if self.path.pop() == "Ntry":
            self.count += 1
        self.text.clear()

    def _characters(self, text: str) -> None:
        self.length += len(text)
        if self.length > self.limits.max_field_length and not text.isspace():
            name, longest = self.path[-1], self.limits.max_field_length
            raise UnreadableFile(self.file, f"<{name}> is longer than {longest} characters.", line=self._line())
        self.text.append(text)

    def _where(self) -> str:
        return "/".join(self.path[self.bags[-1][0] :])

    def _keep(self, path: str, text: str) -> None:
        texts = self.bags[-1][1].setdefault(path, [])
        if len(texts) == self.limits.max_field_length:
            raise UnreadableFile(self.file, f"<{self.path[-1]}> is repeated more than {len(texts)} times.", line=self._line())
        texts.append(text)

    # entries

    def problem(self, line: int, value: str | None, what: str) -> None:
        """Note why the file is refused."""
        self.problems.append(Problem(line, None, value, f"{self.file}, line {line}: {what}"))
        if len(self.problems) == SHOWN:
            raise Refused(self.problems)

    def _entry(self, bag: Bag, line: int) -> None:
        """Take one entry, or each detail of a batch that adds up to it."""
        self.entries += 1
        status = first(bag, "Sts", "Sts/Cd").upper()
        statement = self.statements[-1]
        statement.entries += 1
        booked_on, signed = self._booked_on(bag, line), self._signed(bag, line)
        if booked_on is None or signed is None:
            return
        if status in NOT_BOOKED:
            self.set_aside[status] += 1
            return
        if status not in ("", "BOOK"):
            self.problem(line, status, f"the status {status!r} of the entry says neither booked nor pending.")
            return
        currency = first(bag, "Amt@Ccy") or statement.currency or self.declared or ""
        statement.currencies.add(currency)
        statement.total += signed
        parts = entry.opened(self.details, signed, currency)
        self.count += len(parts) - 1 if parts else 0
        for amount, details in parts or [(signed, self.details)]:
            self.moves.add(
                account=statement.account, currency=currency, booked_on=booked_on, amount=amount, text=entry.text(bag, details, amount),
                code=entry.code(bag, details), line=len(self.moves.rows) + 1,
            )  # fmt: skip

    def _signed(self, bag: Bag, line: int) -> Decimal | None:
        amount, side = number(first(bag, "Amt")), first(bag, "CdtDbtInd").upper()
        if amount is None or amount > self.limits.max_amount:
            why = "cannot be read" if amount is None else f"is more than {self.limits.max_amount:,}"
            self.problem(line, first(bag, "Amt"), f"the amount {first(bag, 'Amt')!r} of the entry {why}.")
            return None
        if side not in ("CRDT", "DBIT"):
            self.problem(line, side, f"{side!r} of the entry says neither credit (CRDT) nor debit (DBIT).")
            return None
        return amount if side == "CRDT" else -amount

    def _booked_on(self, bag: Bag, line: int) -> date | None:
        said = first(bag, "BookgDt/Dt", "BookgDt/DtTm", "BookgDt", "ValDt/Dt", "ValDt/DtTm", "ValDt")
        if not said:
            said = self._other_day()
            self.undated += bool(said)
        day = calendar(said)
        if day is None:
            what = f"the booking date {said!r} is not a day of the calendar." if said else "neither the entry nor its statement has a date."
            self.problem(line, said or None, what)
        return day

    def _other_day(self) -> str:
        """Return the date of an entry that states neither booking nor value date: that of its details, else of its statement."""
        paths = ("RltdDts/IntrBkSttlmDt", "RltdDts/TxDtTm", "RltdDts/AccptncDtTm")
        detail = next((found for details in self.details if (found := first(details, *paths))), "")
        return detail or first(self.statements[-1].said, "FrToDt/ToDtTm", "FrToDt/ToDt", "CreDtTm")

    # what they add up to

    def found(self, kind: str) -> Found:
        """Return what is in the message, with the balances of every account that is kept in one currency."""
        if self.problems:
            raise Refused(self.problems)
        if not self.messages:
            what = "this XML file is no bank statement: it has no BkToCstmrStmt, BkToCstmrAcctRpt or BkToCstmrDbtCdtNtfctn."
            raise UnreadableFile(self.file, what)
        if not self.statements:
            raise UnreadableFile(self.file, "the message holds no statement.")
        if kind == "camt.054":
            said = f"{self.file}: a notification (CAMT.054) announces single entries and states no balances, so nothing confirms them."
            self.notes.append(Problem(None, None, None, said))
        if self.undated:
            what = "entries without booking and value date; the date of their details or of their statement is taken."
            self.notes.append(Problem(None, None, None, f"{self.file}: there are {self.undated} {what}"))
        for statement in self.statements:
            self._check_summary(statement)
        stated = self._stated()
        dialect = {"line": "transaction", "statements": len(self.statements), "entries": self.entries}
        if self.set_aside:
            dialect |= {"set_aside": dict(self.set_aside)}
        pending = sum(self.set_aside.values())
        return Found(self.moves.table(), dialect, self.notes, self.doubts, stated, self.count, pending)

    def note(self, line: int, what: str) -> None:
        """Note what an analyst must know of a file that is read."""
        self.notes.append(Problem(line, None, None, f"{self.file}, line {line}: {what}"))

    def _check_summary(self, statement: Statement) -> None:
        """Hold a statement against what it says of itself."""
        other = statement.currencies - {statement.currency} if statement.currency else set()
        if other:
            self.note(statement.line, f"the account is kept in {statement.currency} and has entries in {', '.join(sorted(other))}.")
        counted = first(statement.said, "TxsSummry/TtlNtries/NbOfNtries")
        if counted.isdecimal() and int(counted) != statement.entries:
            self.note(statement.line, f"the summary counts {counted} entries and {statement.entries} are listed.")
        if first(statement.said, "StmtPgntn/LastPgInd", "RptPgntn/LastPgInd", "NtfctnPgntn/LastPgInd") in ("false", "0"):
            self.note(statement.line, "this is not the last page of the statement; another one follows it.")

    def _stated(self) -> Stated:
        stated: Stated = {}
        accounts: dict[str, list[tuple[str, Decimal | None, Decimal | None, Statement]]] = defaultdict(list)
        for statement in self.statements:
            opened_on, opening = self._balance(statement, OPENING)
            _, closing = self._balance(statement, CLOSING, last=True)
            accounts[statement.account].append((opened_on, opening, closing, statement))
            if None not in (opening, closing) and opening + statement.total != closing:  # type: ignore[operator]
                what = (
                    f"the opening balance of {opening} and the entries of {statement.total} do not make the closing balance of {closing}."
                )
                self.doubts.append(Problem(statement.line, None, None, f"{self.file}, line {statement.line}: {what}"))
        for account, pages in accounts.items():
            if len({statement.currency for *_, statement in pages}) > 1:
                continue
            if all(page[0] for page in pages):
                pages.sort(key=lambda page: page[0])
            for _, opening, closing, _ in pages:
                merged(stated, account, opening, closing)
        return stated

    def _balance(self, statement: Statement, kinds: tuple[str, ...], *, last: bool = False) -> tuple[str, Decimal | None]:
        """Return day and amount of the first balance of the first kind there is (of the last one for `last`)."""
        found: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        for bag in statement.balances:
            kind, amount = first(bag, "Tp/CdOrPrtry/Cd", "Tp/Cd"), number(first(bag, "Amt"))
            if kind not in kinds:
                continue
            if amount is None:
                raise UnreadableFile(
                    self.file, f"the {kind} balance {first(bag, 'Amt')!r} cannot be read.", line=statement.line, value=first(bag, "Amt")
                )
            day = first(bag, "Dt/Dt", "Dt/DtTm", "Dt")[:10]
            own = first(bag, "Amt@Ccy") in ("", statement.currency)
            found[kind if own else f"foreign {kind}"].append((day, -amount if first(bag, "CdtDbtInd").upper() == "DBIT" else amount))
        best = next((found[kind] for kind in kinds if found[kind]), None)
        if best is None:
            best = next((found[f"foreign {kind}"] for kind in kinds if found[f"foreign {kind}"]), None)
            if best is None:
                return "", None
            side = "closing" if last else "opening"
            self.note(statement.line, f"the {side} balance is stated in another currency than the {statement.currency} of the account.")
        return max(best, key=lambda pair: pair[0]) if last else min(best, key=lambda pair: pair[0])
