"""What the text in a cell of a bank's file means: an exact amount and its currency, or nothing at all.

Money is never a float: a column of amounts is whole units of 1/10,000 (`SCALE`) in int64, which is exact to 9 × 10¹⁴.
Nothing is guessed here; the decimal mark is an argument, and what it may be is found from all rows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame

SCALE = 10_000
DENSE = 1 << 22  # keys below this are numbered by a table, beyond it by a hash
MONEY = pa.decimal64(18, 4)
READ, BLANK, BAD = 0, 1, 2
FORMULA = re.compile(r"\s*(?:[=@＝＠]|[+\-＋－](?!\s*[\d.,][\d.,\s]*$))|[\t\r\n]")

Units = NDArray[np.int64]
Marks = NDArray[np.int8]

MINUS = "−–-"  # the hyphen last, so that it is itself in a character class
CURRENCIES = frozenset(
    re.findall(
        r"\w+",
        "AED ARS ATS AUD BAM BDT BEF BGN BHD BRL BYN CAD CHF CLP CNY COP CRC CZK DEM DKK DZD EEK EGP ESP EUR FIM FRF GBP GEL GHS GRD HKD "
        "HRK HUF IDR IEP ILS INR IQD ISK ITL JOD JPY KES KRW KWD KZT LBP LKR LTL LUF LVL MAD MDL MKD MXN MYR NGN NLG NOK NZD OMR PEN PHP "
        "PKR PLN PTE PYG QAR RON RSD RUB SAR SEK SGD SIT SKK THB TND TRY TWD TZS UAH UGX USD UYU UZS VND XAF XOF ZAR ZMW "
        "AMD AOA AZN BOB BWP DOP ETB FJD GTQ HNL JMD KGS KHR LAK MMK MNT MOP MUR MZN NAD NIO NPR PAB RUR RWF TJS TTD VES XPF",
    )
)
THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
SYMBOLS = {"€": "EUR", "£": "GBP", "zł": "PLN", "Kč": "CZK", "₹": "INR", "R$": "BRL", "₽": "RUB", "₺": "TRY", "Ft": "HUF"}
SYMBOLS |= {
    "₪": "ILS",
    "₴": "UAH",
    "₩": "KRW",
    "₱": "PHP",
    "₫": "VND",
    "₦": "NGN",
    "฿": "THB",
    "лв": "BGN",
    "лв.": "BGN",
    "руб.": "RUB",
    "人民币": "CNY",
}
GLUE = (
    r"(?P<{0}>[A-Z]{{3}}|[A-Z]{{0,2}}\$|[€£¥￥₹₽₺₪₴₩₱₫₦฿]|zł|Kč|kr\.?|Ft|[FS]Fr\.?|Fr\.?|Rs\.?|Rp\.?|TL|RM|lei|[Ee]uros?|р(?:уб)?\.?|"
    r"грн\.?|лв\.?|元)?"
)
SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " ")


@dataclass(frozen=True)
class Amounts:
    """A column of amounts: `units` of 1/10,000, `state` READ, BLANK or BAD, `mark` +1 / -1 where the cell states a sign, else 0."""

    units: Units
    state: Marks
    mark: Marks


@cache
def _grammar(decimal: str) -> re.Pattern[str]:
    group = r"\d{1,3}(?:\.\d{3})+" if decimal == "," else r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}"
    whole = rf"{group}|\d{{1,3}}(?: \d{{3}})+|\d{{1,3}}(?:['’]\d{{3}})+|\d{{1,18}}"
    return re.compile(
        rf"(?:{GLUE.format('outer')} ?(?P<open>\())?(?P<pre>[+{MINUS}])? ?{GLUE.format('left')} ?(?P<mid>[+{MINUS}])? ?"
        rf"(?:(?P<whole>{whole})(?:{re.escape(decimal)}(?P<part>\d{{0,4}})0*)?|{re.escape(decimal)}(?P<bare>\d{{1,4}}))"
        rf" ?(?P<post>[+{MINUS}])? ?{GLUE.format('right')} ?(?P<side>CR|DR|Cr|Dr|cr|dr|C|D|S|H)?\.?(?P<close>\)(?: ?[A-Z]{{3}})?)?"
    )


def amount(text: str, decimal: str = ".") -> tuple[Decimal, int] | None:
    """Read one amount: its signed value, and +1 / -1 where the text states the sign (0 where it does not); None for no amount.

    >>> amount("-1.234,5", ","), amount("(12.00)"), amount("0.80Dr"), amount("£1,234.50"), amount("5.00-")
    ((Decimal('-1234.5'), -1), (Decimal('-12.00'), -1), (Decimal('-0.80'), -1), (Decimal('1234.50'), 0), (Decimal('-5.00'), -1))
    >>> [amount(text) for text in ("NaN", "1E400", "12..34", "1,23", "", "--5", "(5.00")]
    [None, None, None, None, None, None, None]
    """
    found = _grammar(decimal).fullmatch(" ".join(text.translate(SPACES).split()))
    if found is None or (found["open"] is None) != (found["close"] is None):
        return None
    stated = [sign for sign in (found["pre"], found["mid"], found["post"], found["open"], found["side"]) if sign]
    if len(stated) > 1:
        return None
    digits = re.sub(r"\D", "", found["whole"]) if found["whole"] else "0"
    value = Decimal(f"{digits}.{found['part'] or found['bare'] or '0'}" if (found["part"] or found["bare"]) else digits)
    mark = 0 if not stated else -1 if stated[0][0] in MINUS + "(DdS" else 1
    return (-value if mark < 0 else value), mark


def currency(text: str) -> str:
    """Return the code of a currency that is written as a code or a symbol; what is neither stays as it is, in capitals."""
    return SYMBOLS.get(text.strip(), text.strip().upper())


@lru_cache(8192)
def glued_currency(text: str) -> str:
    """Return the currency that is written onto an amount: its code, '$' or '¥' where several countries use the sign, '' for none.

    >>> glued_currency("€5.00"), glued_currency("5.00 USD"), glued_currency("$5.00"), glued_currency("5.00 CR")
    ('EUR', 'USD', '$', '')
    """
    words = re.findall(r"[A-Z]{3}|R\$|zł|Kč|Ft|[€£₹₽₺$¥]", text)
    found = {SYMBOLS.get(word, word) for word in words if word in SYMBOLS or word in CURRENCIES or word in "$¥"}
    found -= {"$", "¥"} if len(found) > 1 else set()  # USD $5.00
    return found.pop() if len(found) == 1 else ""


def amounts(column: pa.Array, decimal: str, limit: int) -> Amounts:
    """Read a column of texts as amounts; distinct texts once. Beyond ± `limit`, and what `amount` does not read, is BAD."""
    coded = column.dictionary_encode()
    texts = pc.utf8_trim_whitespace(coded.dictionary)
    mark = re.escape(decimal)
    plain = _numpy(pc.match_substring_regex(texts, rf"^-?\d{{1,13}}({mark}\d{{1,4}})?$"))
    values = np.zeros(len(texts), np.int64)
    state = np.full(len(texts), BAD, np.int8)
    marks = np.zeros(len(texts), np.int8)
    if plain.any():
        simple = texts.filter(pa.array(plain))
        values[plain] = from_money(pc.cast(simple if decimal == "." else pc.replace_substring(simple, decimal, "."), MONEY))
        marks[plain] = -_numpy(pc.starts_with(simple, "-")).astype(np.int8)
        state[plain] = READ
    for place in np.flatnonzero(~plain):
        text = texts[int(place)].as_py()
        read = amount(text, decimal)
        if not text:
            state[place] = BLANK
        elif read is not None and abs(read[0]) <= limit:
            values[place], marks[place], state[place] = int(read[0] * SCALE), read[1], READ
    state[(np.abs(values) > limit * SCALE)] = BAD
    where = places(coded)
    return Amounts(values[where], state[where], marks[where])


def each(column: pa.Array, how: Callable[[pa.Array], pa.Array]) -> pa.DictionaryArray:
    """Change a column of texts by what becomes of each distinct one; `how` gets them as an array and returns as many.

    >>> each(pa.array([" a", "a", "b"]), pc.utf8_trim_whitespace).to_pylist()
    ['a', 'a', 'b']
    """
    coded = column.dictionary_encode()
    found = how(coded.dictionary).dictionary_encode()
    if len(found.dictionary) == 1:
        return constant(found.dictionary[0].as_py(), len(coded))
    alike = len(found.dictionary) < len(coded.dictionary)
    indices = found.indices.take(coded.indices) if alike else coded.indices
    return pa.DictionaryArray.from_arrays(indices, found.dictionary)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; one that is one piece is not copied."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def constant(text: str, n: int) -> pa.DictionaryArray:
    """Return a column that says the same in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text]))


def together(*columns: pa.Array) -> tuple[NDArray[np.int32], list[pa.Array]]:
    """Number the distinct rows of several columns of texts: the number of every row, from 0, and the columns of the distinct rows.

    >>> number, (letters, signs) = together(pa.array(["a", "a", "b", "a"]), pa.array(["x", "y", "x", "y"]))
    >>> number.tolist(), letters.to_pylist(), signs.to_pylist()
    ([0, 1, 2, 1], ['a', 'a', 'b'], ['x', 'y', 'x'])
    """
    number: NDArray[np.int32] = np.zeros(len(columns[0]), np.int32)
    texts: list[pa.Array] = []
    count = 1
    for column in (column.dictionary_encode() for column in columns):
        size = max(len(column.dictionary), 1)
        wide = np.int32 if count * size < 2**31 else np.int64
        key = places(column) if count == 1 else number if size == 1 else number * wide(size) + places(column)
        number, distinct = _renumbered(key, count * size)
        before, place = np.divmod(distinct, size)
        texts = [*(other.take(pa.array(before)) for other in texts), column.dictionary.take(pa.array(place))]
        count = len(distinct)
    return number, texts


def _renumbered(key: NDArray[Any], bound: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Return numbers from 0 in place of keys below a bound, and the keys that occur."""
    if bound > DENSE:
        found = pa.array(key).dictionary_encode()
        return places(found), found.dictionary.to_numpy()
    used = np.zeros(bound, bool)
    used[key] = True
    distinct = np.flatnonzero(used)
    return (key if used.all() and key.dtype == np.int32 else (np.cumsum(used, dtype=np.int32) - 1)[key]), distinct


def places(column: pa.DictionaryArray) -> NDArray[np.int32]:
    """Return for every row the place of its text among the distinct ones."""
    found: NDArray[np.int32] = column.indices.to_numpy(zero_copy_only=False)
    return found


def decimal_mark(column: pa.Array) -> str | None:
    """Find the decimal mark of a column from all its values: '.' or ','; '' where the column has none; None where undecidable.

    >>> decimal_mark(pa.array(["1.234,50", "3,10"])), decimal_mark(pa.array(["5", "-7"])), decimal_mark(pa.array(["1,234", "5,678"]))
    (',', '', None)
    """
    texts = column.dictionary_encode().dictionary
    present = {mark for mark in ".," if pc.any(pc.match_substring(texts, mark)).as_py()}
    counts = {mark: _evidence(texts, re.escape(mark), re.escape(other)) for mark, other in (".,", ",.") if mark in present}
    if counts and max(counts.values()) > 0 and len(set(counts.values())) == len(counts):
        return max(counts, key=lambda mark: counts[mark])
    if len(present) == 1 and not any(counts.values()):
        mark = next(iter(present))
        grouped = rf"\d{re.escape(mark)}\d{{3}}{re.escape(mark)}\d"
        # A bank that prints three decimals prints them always: 1,500 beside 500 is no decimal.
        plain = r"^\D*[1-9]\d{0,2}\D*$"
        again = _any(texts, grouped) or (_any(texts, plain) and not _any(texts, rf"(^|\D)0{re.escape(mark)}"))
        return ("," if mark == "." else ".") if again else None if _marked(texts) else ""
    return None if _marked(texts) else ""


def _marked(texts: pa.Array) -> bool:
    return _any(texts, r"\d[.,]\d")


def _any(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _evidence(texts: pa.Array, mark: str, other: str) -> int:
    """Count values in which `mark` can only be the decimal mark."""
    only = (
        rf"^[^.,]*{mark}(\d{{1,2}}|\d{{4,}})(\D|$)"  # 12.5 but not 1.234
        rf"|{other}\d{{2,3}}{mark}\d"  # 1,234.5
        rf"|\d{other}\d{{3}}{other}\d{{3}}"  # 1,234,567
        rf"|(^|\D)0{mark}\d|\d{{4,}}{mark}\d"  # 0.123 and 1234.567
    )
    return int(_numpy(pc.match_substring_regex(texts, only)).sum())


def to_money(units: Units, stated: NDArray[np.bool_] | None = None) -> pa.Array:
    """Turn units into an Arrow array of decimal(18, 4), null where nothing was stated."""
    return pa.array(units, mask=None if stated is None else ~stated).view(MONEY)


def no_money(n: int) -> pa.Array:
    """Return a column in which no money is stated."""
    return pa.Array.from_buffers(MONEY, n, [pa.py_buffer(bytes(n // 8 + 1)), pa.py_buffer(np.zeros(n, np.int64))], null_count=n)


def from_money(column: pa.Array) -> Units:
    """Turn an Arrow array of decimal(18, 4) without nulls into units."""
    return np.asarray(column.cast(MONEY).view(pa.int64()).to_numpy())


def total(units: Units) -> Decimal:
    """Sum units exactly, whatever their number.

    >>> total(np.array([10_000, -2_500]))
    Decimal('0.7500')
    """
    high, low = int((units >> 32).sum()), int((units & 0xFFFFFFFF).sum())
    return Decimal((high << 32) + low).scaleb(-4)


def agreement(amount: Units, balance: Units, *, before: bool = False) -> tuple[int, bool]:
    """Count the steps of a running balance that the amounts explain, in the order that explains more; True where it is newest first.

    `before` takes the balance printed in a row for the one before its movement.

    >>> agreement(np.array([5, -2, 4]), np.array([15, 13, 17])), agreement(np.array([4, -2, 5]), np.array([17, 13, 15]))
    ((2, False), (2, True))
    >>> agreement(np.array([5, -2, 4]), np.array([10, 15, 13]), before=True)
    (2, False)
    """
    steps = np.diff(balance)
    later, earlier = (amount[:-1], amount[1:]) if before else (amount[1:], amount[:-1])
    oldest_first, newest_first = int((steps == later).sum()), int((-steps == earlier).sum())
    return max(oldest_first, newest_first), newest_first > oldest_first


def _numpy(column: pa.Array) -> NDArray[Any]:
    return np.asarray(column.to_numpy(zero_copy_only=False))


def harmless(frame: DataFrame) -> DataFrame:
    """Return a table to be opened elsewhere: a text that a spreadsheet would calculate, be it a heading, stands behind an apostrophe.

    >>> list(harmless(DataFrame({"=1+1": [1]})))
    ["'=1+1"]
    >>> harmless(DataFrame({"text": ["=1+1", " @x", "-12.50", "+49 30 1", "A=B"], "n": [-1, 2, 3, 4, 5]}))["text"].to_list()
    ["'=1+1", "' @x", '-12.50', '+49 30 1', 'A=B']
    """
    texts = {name: frame[name].tolist() for name, kind in frame.dtypes.items() if kind.kind not in "biufcmM"}
    made: dict[str, Any] = {str(name): list(map(_quoted, values)) for name, values in texts.items() if any(map(_calculates, values))}
    plain = frame.assign(**made) if made else frame
    headings = {name: _quoted(name) for name in plain if _calculates(name)}
    return plain.rename(columns=headings) if headings else plain


def _calculates(value: object) -> bool:
    return isinstance(value, str) and FORMULA.match(value) is not None


def _quoted(value: object) -> object:
    return f"'{value}" if _calculates(value) else value
