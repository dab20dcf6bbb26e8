"""Batches: bad rows aside and good ones through, the same bits as one by one, gone on with after whatever stopped them."""

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame, concat, read_parquet

from creditrisk import features, policy, registry, scoring, tabular
from creditrisk import store as stores
from creditrisk.batch import keep, work
from creditrisk.errors import InvalidInput, JobBusy, TamperedArtefact, UnknownThing, UnreadableFile
from creditrisk.settings import Policy, load
from creditrisk.store import Store
from tests.conftest import ROOT


def table(store: Store, n: int = 60) -> DataFrame:
    """Applicants of the demo bank under names of their own, as a file would have them."""
    known = features.newest(store).drop(columns=["snapshot_id", "as_of"])
    many = concat([known] * (n // len(known) + 1), ignore_index=True).iloc[:n]
    return many.assign(applicant_id=[f"N{place:06d}" for place in range(1, n + 1)])


def csv(frame: DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def done(store: Store, content: bytes, name: str = "new.csv", **asked: str) -> str:
    """Score a file in this process and return the batch."""
    made = keep.begin(store, name, content, user="ann", channel="test", **asked)
    for _ in keep.here(store, made, user="ann"):
        pass
    return made


def same(one: scoring.Prediction, other: scoring.Prediction) -> bool:
    """Say whether two predictions differ in nothing but their name, hour and channel."""
    about = ("prediction_id", "scored_at", "channel")
    return replace(one, **{name: getattr(other, name) for name in about}) == other


def test_a_batch_gives_every_model_s_rows_to_the_last_bit(filled: Store) -> None:
    frame = table(filled)
    for model_id in registry.models(filled)["model_id"]:
        for baseline in ("cut-off", "everyone"):
            made = done(filled, csv(frame), model_id=model_id, baseline=baseline)
            asked = {"user": "ann", "channel": "x", "model_id": model_id, "baseline": baseline, "keep": False}
            single = scoring.score_values(filled, frame, **asked)
            kept = [scoring.get(filled, f"{made}-{row}") for row in range(1, len(frame) + 1)]
            assert [one.applicant_id for one in kept] == frame["applicant_id"].tolist()
            assert all(same(one, other) for one, other in zip(kept, single, strict=True))


def test_a_score_of_a_batch_replays_to_the_last_bit(filled: Store) -> None:
    made = done(filled, csv(table(filled)))
    for row in (1, 17, 60):
        stored, again = scoring.replay(filled, f"{made}-{row}")
        assert again == stored
    assert len(scoring.waterfall(filled, stored)) > 2
    with pytest.raises(UnknownThing):
        scoring.get(filled, f"{made}-61")
