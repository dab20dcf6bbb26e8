"""Dates: what is printed is read back, whatever the clock says, and what is no day is nothing."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk import dates

DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31))


@run(deadline=None)
@given(
    DAYS,
    st.sampled_from(["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y%m%d", "%y%m%d", "%d.%m.%y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y"]),
    st.sampled_from(["", " 23:59", "T00:00:00Z", " 12:34:56 +0200"]),
)
def test_a_day_reads_back_as_printed_whatever_the_clock_says(day: date, form: str, clock: str) -> None:
    assert dates.reader(form)(day.strftime(form) + clock) == day


@run(deadline=None)
@given(st.lists(DAYS, min_size=25, max_size=60, unique=True), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y"]))
def test_day_and_month_are_told_apart_by_any_day_after_the_twelfth(found: list[date], form: str) -> None:
    first = date(2024, 1, 1)
    everything = [*found, *(first + timedelta(days=step) for step in range(31))]
    assert dates.formats(pa.array([day.strftime(form) for day in everything])) == [form]


@pytest.mark.parametrize("text", ["31.02.2024", "29.02.2023", "00.01.2024", "12.13.2024", "1.1", "2024", "Pending", "12.34"])
def test_what_is_no_day_of_the_calendar_is_not_read(text: str) -> None:
    assert dates.reader("%d.%m.%Y")(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("15 окт. 2024", "2024-10-15"),
        ("3 févr. 2024", "2024-02-03"),
        ("1 października 2024", "2024-10-01"),
        ("12 de março de 2024", "2024-03-12"),
        ("01-Şub-2024", "2024-02-01"),
        ("2024年3月5日", "2024-03-05"),
        ("2012:03:01", "2012-03-01"),
        ("20091224120000[0:GMT]", "2009-12-24"),
        ("28.06.2013 00:00:30:989", "2013-06-28"),
        ("2024-03-01 22:15:00 PDT", "2024-03-01"),
    ],
)
def test_a_day_is_read_in_many_languages_and_with_any_clock(text: str, day: str) -> None:
    forms = dates.formats(pa.array([text]))
    assert {str(dates.reader(form)(text)) for form in forms} == {day}


def test_a_day_of_the_week_is_one_and_other_words_are_not() -> None:
    read = {text: bool(dates.shapes(text)) for text in ("Mon, 15 Jan 2024", "lundi 15 janvier 2024", "Mo. 15 Jan 2024")}
    assert all(read.values()), read
    assert [text for text in ("to 14 January 2024", "period 15 December 2023", "until 3 May 2024") if dates.shapes(text)] == []
