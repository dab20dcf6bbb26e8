"""What the text in a cell means as a day: formats in many languages, told by all rows of a column and never by one.

Nobody may break this: a text that is no day of the calendar has none, and formats that read equally many stay together, undecided.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import Any
from unicodedata import combining, normalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from creditrisk.cells import BAD, BLANK, READ, Marks, places

# Without accents; the language that spells a month as another spells its neighbour (listopad, lip) yields to the larger one.
MONTHS = (
    "january jan ene gen sty led janv jaanuar styczen stycznia leden ledna januari januar enero gennaio janvier janeiro janner jaan "
    "ianuarie tammi tammikuu tammikuuta ocak oca sijecanj янв январь января сiч",
    "february feb fev fevr lut uno februar februari febrero febbraio luty lutego unor unora fevrier fevereiro feber veebr veebruar "
    "februarie helmi helmikuu subat sub veljaca фев февр февраль февраля лют",
    "march mar mrt mrz mrs marz mars marts marzo maart marzec marca bre brezen brezna marco marec martie maalis ozujak март марта бер",
    "april apr avr abr kwi dub avril abril aprile kwiecien kwietnia duben dubna aprill aprilie huhti nisan nis travanj апр апрель "
    "апреля квi",
    "may mai mei maj mayo maggio maio kve kvet kveten kvetna mag maja maijs touko mayis svibanj май мая тра",
    "june jun juin jui giu cze cer cerven cervna juni junio giugno czerwiec czerwca junho juny juuni iunie kesa haziran haz lipanj июн "
    "июнь июня чер",
    "july jul juil lug lip cvc cervenec cervence juillet juli julio luglio lipiec lipca julho juuli iulie heina temmuz tem srpanj июл июль "
    "июля",
    "august aug aou aout ago sie srp augustus agosto sierpien sierpnia srpen srpna augusti elo agustos agu kolovoz авг август августа сер",
    "september sep sept set wrz zar zari septiembre settembre septembre setembro wrzesien wrzesnia syys eylul eyl septembrie "
    "rujan сен сент сентябрь сентября вер",
    "october oct okt ott paz rij octobre oktober octubre ottobre outubro out pazdziernik pazdziernika rijen rijna octombrie loka ekim eki "
    "окт октябрь октября жов",
    "november nov lis novembre noviembre novembro listopad listopada noiembrie marras kasim kas studeni ноя нояб ноябрь ноября лис",
    "december dec dez dic gru pro decembre dezember diciembre dicembre dezembro grudzien grudnia prosinec prosince decembrie joulu aralik "
    "ara prosinac дек декабрь декабря гру",
)
MONTH = {word: number for number, words in enumerate(MONTHS, 1) for word in words.split()}
STAMP = r"(?:\d{6}(?:\.\d+)?(?:\[[^\]]*\])?)?"  # 20091224120000[0:GMT]
CLOCK = (
    r"(?:[T ,-]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,:]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"(?: ?(?:Z|[A-Z]{3,4}|[+-]\d{2}(?::?\d{2})?|\([A-Z]{3,4}\)))?)?"
)
TOKENS = {
    "%d": r"(?P<d>\d{1,2})", "%m": r"(?P<m>\d{1,2})", "%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d{2})",
    "%b": r"(?P<b>[^\W\d_]{3,}\.?)", "%a": r"(?P<a>[^\W\d_]{2,}\.?,?)",
}  # fmt: skip
WEEKDAYS = frozenset(  # as their first three letters; "period 15 December 2023" is no day of the week
    re.findall(
        r"\w+",
        "mon tue wed thu fri sat sun die mit don fre sam son lun mar mer jeu ven dim mie jue vie sab dom gio maa din woe vri zat zon seg "
        "ter qua qui sex pon wto sro czw pia sob nie man tis tir ons tor lor",
    )
)
SEPARATED = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d", "%d{0}%b{0}%Y", "%d{0}%b{0}%y")
FORMATS = (
    # Nobody writes the month first before a dot.
    *(shape.format(mark) for mark in "-/. " for shape in SEPARATED if not (mark == "." and shape.startswith("%m"))),
    "%Y.%m.%d.", "%d. %m. %Y", "%d.%m.%Y.", "%d. %b %Y", "%b %d, %Y", "%b %d %Y", "%d%b%Y", "%d%b%y",
    "%Y:%m:%d", "%d %b, %Y", "%b %d, %y", "%a %d %b %Y", "%Y %b %d", "%Y-%b-%d", "%d de %b de %Y",
    "%Y年%m月%d日", "%Y. %m. %d", "%Y. %m. %d.",
    "%Y%m%d", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y",
)  # fmt: skip


@cache
def reader(form: str) -> Callable[[str], date | None]:
    """Return the reader of one date format (`%d %m %Y %y %b`, a clock time after it is allowed and ignored).

    >>> reader("%y%m%d")("930101"), reader("%d.%m.%Y")("31.02.2024"), reader("%d-%b-%Y")("12-Dec-2019")
    (datetime.date(1993, 1, 1), None, datetime.date(2019, 12, 12))
    """
    whole = _pattern(form)

    @lru_cache(8192)  # a year of statements has few days and many rows
    def read(text: str) -> date | None:
        found = whole.fullmatch(text)
        if found is None:
            return None
        part = found.groupdict()
        year = int(part["Y"]) if part.get("Y") else 1900 + int(part["y"]) + (100 if int(part["y"]) < 69 else 0)
        month = MONTH.get(_bare(part["b"]), 0) if part.get("b") else int(part["m"])
        try:
            return date(year, month, int(part["d"]))
        except ValueError:
            return None

    return read


def shapes(text: str) -> list[str]:
    """Return the formats whose pattern one text fits, whether or not it is a day of the calendar.

    >>> shapes("31.02.2024")
    ['%d.%m.%Y']
    """
    return list(_shapes(re.sub(r"\d", "0", text.strip())))


@lru_cache(4096)
def _shapes(shape: str) -> tuple[str, ...]:
    if "0" not in shape or len(shape) > 40:
        return ()
    found = {form: _pattern(form).fullmatch(shape) for form in FORMATS}
    return tuple(form for form, match in found.items() if match and _words_fit(**match.groupdict()))


def _words_fit(a: str | None = None, b: str | None = None, **_: str) -> bool:
    """Say whether the words of a date are a month, and before it a day of the week: abbreviated with a mark, or three letters and more."""
    return _month_fits(b) and (a is None or _bare(a.rstrip(","))[:3] in WEEKDAYS or (len(a) == 3 and a[-1] in ".,"))


def _month_fits(word: str | None) -> bool:
    return word is None or _bare(word) in MONTH


def _bare(word: str) -> str:
    """Return the name of a month in lower case without accents and full stop."""
    plain = normalize("NFKD", word.rstrip(".").lower()).translate(str.maketrans("ıі", "ii"))
    return "".join(letter for letter in plain if not combining(letter))


@cache
def _pattern(form: str) -> re.Pattern[str]:
    pattern = re.escape(form)
    for token, part in TOKENS.items():
        # Without separators a field has its full width, or 1112024 could be two dates.
        pattern = pattern.replace(token, part if re.search(r"%\w[^%]+%|%b", form) else part.replace("{1,2}", "{2}"))
    return re.compile(pattern + (STAMP if form == "%Y%m%d" else "") + CLOCK)


def formats(column: pa.Array) -> list[str]:
    """Return the formats that read most of the distinct texts of a column, those that read equally many together; [] for none."""
    texts = pc.utf8_trim_whitespace(column.dictionary_encode().dictionary)
    shapes = pc.unique(pc.replace_substring_regex(texts, r"\d", "0")).to_pylist()
    fitting = {form for shape in shapes for form in _shapes(shape)}
    said = texts.to_pylist()
    counts = {form: sum(map(bool, map(reader(form), said))) for form in FORMATS if form in fitting}
    most = max(counts.values(), default=0)
    return [form for form, count in counts.items() if count == most] if most else []


def days(column: pa.Array, form: str) -> tuple[NDArray[Any], Marks]:
    """Read a column of texts as days in one format: datetime64[D] and the state READ, BLANK or BAD; distinct texts once."""
    coded = column.dictionary_encode()
    read = reader(form)
    texts = [text.strip() for text in coded.dictionary.to_pylist()]
    found = [read(text) for text in texts]
    values = np.array([day or date(1, 1, 1) for day in found], "datetime64[D]")
    state = np.array([READ if day else BAD if text else BLANK for day, text in zip(found, texts, strict=True)], np.int8)
    where = places(coded)
    return values[where], state[where]
