"""A workspace in which every text that a person or a file can bring is one that a page would interpret, if it interpreted anything."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

from creditrisk import (
    applicants,
    corrections,
    decisions,
    gate,
    ingest,
    inspections,
    labels,
    plan,
    registry,
    reviews,
    scoring,
    tables,
    tabular,
    tokens,
    training,
)
from creditrisk.batch import keep
from creditrisk.errors import CreditRiskError
from creditrisk.store import Store
from tests.test_batch import csv, table

WORD = "EVIL<b>x</b>![y](https://e.test/p)$z^2$:red[q]:material/home:`k`"  # printable, short enough for any field
WHO = f"A {WORD}"
FILE = f"{WORD.replace('/', '')}.csv"
MONTHS = range(1, 13)


def statement() -> bytes:
    """A year of a statement, its merchants and its employer called so."""
    lines = ["Date,Description,Amount,Balance"]
    for month in MONTHS:
        held = 2600 + 100 * (month - 1)
        lines += [
            f'2025-{month:02}-01,"SALARY {WORD}",2100.00,{held}.00',
            f'2025-{month:02}-02,"STANDING ORDER RENT {WORD}",-900.00,{held - 900}.00',
            f'2025-{month:02}-15,"{WORD} {"I" * (month % 2)}",-1100.00,{held - 2000}.00',
        ]
    return "\n".join(lines).encode()


def fill(store: Store) -> dict[str, str]:
    """Bring the word in wherever there is a way in; returns ids to open pages with."""
    reading = ingest.read(FILE, statement(), settings=store.settings)
    assert reading.status == "accepted", reading.problems
    (saved,) = ingest.save(store, [reading], user=WORD, applicant_id=WHO)
    form = {"applicant_id": WHO, "applied_on": date(2026, 1, 2), "name": WORD, "amount": 5000, "term_months": 24, "purpose": WORD}
    applicants.apply(store, [form], user=WORD)
    movement = store.value("select max(transaction_id) from movement where applicant_id = $id and amount < 0", id=WHO)
    corrections.correct(store, scope="movement", category="GAMBLING", user=WORD, transaction_id=movement, reason=WORD)
    (case,) = scoring.score_applicants(store, [WHO], user=WORD, channel="test")
    decided = decisions.Said("override", "approve" if case.recommendation != "approve" else "decline", WORD, [WORD])
    decisions.decide(store, case.prediction_id, decided, user=WORD)
    review = reviews.add(store, case.prediction_id, "incorrect", "reasons", WORD, user=WORD)
    inspections.decide(store, [review], "quarantined", WORD, user=f"{WORD} 2")
    reviews.add(store, case.prediction_id, "incorrect", "decision", WORD, user=f"{WORD} 3")
    token = tokens.create(store, WORD, ["read"], purpose=WORD, days=9, user=WORD)
    rows = table(store, 12).astype(object)
    rows["applicant_id"] = [f"{n} {WORD}" for n in range(len(rows))]
    rows.loc[2, "days_negative_90d"] = WORD
    batch = keep.begin(store, FILE, csv(rows), user=WORD, channel="test")
    for _ in keep.here(store, batch, user=WORD):
        pass
    other = next(name for name in registry.models(store)["model_id"] if registry.get(store, name)["status"] == "candidate")
    try:
        gate.promote(store, other, user=WORD, reason=WORD)
    except CreditRiskError:
        registry.retire(store, other, user=WORD, reason=WORD)
    return {
        "applicant": WHO,
        "prediction": case.prediction_id,
        "statement": str(saved.statement_id),
        "batch": batch,
        "model": other,
        "token": token.token_id,
        "movement": str(movement),
    }


def table_of_a_lender(store: Store) -> dict[str, str]:
    """Bring a table in whose file, headings, titles, choices and ids are all called so; returns ids to open pages with."""
    dice, n = np.random.default_rng(3), 400
    income = dice.normal(2000, 500, n).round()
    late = (dice.random(n) < 1 / (1 + np.exp((income - 1700) / 300))).astype(int)
    columns = {"applicant_id": [f"{place} {WORD}" for place in range(n)], f"income {WORD}": income, f"age {WORD}": dice.integers(20, 70, n)}
    columns |= {f"kind {WORD}": [f"{WORD} {place % 3}" for place in range(n)], '"; drop table applicant; --': dice.normal(size=n).round(3)}
    content = DataFrame({**columns, "late": late}).to_csv(index=False).encode()
    joined = tables.join({FILE: tabular.read(FILE, content, store.settings.intake)})
    proposed = tables.wanted(store, joined, target="late")
    named = [replace(one, title=f"T {WORD} {n}", meaning=WORD, unit=WORD[:20]) for n, one in enumerate(proposed.schema.features)]
    wanted = replace(proposed.schema, features=tuple(named))
    tables.save(store, joined, wanted, user=WORD, target="late", as_of=None, findings=proposed.findings)
    made_of = labels.observed(store, user=WORD)
    config = plan.Config(label_set_id=made_of.label_set_id, algorithms=("logistic", "risk_index", "constant"))
    model, *_ = training.train(store, config, user=WORD)
    registry.promote(store, model, user=WORD, reason=WORD)
    (case,) = scoring.score_applicants(store, [f"0 {WORD}"], user=WORD, channel="test")
    return {"applicant": case.applicant_id, "prediction": case.prediction_id, "model": model, "labels": made_of.label_set_id}


# --- what a page would interpret --------------------------------------------------------------------------------------------

PLAIN = {  # (kind of element, field) that the browser shows letter by letter, or not at all
    *(("Selectbox", field) for field in ("options", "set_value", "raw_value", "placeholder")),
    *(("MultiSelect", field) for field in ("options", "default", "set_value")),
    *((kind, field) for kind in ("TextInput", "TextArea") for field in ("value", "default", "placeholder")),
    ("PlotlyChart", "alt"),
    ("Code", "code_text"),
    ("Text", "body"),
}
MARKED = "EVIL<b>"  # what is left of the word where nobody has made it harmless


def said(page: AppTest) -> list[tuple[str, str, str]]:
    """Return (kind of element, field, text) of all that a page shows and the browser would interpret, down to what pictures say."""
    found: list[tuple[str, str, str]] = []
    for node in (*_nodes(page.main), *_nodes(page.sidebar)):
        message = getattr(node, "proto", None)
        kind = type(message).__name__
        for path, text in _texts(message) if message is not None else ():
            if kind == "PlotlyChart" and path.endswith("spec"):
                found += [(kind, where, words) for where, words in _pictured(json.loads(text))]
            elif (kind, path) not in PLAIN and not path.endswith("id"):
                found.append((kind, path, text))
    return found


def unescaped(page: AppTest) -> list[tuple[str, str, str]]:
    """Return what of a page is not shown as it was typed."""
    return [(kind, field, text[:200]) for kind, field, text in said(page) if MARKED in text]


def _pictured(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of a picture; not what only a click tells, nor categories that have other words on their axis."""
    renamed = "ticktext" in spec["layout"].get("yaxis", {})
    spec["layout"].get("yaxis", {}).pop("tickvals", None)
    for trace in spec["data"]:
        shown = str(trace.get("hovertemplate", "")) + str(trace.get("texttemplate", ""))
        hidden = {"customdata"} if "customdata" not in shown else set()
        hidden |= {"y"} if renamed and "{y" not in shown else set()
        yield from _strings({name: value for name, value in trace.items() if name not in hidden})
    yield from _strings(spec["layout"], "layout")


def _nodes(block: Any) -> Iterator[Any]:
    yield block
    for child in getattr(block, "children", {}).values():
        yield from _nodes(child)


def _texts(message: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for field, value in message.ListFields():
        where = f"{path}.{field.name}".lstrip(".")
        for each in value if field.is_repeated else [value]:
            if isinstance(each, str):
                yield where, each
            elif hasattr(each, "ListFields"):
                yield from _texts(each, where)


def _strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, where)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _strings(each, f"{where}.{name}")
