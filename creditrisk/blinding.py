"""Who has a case in hand to judge it blind reads nothing of what was computed of its applicant, or decided, until the verdict is given.

By applicant, not by prediction: an earlier score of theirs tells as much. The one home of the rule; a face that shows something of one
case asks `require`, one that shows many lets `covered` blank them. Whoever gives the case back, or lets its time pass, may read again.
"""

from datetime import datetime

from pandas import DataFrame

from creditrisk import people
from creditrisk.errors import ReadBlind
from creditrisk.store import Store, now

HANDS = frozenset({"claim", "review", "erase", "purge"})  # actions by which a case comes into somebody's hands, or out of them
TELLS = frozenset(
    {"pd", "pd_low", "pd_high", "score", "band", "recommendation", "because", "margin", "base", "contributions", "reasons", "doubt"}
    | {"pd_live", "first_one", "first_other", "verdict", "corrected", "comment"}  # what a verdict would put right was predicted
)
BEGINS = ("reason_", "contribution_")  # columns of results, as many as there are reasons and figures
OPEN = """select lower(claimed_by), applicant_id, expires_at from claim_open join prediction using (prediction_id)
where is_blind and expires_at > $at"""
Open = list[tuple[str, str, datetime]]


def hidden(store: Store, reader: str) -> frozenset[str]:
    """Return the applicants whose scores a person may not read now."""
    name, at = str(people.present(reader)).strip().lower(), now()
    held: Open = store.lasting("read blind", HANDS, lambda: store.rows(OPEN, at=at))
    return frozenset(applicant_id for whose, applicant_id, until in held if whose == name and until > at)


def require(store: Store, reader: str, *applicant_ids: str | None) -> None:
    """Raise ReadBlind where a person has a case of one of these applicants in hand to be judged blind."""
    if any(name in hidden(store, reader) for name in applicant_ids):
        raise ReadBlind(
            "You have this applicant's case in hand to be read blind: score, band, recommendation, reasons and decisions are shown once "
            "your verdict is given, or once you have given the case back."
        )


def covered(store: Store, reader: str, frame: DataFrame) -> DataFrame:
    """Return a frame with applicant_id, without what it tells of applicants whose scores this person may not read now."""
    names = hidden(store, reader)
    if not names:
        return frame
    rows = frame["applicant_id"].isin(list(names))
    told = [name for name in map(str, frame.columns) if name in TELLS or name.startswith(BEGINS)]
    return frame.assign(**{name: frame[name].where(~rows) for name in told}) if rows.any() else frame


def others(store: Store, reader: str, frame: DataFrame) -> DataFrame:
    """Return the rows of a frame with applicant_id, but for those of applicants whose scores this person may not read now."""
    names = hidden(store, reader)
    return frame[~frame["applicant_id"].isin(list(names))] if names else frame
