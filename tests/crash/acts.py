"""What a life does until it is killed: real work through the library, each piece acknowledged once the library has returned.

A line is written to the pipe when a piece begins and when it is acknowledged; what stands in the pipe was told to somebody.
"""

import json
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from creditrisk import (
    corrections,
    decisions,
    features,
    ingest,
    inspections,
    integrity,
    jobs,
    labels,
    plan,
    privacy,
    registry,
    reviews,
    schedule,
    scoring,
    training,
)
from creditrisk import store as stores
from creditrisk.batch import keep, work
from creditrisk.settings import Settings
from creditrisk.store import Store

Told = dict[str, Any]
BATCH = 40  # applicants scored at once: their ids fit in one line of a pipe that is written whole or not at all
FILE = 240  # rows of a file to score
PRICES = (950, 2_499, 1_250, 75_000, 310)


def live(settings: Settings, pipe: int, kinds: list[str], seed: int) -> None:
    """Open the workspace and do pieces of work; the last kind again and again, until somebody ends this process."""
    dice = random.Random(seed)
    _say(pipe, {"begin": "start", "number": 0})
    began = time.perf_counter()
    store = opened(settings)
    _say(pipe, {"done": "start", "seconds": time.perf_counter() - began})
    for number, kind in enumerate([*kinds[:-1], *[kinds[-1]] * 1_000], 1):
        _say(pipe, {"begin": kind, "number": number})
        began = time.perf_counter()
        if kind == "restore":  # nobody has the workspace open then
            made = backup(store, dice)["backup"]
            store.close()
            integrity.restore(settings, Path(made), user="dan")
            store, told = opened(settings), {"backup": made}
        else:
            told = ACTS[kind](store, dice)
        _say(pipe, {"done": kind, "seconds": time.perf_counter() - began, **told})


def opened(settings: Settings, said: list[str] | None = None) -> Store:
    """Open a workspace as the workbench does; what start-up says is put into `said`."""
    integrity.wipe(settings)
    store = stores.open_workspace(settings)
    found = integrity.recover(store)
    if said is not None:
        said += found
    return store


def _say(pipe: int, what: Mapping[str, Any]) -> None:
    line = json.dumps(what).encode() + b"\n"
    if len(line) > 4096:
        raise ValueError("a line longer than a pipe writes whole")
    os.write(pipe, line)


def take_in(store: Store, dice: random.Random) -> Told:
    """Store a bank statement of a new applicant."""
    rows = ["Date,Description,Amount"]
    for day in range(1, 29):
        rows += [f"2025-{month:02}-{day:02},SHOP {dice.randrange(60)},-{dice.choice(PRICES) / 100:.2f}" for month in range(1, 7)]
    name = f"new-{dice.randrange(10**9)}"
    reading = ingest.read(f"{name}.csv", "\n".join(rows).encode(), settings=store.settings)
    (saved,) = ingest.save(store, [reading], user="ana", applicant_id=name)
    return {"sha256": reading.sha256, "n_new": saved.n_new}


def label(store: Store, dice: random.Random) -> Told:
    """Make a label set."""
    found = labels.kmeans(store, user="dan", performance_days=90, k=dice.choice((2, 3)), reason="to be told apart from others")
    return {"label_set": found.label_set_id, "n": found.n}


def train(store: Store, dice: random.Random) -> Told:
    """Train, here and now, on the labels that passed."""
    return {"models": training.train(store, _config(store, dice), user="dan")}


def job(store: Store, dice: random.Random) -> Told:
    """Train in a process of its own, which ends with this one."""
    name = training.start(store, _config(store, dice), user="dan")
    ended = jobs.wait(store, name)
    if ended["state"] != "done":
        raise RuntimeError(ended["message"])
    return {"job": name}


def _config(store: Store, dice: random.Random) -> plan.Config:
    usable = store.rows("select label_set_id from label_set where passed order by label_set_id")
    return plan.Config(algorithms=("logistic",), label_set_id=usable[0][0], folds=2, seed=dice.randrange(1_000))


def promote(store: Store, dice: random.Random) -> Told:
    """Make another model the champion."""
    present = registry.champion(store)
    able = [
        row["model_id"]
        for row in registry.models(store).to_dict("records")
        if row["algorithm"] in plan.CANDIDATES and (present is None or row["model_id"] != present["model_id"])
    ]
    name = dice.choice([model for model in able if registry.hindrance(store, model) is None])
    registry.promote(store, name, user="vera", reason="somebody thought it better")
    return {"model": name}


def review(store: Store, dice: random.Random) -> Told:
    """Judge a case."""
    case = dice.choice(store.rows("select prediction_id from prediction_current order by prediction_id"))[0]
    name = reviews.add(store, case, "incorrect", "reasons", "a salary was missed", user="rita")
    return {"review": name, "case": case}


def inspect(store: Store, dice: random.Random) -> Told:
    """Judge a case, and have a second person judge the verdict."""
    told = review(store, dice)
    status = dice.choice(("accepted", "rejected"))
    inspections.decide(store, [told["review"]], status, "line 12 shows it", user="sam")
    return told | {"status": status}


def score(store: Store, dice: random.Random) -> Told:
    """Score a batch."""
    known = [name for name in features.newest(store)["applicant_id"] if not name.startswith("erased-")]
    names = dice.sample(known, BATCH)
    made = scoring.score_applicants(store, names, user="ana", channel="batch")
    return {"scored": [prediction.prediction_id for prediction in made], "pd": sum(prediction.pd for prediction in made)}


def batch(store: Store, dice: random.Random) -> Told:
    """Score a file part by part, or go on with the one that was broken off."""
    left = [row["batch_id"] for row in keep.batches(store).to_dict("records") if row["state"] != "done"]
    if not left:
        known = features.newest(store).drop(columns=["snapshot_id", "as_of"]).sample(FILE, replace=True, random_state=dice.randrange(2**31))
        content = known.assign(applicant_id=[f"row-{place}" for place in range(FILE)]).to_csv(index=False).encode()
        left = [keep.begin(store, "new.csv", content, user="ana", channel="batch")]
    work.ROWS = FILE // 8
    for _ in keep.here(store, left[0], user="ana"):
        pass
    total = store.value("select round(sum(pd), 9) from batch_score where batch_id = $id", id=left[0])
    return {"batch": left[0], "sum": total}


def decide(store: Store, dice: random.Random) -> Told:
    """Refer a case."""
    case, after = dice.choice(store.rows(UNDECIDED))
    made = decisions.decide(store, case, decisions.Said("refer", comment="Somebody else should look at this.", after=after), user="ana")
    return {"decision": made.decision_id}


UNDECIDED = """
    select prediction_id, max(decision_id) from prediction_current left join decision using (prediction_id)
    where not starts_with(applicant_id, 'erased-') group by prediction_id order by prediction_id
"""


def correct(store: Store, dice: random.Random) -> Told:
    """Say what a movement really was."""
    numbers = store.rows("select transaction_id, category from movement where direction = 'out' order by transaction_id limit 5000")
    number, category = dice.choice(numbers)
    other = dice.choice([name for name in ("GROCERIES", "TRANSPORT", "INSURANCE") if name != category])
    made = corrections.correct(store, scope="movement", category=other, transaction_id=number, reason="seen on the slip", user="ana")
    return {"correction": made.correction_id}


def put_off(store: Store, dice: random.Random) -> Told:
    """Put a training off by a moment, and have it, and what was left of former ones, started when it is due."""
    config = replace(_config(store, dice), algorithms=("logistic",))
    name = schedule.add(store, config, stores.now() + timedelta(milliseconds=50), user="dan")
    while schedule.get(store, name)["state"] == "waiting":
        time.sleep(0.05)
        schedule.start_due(store)
        if (under_way := jobs.active(store)) is not None:
            jobs.wait(store, under_way["job_id"])
    return {"schedule": name}


def erase(store: Store, dice: random.Random) -> Told:
    """Take a person out."""
    names = store.rows("select applicant_id from application where starts_with(applicant_id, 'A') order by applicant_id")
    ((name,),) = dice.sample(names, 1)
    privacy.erase(store, name, user="ada", reason="asked for it")
    return {"erased": name}


def backup(store: Store, dice: random.Random) -> Told:
    """Copy the workspace."""
    return {"backup": str(integrity.backup(store, safe(store.settings), user="dan"))}


def safe(settings: Settings) -> Path:
    """Where backups of a run lie."""
    return settings.data.parent / "safe"


ACTS: Mapping[str, Callable[[Store, random.Random], Told]] = {
    "import": take_in,
    "label": label,
    "train": train,
    "job": job,
    "promote": promote,
    "review": review,
    "inspect": inspect,
    "score": score,
    "batch score": batch,
    "backup": backup,
    "decide": decide,
    "correct": correct,
    "put off": put_off,
    "erase": erase,
}
KINDS = (*ACTS, "restore", "start")
