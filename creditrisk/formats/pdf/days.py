"""Days printed without a year: the one that the statement's own dates allow, or a refusal."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from creditrisk import dates
from creditrisk.errors import UnreadableFile
from creditrisk.formats.pdf.words import DAY, DAY_MONTH, Line, is_day, is_short_day


def days_of(file: str, texts: list[str], lines: Sequence[Line], date_format: str | None) -> list[str]:
    """Return the day of every entry as text; days without a year get the one that the statement's own dates allow."""
    if all(map(is_day, texts)):
        return texts
    if not all(is_short_day(text) or is_day(text) for text in texts):
        bad = next(text for text in texts if not is_short_day(text))
        raise UnreadableFile(file, f"{bad!r} is not a date of the calendar.", value=bad)
    start, end = _period(file, texts, lines)
    orders = {order: [_placed(text, order, start, end) for text in texts] for order in ("dm", "md")}
    fitting = {order: days for order, days in orders.items() if None not in days}
    unlike = {tuple(days): order for order, days in fitting.items()}
    if len(unlike) > 1:
        inside = {days: order for days, order in unlike.items() if all(start <= day <= end for day in days if day)}
        ordered = {days: order for days, order in (inside or unlike).items() if _in_order([day for day in days if day])}
        unlike = inside if len(inside) == 1 else ordered if len(ordered) == 1 else unlike
    if date_format and len(unlike) > 1:
        wanted = "md" if date_format.find("%m") < date_format.find("%d") else "dm"
        unlike = {tuple(fitting[wanted]): wanted}
    if len(unlike) != 1:
        what = f"the days (for example {texts[0]!r}) have no year and can be read in more than one way"
        what = what if unlike else f"the days (for example {texts[0]!r}) do not fit the dates the statement names"
        raise UnreadableFile(file, f'{what}; a bank profile (--profile) with date_format = "%d/%m" or "%m/%d" decides.', value=texts[0])
    return [day.isoformat() for day in next(iter(unlike)) if day]


def _period(file: str, days: Sequence[str], lines: Sequence[Line]) -> tuple[date, date]:
    """Return the first and last full date the statement names outside its rows. Raises UnreadableFile where it names none."""
    found = []
    for line in lines:
        text = line.whole
        for part in re.findall(
            r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}\.? [^\W\d_]{3,9}\.?,? \d{4}|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}", text
        ):
            forms = [form for form in dates.shapes(part) if dates.reader(form)(part)]
            forms = [form for form in forms if not form.startswith("%y")] or forms
            found += [day for form in forms[:2] if (day := dates.reader(form)(part)) and 1970 <= day.year <= 2100]
    if not found:
        raise UnreadableFile(file, f"the days (for example {days[0]!r}) have no year, and no date on the statement names one.")
    end = max(found)
    near = [day for day in found if end - day <= timedelta(400)]
    return (min(near) if min(near) < end else end - timedelta(62)), end


def _placed(text: str, order: str, start: date, end: date) -> date | None:
    """Give a day without a year the year in which it lies in the statement's time, or nearest before its end."""
    if is_day(text):
        return next((day for form in dates.shapes(text) if (day := dates.reader(form)(text))), None)
    if found := DAY.fullmatch(text):
        number, month = (int(found["a"]), int(found["b"])) if order == "dm" else (int(found["b"]), int(found["a"]))
    elif found := DAY_MONTH.fullmatch(text):
        number, month = int(found["d"] or found["d2"]), dates.MONTH[(found["b"] or found["b2"]).lower()]
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
