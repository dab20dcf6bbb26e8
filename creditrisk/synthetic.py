"""A believable bank drawn from a seed: who lives there, what a year of their statements says, and who goes bad afterwards.

Money is whole cents, + is money in, and every balance is the one before plus the amount. The same seed gives the same
bank whatever the day. What happens after the day of applying is lived through but never becomes a transaction: it is
known only as the outcome.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from pandas import Categorical, DataFrame, Index, concat

from creditrisk.life import AFTER, BEFORE, Life, ask, live, people
from creditrisk.world import World

Ints = NDArray[np.int64]

END_ON = date(2026, 9, 30)
APPLYING_DAYS = 273  # applications arrive over the last nine months
PART = 2_000  # applicants drawn together, whose dice are their own: another number is another bank
MISSED_IS_BAD = 2  # instalments of the new loan, of about five
DEEP_IS_BAD = 75  # days beyond four fifths of the overdraft limit
ROAMING = ("person_in", "refund", "win", "stake")  # beside free spending, what does not always come with the same text
PURPOSES = ("car", "debt consolidation", "home improvement", "household goods", "education", "holiday")


@dataclass(frozen=True)
class Bank:
    """What `bank` draws.

    applications: applicant_id, name, persona, applied_on, amount, term_months, purpose, history_days, and opening: the balance
    before the first day shown, in cents. transactions, in booked order: applicant (row of `applications`), booked_on, amount and
    balance in cents, text, category (the true one). outcomes, of those who applied long enough ago: applicant_id, observed_bad,
    observed_on. truth, of everybody: applicant_id, bad, missed (instalments), deep (days).
    """

    applications: DataFrame
    transactions: DataFrame
    outcomes: DataFrame
    truth: DataFrame


def bank(world: World, applicants: int, seed: int, end_on: date = END_ON) -> Bank:
    """Draw a whole bank at once; see `chunks` for one too large to hold."""
    return _joined(list(_parts(world, applicants, seed, end_on, with_outcomes=True)))


def chunks(
    world: World, applicants: int, seed: int, end_on: date = END_ON, *, size: int = PART, with_outcomes: bool = True
) -> Iterator[Bank]:
    """Draw a bank a chunk of `size` applicants at a time, the same bank whatever the size; `applicant` counts on from one to the next.

    No more than a chunk and what is drawn together is held. Without outcomes the same statements come a third sooner: the days
    after applying are not lived, `outcomes` and `truth` are empty.
    """
    held: list[Bank] = []
    start = 0
    for part in _parts(world, applicants, seed, end_on, with_outcomes):
        held.append(part)
        while sum(len(each.applications) for each in held) >= size:
            chunk, rest = _cut(_joined(held), size, start)
            held, start = [rest], start + size
            yield chunk
    if start < applicants:
        yield _joined(held)


def _parts(world: World, applicants: int, seed: int, end_on: date, with_outcomes: bool) -> Iterator[Bank]:
    for number, start in enumerate(range(0, applicants, PART)):
        dice = np.random.default_rng(SeedSequence(seed, spawn_key=(number,)))
        part = _part(world, dice, start, min(PART, applicants - start), end_on=end_on, days=BEFORE + with_outcomes * AFTER)
        yield part if with_outcomes else replace(part, outcomes=part.outcomes.iloc[:0], truth=part.truth.iloc[:0])


def _joined(parts: Sequence[Bank]) -> Bank:
    if len(parts) == 1:
        return parts[0]
    return Bank(*(concat([getattr(part, name) for part in parts], ignore_index=True) for name in Bank.__dataclass_fields__))


def _cut(whole: Bank, n: int, start: int) -> tuple[Bank, Bank]:
    """Part a bank, whose first applicant is number `start`, into its first `n` applicants and the others."""
    first = whole.applications["applicant_id"].iloc[:n]
    rows = int(np.searchsorted(whole.transactions["applicant"], start + n))
    ends = {"applications": n, "transactions": rows, "truth": n, "outcomes": int(whole.outcomes["applicant_id"].isin(first).sum())}
    tables = {name: getattr(whole, name) for name in ends}
    return (
        Bank(**{name: table.iloc[: ends[name]].reset_index(drop=True) for name, table in tables.items()}),
        Bank(**{name: table.iloc[ends[name] :].reset_index(drop=True) for name, table in tables.items()}),
    )


def _part(world: World, rng: Generator, start: int, n: int, *, end_on: date, days: int) -> Bank:
    (paper,) = rng.spawn(1)  # what is written down must not hang on how long anybody lives
    life = people(world, rng, n)
    end = int(np.datetime64(end_on, "D").astype(np.int64))
    applied = end - rng.integers(0, APPLYING_DAYS, n)
    amount, term, instalment = ask(life)
    shown = np.where(rng.random(n) < 0.02, rng.integers(20, 61, n), BEFORE)
    opening = life.balance.copy()
    missed, deep = live(life, applied, instalment, days)
    bad = (missed >= MISSED_IS_BAD) | (deep >= DEEP_IS_BAD)
    life.rng = paper
    transactions, before = _transactions(life, applied, shown, opening, start)
    ids = [f"A{start + i + 1:06d}" for i in range(n)]
    applications = DataFrame(
        {
            "applicant_id": ids,
            "name": _names(world, paper, n),
            "persona": _named(life.persona, [persona["name"] for persona in world.personas]),
            "applied_on": _dates(applied),
            "amount": amount,
            "term_months": term,
            "purpose": np.array(PURPOSES)[paper.integers(0, len(PURPOSES), n)],
            "history_days": shown,
            "opening": opening + before,
        }
    )
    truth = DataFrame({"applicant_id": ids, "bad": bad, "missed": missed, "deep": deep})
    known = applied + AFTER <= end
    outcomes = DataFrame({"applicant_id": ids, "observed_bad": bad, "observed_on": _dates(applied + AFTER)})[known]
    return Bank(applications, transactions, outcomes.reset_index(drop=True), truth)


def _transactions(life: Life, applied: Ints, shown: Ints, opening: Ints, start: int) -> tuple[DataFrame, Ints]:
    """Return the rows that statements show, applicant by applicant in booked order, and what was booked before them."""
    who, kind, amount = (np.concatenate([row[i] for row in life.rows]) for i in range(3))
    t = np.repeat([row[3] for row in life.rows], [row[0].size for row in life.rows])
    order = np.argsort(who.astype(np.int16) if life.n < 1 << 15 else who, kind="stable")  # of 16 bits: a radix sort
    who, kind, amount, t = who[order], kind[order], amount[order], t[order]
    hidden = t < BEFORE - shown[who]
    before = np.bincount(who[hidden], amount[hidden], life.n).astype(np.int64)
    running = np.cumsum(amount)
    running += (opening - np.concatenate([[0], running])[np.searchsorted(who, np.arange(life.n))])[who]
    frame = DataFrame(
        {
            "applicant": (who + start).astype(np.int32),
            "booked_on": _dates((applied - BEFORE)[who] + t),
            "amount": amount,
            "balance": running,
            "text": _named(_wording(life, who, kind), life.world.texts),
            "category": _named(life.world.category_codes[kind], life.world.categories),
        }
    )
    return frame[~hidden].reset_index(drop=True), before


def _wording(life: Life, who: Ints, kind: Ints) -> Ints:
    """Choose the text of each row: one per applicant and kind for what recurs, one of five for what is bought here and there."""
    here, rng = life.world, life.rng
    liked = rng.integers(0, here.n_texts, (5, life.n, here.n_texts.size))
    for name, row in here.at.items():
        if name.startswith("returned "):
            liked[:, :, row] = liked[:, :, here.at[name.removeprefix("returned ")]]
    liked[:, :, here.at["payday_out"]] = liked[:, :, here.at["returned payday_out"]] = liked[:, :, here.at["payday_in"]]
    roams = np.array(["weight" in here.facts.get(name, {}) or name in ROAMING for name in here.kinds])
    texts: Ints = here.first_text[kind] + liked[rng.integers(0, 5, who.size) * roams[kind], who, kind]
    return texts


def _named(codes: Ints, names: Sequence[str]) -> Any:
    return Categorical.from_codes(codes, Index(names))


def _dates(numbers: Ints) -> NDArray[np.datetime64]:
    return numbers.astype("datetime64[D]").astype("datetime64[s]")


def _names(world: World, rng: Generator, n: int) -> list[str]:
    first, last = world.words["first"], world.words["last"]
    chosen = zip(rng.integers(0, len(first), n), rng.integers(0, len(last), n), strict=True)
    return [f"{first[a]} {last[b]}".title() for a, b in chosen]
