"""Training: candidates beside their baselines, measured by label source, explained exactly, registered together."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pandas import DataFrame, read_parquet

from creditrisk import jobs, labels, metrics, pipeline, plan, registry, schema, standing, training
from creditrisk import store as stores
from creditrisk.__main__ import main
from creditrisk.design import MOST_CHOICES
from creditrisk.errors import InvalidInput, JobBusy, NotEnoughData, NothingYet, UnreadableFile
from creditrisk.plan import Config
from creditrisk.settings import Labels, Settings, Training, load
from creditrisk.store import Store
from tests.test_labels import happened, people, put

QUICK = Config(algorithms=("logistic",), folds=2)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A workspace whose applicants were labelled and from which all algorithms were trained once; read only."""
    folder = tmp_path_factory.mktemp("trained")
    opened = stores.open_in_memory(small(replace(load(), data=folder / "data", models=folder / "models")))
    labelled(opened)
    progress: list[tuple[float, str]] = []
    training.train(
        opened, replace(training.defaults(opened), folds=3), user="ann", progress=lambda done, what: progress.append((done, what))
    )
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert progress[-1][0] == 1.0
    assert "fitting random forest, fold 3 of 3" in [what for _, what in progress]
    yield opened
    opened.close()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return small(settings)


def small(settings: Settings) -> Settings:
    return replace(settings, labels=Labels(k_max=3, bootstraps=10), training=Training(bootstraps=40, folds=3))


def labelled(store: Store) -> None:
    frame, trouble = people(500, share=0.15, strength=1.5)
    put(store, frame)
    names = frame["applicant_id"].tolist()
    random = np.random.default_rng(3)
    happened(store, names, trouble ^ (random.random(len(names)) < 0.05))
    labels.kmeans(store, user="ann")


def files(store: Store, model_id: str) -> list[str]:
    return sorted(path.name for path in (store.models / model_id).iterdir())


def test_candidates_and_baselines_are_registered_together_with_their_files(trained: Store) -> None:
    models = registry.models(trained).sort_values("model_id")
    assert models["algorithm"].tolist() == ["xgboost", "random_forest", "logistic", "risk_index", "constant"]
    assert set(models["status"]) == {"candidate"}
    assert (set(models["label_source"]), set(models["is_proxy"])) == ({"cluster"}, {True})
    tables = ["contributions.parquet", "test.parquet", "validation.parquet"]
    common = sorted(["card.json", "card.md", "metrics.json", "pipeline.joblib", "schema.toml", *tables])
    assert files(trained, "M0001") == sorted([*common, "booster.ubj"])
    assert files(trained, "M0003") == common
    assert sorted(path.name for path in trained.models.iterdir()) == models["model_id"].tolist()
    assert len(set(models["digest"])) == 5
    assert trained.value("select count(*) from audit where action = 'register'") == 1


def test_every_metric_comes_by_label_source_with_its_interval(trained: Store) -> None:
    for model in registry.models(trained).to_dict("records"):
        for source in ("cluster", "observed"):
            found = model["metrics"][source]
            assert found["auc"]["low"] <= found["auc"]["value"] <= found["auc"]["high"]
            assert {"gini", "ks", "brier", "n", "n_bad", "log_loss", "calibration_slope"} <= set(found)
    board = standing.leaderboard(trained)
    assert board["auc_observed"].is_monotonic_decreasing
    assert board["algorithm"].iloc[-1] == "constant"
    assert board["auc"].iloc[-1] == 0.5
    assert board["n_observed"].eq(len(registry.table(trained, "M0001", "test"))).all()
    assert (board["n"] < board["n_observed"]).all()
    assert standing.leaderboard(trained, "L0099").empty


def test_contributions_of_every_test_row_add_up(trained: Store) -> None:
    for model_id in registry.models(trained)["model_id"]:
        scored, parts = (registry.table(trained, model_id, name) for name in ("test", "contributions"))
        assert parts["applicant_id"].tolist() == scored["applicant_id"].tolist()
        assert parts.columns.tolist() == ["applicant_id", "base", *(feature.name for feature in trained.schema.predictors)]
        total = parts.drop(columns="applicant_id").sum(axis=1)
        assert np.abs(total - scored["margin"]).max() < 1e-4
        assert scored["pd"].between(0, 1).all()


def test_a_loaded_model_gives_the_registered_scores(trained: Store) -> None:
    scored = registry.table(trained, "M0001", "test")
    table = labels.training_set(trained, "L0001", unlabelled=True).set_index("applicant_id").loc[scored["applicant_id"]]
    fitted = registry.load(trained, "M0001")
    assert fitted.margin(table).tolist() == scored["margin"].tolist()
    assert fitted.margin(table.iloc[[7]]).tolist() == scored["margin"].iloc[[7]].tolist()


def test_a_model_that_relearns_its_clusters_says_so_everywhere(trained: Store) -> None:
    found = registry.get(trained, "M0001")["metrics"]["circularity"]
    assert found["flag"]
    assert {"days_negative_90d", "payday_count_90d"} <= set(found["shared"]) <= set(labels.get(trained, "L0001").report["shared_columns"])
    card = registry.card(trained, "M0001")
    assert "re-learns the clusters" in card["banner"]
    assert card["circularity"] == found["sentence"]
    assert "agreement" in card["markdown"]
    assert "no probability of default" in card["markdown"]
    assert not registry.get(trained, "M0005")["metrics"]["circularity"]["flag"]  # the constant reads nothing


def test_a_model_page_gets_its_curves(trained: Store) -> None:
    found = standing.curves(trained, "M0001")
    labelled_rows = registry.table(trained, "M0001", "test")["bad"].notna().sum()
    assert found["scores"]["n"].sum() == found["calibration"]["n"].sum() == labelled_rows
    assert found["roc"][["false_positive_rate", "true_positive_rate"]].iloc[-1].tolist() == [1.0, 1.0]
    assert found["importance"]["mean_abs"].is_monotonic_decreasing
    assert len(found["importance"]) == len(trained.schema.predictors)
    assert found["concepts"]["mean_abs"].is_monotonic_decreasing
    overdrawn = found["concepts"].set_index("title").loc["Days overdrawn"]
    assert "Days overdrawn, last 90 days" in overdrawn["of_which"]
    parts = registry.table(trained, "M0001", "contributions")
    of_concept = [feature.name for feature in trained.schema.predictors if feature.concept == "overdrawn"]
    assert overdrawn["mean_abs"] == pytest.approx(parts[of_concept].sum(axis=1).abs().mean())


def test_the_command_line_gets_the_declared_keys(trained: Store) -> None:
    model = registry.get(trained, "M0002")
    said = standing.to_json(model)
    assert list(said) == [
        *("model_id", "algorithm", "label_set", "label_source", "metrics", "cross_validation", "cutoffs", "parameters", "config"),
        *("digest", "seconds"),
    ]
    assert list(said["metrics"]) == ["cluster", "observed"]
    assert list(standing.to_json(model, "models")) == [
        *("model_id", "status", "algorithm", "label_source", "is_proxy", "created_at", "digest", "metrics")
    ]


def test_the_same_seed_gives_the_same_models(store: Store) -> None:
    labelled(store)
    one, two = (training.train(store, replace(QUICK, algorithms=("xgboost",)), user="ann")[0] for _ in range(2))
    assert registry.table(store, one, "test").equals(registry.table(store, two, "test"))
    assert registry.table(store, one, "contributions").equals(registry.table(store, two, "contributions"))


def test_a_run_written_down_gives_the_same_models_again(store: Store, tmp_path: Path) -> None:
    labelled(store)
    config = Config(algorithms=("xgboost", "logistic"), label_set_id="L0001", folds=2, balance="weights", tune=2, seed=3)
    file = tmp_path / "run.toml"
    file.write_text(plan.dump(config, file.name))
    one = training.train(store, config, user="ann")
    two = training.train(store, plan.parse(file.read_text(), file.name), user="bea")
    three = training.train(store, training.config_of(store, one[0]), user="ann")  # tuned settings are kept, and tried on from there
    for here, there in zip(one, two, strict=True):
        first, second = registry.get(store, here), registry.get(store, there)
        assert first["digest"] == second["digest"]
        assert first["metrics"] == second["metrics"]
    assert registry.get(store, three[1])["digest"] == registry.get(store, one[1])["digest"]
    model = registry.get(store, one[0])
    assert len(model["metrics"]["tuning"]["trials"]) == 3
    assert model["config"]["parameters"]["xgboost"] == model["metrics"]["tuning"]["parameters"]
    assert "Tuned in 2 trials" in registry.card(store, one[0])["markdown"]


def test_every_candidate_is_validated_in_folds_of_whole_applicants(trained: Store) -> None:
    for model_id in registry.models(trained)["model_id"]:
        found = registry.get(trained, model_id)["metrics"]["cross_validation"]
        held = registry.table(trained, model_id, "validation")
        assert (found["k"], found["n"], found["n_bad"]) == (3, len(held), int(held["bad"].sum()))
        areas = [metrics.auc(part["bad"].astype(float), part["pd"]) for _, part in held.groupby("fold")]
        assert found["folds"] == pytest.approx(areas)
        assert found["mean"] == pytest.approx(np.mean(areas))
        assert found["low"] <= found["mean"] <= found["high"]
        assert not set(held["applicant_id"]) & set(registry.table(trained, model_id, "test")["applicant_id"])
        assert "Out of sample in 3 folds" in registry.card(trained, model_id)["markdown"]
    board = standing.leaderboard(trained)
    assert (board["cv_auc_low"] <= board["cv_auc"]).all()
    assert board["cv_folds"].eq(3).all()


def test_a_cutoff_is_chosen_on_validation_and_told_on_test(trained: Store) -> None:
    kept = registry.get(trained, "M0001")["metrics"]["cutoffs"]
    assert [line["rule"] for line in kept] == ["policy", "profit", "recall", "approval"]
    held, scored = (registry.table(trained, "M0001", name).dropna(subset=["bad"]) for name in ("validation", "test"))
    recall = kept[2]
    assert recall["validation"]["recall"] >= recall["target"] == 0.96
    assert (held.loc[held["bad"].eq(True), "pd"] >= recall["cutoff"]).mean() == recall["validation"]["recall"]
    assert (scored.loc[scored["bad"].eq(True), "pd"] >= recall["cutoff"]).mean() == recall["test"]["recall"]
    tables = standing.consequences(trained, "M0001")
    assert tables["test"]["cutoff"].tolist() == tables["validation"]["cutoff"].tolist()
    middle = tables["test"].iloc[len(tables["test"]) // 2]
    assert (scored["pd"] < middle["cutoff"]).mean() == middle["share_approved"]
    assert tables["test"]["n"].eq(len(scored)).all()
    assert standing.cutoffs_of(trained, "M0001", recall=0.5)[2]["cutoff"] > recall["cutoff"]


def test_a_model_reads_the_features_asked_for_and_scores_like_any_other(store: Store) -> None:
    labelled(store)
    names = [feature.name for feature in store.schema.predictors]
    model_id = training.train(store, replace(QUICK, features=tuple(names[:4]), without=(names[0],)), user="ann")[0]
    fitted = registry.load(store, model_id)
    assert fitted.names == names[1:4]
    assert fitted.fingerprint == store.schema.fingerprint
    parts = registry.table(store, model_id, "contributions")
    assert parts.columns.tolist() == ["applicant_id", "base", *names[1:4]]
    assert "Left out on request" in registry.card(store, model_id)["markdown"]


def test_a_test_set_of_ones_own_is_tested_on_and_on_nothing_else(store: Store, tmp_path: Path) -> None:
    labelled(store)
    mine = labels.members(store, "L0001").dropna(subset=["bad"])["applicant_id"].iloc[::3]
    DataFrame({"applicant_id": mine, "remark": "kept apart"}).to_csv(tmp_path / "mine.csv", index=False)
    config = replace(QUICK, split="file", test_file=str(tmp_path / "mine.csv"))
    model_id = training.train(store, config, user="ann")[0]
    assert sorted(registry.table(store, model_id, "test")["applicant_id"]) == sorted(mine)
    with pytest.raises(UnreadableFile, match=r"gone\.csv: it cannot be opened"):
        training.train(store, replace(config, test_file=str(tmp_path / "gone.csv")), user="ann")


def test_a_time_split_tests_on_the_latest_days(store: Store, tmp_path: Path) -> None:
    labelled(store)
    training.prepare(store, replace(QUICK, split="time"), tmp_path)
    table = read_parquet(tmp_path / "data.parquet")
    assert table.loc[table["is_test"], "as_of"].min() > table.loc[~table["is_test"], "as_of"].max()
    assert table["is_test"].mean() == pytest.approx(0.25, abs=0.02)
    asked = json.loads((tmp_path / "config.json").read_text())
    assert asked["config"]["label_set_id"] == "L0001"
    frame, _ = people(500, share=0.15)
    put(store, frame, days=1)
    labels.kmeans(store, user="ann")
    with pytest.raises(InvalidInput, match="different dates"):
        training.train(store, replace(QUICK, split="time"), user="ann")


def test_a_random_split_keeps_about_the_shares(store: Store, tmp_path: Path) -> None:
    labelled(store)
    training.prepare(store, QUICK, tmp_path)
    table = read_parquet(tmp_path / "data.parquet").astype({"bad": "boolean"})
    for kind in (True, False):
        rows = table["bad"].eq(kind).fillna(False).to_numpy(bool)
        assert table.loc[rows, "is_test"].mean() == pytest.approx(0.25, abs=0.12)


def test_observed_labels_make_models_that_are_no_proxies(store: Store) -> None:
    labelled(store)
    labels.observed(store, user="ann")
    first = training.train(store, QUICK, user="ann")[0]
    model = registry.get(store, first)
    assert (model["label_source"], model["is_proxy"], model["label_set_id"]) == ("observed", False, "L0002")
    assert model["metrics"]["circularity"] == {"flag": False, "sentence": None, "shared": []}
    card = registry.card(store, first)
    assert card["banner"] is None
    assert "Ranks applicants by probability of default" in card["markdown"]


def test_a_model_too_good_for_real_applicants_says_so_on_its_card(store: Store) -> None:
    frame, trouble = people(500, share=0.2)
    random = np.random.default_rng(5)
    both = ("income_cv_180d", "balance_trend_90d")
    less, more = (store.schema[name].risk or 1 for name in both)
    noise = random.normal(size=500)
    shifted = noise + 0.5 * np.where(trouble, 1, -1) + random.normal(0, 0.02, 500)  # neither tells, their difference tells all
    put(store, frame.assign(income_cv_180d=-less * noise, balance_trend_90d=more * shifted))
    happened(store, frame["applicant_id"].tolist(), trouble)
    labels.observed(store, user="ann")
    told, usual = (training.train(store, replace(QUICK, features=read), user="ann")[0] for read in (both, both[1:]))
    assert "usually a predictor has read the outcome" in registry.card(store, told)["markdown"]
    assert "usually a predictor has read the outcome" not in registry.card(store, usual)["markdown"]


def test_odd_columns_break_nothing(store: Store) -> None:
    frame, _ = people(300, share=0.2)
    frame = frame.assign(income_cv_180d=np.nan, balance_trend_90d=1.0)
    frame.loc[::3, "balance_avg_90d"] = np.nan
    put(store, frame)
    labels.kmeans(store, user="ann")
    assert len(training.train(store, Config(folds=2), user="ann")) == 5


def test_five_thousand_kinds_of_a_choice_are_left_out_in_a_sentence_or_share_a_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(3)
    shop = np.where(random.random(6_000) < 0.4, "corner", [f"shop {number % 5_000}" for number in range(6_000)])
    bad = random.random(6_000) < np.where(shop == "corner", 0.4, 0.1)
    frame = DataFrame({"cust_id": [f"C{number}" for number in range(6_000)], "shop": shop, "income": random.random(6_000).round(4)})
    frame.assign(bad=bad.astype(int)).to_csv(tmp_path / "many.csv", index=False)
    where = ["--data", str(tmp_path / "data"), "--models", str(tmp_path / "models"), "--user", "ann"]
    assert main([*where, "import", str(tmp_path / "many.csv"), "--target", "bad"]) in (0, 1)
    assert "shop" in capsys.readouterr().err
    declared = schema.parse('name = "shops"\n[[feature]]\nname = "shop"\ntitle = "Shop"\ntype = "choice"\n')
    found = pipeline.validate("xgboost", frame, bad, None, declared, config=pipeline.Fitting(folds=2))
    assert len(found.pipeline.columns) == MOST_CHOICES
    assert metrics.cross_validated(bad, found.margin, found.fold)["mean"] > 0.6
    assert np.isfinite(found.pipeline.margin(frame.assign(shop="nobody knows it"))).all()


def test_twelve_applicants_and_labels_of_one_kind_are_refused_in_a_sentence(store: Store) -> None:
    frame, _ = people(12, share=0.5)
    put(store, frame)
    happened(store, frame["applicant_id"].tolist(), np.zeros(12, dtype=bool))
    with pytest.raises(NotEnoughData, match="all 12 recorded outcomes are good"):
        labels.observed(store, user="ann")
    happened(store, frame["applicant_id"].tolist(), np.arange(12) < 6)
    labels.observed(store, user="ann")
    with pytest.raises(NotEnoughData, match="6 bad and 6 good applicants; training needs at least 10 of each"):
        training.train(store, QUICK, user="ann")


def test_what_cannot_be_trained_says_so_and_leaves_no_folder(store: Store) -> None:
    with pytest.raises(NothingYet, match="no labels yet"):
        training.train(store, QUICK, user="ann")
    frame, _ = people(200, share=0.1)
    put(store, frame)
    happened(store, frame["applicant_id"].tolist()[:60], np.arange(60) < 4)
    labels.observed(store, user="ann")
    with pytest.raises(NotEnoughData, match="4 bad and 56 good"):
        training.start(store, QUICK, user="ann")
    assert list(store.models.iterdir()) == []
    assert jobs.current(store).empty


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"algorithms": ("magic",)}, "no algorithm 'magic'"),
        ({"split": "alphabet"}, "'random' or 'time'"),
        ({"test_size": 0.9}, "between 0.05 and 0.5"),
        ({"test_size": float("nan")}, "between 0.05 and 0.5"),
        ({"folds": 1}, "between 2 and 20"),
    ],
)
def test_a_run_nobody_declared_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        replace(QUICK, **changes)  # type: ignore[arg-type]


def test_a_configuration_survives_being_stored() -> None:
    asked = Config(algorithms=("xgboost", "logistic"), label_set_id="L0003", split="time", test_size=0.3, folds=4, seed=1)
    assert Config.from_dict(json.loads(json.dumps(asked.to_dict()))) == asked
    assert asked.all_algorithms == ("xgboost", "logistic", "risk_index", "constant")
    with pytest.raises(InvalidInput, match="no setting 'depth'"):
        Config.from_dict({"depth": 3})


def test_a_background_run_registers_what_a_run_here_would(store: Store) -> None:
    labelled(store)
    here = training.train(store, QUICK, user="ann")
    job_id = training.start(store, QUICK, user="bea")
    with pytest.raises(JobBusy, match="bea's training job J0001"):
        training.start(store, QUICK, user="ann")
    done = jobs.wait(store, job_id, 240)
    assert done["state"] == "done", done["message"]
    assert done["message"] == "registered 3 candidates: M0004, M0005, M0006"
    model = registry.get(store, "M0004")
    assert (model["job_id"], model["created_by"]) == (job_id, "bea")
    one, other = (registry.table(store, name, "test") for name in (here[0], "M0004"))
    assert one["margin"].tolist() == other["margin"].tolist()
    assert not [path for path in store.models.iterdir() if path.name.startswith(".")]


def test_a_stopped_run_leaves_nothing(store: Store) -> None:
    labelled(store)
    job_id = training.start(store, Config(), user="ann")
    jobs.stop(store, job_id, "ann")
    assert jobs.get(store, job_id)["state"] == "stopped"
    assert registry.models(store).empty
    assert list(store.models.iterdir()) == []


def test_the_worker_refuses_in_a_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(store)
    prepare = training.prepare

    def one_class(*given: object) -> None:
        prepare(*given)  # type: ignore[arg-type]
        file = Path(str(given[2])) / "data.parquet"
        table = DataFrame(read_parquet(file))
        table.assign(bad=False).to_parquet(file)

    monkeypatch.setattr(training, "prepare", one_class)
    job_id = training.start(store, QUICK, user="ann")
    ended = jobs.wait(store, job_id, 240)
    assert ended["state"] == "failed"
    assert "there are 0 bad" in ended["message"]


SERVER = """
import sys, time
from dataclasses import replace
from pathlib import Path
from creditrisk import jobs, plan, registry, store as stores, training
from creditrisk.settings import load
from tests.test_training import labelled, small
folder = Path(sys.argv[1])
opened = stores.open_workspace(small(replace(load(), data=folder / "data", models=folder / "models")))
labelled(opened)
name = training.train(opened, plan.Config(algorithms=("logistic",), folds=2), user="ann")[0]
registry.promote(opened, name, user="ann", reason="the first")
training.start(opened, plan.Config(), user="ann")
print(jobs._running[opened].process.pid, flush=True)
time.sleep(60)
"""


def test_a_killed_server_leaves_the_champion_and_nothing_half_done(settings: Settings, tmp_path: Path) -> None:
    root = Path(training.__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        worker = int(server.stdout.readline())
        server.kill()
    for _ in range(600):  # the worker notices that its parent is gone
        if not is_alive(worker):
            break
        time.sleep(0.05)
    assert not is_alive(worker)
    opened = stores.open_workspace(settings)
    assert jobs.recover(opened) == ["J0001"]
    assert len(registry.recover(opened)["removed"]) == 1
    assert sorted(path.name for path in opened.models.iterdir()) == ["M0001", "M0002", "M0003"]
    assert (registry.champion(opened) or {})["model_id"] == "M0001"
    assert registry.load(opened, "M0001").algorithm == "logistic"
    assert jobs.get(opened, "J0001")["state"] == "interrupted"
    opened.close()


def test_a_killed_command_leaves_the_champion_and_the_next_run_tidies_up(settings: Settings, tmp_path: Path) -> None:
    opened = stores.open_workspace(settings)
    labelled(opened)
    name = training.train(opened, QUICK, user="ann")[0]
    champion = registry.get(opened, name)["digest"]
    opened.close()
    where = ["--data", str(settings.data), "--models", str(settings.models), "--user", "ann"]
    command = [sys.executable, "-m", "creditrisk", *where, "train", "--algorithms", "random_forest", "--cv", "20"]
    with subprocess.Popen(command, cwd=Path(training.__file__).parents[1], stdout=subprocess.DEVNULL) as run:
        for _ in range(2_400):
            if list(settings.models.glob(".tmp-job-*/config.json")) or run.poll() is not None:
                break
            time.sleep(0.05)
        assert run.poll() is None, "it was still at work"
        run.kill()
    assert list(settings.models.glob(".tmp-job-*"))
    assert main([*where, "train", "--algorithms", "logistic", "--cv", "2"]) == 0
    opened = stores.open_workspace(settings)
    assert sorted(path.name for path in settings.models.iterdir()) == [f"M000{number}" for number in range(1, 7)]
    assert registry.get(opened, name)["digest"] == champion
    assert registry.load(opened, name).algorithm == "logistic"
    opened.close()


def test_a_killed_worker_is_a_failed_run_and_a_sentence(store: Store) -> None:
    labelled(store)
    job_id = training.start(store, Config(), user="ann")
    jobs._running[store].process.kill()
    ended = jobs.wait(store, job_id, 240)
    assert (ended["state"], "was killed from outside" in ended["message"]) == ("failed", True)
    assert registry.models(store).empty
    assert list(store.models.iterdir()) == []


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"
