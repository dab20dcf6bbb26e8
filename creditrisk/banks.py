"""How banks write statements down: what a file is, its delimiter, its heading, what each column means, and declared profiles.

A layout is *inferred* from the file or *declared* by a bank profile; a profile may declare everything or only the one key that
decides what the file leaves open. Nothing here reads an amount or a date for keeps: it only says where they stand.
"""

import codecs
import csv
import io
import json
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import cache, lru_cache
from itertools import combinations, pairwise, permutations
from operator import eq
from pathlib import Path
from typing import Any

from creditrisk import cells
from creditrisk.errors import InvalidInput, UnknownThing, UnreadableFile

DECLARED = Path(__file__).parent / "declared"
CODE_PAGES = ["cp1252", "cp1250", "cp1251", "cp1257"]
RARER_PAGES = ["cp1253", "cp1254", "cp1255", "cp850", "koi8_r", "mac_roman", "gb18030", "shift_jis"]
DELIMITERS = ";\t|,"
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NO_WORD = re.compile(r"[\W_]+")
LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ł": "l",
        "Ł": "l",
        "ø": "o",
        "Ø": "o",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "і": "i",
        "І": "i",
    }
)
SAMPLE = 150
ONE_COLUMN = ("date", "value_date", "amount", "debit", "credit", "balance", "fee", "currency", "account", "sign", "status")
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
        *re.findall(
            r"[\w ]+",
            "debits,money out,paid out,payment out,outgoing,cash out,sent,withdraw,ausgabe,belastung,lastschrift,depense,sortie,egreso,"
            "gasto,salida,debe,cargos,despesa,saida,uscita,spesa,addebito,dare,obciazenie,odchozi,vydaj,vyber,isplata,terheles,ut,gider,"
            "borc,расход,списание,支出,付,借,출금,debet d,d debit,dbt,winien,rozchod,v breme,tartozik,menot,pano otto,izdevumi,islaidos",
        ),
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
        *re.findall(
            r"[\w ]+",
            "credits,money in,paid in,payment in,incoming,cash in,received,einnahme,gutschrift,recette,entree,ingreso,entrada,haber,abonos,"
            "receita,entrata,accredito,avere,uznanie,prichozi,prijem,uplata,jovairas,inn,gelir,alacak,приход,поступление,зачисление,收入,收,贷,"
            "입금,c credit,k kredit,ma,przychod,v dobro,kovetel,tulot,ienemumi,pajamos",
        ),
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
    `positive` = 'out' says that an amount without a sign left the account (card exports), 'in' that it came in. `descriptions` puts
    words to codes. `matches` are the headings by which a file of this bank is known: what it leaves open is answered by this profile.
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
    matches: tuple[str, ...] = ()
    columns: dict[str, list[str | int]] = field(default_factory=dict)
    sign: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """Where things stand in one file: `first` is the physical line of the first row below the heading (1-based), `columns` are
    places from 0 by role, `names` the heading of every column, `guesses` what was assumed and must be said. `ways` are the money
    columns in each way they can be told where no heading decides, the one taken first; `is_open` says that it is no better than the rest.
    """

    delimiter: str
    first: int
    names: tuple[str, ...]
    columns: dict[str, tuple[int, ...]]
    has_header: bool
    guesses: tuple[str, ...] = ()
    preamble: tuple[tuple[str, ...], ...] = ()
    ways: tuple[dict[str, int], ...] = ()
    is_open: bool = False

    def address(self, place: int) -> str | int:
        """Return how a profile names a column: its heading, or its number from 1 where it has none of its own."""
        name = self.names[place]
        return name if self.has_header and name and self.names.count(name) == 1 else place + 1

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
        return parse(file.stem, file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}") from error


def parse(name: str, text: str, where: str) -> Profile:
    """Return the bank profile a TOML text declares; raises InvalidInput, naming `where` it stands and what is wrong with it."""
    try:
        declared: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{where} is not valid TOML: {error}") from error
    return _declared(name, declared, where)


def declare(base: Profile | None, answers: Mapping[str, Any]) -> Profile | None:
    """Return a profile with more keys declared, as an analyst answers what a file leaves open; raises InvalidInput."""
    if not answers:
        return base
    given = _declared("", dict(answers), "The answer")
    more = {key: getattr(given, key) for key in answers}
    return replace(base or Profile(name=""), **more)


def _declared(name: str, declared: dict[str, Any], where: str) -> Profile:
    known = {part.name for part in fields(Profile)}
    if unknown := set(declared) - known:
        raise InvalidInput(f"{where}: a bank profile has no key {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}.")
    for key, (fits, wanted) in KEYS.items():
        if key in declared and not fits(declared[key]):
            raise InvalidInput(f"{where}: {key} = {declared[key]!r} should be {wanted}.")
    columns = declared.get("columns", {})
    if wrong := set(columns) - set(ROLES):
        raise InvalidInput(f"{where}: [columns] has no role {sorted(wrong)[0]!r}; the roles are {', '.join(ROLES)}.")
    listed = {role: list(value) if isinstance(value, list | tuple) else [value] for role, value in columns.items()}
    for role, value in ((role, value) for role, values in listed.items() for value in values):
        if not (isinstance(value, str) or (isinstance(value, int) and value > 0)):
            raise InvalidInput(f"{where}: [columns] {role} = {value!r} should be a heading or the column's number from 1.")
    if wrong := set(map(str, declared.get("sign", {}).values())) - {"+", "-"}:
        raise InvalidInput(f'{where}: [sign] gives {sorted(wrong)[0]!r}; it should be "+" (money in) or "-" (money out).')
    return Profile(**{"name": name, **declared, "matches": tuple(declared.get("matches", ())), "columns": listed})


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_format(value: object) -> bool:
    return isinstance(value, str) and all(re.search(f"%[{part}]", value) for part in ("d", "mb")) and not re.search("%[^dmYyb]", value)


KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": (_is_text, "a text"),
    "title": (_is_text, "a text"),
    "encoding": (_is_text, "the name of an encoding"),
    "currency": (_is_text, "the code of a currency"),
    "delimiter": (lambda value: isinstance(value, str) and len(value) == 1, "one character"),
    "header": (lambda value: isinstance(value, bool), "true or false"),
    "skip": (lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0, "a number of lines"),
    "date_format": (_is_format, 'built of %d, %m or %b, %Y or %y, like "%d/%m/%Y"'),
    "decimal": (lambda value: value in (".", ","), '"." or ","'),
    "positive": (lambda value: value in ("in", "out"), '"in" or "out"'),
    "matches": (lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)), "a list of headings"),
    **{key: (lambda value: isinstance(value, dict), "a table") for key in ("columns", "sign", "descriptions")},
}


def checked_name(name: str) -> str:
    """Return the name a new profile may have, without blanks around it; raises InvalidInput for what is no plain name."""
    plain = name.strip()
    if not re.fullmatch(r"[^\W_][\w \-]{0,39}", plain):
        raise InvalidInput(f"{name[:60]!r} should be a name of letters, digits, blanks, '-' or '_', 40 characters at most.")
    if (DECLARED / "banks" / f"{plain.lower()}.toml").exists():
        raise InvalidInput(f"{plain!r} is a profile that comes with the program; choose another name.")
    return plain


def to_toml(declared: Mapping[str, Any]) -> str:
    """Write the keys of a profile as TOML; texts, numbers, booleans, lists of them, and tables one deep."""
    plain = {key: value for key, value in declared.items() if not isinstance(value, Mapping)}
    lines = [f"{key} = {_toml(value)}" for key, value in plain.items()]
    for key, table in declared.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{key}]", *(f"{_toml_key(name)} = {_toml(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def matching(headings: Sequence[str], folder: Path | None) -> list[Profile]:
    """Return the profiles that know a file by exactly these headings."""
    return [known for known in profiles(folder).values() if known.matches and known.matches == tuple(headings)]


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
    pages = _pages_of_headings(content)
    if len(pages) == 1:
        return content.decode(pages[0], errors="replace"), pages[0]
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=pages).best()
    encoding = best.encoding if best is not None else "cp1252"
    return content.decode(encoding, errors="replace"), encoding


def _pages_of_headings(content: bytes) -> list[str]:
    """Return the code pages in which a file has most known headings: the four usual ones where it has none that tells."""
    start = content[:8192].rpartition(b"\n")[0]
    counts: dict[str, int] = {}
    for page in (*CODE_PAGES, *RARER_PAGES):
        try:
            words = re.split(r"[;\t|,\r\n]", start.decode(page))
        except UnicodeDecodeError:
            continue
        counts[page] = sum(max(_scores(word.strip(' "')).values(), default=0) > 500 for word in words if not word.isascii())
    most = max(counts.values(), default=0)
    fit = [page for page, count in counts.items() if count == most > 0]
    return [page for page in fit if page in CODE_PAGES] or fit or CODE_PAGES


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
        found = _layout(_sample(lines, mark), mark, declared)
        if found and (best is None or found[:2] > best[:2]):
            best = found
    if best is None and declared and _needs_heading(declared):
        raise UnreadableFile(file, _missing(declared))
    if best is None:
        raise UnreadableFile(
            file,
            "no row reads as a transaction: a bank statement has a column of dates, one of amounts and one of words for each payment. "
            "Where they have other headings, a bank profile with [columns] date, amount and text says which they are.",
        )
    return best[2]


def sketch(text: str, declared: Profile | None = None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return the headings ("" where there is none) and first rows of a text whose rows hold dates and amounts; None where too few do."""
    lines = list(_first_lines(text, SAMPLE))
    best: tuple[int, int, list[list[str]]] = (0, 0, [])
    for mark in [declared.delimiter] if declared and declared.delimiter else DELIMITERS:
        every = [row for _, row in _sample(lines, mark)]
        places = [place for place, row in enumerate(every) if any(map(_is_date, row)) and any(map(_is_amount, row)) and len(row) > 2]
        if len(places) > max(best[0], 1):
            best = len(places), places[0], every
    hits, first, every = best
    if not hits:
        return None
    width = max(len(row) for row in every[first : first + 5])
    above = every[first - 1] if first and len(every[first - 1]) == width and all(map(str.strip, every[first - 1])) else []
    return tuple(above) or ("",) * width, tuple(tuple(row) for row in every[first : first + 5])


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


def _layout(rows: list[tuple[int, list[str]]], mark: str, declared: Profile | None) -> tuple[int, int, Layout] | None:
    rows = [row for row in rows if row[0] > (declared.skip if declared else 0)]
    header = None if declared and declared.header is False else _header(rows, declared)
    if header is None and declared and _needs_heading(declared):
        return None
    body = [cells_ for _, cells_ in rows[(header + 1) if header is not None else 0 :]]
    guesses: tuple[str, ...] = ()
    if header is not None:
        names = _moved(rows[header][1], body)
        columns = _roles(names, body, declared)
        ways, is_open = _rivals(names, columns, body, declared)
        first = rows[header + 1][0] if header + 1 < len(rows) else rows[header][0] + 1
    else:
        width = max((len(row) for row in body), default=0)
        names = tuple(f"column {place + 1}" for place in range(width))
        columns, guesses, ways = _by_content(body, declared)
        is_open = any("balance" in way for way in ways)
        first = 1 + (declared.skip if declared else 0)
        above = None if declared else _unknown_heading(rows)
        if above is not None:
            # What nobody can name is no amount for looking like one (a price, a share, a goal), unless a balance follows from it.
            if not _is_proven(columns, body):
                return None
            header, ways, is_open = above, (), False
            names = tuple(rows[above][1]) + names[len(rows[above][1]) :]
            guesses = (f"The headings are not known; {_shown(columns, names)}, for the balance follows from it.",)
            first = rows[above + 1][0]
    dates, money = columns.get("date", ()), [*columns.get("amount", ()), *columns.get("debit", ()), *columns.get("credit", ())]
    if not dates or not money or not (columns.get("text") or columns.get("code")):
        return None
    hits = sum(_is_date(_at(row, dates[0])) and any(_is_amount(_at(row, place)) for place in money) for row in body[:100])
    score = hits + (1 if header is not None else 0)
    preamble = tuple(tuple(row) for _, row in rows[: header or 0])
    found = Layout(mark, first, names, columns, header is not None, guesses, preamble, ways, is_open)
    return (score, len(columns), found) if score else None


def _unknown_heading(rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """Return the place of a row of nothing but words right above the first row with a date and an amount; None where there is none."""
    data = next((place for place, (_, row) in enumerate(rows) if any(map(_is_date, row)) and any(map(_is_amount, row))), 0)
    row = [cell for cell in rows[data - 1][1] if cell] if data else []
    wide = len(rows[data][1]) if rows else 0
    words = [cell for cell in row if re.search(r"[^\W\d]{2}", cell) and not _is_date(cell) and not _is_amount(cell)]
    return data - 1 if len(words) >= max(3, len(row) - 1) and len(row) * 5 >= wide * 3 else None


def _is_proven(columns: Mapping[str, tuple[int, ...]], body: Sequence[Sequence[str]]) -> bool:
    """Say whether a running balance follows from the columns taken for money."""
    if "balance" not in columns:
        return False
    money = [columns[role][0] for role in ("amount", "debit", "credit") if role in columns]
    share, steps = _explained(body, money, columns["balance"][0])
    return steps > 1 and share > 0.8


def _explained(body: Sequence[Sequence[str]], money: Sequence[int], balance: int) -> tuple[float, int]:
    """Return the share of steps of a balance that the amounts (whichever way they went) explain in the better order, and the steps."""
    found = [(sum(_value(_at(row, place)) or 0 for place in money), _value(_at(row, balance))) for row in body if any(map(_is_date, row))]
    amounts = [abs(amount) for amount, printed in found if printed is not None]
    steps = [abs(one - two) for one, two in pairwise(printed for _, printed in found if printed is not None)]
    fits = [sum(map(eq, steps, amounts[skipped:])) for skipped in (0, 1)]
    return (max(fits) / len(steps) if steps else 0.0), len(steps)


@lru_cache(8192)
def _value(text: str) -> Decimal | None:
    read = cells.amount(text, ".") or cells.amount(text, ",")
    return read[0] if read else None


def _shown(columns: Mapping[str, tuple[int, ...]], names: Sequence[str]) -> str:
    says = {"amount": "amount", "debit": "money out", "credit": "money in"}
    return ", ".join(f"{names[columns[role][0]]!r} is taken as the {word}" for role, word in says.items() if role in columns)


def _needs_heading(declared: Profile) -> bool:
    return bool(declared.header) or any(isinstance(name, str) for names in declared.columns.values() for name in names)


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
    if {"amount", "debit", "credit"} <= set(columns) and not declared:
        scores = {role: _scores(names[columns[role][0]])[role] for role in ("amount", "debit", "credit")}
        if scores["amount"] <= 500 < min(scores["debit"], scores["credit"]):
            del columns["amount"]
    if "date" not in columns and "value_date" in columns:
        columns["date"] = columns.pop("value_date")
    if "amount" in columns and not {"sign", "debit", "credit"} & set(columns) and not declared:
        sign = _unnamed_sign(columns["amount"][0], [place for place in range(len(names)) if place not in taken], body)
        columns["sign"] = sign
        taken.update(sign)
    if "text" not in columns and not (declared and "code" in declared.columns):
        named = [place for place, name in enumerate(names) if place not in taken and "text" in _scores(name)]
        filled = [place for place in named if any(_at(row, place) for row in body)]
        columns["text"] = tuple(filled or named) or tuple(place for place in _wordy(body, len(names)) if place not in taken)
    return {role: places for role, places in columns.items() if places}


def _moved(names: Sequence[str], body: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Move the heading of a money column that spans the currency's column before it: 'Change', '' above 'EUR', '5,00'."""
    moved = list(names)
    for place, name in enumerate(names[:-1]):
        if names[place + 1] or not {"amount", "debit", "credit", "balance"} & set(_scores(name)):
            continue
        pairs = [(_at(row, place), _at(row, place + 1)) for row in body[:100] if _at(row, place + 1)]
        if pairs and all(code in cells.CURRENCIES and _is_amount(value) for code, value in pairs):
            moved[place : place + 2] = [f"{name} (currency)", name]
    return tuple(moved)


def _unnamed_sign(amount: int, places: Sequence[int], body: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Return the column that says of each unsigned amount whether it came in or went out, under whatever heading."""
    rows = [row for row in body[:100] if any(map(_is_date, row)) and _is_amount(_at(row, amount))]
    if any((_value(_at(row, amount)) or 0) < 0 for row in rows):
        return ()
    sides = {place: {_side(_at(row, place)) for row in rows} for place in places}
    return tuple(place for place, found in sides.items() if found == {"+", "-"})[:1]


def _rivals(
    names: Sequence[str], columns: Mapping[str, tuple[int, ...]], body: Sequence[Sequence[str]], declared: Profile | None
) -> tuple[tuple[dict[str, int], ...], bool]:
    """Return the columns that could be the amount as well as the one taken, that one first, and whether their headings are as good."""
    if "amount" not in columns or (declared and "amount" in declared.columns):
        return (), False
    taken = {place for places in columns.values() for place in places}
    here = columns["amount"][0]
    if _scores(names[here]).get("amount", 0) > _scores("amount")["amount"]:
        return (), False  # the heading says that it is the account's own, or what was left of the gross
    rows = [row for row in body[:100] if any(map(_is_date, row)) and _is_amount(_at(row, here))]
    found, score = [here], _scores(names[here])["amount"]
    for place, name in enumerate(names):
        other = _scores(name).get("amount", 0)
        if place in taken or not other or (other <= 500) != (score <= 500):
            continue
        pairs = [(_at(row, here), _at(row, place)) for row in rows]
        filled = sum(bool(re.search("[1-9]", cell)) for _, cell in pairs)
        if filled * 2 <= len(pairs) or not all(_is_amount(cell) for _, cell in pairs):
            continue  # a fee or a tax that is mostly nothing is not the amount
        if any(re.sub(r"\D", "", one) != re.sub(r"\D", "", cell) for one, cell in pairs):
            found.append(place)
    same = len({folded(names[place]) for place in found}) == 1
    return (tuple({"amount": place} for place in found), score <= 500 or same) if len(found) > 1 else ((), False)


def _suits(role: str, place: int, score: int, body: Sequence[Sequence[str]], declared: Profile | None) -> bool:
    """Check a heading's claim against the cells below it."""
    values = [value for row in body[:100] if (value := _at(row, place))]
    if role in ("date", "value_date"):
        return not values or any(map(_is_date, values)) or role == "date"
    if role in ("amount", "debit", "credit", "balance", "fee"):
        if score <= 500:  # the heading only contains the word
            return sum(map(_is_amount, values)) * 2 > len(values)
        return any(re.search(r"\d", value) for value in values) or not values
    if role == "currency":
        rows = [row for row in body if len(row) > place and any(map(_is_date, row))]
        codes = [cells.currency(_at(row, place)) for row in rows]
        if score <= 500:
            return bool(codes) and all(code in cells.CURRENCIES for code in codes)
        # A heading that says "currency" holds: a code nobody knows, or none, must not make one account of two currencies.
        return any(codes) and all(re.fullmatch(r"[A-Z]{3,5}|\$|", code) for code in codes)
    if role == "sign":
        return bool(values) and (all(map(_side, values)) or bool(declared and declared.sign))
    if role == "status" and score <= 500:
        return False
    if role == "code":
        return bool(values) and all(re.fullmatch(r"\d{4}", value) for value in values)
    if role == "account":
        rows = [row for row in body if len(row) > 1 and any(map(_is_date, row))]
        filled = [_at(row, place) for row in rows]
        many = len(set(filled)) > 1
        return bool(filled) and all(filled) and any(map(str.isdigit, "".join(filled))) and (not many or score >= 988)
    return True


Ways = tuple[dict[str, int], ...]


def _by_content(body: Sequence[Sequence[str]], declared: Profile | None) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...], Ways]:
    """Give each role its column where no heading says so; what had to be assumed comes back as sentences, and as the ways there are."""
    given = declared.columns if declared else {}
    told = {role: tuple(place - 1 for place in places if isinstance(place, int)) for role, places in given.items()}
    if told.get("date") and (told.get("text") or told.get("code")):
        return told, (), ()
    rows = [row for row in body if any(map(_is_date, row)) and any(map(_is_amount, row))]
    if len(rows) > 2 and not any(_is_date(_at(rows[0], place)) for place in map(_first_day, rows[1:])):
        rows = rows[1:]  # what the account is, in the shape of a row
    width = max((len(row) for row in rows), default=0)
    filled = {place: [value for row in rows if (value := _at(row, place))] for place in range(width)}
    dates = [place for place, values in filled.items() if len(values) == len(rows) and values and all(map(_is_date, values))]
    money = [place for place, values in filled.items() if place not in dates and values and all(map(_is_amount, values))]
    money = [place for place in money if any(re.search(r"[.,](\d{2}|\d{4,})(\D|$)", value) for value in filled[place])] or money[:1]
    if not dates or not money:
        return {}, (), ()
    columns: dict[str, tuple[int, ...]] = {"date": (dates[0],)}
    guesses: list[str] = []
    ways: list[dict[str, int]] = []
    full = [place for place in money if len(filled[place]) >= 0.8 * len(rows)]
    pair = _exclusive(rows, money)
    if {"amount", "debit", "credit"} & set(told):
        columns |= told
    elif pair:
        into, out = sorted(pair, key=lambda place: sum(map(_is_something, filled[place])))
        out, into = pair if sum(map(_is_something, filled[into])) == sum(map(_is_something, filled[out])) else (out, into)
        columns |= {"debit": (out,), "credit": (into,)}
        rest = [place for place in full if place not in pair and _explained(rows, pair, place)[0] > 0.5]
        columns |= {"balance": (rest[0],)} if rest else {}
        how = "" if sum(map(_is_something, filled[into])) == sum(map(_is_something, filled[out])) else ", the fuller one,"
        guesses.append(f"There is no heading: column {out + 1}{how} is taken as money out and column {into + 1} as money in.")
        ways = [{"debit": out, "credit": into}, {"debit": into, "credit": out}]
    elif full:
        columns["amount"] = (full[0],)
        if len(full) > 1:
            one, two, ways = _amount_and_balance(rows, full)
            columns |= {"amount": (one,), "balance": (two,)}
            guesses.append(f"There is no heading: column {one + 1} is taken as the amount, column {two + 1} as the balance.")
    else:
        return {}, (), ()
    columns |= told
    for place, values in filled.items():
        if place in dates or place in money or len(values) < len(rows):
            continue
        if "currency" not in columns and set(values) <= cells.CURRENCIES:
            columns["currency"] = (place,)
        elif "amount" in columns and "sign" not in columns and _is_sign(rows, place, columns["amount"][0]):
            columns["sign"] = (place,)
    taken = {place for places in columns.values() for place in places} | set(dates)
    columns["text"] = tuple(place for place in _wordy(rows, width) if place not in taken)
    return columns | told, tuple(guesses), tuple(ways)


def _first_day(row: Sequence[str]) -> int:
    return next(place for place, cell in enumerate(row) if _is_date(cell))


def _exclusive(rows: Sequence[Sequence[str]], money: Sequence[int]) -> tuple[int, int] | None:
    """Return the first two money columns of which every row fills one and never both, with blanks or zeros in the other."""
    for one, two in combinations(money, 2):
        sides = [(_is_something(_at(row, one)), _is_something(_at(row, two))) for row in rows]
        if (True, False) in sides and (False, True) in sides and (True, True) not in sides:
            return one, two
    return None


def _is_something(value: str) -> bool:
    return bool(re.search(r"[1-9]", value))


def _amount_and_balance(rows: Sequence[Sequence[str]], full: Sequence[int]) -> tuple[int, int, list[dict[str, int]]]:
    """Tell the amount from the balance by what the balance follows from, else by what alone is signed, else give the ways there are."""
    pairs = list(permutations(full[:5], 2))
    signed = [place for place in full if any((_value(_at(row, place)) or 0) < 0 for row in rows)]
    shares = {pair: (_explained(rows, pair[:1], pair[1])[0], pair[0] in signed) for pair in pairs}
    one, two = max(pairs, key=lambda pair: shares[pair])
    if shares[one, two][0] > 0.5:
        return one, two, []
    if len(signed) == 1 and len(rows) > 1:
        return signed[0], next(place for place in full if place != signed[0]), []
    return full[0], full[1], [{"amount": one, "balance": two} for one, two in permutations(full[:3], 2)]


def _is_sign(rows: Sequence[Sequence[str]], place: int, amount: int) -> bool:
    """Say whether a column says which way the money went, where the amounts do not say so themselves or say the opposite throughout."""
    sides = [_side(_at(row, place)) for row in rows]
    values = [_value(_at(row, amount)) or 0 for row in rows]
    if set(sides) - {None} != {"+", "-"} or sum(map(bool, sides)) < 0.8 * len(sides):
        return False
    against = [side and value * (1 if side == "+" else -1) <= 0 for side, value in zip(sides, values, strict=True)]
    return all(value >= 0 for value in values) or all(against)


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
    plain = CAMEL.sub(" ", text)
    if not plain.isascii():
        letters = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(LETTERS)
    return NO_WORD.sub(" ", plain.lower()).strip()


@cache
def _headings() -> dict[str, tuple[tuple[str, ...], frozenset[str]]]:
    declared = tomllib.loads((DECLARED / "headers.toml").read_text(encoding="utf-8"))
    return {
        role: (tuple(dict.fromkeys(map(folded, entry["words"]))), frozenset(entry.get("never", ()))) for role, entry in declared.items()
    }


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


def said(row: Sequence[str], layout: Layout) -> tuple[str, ...] | None:
    """Return what a row says in the columns of day and money; None where it is no transaction: no day, no amount, or words instead."""
    roles = ("date", "value_date", "amount", "debit", "credit", "balance")
    places = {role: layout.columns[role][0] for role in roles if role in layout.columns}
    cells_ = {role: _at(row, place).strip() for role, place in places.items()}
    moneys = [cells_[role] for role in ("amount", "debit", "credit") if role in cells_]
    fit = all(not value or (_is_date(value) if role.endswith("date") else _is_amount(value)) for role, value in cells_.items())
    return tuple(cells_.values()) if fit and cells_["date"] and any(moneys) else None


def _at(row: Sequence[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def to_dict(found: Layout, **more: Any) -> dict[str, Any]:
    """Return a layout as the dialect an analyst is shown."""
    return {"delimiter": found.delimiter, "header_line": found.first - 1 if found.has_header else None, "columns": found.named(), **more}
