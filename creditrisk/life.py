"""The lives behind invented statements: traits drawn once, then day by day what comes in, falls due, is borrowed, spent and charged.

Money is whole cents, + is money in, and whatever is booked moves the balance with it. What happens after the day of applying is lived
through and never booked.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from creditrisk.world import World

Ints = NDArray[np.int64]
Days = NDArray[np.int8]  # of the month
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BEFORE, AFTER = 365, 180  # days lived up to applying, shown; and from then on, not shown
MEDIAN_INCOME = 240_000  # cents a month
SLACK, UNPAID_FEE, LATE_FEE, OVERDRAFT_FEE = 1_000, 1_200, 1_500, 1_000  # cents


# ── who lives there ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Life:
    """Traits (drawn once) and present state of every applicant of a part; arrays of length n, money in cents."""

    n: int
    rng: Generator
    world: World
    persona: Ints
    income: Floats
    trait: dict[str, Floats]
    has: dict[str, Flags]
    bills: Floats  # (n, kinds of commitment), a month
    bill_days: Days
    bill_rows: Ints
    return_rows: Ints  # where the return of each commitment is booked; -1: it is declined instead
    pay_day: Days
    biweekly: Flags
    limit: Ints
    cushion: Floats
    shock_on: Ints
    shock_off: Ints
    shock_depth: Floats
    rate: NDArray[np.float32]  # (n, kinds of spending), events a day
    mean: Floats  # (n, kinds of spending)
    spend_rows: Ints
    coarse: Ints  # cents to which each kind of spending is rounded
    line: dict[str, int]  # where a kind stands among the commitments, or among the kinds of spending
    balance: Ints
    savings: Ints
    owed: Ints
    owed_on: Ints
    tries: Ints
    chased: Ints
    below: Ints  # days below zero since the last fee
    debit: Floats  # cents × days below zero since the last interest
    rows: list[tuple[Ints, Ints, Ints, int]] = field(default_factory=list)


def people(here: World, rng: Generator, n: int) -> Life:
    persona = rng.choice(len(here.personas), n, p=here.trait("share") / here.trait("share").sum())
    names = ("income", "spend", "discipline", "cushion", "savings", "gambling", "creep")
    trait = {name: here.trait(name)[persona].astype(float) for name in names}
    has = {name: rng.random(n) < here.trait(name)[persona] for name in ("overdraft", "payday", "gambling", "family", "borrower", "shock")}
    has["rescued"] = rng.random(n) < 0.35  # somebody else pays the new loan when they cannot: nothing before shows it
    has["surprised"] = rng.random(n) < 0.03  # most income stops soon after applying: nothing before shows that either
    has["owner"] = rng.random(n) < 0.35
    has["tenant"] = ~has["owner"]
    for source in ("salary", "gig", "pension"):
        has[source] = (here.trait("source") == source)[persona]
    trait["creep"] *= rng.uniform(0, 2, n)
    income = MEDIAN_INCOME * trait["income"] * np.exp(rng.normal(0, 0.32, n))
    bill_rows = np.array([here.at[name] for name, kind in here.facts.items() if "monthly" in kind])
    spend_rows = np.array([here.at[name] for name, kind in here.facts.items() if "weight" in kind])
    bills = _bills(rng, here, income, has)
    pay_day = rng.integers(24, 29, n, np.int8)
    rate, mean = _habits(rng, here, np.maximum(trait["spend"] * income * _noise(rng, n, 0.05) - bills.sum(1), 0.16 * income))
    shock_on = BEFORE + rng.integers(-230, 160, n)
    return Life(
        n=n,
        rng=rng,
        world=here,
        persona=persona,
        income=income,
        trait=trait,
        has=has,
        bills=bills,
        bill_days=_bill_days(rng, bill_rows.size, pay_day),
        bill_rows=bill_rows,
        return_rows=np.array([here.at.get(f"returned {here.kinds[row]}", -1) for row in bill_rows]),
        pay_day=pay_day,
        biweekly=has["salary"] & (rng.random(n) < 0.25),
        limit=np.where(has["overdraft"], np.rint(income * rng.uniform(0.1, 0.7, n) / 10_000).astype(np.int64) * 10_000, 0),
        cushion=trait["cushion"] * income * _noise(rng, n, 0.5),
        shock_on=np.where(has["shock"], shock_on, 10_000),
        shock_off=shock_on + rng.integers(40, 260, n),
        shock_depth=rng.uniform(0.25, 0.95, n),
        rate=rate,
        mean=mean,
        spend_rows=spend_rows,
        coarse=np.array([here.facts[here.kinds[row]].get("round", 1) for row in spend_rows]),
        line={here.kinds[row]: line for rows in (bill_rows, spend_rows) for line, row in enumerate(rows)},
        balance=np.rint(trait["cushion"] * income * _noise(rng, n, 0.6)).astype(np.int64),
        savings=np.rint(trait["savings"] * income * _noise(rng, n, 0.9)).astype(np.int64),
        owed=np.zeros(n, np.int64),
        owed_on=np.zeros(n, np.int64),
        tries=np.zeros(n, np.int64),
        chased=np.zeros(n, np.int64),
        below=np.zeros(n, np.int64),
        debit=np.zeros(n),
    )


def _noise(rng: Generator, n: int | tuple[int, int], sigma: float) -> Floats:
    """Log-normal factors of mean 1."""
    return np.asarray(np.exp(rng.normal(-(sigma**2) / 2, sigma, n)), dtype=np.float64)


def _bills(rng: Generator, here: World, income: Floats, has: dict[str, Flags]) -> Floats:
    """Monthly commitments, cents; 0 where an applicant has none of the kind."""
    lines = []
    for kind in here.facts.values():
        if "monthly" in kind:
            held = (rng.random(income.size) < kind["chance"]) & has.get(kind.get("needs", ""), np.True_)
            lines.append(np.where(held, kind["monthly"] * income * _noise(rng, income.size, 0.25), 0))
    return np.asarray(np.rint(lines), dtype=np.float64).T.copy()


def _bill_days(rng: Generator, kinds: int, pay_day: Days) -> Days:
    """Days of the month on which commitments fall due: most in the fortnight after pay."""
    later = np.rint(rng.gamma(2.0, 5.0, (pay_day.size, kinds))).astype(np.int64)
    return ((pay_day[:, None] + 1 + later) % 28 + 1).astype(np.int8)


def _habits(rng: Generator, here: World, budget: Floats) -> tuple[NDArray[np.float32], Floats]:
    """How often a day, and how much each time, applicants spend freely by kind; together they use the monthly budget."""
    kinds = [kind for kind in here.facts.values() if "weight" in kind]
    count, weight = (np.array([kind[name] for kind in kinds], float) for name in ("count", "weight"))
    taste = _noise(rng, (budget.size, len(kinds)), 0.35)
    pace = _noise(rng, (budget.size, len(kinds)), 0.3)
    return (count * pace / 365).astype(np.float32), budget[:, None] * 12 * weight / weight.sum() * taste / (count * pace)


# ── a day ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Day:
    """What day it is, applicant by applicant, for each applies on another date."""

    t: int
    number: Ints  # days since 1970
    weekday: Ints
    due: tuple[Days, Days, Days]  # days of the month that fall due: none on a weekend, three on a Monday
    angle: Floats  # of the year

    def falls(self, days: Days | int) -> Flags:
        """Whether payments of these days of the month are booked today."""
        one, two, three = (each if np.ndim(days) < 2 else each[:, None] for each in self.due)
        return np.asarray((days == one) | (days == two) | (days == three))


def _calendar(first: int, days: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Tables over day numbers from `first`: weekday (0 Monday), days of the month that fall due, angle of the year."""
    number = np.arange(first, first + days)
    on = number.astype("datetime64[D]")
    of_month = (on - on.astype("datetime64[M]")).astype(np.int64) + 1
    weekday = (number + 3) % 7
    due = np.array([np.roll(of_month, shift) for shift in range(3)], np.int8)
    due[1:, weekday != 0] = 0
    due[:, weekday >= 5] = 0
    return weekday, due, 2 * np.pi * (number % 365.25) / 365.25


def live(life: Life, applied: Ints, instalment: Floats, days: int) -> tuple[Ints, Ints]:
    """Live through the days; return, per applicant, missed instalments of the new loan and days deep in debt."""
    first, last = int(applied.min()) - BEFORE, int(applied.max()) + AFTER
    weekday, due, angle = _calendar(first, last - first + 1)
    missed, deep = np.zeros(life.n, np.int64), np.zeros(life.n, np.int64)
    for t in range(days):
        number = applied - BEFORE + t
        at = number - first
        day = _Day(t, number, weekday[at], (due[0, at], due[1, at], due[2, at]), angle[at])
        book = np.zeros((len(life.world.kinds), life.n), np.int64)
        _earn(life, day, book)
        _pay(life, day, book)
        _borrow(life, day, book)
        _spend(life, day, book)
        _charge(life, day, book)
        if t < BEFORE:
            cell = np.flatnonzero(book.ravel() != 0)  # several times quicker than nonzero of the integers
            life.rows.append((cell % life.n, cell // life.n, book.ravel()[cell], t))
        else:
            _repay(life, day, instalment, missed)
            deep += life.balance < np.minimum(-0.8 * life.limit, -100)
    return missed, deep


def _put(life: Life, book: Ints, kind: str, cents: NDArray[Any]) -> None:
    """Book an amount (not negative, 0 for nobody) of a kind and move the balance with it."""
    row = life.world.at[kind]
    whole = cents.astype(np.int64) * life.world.sides[row]
    book[row] += whole
    life.balance += whole


def _put_each(life: Life, book: Ints, rows: Ints, who: Ints, cents: Floats) -> None:
    """Book amounts one by one, each in its own row and for its own applicant."""
    whole = cents.astype(np.int64) * life.world.sides[rows]
    book[rows, who] = whole
    life.balance += np.bincount(who, whole, life.n).astype(np.int64)


def _some(life: Life, book: Ints, kind: str, who: Flags, mean: Floats, *, sigma: float, step: int = 1) -> None:
    """Book log-normal amounts around a mean for some, in whole steps."""
    chosen = np.flatnonzero(who)
    cents = np.floor(mean[chosen] * _noise(life.rng, chosen.size, sigma) / step) * step
    _put_each(life, book, np.full(chosen.size, life.world.at[kind]), chosen, cents)


def _cells(flags: Flags) -> tuple[Ints, Ints]:
    """Where a table is true, applicant by applicant: rows and columns."""
    cell = np.flatnonzero(flags.ravel())
    return cell // flags.shape[1], cell % flags.shape[1]


def _covered(who: Ints, cents: Floats, room: Ints) -> Flags:
    """Say for each payment whether those of the same applicant up to it fit into the room; `who` is sorted.

    >>> _covered(np.array([0, 0, 2]), np.array([5.0, 4.0, 9.0]), np.array([8, 0, 9])).tolist()
    [True, False, True]
    """
    if not who.size:
        return np.zeros(0, bool)
    total = np.cumsum(cents)
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    before = np.repeat(total[starts] - cents[starts], np.diff(starts, append=who.size))
    return np.asarray(total - before <= room[who])


def _earn(life: Life, day: _Day, book: Ints) -> None:
    """Wages, pay-outs, benefits, pensions, interest, money from friends, refunds."""
    n, has = life.n, life.has
    struck = (day.t >= life.shock_on) & (day.t < life.shock_off)
    income = life.income * np.where(struck, 1 - life.shock_depth, 1) * np.where(has["surprised"] & (day.t > BEFORE + 20), 0.35, 1)
    monthly = day.falls(life.pay_day)
    fortnight = (day.weekday == 4) & (day.number // 7 % 2 == life.pay_day % 2)
    luck = life.rng.random((3, n), np.float32)
    _put(life, book, "salary", has["salary"] * np.where(life.biweekly, fortnight * 12 / 26, monthly) * income)
    _put(life, book, "pension", (has["pension"] & monthly) * income)
    _some(life, book, "gig", has["gig"] & (day.weekday == 1) & (luck[0] < 0.85), income * (12 / 52 / 0.85), sigma=0.45)
    _put(life, book, "benefits", (has["family"] & (day.number % 28 == life.pay_day)) * 0.1 * MEDIAN_INCOME)
    _put(life, book, "interest", (day.falls(2) & (life.balance > 2 * life.income)) * life.balance * 0.0008)
    helped = luck[1] < np.where(life.balance < -0.5 * life.limit, 0.02, 0.012)
    _some(life, book, "person_in", helped, life.income * 0.03, sigma=0.7, step=500)
    _some(life, book, "refund", luck[2] < 0.004, life.mean[:, life.line["shopping"]], sigma=0.5)


def _pay(life: Life, day: _Day, book: Ints) -> None:
    """Commitments in the order in which the bank takes them; what the limit does not cover goes back, with a fee for the day."""
    who, line = _cells(day.falls(life.bill_days) & (life.bills > 0))
    cents = life.bills[who, line] * np.where(line == life.line["energy"], 1 + 0.25 * np.cos(day.angle[who]), 1)
    cents = np.floor(cents * np.where(line == life.line["card"], life.rng.uniform(0.6, 1.4, who.size), 1))
    back = ~_covered(who, cents, life.balance + life.limit + SLACK)
    rows, returns = life.bill_rows[line], life.return_rows[line]
    refused = back & (returns < 0)  # a card payment is declined, not returned
    _put_each(life, book, rows[~refused], who[~refused], cents[~refused])
    _put_each(life, book, returns[back & ~refused], who[back & ~refused], cents[back & ~refused])
    fee, late = np.zeros(life.n), np.zeros(life.n)
    fee[who[back & ~refused]] = UNPAID_FEE
    late[who[back & ((line == life.line["card"]) | (line == life.line["loan"]))]] = LATE_FEE
    _put(life, book, "unpaid_fee", fee)
    _put(life, book, "late_fee", late)


def _borrow(life: Life, day: _Day, book: Ints) -> None:
    """Payday loans out of need, their repayment or its return, collectors after three returns; and savings, in and out."""
    luck = life.rng.random((2, life.n))
    needy = (life.balance < 0.05 * life.income - 0.6 * life.limit) & (life.owed + life.chased == 0)
    lent = np.floor((0.06 + 0.2 * luck[1]) * life.income / 1_000) * 1_000 * (needy & life.has["payday"] & (luck[0] < 0.08))
    _put(life, book, "payday_in", lent)
    life.owed += np.floor(lent * 1.28).astype(np.int64)
    life.owed_on[lent > 0] = day.t + 28

    due = (life.owed > 0) & (life.owed_on == day.t)
    paid = due & (life.balance + life.limit >= life.owed)
    _put(life, book, "payday_out", due * life.owed)
    _put(life, book, "returned payday_out", (due & ~paid) * life.owed)
    _put(life, book, "unpaid_fee", (due & ~paid & (book[life.world.at["unpaid_fee"]] == 0)) * UNPAID_FEE)
    life.tries = np.where(paid, 0, life.tries + due)
    life.owed_on += np.where(due & ~paid, 7, 0)
    given_up = life.tries >= 3
    life.chased += life.owed * given_up
    life.owed *= ~(paid | given_up)
    life.tries *= ~given_up

    part = np.minimum(life.chased, np.floor(0.05 * life.income)) * day.falls(life.pay_day % 28 + 1)
    part *= life.balance + life.limit > part
    _put(life, book, "collector", part)
    life.chased -= part.astype(np.int64)

    monday = (day.weekday == 0) & (luck[1] < 0.4)
    spare = np.maximum(life.balance - 1.2 * life.cushion - 0.4 * life.income, 0)
    aside = np.floor(spare * 0.6 / 1_000) * 1_000 * monday
    wanted = np.ceil(0.25 * life.income / 1_000) * 1_000 * (life.balance < 0.1 * life.income)
    taken = np.minimum(wanted, life.savings // 1_000 * 1_000) * (luck[0] > 0.75)
    _put(life, book, "to_savings", aside)
    _put(life, book, "from_savings", taken)
    life.savings += (aside - taken).astype(np.int64)


def _spend(life: Life, day: _Day, book: Ints) -> None:
    """Free spending and stakes: it follows the balance as far as the applicant is disciplined; a card without cover is declined."""
    trait, n = life.trait, life.n
    mood = trait["discipline"] * (life.balance - life.cushion) / (0.6 * life.income)
    pace = (1 + np.clip(mood, -0.6 * trait["discipline"], 0.3)) * (1 + trait["creep"] * day.t / BEFORE)
    chance = life.rate * pace.astype(np.float32)[:, None]
    who, line = _cells(life.rng.random(life.rate.shape, np.float32) < chance)
    cents = life.mean[who, line] * np.exp(life.rng.normal(-0.125, 0.5, who.size))
    cents = np.maximum(np.floor(cents / life.coarse[line]), 1) * life.coarse[line]
    covered = _covered(who, cents, life.balance + life.limit)
    _put_each(life, book, life.spend_rows[line[covered]], who[covered], cents[covered])

    luck = life.rng.random((4, n))
    eager = life.has["gambling"] * np.where(trait["gambling"] == 1, 0.25 * pace, 0.03)
    stake = np.floor(0.004 * life.income * np.exp(luck[1]) * np.where(trait["gambling"] == 1, 3.5, 1) / 500 + 1) * 500
    stake *= (luck[0] < eager) & (stake <= life.balance + life.limit)
    _put(life, book, "stake", stake)
    _put(life, book, "win", np.floor(stake * (luck[2] < 0.2) * 8.4 * luck[3]))


def _charge(life: Life, day: _Day, book: Ints) -> None:
    """On the first of the month: overdraft fee and debit interest for the days below zero, and the fee for the account."""
    life.below += life.balance < 0
    life.debit += np.maximum(-life.balance, 0)
    first = day.falls(1)
    _put(life, book, "overdraft_fee", (first & (life.below > 2)) * OVERDRAFT_FEE)
    _put(life, book, "debit_interest", first * np.floor(life.debit * 0.15 / 365))
    _put(life, book, "account_fee", (first & (life.pay_day == 24)) * 400)
    life.below[first] = 0
    life.debit[first] = 0


# ── what became of the loan ──────────────────────────────────────────────────────────────────────────────────────────


def ask(life: Life) -> tuple[Ints, Ints, Floats]:
    """What applicants ask for: amount (whole hundreds), term in months, and the instalment in cents."""
    term = life.rng.choice([12, 24, 36, 48, 60], life.n, p=[0.2, 0.25, 0.3, 0.1, 0.15])
    wish = 0.065 * life.income * _noise(life.rng, life.n, 0.5) * term / (1 + 0.05 * term / 12)
    amount = np.maximum(np.rint(wish / 10_000), 5).astype(np.int64) * 100
    return amount, term, np.rint(amount * 100 * (1 + 0.05 * term / 12) / term)


def _repay(life: Life, day: _Day, instalment: Floats, missed: Ints) -> None:
    """Take the month's instalment of the new loan, or count it as missed."""
    due = day.falls((life.pay_day + 9) % 28 + 1) & (day.t > BEFORE + 14)
    covered = instalment <= life.balance + life.limit
    life.balance -= (due & covered) * instalment.astype(np.int64)
    missed += due & ~covered & ~life.has["rescued"]
