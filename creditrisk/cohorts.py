"""When an applicant is looked at: predictors end where a cohort's date is, a gap may follow, then the window that makes the label.

Nobody may break this: what is known of a cohort reads nothing booked on or after its date, and its label features look back no
further than the performance window is long. Looking ahead makes snapshots, which are never taken for what is known now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pandas import DataFrame, concat, to_datetime

from creditrisk import features
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.features import Progress
from creditrisk.store import Store

LONGEST = 3_650
UNSEEN = 31  # days before the end of the performance window from which an account without statements is not known to its end


@dataclass(frozen=True)
class Windows:
    """The days that make a label: how many, how many lie idle before them, and on which dates they begin to be looked forward to.

    `performance_days` None: one window, where label and predictors read the same days. `dates` empty: each applicant on a
    day of their own.
    """

    performance_days: int | None = None
    gap_days: int = 0
    dates: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.performance_days is not None and not 1 <= self.performance_days <= LONGEST:
            raise InvalidInput(f"A performance window has between 1 and {LONGEST:,} days, not {self.performance_days}.")
        if not 0 <= self.gap_days <= LONGEST:
            raise InvalidInput(f"A gap has between 0 and {LONGEST:,} days, not {self.gap_days}.")
        if self.performance_days is None and (self.gap_days or self.dates):
            what = "Cohorts need" if self.dates else "A gap needs"
            raise InvalidInput(f"{what} a performance window: say how many days after the date make the label.")

    @property
    def ahead(self) -> int:
        """Days from a cohort's date to the end of its performance window."""
        return self.gap_days + (self.performance_days or 0)


@dataclass(frozen=True)
class Cohort:
    """Applicants looked at together: the snapshot of what was known, and the one that sees how it went (the same in one window)."""

    snapshot_id: int
    performance_snapshot_id: int
    as_of: date | None
    n: int

    def row(self) -> dict[str, Any]:
        """Return it as a label set's report keeps it."""
        return {
            "snapshot_id": self.snapshot_id,
            "performance_snapshot_id": self.performance_snapshot_id,
            "as_of": None if self.as_of is None else self.as_of.isoformat(),
            "n": self.n,
        }


def every(store: Store, days: int, windows: Windows) -> tuple[date, ...]:
    """Return dates `days` apart, oldest first: the last whose performance window statements cover, and those before it.

    The first is one for which half a year of statements lies before. Raises NotEnoughData where no date fits.
    """
    if not 1 <= days <= LONGEST:
        raise InvalidInput(f"Cohorts lie between 1 and {LONGEST:,} days apart, not {days}.")
    first, last = _span(store)
    dates: list[date] = []
    day = last - timedelta(days=windows.ahead)
    while day >= first + timedelta(days=180):
        dates.append(day)
        day -= timedelta(days=days)
    if not dates:
        raise NotEnoughData(
            f"Statements from {first} to {last} leave no date with half a year before it and {windows.ahead} days after it: "
            "take a shorter window or store more statements."
        )
    return tuple(reversed(dates))


def lay_out(
    store: Store, windows: Windows, snapshot_id: int, *, user: str, progress: Progress = lambda _share, _what: None
) -> list[Cohort]:
    """Make the snapshots of every cohort; without dates, of the people of `snapshot_id` on the day each has there.

    Raises InvalidInput for a performance window that ends after the last statement.
    """
    if windows.performance_days is None:
        return [Cohort(snapshot_id, snapshot_id, None, _size(store, snapshot_id))]
    if not windows.dates:
        day = store.value("select as_of from snapshot where snapshot_id = $id", id=snapshot_id)
        return [_looking_back(store, snapshot_id, windows, day, user=user, progress=progress)]
    _, last = _span(store)
    ends = {day: day + timedelta(days=windows.ahead) for day in sorted(set(windows.dates))}
    if late := [day for day, end in ends.items() if end > last]:
        raise InvalidInput(
            f"The cohort of {late[0]} is judged by what happened up to {ends[late[0]]}, and the last statement ends before, on "
            f"{last - timedelta(days=1)}: take an earlier date, a shorter window or a shorter gap."
        )
    afterwards = max(ends.values()) + timedelta(days=1)  # all are seen from one day after all is over: no snapshot says what is known now
    made = []
    for place, (day, end) in enumerate(ends.items()):
        judged, known = (_part(progress, 2 * place + half, 2 * len(ends)) for half in (0, 1))
        seen = features.build(store, user=user, as_of=afterwards, days_before=(afterwards - end).days, progress=judged)
        made.append(replace(_looking_back(store, seen, windows, end, user=user, progress=known), as_of=day))
    return made


def _part(progress: Progress, place: int, n: int) -> Progress:
    """Let one of `n` builds report its own 0 to 1."""
    return lambda share, what: progress((place + share) / n, what)


def _looking_back(store: Store, seen: int, windows: Windows, end: date | None, *, user: str, progress: Progress) -> Cohort:
    """Make the snapshot of what was known of those people so long before."""
    known = features.build(store, user=user, as_of=end, days_before=windows.ahead, of_snapshot=seen, progress=progress)
    return Cohort(known, seen, None, _size(store, known))


def as_it_went(store: Store, cohorts: Sequence[Cohort]) -> DataFrame:
    """Return what the label may look at, by applicant and date: snapshot_id and as_of of what was known, applicant_id, every feature.

    Features are those at the end of the performance window; who had no history when it began is left out, and so is an
    account of a dated cohort whose statements end more than a month before the window does.
    """
    parts = []
    for cohort in cohorts:
        seen = features.table(store, cohort.performance_snapshot_id)
        if cohort.snapshot_id != cohort.performance_snapshot_id:
            known = store.read("select applicant_id, as_of from applicant where snapshot_id = $id", id=cohort.snapshot_id)
            seen = seen.drop(columns="as_of").merge(known, on="applicant_id")
        if cohort.as_of is not None:
            seen = seen[seen["applicant_id"].isin(_covered(store, cohort.performance_snapshot_id))]
        parts.append(seen.assign(snapshot_id=cohort.snapshot_id))
    return concat(parts, ignore_index=True).sort_values(["applicant_id", "as_of"], ignore_index=True)


def dated(members: DataFrame) -> DataFrame:
    """Return members with `cohort`, a text: the cohort's date where there are few, else the month. Without dates no row is left."""
    known = members.dropna(subset=["as_of"])
    days = to_datetime(known["as_of"])
    few = days.nunique() <= 24
    return known.assign(cohort=days.dt.strftime("%Y-%m-%d" if few else "%Y-%m"))


def _covered(store: Store, snapshot_id: int) -> set[str]:
    return {
        name
        for (name,) in store.rows(
            """select applicant_id
            from applicant
            join account using (applicant_id)
            join statement_account using (account_id)
            where snapshot_id = $id
            group by applicant_id, as_of
            having max(last_on) >= as_of - $unseen::integer""",
            id=snapshot_id,
            unseen=UNSEEN,
        )
    }


def _size(store: Store, snapshot_id: int) -> int:
    return int(store.value("select n_applicants from snapshot where snapshot_id = $id", id=snapshot_id) or 0)


def _span(store: Store) -> tuple[date, date]:
    """Return the first day of any statement and the day after the last."""
    first, last = store.rows("select min(first_on), max(last_on) from statement_account")[0]
    if first is None:
        raise NotEnoughData("Cohorts are looked at on several dates, which takes bank statements; there are none in this workspace.")
    return first, last + timedelta(days=1)
