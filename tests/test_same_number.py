"""One applicant, one number: alone, in a batch, over the API, on the command line, from a file; bit for bit."""

import json
from pathlib import Path

import pytest
from pandas import DataFrame, read_parquet

from creditrisk import certainty, features, registry, scoring
from creditrisk.__main__ import main
from creditrisk.api import create_api
from creditrisk.store import Store
from tests.rest import TestClient


@pytest.mark.parametrize("algorithm", ["xgboost", "random_forest", "logistic"])
def test_the_same_number_everywhere(filled: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], algorithm: str) -> None:
    models = registry.models(filled)
    model_id = models.loc[models["algorithm"] == algorithm, "model_id"].iloc[0]
    if registry.champion(filled)["model_id"] != model_id:  # type: ignore[index]
        registry.promote(filled, model_id, user="ann", reason="to compare its numbers")
    table = features.newest(filled).drop(columns="snapshot_id")
    names = table["applicant_id"].tolist()[:10]

    batch = {made.applicant_id: made for made in scoring.score_values(filled, table, user="ann", channel="batch")}
    stored = {made.applicant_id: made for made in scoring.score_applicants(filled, names, user="ann", channel="page")}
    rows = {
        name: {f.name: None if row[f.name] != row[f.name] else row[f.name] for f in filled.schema} for name, row in _rows(table).items()
    }
    with TestClient(create_api(lambda: filled)) as client:
        by_name = {name: client.post("/v1/score", json={"applicant_id": name}).json() for name in names}
        again = {name: client.get(f"/v1/predictions/{stored[name].prediction_id}").json() for name in names}
        by_value = {name: client.post("/v1/score", json={"applicant_id": name, "features": rows[name]}).json() for name in names}
    table.to_csv(tmp_path / "rows.csv", index=False)
    table.sample(frac=1, random_state=3).to_parquet(tmp_path / "rows.parquet", index=False)
    found = certainty.lines(filled, str(model_id))
    filled.close()

    where = ["--data", str(tmp_path / "bank" / "data"), "--models", str(tmp_path / "bank" / "models"), "--json"]
    printed = {}
    for source in ("rows.csv", "rows.parquet"):
        assert main(["score", str(tmp_path / source), *where]) == 0
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()[:-1]]
        printed[source] = {line["applicant_id"]: line for line in lines}
    assert main(["score", "--applicant", names[0], *where]) == 0
    alone = json.loads(capsys.readouterr().out.splitlines()[0])

    assert main(["score", str(tmp_path / "rows.csv"), "--out", str(tmp_path / "scores.parquet"), *where]) == 0
    handed = _rows(read_parquet(tmp_path / "scores.parquet"))

    assert alone["pd"] == batch[names[0]].pd
    assert alone["pd_low"] == batch[names[0]].to_json(found)["pd_low"]
    for name in names:
        expected = batch[name].to_json(found)
        assert (expected["pd_low"] <= expected["pd"] <= expected["pd_high"]) if batch[name].is_sure else expected["pd_low"] is None
        for other in (
            stored[name].to_json(found),
            again[name],
            by_name[name],
            by_value[name],
            printed["rows.csv"][name],
            printed["rows.parquet"][name],
        ):
            for key in ("pd", "score", "band", "recommendation", "base", "contributions", "reasons", "pd_low", "pd_high"):
                assert other[key] == expected[key], (name, key)
        for key in ("pd", "pd_low", "pd_high", "score"):
            assert handed[name][key] == expected[key] or (expected[key] is None and handed[name][key] != handed[name][key]), (name, key)


def _rows(table: DataFrame) -> dict[str, dict[str, object]]:
    return {row["applicant_id"]: row for row in table.to_dict("records")}
