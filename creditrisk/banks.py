"""How banks write statements down: what a file is, its delimiter, its heading, what each column means, and declared profiles.

A layout is *inferred* from the file or *declared* by a bank profile; a profile may declare everything or only the one key that
decides what the file leaves open. Nothing here reads an amount or a date for keeps: it only says where they stand.
"""

import codecs
import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from creditrisk import cells
from creditrisk.errors import InvalidInput, UnknownThing, UnreadableFile

DECLARED = Path(__file__).parent / "declared"
CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1257"]
DELIMITERS = ";\t|,"
SAMPLE = 150
ONE_COLUMN = ("date", "value_date", "amount", "debit", "credit", "balance", "currency", "account", "sign", "status")
ROLES = (*ONE_COLUMN, "code", "text")
MONEY_OUT = frozenset(
    [
        "d",
        "db",
        "dr",
        "dbit",
        "debit",
        "debet",
        "debito",
        "af",
        "s",
        "soll",
        "o",
        "out",
        "outflow",
        "expense",
        "wydatek",
        "kiadas",
        "cargo",
        "-",
        "withdrawal",
        "uit",
        "ausgang",
        "w",
    ]
)
MONEY_IN = frozenset(
    [
        "c",
        "cr",
        "crdt",
        "credit",
        "credito",
        "kredit",
        "bij",
        "h",
        "haben",
        "i",
        "in",
        "inflow",
        "income",
        "wplyw",
        "bevetel",
        "abono",
        "+",
        "deposit",
        "eingang",
        "k",
    ]
)
SIGNATURES = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (XLSX)"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (XLS)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a rich-text document"),
    (b"PAR1", "a Parquet file"),
)
BEGINNINGS = (
    (r"OFXHEADER\s*:|<\?OFX|<OFX>", "an OFX statement"),
    (r"!(Type|Account|Option|Clear):", "a QIF statement"),
    (r"<\?xml|<!DOCTYPE|<(html|table|Document|Workbook)\b", "an XML or HTML document"),
    (r"[{\[]\s*[\"{\[\]}]", "a JSON document"),
    (r"(\{1:|:20:)[^\n]*[\r\n]", "a SWIFT MT940 statement"),
)


@dataclass(frozen=True)
class Profile:
    """A bank's declared way of writing; what is None or empty is inferred from the file.

    `columns` names the heading (or the column's number from 1) of each role: date, amount, debit, credit, balance, currency,
    account, sign, code, text; several columns for code and text. `sign` says what the sign column's values mean: '+' or '-'.
    `positive` = 'out' says that an amount without a sign left the account (card exports). `descriptions` puts words to codes.
    """

    name: str
    title: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    skip: int = 0
    date_format: str | None = None
    decimal: str | None = None
    currency: str | None = None
    positive: str | None = None
    columns: dict[str, list[str | int]] = field(default_factory=dict)
    sign: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Where things stand in one file: `first` is the physical line of the first row below the heading (1-based), `columns` are
    places from 0 by role, `names` the heading of every column, `guesses` what was assumed and must be said."""

    delimiter: str
    first: int
    names: tuple[str, ...]
    columns: dict[str, tuple[int, ...]]
    has_header: bool
    guesses: tuple[str, ...] = ()
    preamble: tuple[tuple[str, ...], ...] = ()

    def named(self) -> dict[str, list[str]]:
        """Return the headings by role, as an analyst wants to see them."""
        return {role: [self.names[place] for place in places] for role, places in self.columns.items()}


def profiles(folder: Path | None = None) -> dict[str, Profile]:
    """Return the built-in bank profiles and those of a workspace's `banks` folder (which win) by name."""
    files = sorted((DECLARED / "banks").glob("*.toml")) + (sorted(folder.glob("*.toml")) if folder else [])
    return {found.name: found for found in map(_profile, files)}


def profile(name: str, folder: Path | None = None) -> Profile:
    """Return one bank profile; raises UnknownThing with the names there are."""
    known = profiles(folder)
    if name not in known:
        raise UnknownThing("bank profile", name, f"There are: {', '.join(known)}.")
    return known[name]


def _profile(file: Path) -> Profile:
    try:
        declared: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}") from error
    known = {part.name for part in fields(Profile)}
    if unknown := set(declared) - known:
        raise InvalidInput(f"{file}: a bank profile has no key {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}.")
    columns = declared.get("columns", {})
    if wrong := set(columns) - set(ROLES):
        raise InvalidInput(f"{file}: [columns] has no role {sorted(wrong)[0]!r}; the roles are {', '.join(ROLES)}.")
    if wrong := set(declared.get("sign", {}).values()) - {"+", "-"}:
        raise InvalidInput(f'{file}: [sign] gives {sorted(wrong)[0]!r}; it should be "+" (money in) or "-" (money out).')
    listed = {role: value if isinstance(value, list) else [value] for role, value in columns.items()}
    return Profile(**{"name": file.stem, **declared, "columns": listed})


def recognise(content: bytes) -> str | None:
    """Say what a file is by its content when it is not delimited text, never by its name: 'a PDF document'; None for text."""
    start = content[:4096].lstrip()
    for signature, what in SIGNATURES:
        if start.startswith(signature):
            return what
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if b"\x00" in content:
        return "a binary file (it contains NUL bytes)"
    words = start.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()
    return next((what for beginning, what in BEGINNINGS if re.match(beginning, words, re.IGNORECASE)), None)


def opening_words(content: bytes, size: int = 4096) -> str:
    """Return the beginning of a file as text to recognise it by, whatever its encoding, without byte-order mark and leading blanks."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: 2 * size].decode("utf-16", errors="replace").lstrip()
    return content[:size].removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()


def decode(file: str, content: bytes, declared: str | None = None) -> tuple[str, str]:
    """Return the text of a file and its encoding: a byte-order mark, else UTF-8, else the likeliest of four code pages."""
    if declared:
        order = [declared]
    elif content.startswith((b"\xff\xfe", b"\xfe\xff")):
        order = ["utf-16"]
    else:
        order = ["utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"]
    for encoding in order:
        try:
            return content.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError) as error:
            if declared or encoding != "utf-8":
                raise UnreadableFile(file, f"the file is not {encoding} text ({error}).") from error
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=CODE_PAGES).best()
    encoding = best.encoding if best is not None else "cp1252"
    return content.decode(encoding, errors="replace"), encoding


def utf8(file: str, content: bytes, declared: str | None = None) -> tuple[bytes, str]:
    """Return the text of a file as UTF-8 bytes, and its encoding; a file that is UTF-8 is its own text, byte-order mark included."""
    if not content.startswith((b"\xff\xfe", b"\xfe\xff")) and (declared or "utf-8").lower() in ("utf-8", "utf8") and _is_utf8(content):
        return content, declared or ("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")
    text, encoding = decode(file, content, declared)
    return text.encode(errors="replace"), encoding


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = 1_000_000
    try:
        for start in range(0, len(content), size):
            decoder.decode(content[start : start + size], final=start + size >= len(content))
    except UnicodeDecodeError:
        return False
    return True


def layout(file: str, text: str, declared: Profile | None = None) -> Layout:
    """Find delimiter, heading and the role of every column, taking from `declared` what it says.

    The delimiter is the one under which most of the first rows read as transactions. Raises UnreadableFile where no row does.
    """
    lines = list(_first_lines(text, SAMPLE + (declared.skip if declared else 0)))
    seen = "".join(lines)
    offered = [declared.delimiter] if declared and declared.delimiter else [mark for mark in DELIMITERS if mark in seen]
    best: tuple[int, int, Layout] | None = None
    for mark in offered:
        found = _layout(file, _sample(lines, mark), mark, declared)
        if found and (best is None or found[:2] > best[:2]):
            best = found
    if best is None:
        raise UnreadableFile(
            file,
            "no row reads as a transaction: a bank statement has a column of dates, one of amounts and one of words for each payment. "
            "Where they have other headings, a bank profile with [columns] date, amount and text says which they are.",
        )
    return best[2]


def _first_lines(text: str, count: int) -> Iterable[str]:
    reader = io.StringIO(text[: count * 2000], newline="")
    for _, line in zip(range(count), reader, strict=False):
        yield line


def _sample(lines: Sequence[str], mark: str) -> list[tuple[int, list[str]]]:
    """Cut the first lines into cells, leniently: (physical line, cells)."""
    reader = csv.reader(lines, delimiter=mark, skipinitialspace=True)
    rows: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for row in reader:
            rows.append((before + 1, [cell.strip() for cell in row]))
            before = reader.line_num
    except csv.Error:
        pass  # the strict reading that follows names the line
    return rows


def _layout(file: str, rows: list[tuple[int, list[str]]], mark: str, declared: Profile | None) -> tuple[int, int, Layout] | None:
    rows = [row for row in rows if row[0] > (declared.skip if declared else 0)]
    header = None if declared and declared.header is False else _header(rows, declared)
    if header is None and declared and declared.header:
        raise UnreadableFile(file, _missing(declared))
    body = [cells_ for _, cells_ in rows[(header + 1) if header is not None else 0 :]]
    guesses: tuple[str, ...] = ()
    if header is not None:
        names = tuple(rows[header][1])
        columns = _roles(names, body, declared)
        first = rows[header + 1][0] if header + 1 < len(rows) else rows[header][0] + 1
    else:
        width = max((len(row) for row in body), default=0)
        names = tuple(f"column {place + 1}" for place in range(width))
        columns, guesses = _by_content(body, declared)
        first = 1 + (declared.skip if declared else 0)
    dates, money = columns.get("date", ()), [*columns.get("amount", ()), *columns.get("debit", ()), *columns.get("credit", ())]
    if not dates or not money or not (columns.get("text") or columns.get("code")):
        return None
    hits = sum(_is_date(_at(row, dates[0])) and any(_is_amount(_at(row, place)) for place in money) for row in body[:100])
    score = hits + (1 if header is not None else 0)
    preamble = tuple(tuple(row) for _, row in rows[: header or 0])
    return (score, len(columns), Layout(mark, first, names, columns, header is not None, guesses, preamble)) if score else None


def _missing(declared: Profile) -> str:
    wanted = [str(name) for names in declared.columns.values() for name in names]
    return f"no heading with the columns {', '.join(wanted)} that the bank profile {declared.name!r} declares."


def _header(rows: list[tuple[int, list[str]]], declared: Profile | None) -> int | None:
    """Return the place of the heading among `rows`: the first that names a date and an amount (or all declared columns)."""
    wanted = {name for names in (declared.columns.values() if declared else ()) for name in names if isinstance(name, str)}
    for place, (_, row) in enumerate(rows[:60]):
        if wanted:
            if wanted <= set(row):
                return place
            continue
        if len(row) < 2 or any(_is_date(cell) for cell in row):
            continue
        scores = [_scores(cell) for cell in row]
        named = {role for score in scores for role in score}
        if named & {"date", "value_date"} and named & {"amount", "debit", "credit"} and sum(map(bool, scores)) >= 2:
            return place
    return None


def _roles(names: Sequence[str], body: Sequence[Sequence[str]], declared: Profile | None) -> dict[str, tuple[int, ...]]:
    """Give each role its column: the best heading first, checked against what stands below it."""
    columns: dict[str, tuple[int, ...]] = {}
    for role, wanted in (declared.columns if declared else {}).items():
        columns[role] = tuple(names.index(name) if isinstance(name, str) else name - 1 for name in wanted)
    taken = {place for places in columns.values() for place in places}
    scored = [(score, -place, role) for place, name in enumerate(names) for role, score in _scores(name).items()]
    for score, place, role in sorted(scored, reverse=True):
        if role == "text" or role in columns or -place in taken or not _suits(role, -place, score, body, declared):
            continue
        columns[role] = (-place,)
        taken.add(-place)
    if "date" not in columns and "value_date" in columns:
        columns["date"] = columns.pop("value_date")
    if "text" not in columns and not (declared and "code" in declared.columns):
        named = [place for place, name in enumerate(names) if place not in taken and "text" in _scores(name)]
        filled = [place for place in named if any(_at(row, place) for row in body)]
        columns["text"] = tuple(filled or named) or tuple(place for place in _wordy(body, len(names)) if place not in taken)
    return {role: places for role, places in columns.items() if places}


def _suits(role: str, place: int, score: int, body: Sequence[Sequence[str]], declared: Profile | None) -> bool:
    """Check a heading's claim against the cells below it."""
    values = [value for row in body[:100] if (value := _at(row, place))]
    if role in ("date", "value_date"):
        return not values or any(map(_is_date, values)) or role == "date"
    if role in ("amount", "debit", "credit", "balance"):
        if score <= 500:  # the heading only contains the word
            return sum(map(_is_amount, values)) * 2 > len(values)
        return any(re.search(r"\d", value) for value in values) or not values
    if role == "currency":
        rows = [row for row in body if len(row) > place and any(map(_is_date, row))]
        codes = [cells.currency(_at(row, place)) for row in rows]
        if score <= 500:
            return bool(codes) and all(code in cells.CURRENCIES for code in codes)
        # A heading that says "currency" holds: a code nobody knows, or none, must not make one account of two currencies.
        return any(code in cells.CURRENCIES for code in codes) and all(re.fullmatch(r"[A-Z]{3,5}|\$|", code) for code in codes)
    if role == "sign":
        return bool(values) and (all(map(_side, values)) or bool(declared and declared.sign))
    if role == "code":
        return bool(values) and all(re.fullmatch(r"\d{4}", value) for value in values)
    if role == "account":
        rows = [row for row in body if len(row) > 1 and any(map(_is_date, row))]
        filled = [_at(row, place) for row in rows]
        many = len(set(filled)) > 1
        return bool(filled) and all(filled) and any(map(str.isdigit, "".join(filled))) and (not many or score >= 988)
    return True


def _by_content(body: Sequence[Sequence[str]], declared: Profile | None) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Give each role its column where no heading says so; what had to be assumed comes back as sentences."""
    if declared and declared.columns:
        return {role: tuple(int(place) - 1 for place in places) for role, places in declared.columns.items()}, ()
    rows = [row for row in body if any(map(_is_date, row)) and any(map(_is_amount, row))]
    width = max((len(row) for row in rows), default=0)
    filled = {place: [value for row in rows if (value := _at(row, place))] for place in range(width)}
    dates = [place for place, values in filled.items() if len(values) == len(rows) and values and all(map(_is_date, values))]
    money = [place for place, values in filled.items() if place not in dates and values and all(map(_is_amount, values))]
    money = [place for place in money if any(re.search(r"[.,]\d{2}(\D|$)", value) for value in filled[place])] or money[:1]
    if not dates or not money:
        return {}, ()
    columns: dict[str, tuple[int, ...]] = {"date": (dates[0],)}
    guesses: list[str] = []
    full = [place for place in money if len(filled[place]) == len(rows)]
    if full:
        columns["amount"] = (full[0],)
        if len(full) > 1:
            columns["balance"] = (full[1],)
            guesses.append(f"There is no heading: column {full[0] + 1} is taken as the amount, column {full[1] + 1} as the balance.")
    elif len(money) > 1 and not any(_at(row, money[0]) and _at(row, money[1]) for row in rows):
        out, into = sorted(money[:2], key=lambda place: -len(filled[place]))
        columns |= {"debit": (out,), "credit": (into,)}
        guesses.append(f"There is no heading: column {out + 1}, the fuller one, is taken as money out and column {into + 1} as money in.")
    else:
        return {}, ()
    for place, values in filled.items():
        if place in dates or place in money or len(values) < len(rows):
            continue
        if "currency" not in columns and set(values) <= cells.CURRENCIES:
            columns["currency"] = (place,)
        elif "sign" not in columns and len({_side(value) for value in values} - {None}) == 2 and _mostly_sides(values):
            columns["sign"] = (place,)
    taken = {place for places in columns.values() for place in places} | set(dates)
    columns["text"] = tuple(place for place in _wordy(rows, width) if place not in taken)
    return columns, tuple(guesses)


def _mostly_sides(values: Sequence[str]) -> bool:
    return sum(_side(value) is not None for value in values) >= 0.8 * len(values)


def _wordy(body: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the columns that hold words rather than numbers, dates or short codes."""
    found = []
    for place in range(width):
        values = [value for row in body[:100] if (value := _at(row, place))]
        words = [value for value in values if re.search(r"[^\W\d_]{3}", value) and not _is_date(value)]
        if values and len(words) * 2 >= len(values) and sum(map(len, words)) >= 4 * len(words):
            found.append(place)
    return found


def side(value: str) -> str | None:
    """Say what an indicator cell means: '+' money in, '-' money out, None for anything else.

    >>> side("Af"), side("CRDT"), side("EUR")
    ('-', '+', None)
    """
    word = folded(value)
    return "-" if word in MONEY_OUT or value.strip() == "-" else "+" if word in MONEY_IN or value.strip() == "+" else None


def folded(text: str) -> str:
    """Lower-case a heading, drop accents, split camel case, keep letters and digits: 'Début (€)' → 'debut'."""
    kept = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    if not kept.isascii():
        kept = "".join(letter for letter in unicodedata.normalize("NFKD", kept) if not unicodedata.combining(letter))
    kept = kept.lower()
    return re.sub(r"[\W_]+", " ", kept.replace("ß", "ss").replace("ł", "l").replace("ø", "o")).strip()


@cache
def _headings() -> dict[str, tuple[tuple[str, ...], frozenset[str]]]:
    declared = tomllib.loads((DECLARED / "headers.toml").read_text(encoding="utf-8"))
    return {role: (tuple(entry["words"]), frozenset(entry.get("never", ()))) for role, entry in declared.items()}


@lru_cache(8192)
def _scores(heading: str) -> dict[str, int]:
    """Return how well a heading names each role (1000 down); roles it does not name are absent."""
    if not heading or len(heading) > 60:
        return {}
    plain = folded(re.sub(r"\(?\b[A-Z]{3}\b\)?$", "", heading.strip())) or folded(heading)
    found = {}
    for role, (words, never) in _headings().items():
        if plain in words:
            found[role] = 1000 - words.index(plain)
        elif not never & set(plain.split()):
            within = [place for place, word in enumerate(words) if len(word) > 3 and f" {word} " in f" {plain} "]
            if within:
                found[role] = 500 - within[0]
    return found


def means(heading: str) -> str | None:
    """Return the role a heading names best, None where it names none.

    >>> means("Money out (£)"), means("Saldo"), means("Page 1")
    ('debit', 'balance', None)
    """
    scores = _scores(heading)
    return max(scores, key=lambda role: scores[role]) if scores else None


_side = lru_cache(4096)(side)


@lru_cache(8192)
def _is_date(text: str) -> bool:
    return 5 < len(text) < 40 and any(cells.date_reader(form)(text) for form in cells.date_shapes(text))


@lru_cache(8192)
def _is_amount(text: str) -> bool:
    return 0 < len(text) < 40 and (cells.amount(text, ".") is not None or cells.amount(text, ",") is not None)


def _at(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def to_dict(found: Layout, **more: Any) -> dict[str, Any]:
    """Return a layout as the dialect an analyst is shown."""
    return {"delimiter": found.delimiter, "header_line": found.first - 1 if found.has_header else None, "columns": found.named(), **more}
