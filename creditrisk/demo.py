"""The demo workspace: an invented bank whose statements go the way of real ones, from files to explained scores.

Nothing here reaches past the library's public functions: what the demo shows is what the product does.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series, concat
from pyarrow import Decimal128Array, DictionaryArray, Table, array, csv, decimal128, py_buffer

from creditrisk import applicants as people
from creditrisk import (
    features,
    gate,
    ingest,
    inspections,
    labels,
    plan,
    registry,
    reviews,
    scoring,
    standing,
    synthetic,
    training,
    workspace,
)
from creditrisk import store as stores
from creditrisk.errors import InvalidInput, NotEnoughData
from creditrisk.settings import Settings
from creditrisk.store import Store
from creditrisk.synthetic import Bank
from creditrisk.world import World, parse

Progress = Callable[[float, str], None]
USER = "demo"
REVIEWERS = ("demo reviewer 1", "demo reviewer 2", "demo reviewer 3")
INSPECTOR = "demo inspector"
FEWEST = 100  # applicants
DECLARED = Path(__file__).parent / "declared" / "demo.toml"
CHUNK = 1_000  # applicants drawn, kept and let go of at a time: one export of some 400,000 rows and 30 MB
OF_THEIR_OWN = 2_000  # applicants who hand in a statement each, as people do; those after them come in exports of many accounts
FILES_AT_ONCE = 200
SCORED_AT_ONCE = 5_000
STEPS = {"statements": 0.0, "features": 0.45, "labels": 0.55, "candidates": 0.65, "scores": 0.85}  # the share done when each begins
REVIEWED = 40  # cases taken from the queue, by its mix
INSPECTED = 28
ASIDE = ".tmp-demo"  # swept away at start-up where a fill was cut off
PERFORMANCE_DAYS = 90  # the label comes from the last quarter, the predictors from before it
FEW = "a small bank: the number chosen by rule fails a check or leaves too few to train on"
TO_CONTINENTAL = str.maketrans(",.", ".,")


@cache
def world() -> World:
    """Return the bank declared with the library."""
    return parse(DECLARED.read_text(encoding="utf-8"))


def bank(applicants: int, seed: int, end_on: date = synthetic.END_ON) -> Bank:
    """Draw a bank of that world."""
    return synthetic.bank(world(), applicants, seed, end_on)


# ── the whole way ────────────────────────────────────────────────────────────────────────────────────────────────────


def furnish(settings: Settings, *, applicants: int = 2_000, progress: Progress | None = None) -> bool:
    """Give a workspace that nobody has used the demo bank, whole or not at all; returns whether it was given one.

    The bank is filled aside and moved in when it is complete, the database last, because the database says which models exist.
    """
    if _is_used(settings):
        return False
    people = replace(settings.people, roles={})  # the demo's own people have their names from nobody's list
    aside = replace(settings, data=settings.data / ASIDE, models=settings.models / ASIDE, people=people)
    for folder in (aside.data, aside.models):
        shutil.rmtree(folder, ignore_errors=True)
    with closing(stores.open_workspace(aside)) as store:
        fill(store, applicants=applicants, progress=progress)
    for model in aside.models.iterdir():
        model.rename(settings.models / model.name)
    aside.database.replace(settings.database)
    (aside.data / "audit.head").replace(settings.data / "audit.head")
    for folder in (aside.data, aside.models):
        shutil.rmtree(folder)
    return True


def _is_used(settings: Settings) -> bool:
    if (settings.data / "schema.toml").exists():  # a lender's own schema: the demo's people are not described by it
        return True
    with closing(stores.open_workspace(settings)) as store:
        return bool(workspace.summary(store)["n_applicants"])


def fill(store: Store, *, applicants: int = 2_000, seed: int = 11, progress: Progress | None = None) -> dict[str, Any]:
    """Fill an empty workspace: statements, applications, outcomes, features, labels, models, a champion, scores, reviews.

    Each step keeps what it made, so one that is broken off leaves a workspace that `standing` tells of. Returns counts, ids and
    seconds. Raises InvalidInput where the workspace holds applicants already, or for a bank too small.
    """
    if applicants < FEWEST:
        raise InvalidInput(f"A demo bank needs at least {FEWEST} applicants, not {applicants}: with fewer there is nothing to learn from.")
    if workspace.summary(store)["n_applicants"]:
        raise InvalidInput(f"The workspace holds applicants already and a demo is never mixed with them. {reached(store)}")
    say = progress or _silent
    started = perf_counter()
    of = {step: _between(say, low, high) for step, low, high in zip(STEPS, STEPS.values(), [*STEPS.values(), 1.0][1:], strict=True)}
    summary: dict[str, Any] = {"applicants": applicants, "seed": seed}
    taken, truth = _take_in(store, applicants, seed, of["statements"])
    summary |= taken
    summary["snapshot_id"] = features.build(store, user=USER, progress=of["features"])
    of["labels"](0.0, "labelling with K-Means: the last quarter of everybody, beside what was known before it")
    summary["label_set_id"] = _label(store, of["labels"])
    config = plan.Config(label_set_id=summary["label_set_id"])
    summary["models"] = training.train(store, config, user=USER, progress=of["candidates"])
    summary["champion"] = _promote(store, summary["label_set_id"])
    summary |= _score(store, truth, summary["label_set_id"], of["scores"])
    summary["seconds"] = round(perf_counter() - started, 1)
    say(1.0, f"demo workspace ready: {summary['transactions']:,} transactions of {applicants:,} applicants")
    return summary


def reached(store: Store) -> str:
    """Say how far a workspace is filled and which commands fill the rest."""
    held = workspace.summary(store)
    said = f"{held['n_applicants']:,} applicants with {held['n_transactions']:,} transactions"
    made = {"features": held["n_features"], "label kmeans": held["n_label_sets"], "train": held["n_models"]}
    left = [command for command, n in made.items() if not n]
    left += ["promote best --reason …"] * (registry.champion(store) is None) + ["score --all"] * (held["n_scored"] < held["n_applicants"])
    how = f"to go on with them: {', '.join(f'`{command}`' for command in left)}; " if left else ""
    return f"{store.settings.data} holds {said}; {how}for another demo, point --data and --models at empty folders."


def _silent(_fraction: float, _message: str) -> None:
    return None


def _between(say: Progress, low: float, high: float) -> Progress:
    """Let a step report its own 0 to 1 as its part of the whole."""
    return lambda fraction, message: say(low + (high - low) * fraction, message)


def _take_in(store: Store, applicants: int, seed: int, say: Progress) -> tuple[dict[str, int], DataFrame]:
    """Draw the bank chunk by chunk and keep of each its statements, applications and outcomes; returns counts, and who goes bad."""
    counts = {"statements": 0, "transactions": 0, "outcomes": 0}
    truth = []
    for number, drawn in enumerate(synthetic.chunks(world(), applicants, seed, size=CHUNK)):
        done = number * CHUNK
        for start, batch in _handed_in(drawn, of_their_own=done < OF_THEIR_OWN):
            say((done + start) / applicants, f"inventing and reading bank statements: {done + start:,} of {applicants:,} applicants")
            saved = _keep(store, batch)
            counts["statements"] += len(saved)
            counts["transactions"] += sum(each.n_new for each in saved)
        people.apply(store, drawn.applications[["applicant_id", "applied_on", "name", "amount", "term_months", "purpose"]], user=USER)
        counts["outcomes"] += people.record_outcomes(store, drawn.outcomes, user=USER)["matched"]
        truth.append(drawn.truth[["applicant_id", "bad"]])
    return counts, concat(truth, ignore_index=True)


def _handed_in(drawn: Bank, *, of_their_own: bool) -> Iterator[tuple[int, list["Paper"]]]:
    """Yield the files that bring a chunk, some at a time, each time with how many applicants came before."""
    if not of_their_own:
        yield 0, [export(drawn)]
        return
    papers = list(statements(drawn))
    for start in range(0, len(papers), FILES_AT_ONCE):
        yield start, papers[start : start + FILES_AT_ONCE]


def _keep(store: Store, papers: Sequence["Paper"]) -> list[ingest.Saved]:
    """Read files like anybody's and store them; raises InvalidInput where the settings do not let them in."""
    readings = [ingest.read(paper.name, paper.content, settings=store.settings) for paper in papers]
    for reading in readings:
        if reading.status == "rejected":
            raise InvalidInput(f"The demo needs more room than [intake] of creditrisk.toml gives: {reading.problems[0].message}")
    return ingest.save(store, readings, user=USER, applicant_id={paper.name: paper.applicant_id for paper in papers if paper.applicant_id})


def _label(store: Store, say: Progress) -> str:
    """Label with K-Means; where a small bank's set fails a check or has too few bad, with another number of clusters."""
    for k in (None, 2, 3, 4, 5):
        found = labels.kmeans(store, user=USER, performance_days=PERFORMANCE_DAYS, k=k, reason=FEW if k else None, progress=say)
        if found.passed and found.report["n_bad"] >= training.LEAST_OF_A_CLASS:
            return found.label_set_id
    raise NotEnoughData("No label set of this invented bank passes its checks: take more applicants or another seed.")


def _promote(store: Store, label_set_id: str) -> str:
    """Promote the best calibrated (Brier) of the candidates that observed outcomes cannot tell from the best; baselines stay."""
    board = standing.leaderboard(store, label_set_id)
    able = board[board["algorithm"].isin(plan.CANDIDATES)]
    alike = able[~(able["auc_observed_high"] < able["auc_observed"].max())]
    best = alike.sort_values(["brier", "model_id"]).iloc[0]
    known = best["auc_observed"] == best["auc_observed"]
    figure = f"AUC {best['auc_observed']:.2f} against observed outcomes" if known else f"AUC {best['auc']:.2f} with its own label"
    reason = f"demo workspace: the best Brier score of candidates that do equally well ({figure}); promoted to have something to explore"
    gate.promote(store, best["model_id"], user=USER, reason=reason)
    return str(best["model_id"])


def _score(store: Store, truth: DataFrame, label_set_id: str, say: Progress) -> dict[str, int]:
    """Score everybody, some thousand at a time, and have a few of them reviewed; returns how many."""
    names, using = truth["applicant_id"].tolist(), scoring.model(store)
    for start in range(0, len(names), SCORED_AT_ONCE):
        say(start / len(names), f"scoring everybody: {start:,} of {len(names):,} applicants")
        part = names[start : start + SCORED_AT_ONCE]
        scoring.score_applicants(store, part, user=USER, channel="demo", using=using)
    return {"scored": len(names), "reviews": _review(store, truth, label_set_id)}


def _review(store: Store, truth: DataFrame, label_set_id: str) -> int:
    """Let the demo reviewers judge the cases the queue gives them, knowing how they ended, as nobody in earnest does; returns how many.

    Two are read twice, once with another answer; most are inspected by somebody else, and the rest wait for whoever looks.
    """
    went_bad = dict(zip(truth["applicant_id"], truth["bad"], strict=True))
    called = labels.members(store, label_set_id).dropna(subset="bad").set_index("applicant_id")["bad"].to_dict()
    plain: list[reviews.Said] = []
    for place in range(REVIEWED):
        user, seconds = REVIEWERS[place % len(REVIEWERS)], 45.0 + 17 * place % 90
        taken = reviews.claim(store, user=user)
        if taken is None:
            break
        case = scoring.get(store, taken.prediction_id)
        said = _said(case, called.get(case.applicant_id), went_bad[case.applicant_id], place, seconds)
        reviews.add_all(store, [said], user=user)
        plain += [said] if user == REVIEWERS[0] and said.verdict == "correct" and taken.slot != "second reading" else []
    once = [said for said in plain if len(reviews.history(store, said.prediction_id)) == 1]
    for said, verdict, why in zip(once, ("incorrect", "correct"), ("The last months tell another story.", "The same."), strict=False):
        reviews.add(store, said.prediction_id, verdict, said.about, why, user=REVIEWERS[1], seconds=64)
    waiting = inspections.waiting(store, INSPECTOR)
    clear = waiting.loc[~waiting["is_conflict"] & (waiting["verdict"] != "cannot judge"), "review_id"].tolist()
    if clear:
        inspections.decide(store, clear[:INSPECTED], "accepted", "read beside the statements: what it says is there", user=INSPECTOR)
    return len(reviews.history(store))


def _said(case: scoring.Prediction, called: bool | None, went_bad: bool, place: int, seconds: float) -> reviews.Said:
    """Judge the label of most cases, and of every third the recommendation."""
    if place % 3 == 2 or called is None:
        return reviews.Said(case.prediction_id, *_verdict(case.recommendation, went_bad), seconds=seconds)
    if called == went_bad:
        return reviews.Said(case.prediction_id, "correct", "label", "The statements say the same.", seconds=seconds)
    why = "Looks calm, and missed payments soon afterwards." if went_bad else "One lost job, since replaced; paid as agreed."
    return reviews.Said(case.prediction_id, "incorrect", "label", why, "bad" if went_bad else "good", seconds)


def _verdict(recommendation: str, went_bad: bool) -> tuple[str, str, str]:
    if recommendation == "approve" and went_bad:
        return "incorrect", "decision", "Missed payments soon afterwards; I would have asked for documents."
    if recommendation == "decline" and not went_bad:
        return "incorrect", "decision", "Paid as agreed; the bad months were one lost job, since replaced."
    if recommendation in ("approve", "decline"):
        return "correct", "decision", "The statements say the same."
    return "cannot judge", "decision", "Needs a longer statement or a word with the applicant."


# ── statements on paper ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Paper:
    """One statement file, of one applicant or (None) of the many that its accounts name."""

    name: str
    applicant_id: str | None
    content: bytes


@dataclass(frozen=True)
class _Sheet:
    """What a statement has to say, before any bank's way of writing it; money in units, exact to the cent when rounded to two places."""

    holder: str
    account: str
    days: NDArray[np.datetime64]
    texts: list[str]
    amounts: list[float]
    balances: list[float]

    def dates(self, form: str) -> list[str]:
        """Write the days, each distinct one once; `form` as strftime wants it."""
        distinct, back = np.unique(self.days, return_inverse=True)
        said: list[str] = np.array([day.strftime(form) for day in distinct.astype(object)])[back].tolist()
        return said


def statements(drawn: Bank) -> Iterator[Paper]:
    """Write each applicant's shown transactions as a file, in one of four dialects in turn."""
    rows = drawn.transactions
    first = int(rows["applicant"].iloc[0])
    bounds = np.searchsorted(rows["applicant"], np.arange(len(drawn.applications) + 1) + first).tolist()
    texts = rows["text"].cat.categories.to_numpy(dtype=object)[rows["text"].cat.codes]
    days = rows["booked_on"].to_numpy().astype("datetime64[D]")
    amounts, balances = (rows[name].to_numpy() / 100 for name in ("amount", "balance"))
    for i, (applicant_id, holder) in enumerate(zip(drawn.applications["applicant_id"], drawn.applications["name"], strict=True)):
        part = slice(bounds[i], bounds[i + 1])
        account = f"{30_000_000 + (first + i) * 7_919 % 60_000_000}"
        sheet = _Sheet(holder, account, days[part], texts[part].tolist(), amounts[part].tolist(), balances[part].tolist())
        dialect = DIALECTS[(first + i) % len(DIALECTS)]
        yield Paper(f"{applicant_id}_{sheet.days[-1]}.csv", applicant_id, dialect(sheet).encode())


def export(drawn: Bank) -> Paper:
    """Write the shown transactions of all these applicants as the one file that a bank's own system would hand over."""
    rows = drawn.transactions
    ids = drawn.applications["applicant_id"]
    first = int(rows["applicant"].iloc[0])
    accounts = DictionaryArray.from_arrays(rows["applicant"].to_numpy() - first, array(ids))
    texts = DictionaryArray.from_arrays(rows["text"].cat.codes.to_numpy(), array(rows["text"].cat.categories))
    days = array(rows["booked_on"].to_numpy().astype("datetime64[D]"))
    columns = {
        "Account": accounts,
        "Date": days,
        "Description": texts,
        "Amount": _cents(rows["amount"]),
        "Balance": _cents(rows["balance"]),
    }
    content = BytesIO()
    csv.write_csv(Table.from_pydict(columns), content, csv.WriteOptions(quoting_style="none", quoting_header="none"))
    return Paper(f"accounts_{ids.iloc[0]}_{ids.iloc[-1]}.csv", None, content.getvalue())


def _cents(amounts: "Series[int]") -> Decimal128Array:
    """Read whole cents as decimals of two places, exact to the last."""
    wide = np.stack([amounts.to_numpy(), amounts.to_numpy() >> 63], axis=1)  # the lower and the upper half of 128 bits
    return Decimal128Array.from_buffers(decimal128(18, 2), len(wide), [None, py_buffer(wide)])


def _plain(sheet: _Sheet) -> str:
    """Comma, ISO dates, one signed amount, running balance."""
    lines = map("%s,%s,%.2f,%.2f".__mod__, zip(sheet.dates("%Y-%m-%d"), sheet.texts, sheet.amounts, sheet.balances, strict=True))
    return "\n".join(["Date,Description,Amount,Balance", *lines, ""])


def _continental(sheet: _Sheet) -> str:
    """Semicolon, DD.MM.YYYY, 1.234,56; the account in a preamble, the closing balance in a footer."""
    dates, amounts, balances = sheet.dates("%d.%m.%Y"), _money(sheet.amounts), _money(sheet.balances)
    head = [
        f"Account holder;{sheet.holder}",
        f"IBAN;XX00DEMO{sheet.account}",
        f"Period;{dates[0]} - {dates[-1]}",
        "",
        "Booking date;Details;Amount;Currency;Balance",
    ]
    lines = map("%s;%s;%s;EUR;%s".__mod__, zip(dates, sheet.texts, amounts, balances, strict=True))
    return "\r\n".join([*head, *lines, "", f"Closing balance;;;EUR;{balances[-1]}", ""])


def _columns(sheet: _Sheet) -> str:
    """Comma, DD/MM/YYYY, debit and credit apart, newest first."""
    debit = ["" if amount >= 0 else f"{-amount:.2f}" for amount in sheet.amounts]
    credit = [f"{amount:.2f}" if amount >= 0 else "" for amount in sheet.amounts]
    lines = list(map("%s,%s,%s,%s,%.2f".__mod__, zip(sheet.dates("%d/%m/%Y"), sheet.texts, debit, credit, sheet.balances, strict=True)))
    return "\n".join(["Date,Details,Debit,Credit,Balance", *reversed(lines), ""])


def _tabbed(sheet: _Sheet) -> str:
    """Tab, YYYYMMDD, an amount without sign beside D or C, currency, account on every row."""
    sides = ["C" if amount >= 0 else "D" for amount in sheet.amounts]
    lines = map(
        f"{sheet.account}\t%s\t%s\t%.2f\tEUR\t%.2f\t%s".__mod__,
        zip(sheet.dates("%Y%m%d"), sides, map(abs, sheet.amounts), sheet.balances, sheet.texts, strict=True),
    )
    return "\n".join(["Account\tDate\tD/C\tAmount\tCurrency\tBalance\tNarrative", *lines, ""])


def _money(values: Sequence[float]) -> list[str]:
    return ";".join(map("{:,.2f}".format, values)).translate(TO_CONTINENTAL).split(";")


DIALECTS = (_plain, _continental, _columns, _tabbed)
