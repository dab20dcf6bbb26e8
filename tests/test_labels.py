"""Labels: clusters are ordered by risk whatever the order of rows, and a useless clustering says that it is one."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from pandas import DataFrame, concat

from creditrisk import applicants, features, labels
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet, TamperedArtefact, UnknownThing
from creditrisk.schema import built_in
from creditrisk.settings import Labels, Settings
from creditrisk.store import Store, now

COUNTS = ("days_negative_90d", "payday_count_90d", "nsf_returned_count_90d")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Few clusters and few resamples: enough to tell planted groups apart."""
    return replace(settings, labels=Labels(k_max=4, bootstraps=12))


def people(n: int = 400, share: float = 0.1, seed: int = 1, strength: float = 2.5) -> tuple[DataFrame, np.ndarray]:
    """Return the features of invented applicants, and which of them are in trouble (worse on every signed feature)."""
    random = np.random.default_rng(seed)
    trouble = random.random(n) < share
    columns: dict[str, object] = {"applicant_id": [f"A{number:05d}" for number in range(n)]}
    for feature in built_in():
        shift = strength if feature.in_index else 0.6
        columns[feature.name] = random.normal(size=n) + feature.risk * shift * trouble
        if feature.name in COUNTS:
            columns[feature.name] = random.poisson(np.where(trouble, 6, 0.3)).astype(float)
    return DataFrame(columns), trouble


def put(store: Store, frame: DataFrame, days: int = 100) -> int:
    """Keep a table of features as a snapshot, with dates spread over `days`."""
    rows = frame.assign(as_of=[date(2026, 1, 1) + timedelta(number % days) for number in range(len(frame))])
    with store.write("ann", "features", "snapshot") as cursor:
        cursor.execute(
            """insert into snapshot (schema_fingerprint, n_applicants, is_whole, created_at, created_by)
            values ($fingerprint, $n, true, $at, 'ann')""",
            {"fingerprint": store.schema.fingerprint, "n": len(rows), "at": now()},
        )
        snapshot_id = cursor.execute("select max(snapshot_id) from snapshot").fetchall()[0][0]
        cursor.register("rows", rows.assign(snapshot_id=snapshot_id))
        cursor.execute("insert into applicant by name select * from rows")
        cursor.unregister("rows")
    return int(snapshot_id)


def happened(store: Store, applicant_ids: list[str], bad: np.ndarray) -> None:
    with store.write("ann", "outcomes", "test") as cursor:
        rows = [(name, bool(is_bad), None, now(), "ann") for name, is_bad in zip(applicant_ids, bad, strict=True)]
        cursor.executemany("insert into outcome values (?, ?, ?, ?, ?)", rows)


def by_name(store: Store, label_set_id: str) -> dict[str, object]:
    members = labels.members(store, label_set_id)
    return dict(zip(members["applicant_id"], members["bad"].astype(object).where(members["bad"].notna(), None), strict=True))


def test_the_riskiest_cluster_is_bad_and_segments_are_ordered_by_risk(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    made = labels.kmeans(store, user="ann")
    members = labels.members(store, made.label_set_id)
    index = members.groupby("segment")["risk_index"].mean()
    assert index.is_monotonic_increasing
    assert index.index.tolist() == list(range(made.k or 0))
    known = members["bad"].notna().to_numpy()
    assert (members["bad"][known].to_numpy(bool) == trouble[known]).mean() > 0.98
    assert made.passed, [gate["sentence"] for gate in made.report["gates"]]
    assert (made.source, made.is_proxy, made.circular) == ("cluster", True, True)
    assert made.share_risky == pytest.approx(trouble.mean(), abs=0.03)
    assert [row["k"] for row in made.report["scan"]] == [2, 3, 4]
    assert [profile["segment"] for profile in made.report["profiles"]] == list(range(made.k or 0))
    assert sum(profile["n"] for profile in made.report["profiles"]) == len(frame)
    assert set(made.report["profiles"][0]["means"]) == {feature.name for feature in store.schema.index_features}


def test_neither_order_nor_names_nor_seed_change_a_label(store: Store) -> None:
    frame, _ = people(strength=1.2)
    renamed = frame.assign(applicant_id=[f"Z{9999 - number}" for number in range(len(frame))])
    put(store, frame)
    first = by_name(store, labels.kmeans(store, user="ann").label_set_id)
    put(store, renamed.sample(frac=1, random_state=3))
    second = by_name(store, labels.kmeans(store, user="ann").label_set_id)
    store.settings = replace(store.settings, labels=replace(store.settings.labels, seed=99))
    third = by_name(store, labels.kmeans(store, user="ann").label_set_id)
    assert second == third
    assert list(first.values()) == [second[name] for name in renamed["applicant_id"]]


def test_clusters_of_volume_instead_of_risk_are_failed_by_the_gate(store: Store) -> None:
    frame, _ = people(share=0)
    busy = np.arange(len(frame)) < 100
    for number, feature in enumerate(store.schema.index_features):  # up on every feature, be it good or bad for risk
        frame[feature.name] = frame[feature.name].clip(-1, 1) + 6 * busy * (1 if number % 2 else -1) * feature.risk
    put(store, frame)
    made = labels.kmeans(store, user="ann", k=2, reason="to see what two groups are")
    failed = {gate["name"] for gate in made.report["gates"] if not gate["passed"]}
    assert not made.passed
    assert {"index gap", "signs"} <= failed
    assert "fails" in (labels.banner(made) or "")


def test_a_useful_share_comes_before_a_wide_gap(store: Store) -> None:
    frame, _ = people(share=0.12, strength=1.6)
    names = [feature.name for feature in store.schema.index_features]
    frame.loc[:2, names] = [40.0 * feature.risk for feature in store.schema.index_features]  # three that stand far out
    put(store, frame)
    made = labels.kmeans(store, user="ann")
    assert 0.02 <= (made.share_risky or 0) <= 0.30
    assert made.report["rule"] == labels.RULE


def test_a_figure_that_is_not_a_number_is_a_refusal(store: Store) -> None:
    store.settings = replace(store.settings, labels=Labels(k_max=2, bootstraps=0))
    put(store, people()[0])
    made = labels.kmeans(store, user="ann")
    assert [gate["name"] for gate in made.report["gates"] if not gate["passed"]] == ["stability"]
    assert not made.passed


def test_the_border_and_thin_histories_stay_unlabelled(store: Store) -> None:
    frame, _ = people()
    names = [feature.name for feature in store.schema.index_features]
    frame.loc[:9, names] = np.nan
    put(store, frame)
    made = labels.kmeans(store, user="ann")
    members = labels.members(store, made.label_set_id)
    assert members["segment"].isna().sum() == made.report["n_thin"] == 10
    assert members["bad"].isna().sum() == made.report["n_unlabelled"]
    assert 10 < made.report["n_unlabelled"] <= 10 + 0.05 * len(frame) + 1
    table = labels.training_set(store, made.label_set_id)
    assert len(table) == made.report["n_bad"] + made.report["n_good"]
    assert table["bad"].dtype == bool
    assert table.columns.tolist() == ["applicant_id", "as_of", *(feature.name for feature in store.schema), "bad", "weight", "source"]
    assert len(labels.training_set(store, made.label_set_id, unlabelled=True)) == len(frame)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (people(12)[0], "at least 50 applicants"),
        (concat([people(1)[0]] * 80).assign(applicant_id=[f"A{number}" for number in range(80)]), "differ between applicants"),
        (people(80)[0].assign(**{feature.name: np.nan for feature in built_in().index_features}), "days_negative_90d"),
    ],
)
def test_what_cannot_be_clustered_says_so(store: Store, frame: DataFrame, sentence: str) -> None:
    put(store, frame)
    with pytest.raises(NotEnoughData, match=sentence):
        labels.kmeans(store, user="ann")


def test_an_empty_workspace_and_odd_questions_get_a_sentence(store: Store) -> None:
    with pytest.raises(NothingYet):
        labels.kmeans(store, user="ann")
    put(store, people()[0])
    with pytest.raises(InvalidInput, match="from 2 to 4"):
        labels.kmeans(store, user="ann", k=7, reason="to ask for too many")
    with pytest.raises(UnknownThing, match="L0099"):
        labels.get(store, "L0099")
    assert labels.newest(store) is None
    assert labels.sets(store).empty


def test_outcomes_hold_the_label_to_account(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    names = frame["applicant_id"].tolist()
    happened(store, names, np.random.default_rng(5).random(len(names)) < 0.2)
    blind = labels.kmeans(store, user="ann")
    assert {gate["name"] for gate in blind.report["gates"] if not gate["passed"]} == {"against outcomes"}
    happened(store, names, trouble)
    seeing = labels.kmeans(store, user="ann")
    assert seeing.passed
    said = labels.to_json(seeing)
    assert list(said) == [
        *("label_set", "method", "k", "n", "share_risky", "gates", "auc_vs_observed", "index_auc_vs_observed", "passed", "circular")
    ]
    assert said["auc_vs_observed"]["low"] > 0.9
    assert set(said["auc_vs_observed"]) == {"value", "low", "high", "n", "n_bad"}
    json.dumps(said)


def test_observed_labels_need_both_kinds_of_outcome(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    with pytest.raises(NotEnoughData, match="no outcome is recorded"):
        labels.observed(store, user="ann")
    some = frame["applicant_id"].tolist()[:200]
    happened(store, some, np.zeros(200, bool))
    with pytest.raises(NotEnoughData, match="all 200 recorded outcomes are good"):
        labels.observed(store, user="ann")
    happened(store, some, trouble[:200])
    made = labels.observed(store, user="ann")
    assert (made.source, made.is_proxy, made.circular, made.n) == ("observed", False, False, 200)
    assert made.share_risky == trouble[:200].mean()
    assert labels.banner(made) is None
    assert labels.training_set(store, made.label_set_id)["bad"].tolist() == trouble[:200].tolist()
    assert labels.sets(store)["label_set_id"].tolist() == ["L0001"]


def test_verdicts_on_labels_become_labels_of_their_own(store: Store) -> None:
    snapshot_id = put(store, people()[0])
    made = labels.kmeans(store, user="ann")
    with store.write("ann", "test", "models") as cursor:
        cursor.execute(
            """insert into model values
            ('M0001', 'logistic', $id, 'cluster', true, $snapshot, 'f', 'd', '{}', '{}', 1, null, now()::timestamp, 'ann')""",
            {"id": made.label_set_id, "snapshot": snapshot_id},
        )
    bad, good = (labels.training_set(store, made.label_set_id).query(f"bad == {value}")["applicant_id"].iloc[0] for value in (True, False))
    verdicts = [(bad, "correct"), (good, "incorrect"), ("nobody", "correct")]
    for number, (applicant_id, verdict) in enumerate(verdicts):
        judge(store, f"p{number}", applicant_id, verdict)
    judge(store, "p9", good, "cannot judge")
    unlabelled = labels.training_set(store, made.label_set_id, unlabelled=True)
    grey = unlabelled[unlabelled["bad"].isna()]["applicant_id"].iloc[0]
    judge(store, "p7", grey, "incorrect")  # its risk of 0.5 is above the cut-off, and the reviewer disagrees
    found = labels.by_source(store, snapshot_id)
    assert dict(zip(found["review"]["applicant_id"], found["review"]["bad"], strict=True)) == {bad: True, good: True, grey: False}
    assert found["observed"].empty
    judge(store, "p8", good, "correct", "bea")  # a second reader who disagrees: no label
    assert set(labels.by_source(store, snapshot_id)["review"]["applicant_id"]) == {bad, grey}


def judge(store: Store, prediction_id: str, applicant_id: str, verdict: str, reader: str = "ann") -> None:
    with store.write(reader, "test", prediction_id) as cursor:
        cursor.execute(
            """insert into prediction by name select
                $id as prediction_id, $applicant as applicant_id, 'M0001' as model_id, 'd' as digest, 'f' as schema_fingerprint,
                'cluster' as label_source, true as is_proxy, '{}' as inputs, 0 as margin, 0.5 as pd, 500 as score, 'Average' as band,
                'refer' as recommendation, '' as because, 0 as base, 'cut-off' as baseline, '{}' as contributions, '[]' as reasons,
                '{}' as scale, '{"margin": 0.08, "lgd": 0.45}' as policy, 'test' as channel, now()::timestamp as scored_at,
                'ann' as scored_by""",
            {"id": prediction_id, "applicant": applicant_id},
        )
        cursor.execute(
            """insert into review by name select $review as review_id, $id as prediction_id, $verdict as verdict, 'label' as about,
                'seen' as comment, now()::timestamp as reviewed_at, $reader as reviewed_by""",
            {"review": f"r{prediction_id}", "id": prediction_id, "verdict": verdict, "reader": reader},
        )
        cursor.execute(
            """insert into inspection (review_id, status, reason, inspected_at, inspected_by)
            values ($review, 'accepted', 'seen too', now()::timestamp, 'ina')""",
            {"review": f"r{prediction_id}"},
        )


def test_the_plain_index_rises_with_risk() -> None:
    frame, trouble = people()
    index = labels.risk_index(frame, built_in())
    assert index[trouble].mean() > index[~trouble].mean() + 1
    assert index.index.equals(frame.index)


def test_with_two_windows_predictors_end_where_the_label_begins(filled: Store) -> None:
    made = labels.kmeans(filled, user="ann", performance_days=90)
    windows = {feature.name: feature.window_days or 0 for feature in filled.schema}
    assert all(windows[name] <= 90 for name in made.report["label_features"])
    assert {"income_trend_90v365d", "months_negative_cashflow_180d"} <= set(made.report["left_out"])
    assert not made.circular
    assert "90 days" in str(labels.banner(made))
    known = features.table(filled, made.snapshot_id).set_index("applicant_id")["as_of"]
    then = features.table(filled, made.report["performance_snapshot_id"]).set_index("applicant_id")["as_of"]
    assert (then[known.index] - known == timedelta(days=90)).all()
    assert features.latest_snapshot(filled) == made.report["performance_snapshot_id"]


def test_predictors_end_where_the_label_begins_whatever_has_arrived_since(filled: Store) -> None:
    then = features.table(filled).set_index("applicant_id")["as_of"]
    later = (then.iloc[0] + timedelta(days=60)).date()
    applied = {"applied_on": later, "name": None, "amount": 100.0, "term_months": 12, "purpose": None}
    applicants.apply(filled, [{"applicant_id": then.index[0], **applied}], user="ann")
    made = labels.kmeans(filled, user="ann", performance_days=90)
    known = features.table(filled, made.snapshot_id).set_index("applicant_id")["as_of"]
    assert (then[known.index] - known == timedelta(days=90)).all()


def test_a_window_that_no_label_feature_fits_is_refused(filled: Store) -> None:
    with pytest.raises(InvalidInput, match="the shortest needs 90"):
        labels.kmeans(filled, user="ann", performance_days=30)


def test_whoever_chooses_clusters_says_why_and_is_named(store: Store) -> None:
    put(store, people()[0])
    for wrong in ({"k": 3}, {"k": 3, "reason": "because"}, {"k": 3, "risky": [2]}):
        with pytest.raises(InvalidInput, match="says why"):
            labels.kmeans(store, user="ann", **wrong)
    with pytest.raises(InvalidInput, match="how many there are to be"):
        labels.kmeans(store, user="ann", risky=[2], reason="the two upper groups")
    for wrong in ([3], [], [0, 1, 2]):
        with pytest.raises(InvalidInput, match="some, not all, of 0"):
            labels.kmeans(store, user="ann", k=3, risky=wrong, reason="the two upper groups")
    one = labels.kmeans(store, user="ann", k=3, reason="three groups are known to us")
    two = labels.kmeans(store, user="ann", k=3, risky=[2, 1], reason="the two upper groups")
    assert two.report["rule"] == "ann chose 3 clusters, and clusters 1, 2 as risky: the two upper groups"
    assert (one.report["risky"], two.report["risky"]) == ([2], [1, 2])
    assert (two.share_risky or 0) > (one.share_risky or 0)
    rows = labels.members(store, two.label_set_id)
    assert set(rows[rows["bad"].eq(True)]["segment"]) == {1, 2}
    assert set(rows[rows["bad"].eq(False)]["segment"]) == {0}
    middle = labels.kmeans(store, user="ann", k=3, risky=[1], reason="to call the middle risky")
    assert "index gap" in {gate["name"] for gate in middle.report["gates"] if not gate["passed"]}


def test_a_label_that_somebody_changed_is_found(store: Store) -> None:
    put(store, people()[0])
    made = labels.kmeans(store, user="ann")
    labels.training_set(store, made.label_set_id)
    with store.write("mallory", "test", "labels") as cursor:
        cursor.execute("update label set bad = false where bad and applicant_id = (select min(applicant_id) from label where bad)")
    with pytest.raises(TamperedArtefact, match="not those that were made"):
        labels.training_set(store, made.label_set_id)


def test_the_map_puts_risk_on_the_right_and_says_what_its_axes_are(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    made = labels.kmeans(store, user="ann")
    drawn = labels.points(store, made.label_set_id)
    assert drawn.columns.tolist() == ["applicant_id", "as_of", "x", "y", "segment", "bad", "risk_index"]
    assert len(drawn) == len(frame)
    assert drawn.loc[trouble, "x"].mean() > drawn.loc[~trouble, "x"].mean() + 1
    assert drawn["x"].corr(drawn["risk_index"]) > 0.8
    assert labels.points(store, made.label_set_id).equals(drawn)
    assert len(labels.points(store, made.label_set_id, most=100)) == 100
    loads = labels.axes(store, made.label_set_id)
    assert set(loads["axis"]) == {"x", "y"}
    assert (loads.groupby("axis")["loading"].agg(lambda each: (each**2).sum()).round(9) == 1).all()
    assert set(loads["title"]) == {store.schema[name].title for name in made.report["label_features"]}


def test_examples_are_typical_or_lie_at_the_border(store: Store) -> None:
    put(store, people(strength=1.6)[0])
    made = labels.kmeans(store, user="ann", k=2, reason="two groups were planted")
    found = labels.examples(store, made.label_set_id, 1, 3)
    assert found["kind"].tolist() == ["typical"] * 3 + ["border"] * 3
    assert set(found["segment"]) == {1}
    assert found[found["kind"] == "border"]["bad"].isna().any()
    assert found[found["kind"] == "typical"]["bad"].all()
    with pytest.raises(InvalidInput, match="segments 0"):
        labels.examples(store, made.label_set_id, 2)


def test_two_sets_are_held_against_each_other(store: Store) -> None:
    frame, trouble = people(strength=1.6)
    put(store, frame)
    happened(store, frame["applicant_id"].tolist()[:200], trouble[:200])
    one, other = labels.kmeans(store, user="ann"), labels.observed(store, user="ann")
    found = labels.compare(store, one.label_set_id, other.label_set_id)
    assert found.n_both <= 200
    assert found.n_agree + len(found.moved) == found.n_both
    assert found.kappa_low <= found.kappa <= found.kappa_high
    same = labels.compare(store, one.label_set_id, one.label_set_id)
    assert (same.agreement, same.kappa, len(same.moved)) == (1.0, 1.0, 0)


def test_verified_labels_weigh_one_and_proxies_that_fail_a_tenth_of_what_is_asked(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    names = frame["applicant_id"].tolist()
    happened(store, names[:200], ~trouble[:200])  # the opposite of the proxy, so that it is seen who wins
    proxy, sure = labels.kmeans(store, user="ann"), labels.observed(store, user="ann")
    made = labels.combine(store, [proxy.label_set_id, sure.label_set_id], user="ann")
    rows = labels.members(store, made.label_set_id).set_index("applicant_id")
    assert (rows.loc[names[:200], "source"] == "observed").all()
    assert (rows.loc[names[:200], "bad"].to_numpy(bool) == ~trouble[:200]).all()
    assert (rows.loc[names[:200], "weight"] == 1).all()
    unverified = rows.loc[names[200:]]
    assert set(unverified["source"]) == {"cluster"}
    assert unverified[unverified["bad"].notna()]["weight"].sum() == pytest.approx(0.1 * 10 * 200 / 30), "they contradict what happened"
    assert made.report["proxy_said"] == (
        "All proxy labels together weigh 6.67 verified ones: 10 for every 30 verified, of which there are 200, "
        "10 at least and 100 at most; a tenth of that, since checks of theirs fail: against outcomes."
    )
    assert (made.source, made.is_proxy) == ("combined", True)
    assert "agreement with the proxy label" in str(labels.banner(made))
    light = labels.combine(store, [proxy.label_set_id, sure.label_set_id], user="ann", proxy_mass=0)
    weights = labels.training_set(store, light.label_set_id).groupby("source")["weight"].sum()
    assert weights.to_dict() == {"observed": 200.0}, "proxies that weigh nothing are no labels"
    assert light.passed, "and nothing in it fails"
    assert not proxy.passed  # it contradicts what happened
    assert "proxy sets" in {gate["name"] for gate in made.report["gates"] if not gate["passed"]}
    for wrong in ([proxy.label_set_id], [proxy.label_set_id] * 2):
        with pytest.raises(InvalidInput, match="Two label sets at least"):
            labels.combine(store, wrong, user="ann")
    with pytest.raises(InvalidInput, match="between 0 and 100"):
        labels.combine(store, [proxy.label_set_id, sure.label_set_id], user="ann", proxy_mass=float("nan"))


def test_outcomes_that_come_later_withdraw_what_a_proxy_weighs(store: Store) -> None:
    frame, trouble = people()
    put(store, frame)
    names = frame["applicant_id"].tolist()
    proxy = labels.kmeans(store, user="ann")
    assert (proxy.passed, labels.weighing(store, proxy.label_set_id, 10).doubts) == (True, ())
    happened(store, names[:60], trouble[:60])
    few = labels.weighing(store, proxy.label_set_id, 10)
    assert (few.weight, few.doubts) == (20, ()), "they agree, or are too few to say"
    happened(store, names[60:200], ~trouble[60:200])
    many = labels.weighing(store, proxy.label_set_id, 10)
    assert many.weight == pytest.approx(0.1 * 10 * 200 / 30)
    assert "against outcomes" in many.doubts
    assert labels.taught(store, proxy.label_set_id, user="ann").report["proxy_weight"] == pytest.approx(many.weight)


def test_engagement_is_not_credit_and_says_so(filled: Store) -> None:
    filled.settings = replace(filled.settings, labels=Labels(k_max=4, bootstraps=12))
    made = labels.rfm(filled, user="ann")
    assert (made.source, made.is_proxy, made.circular) == ("rfm", True, True)
    assert "engagement, not credit" in str(labels.banner(made))
    assert made.report["label_features"] == ["recency_days", "frequency", "monetary"]
    assert not made.passed  # who moves little money is not who runs short of it
    apart = labels.rfm(filled, user="ann", performance_days=90)
    assert not apart.circular
    snapshots = (apart.snapshot_id, apart.report["performance_snapshot_id"])
    known, seen = (features.table(filled, number).set_index("applicant_id")["as_of"] for number in snapshots)
    assert (seen[known.index] - known == timedelta(days=90)).all()
    assert "engagement, not credit" in str(labels.banner(apart))
    drawn = labels.points(filled, made.label_set_id)
    assert len(drawn) == made.n
    assert {feature.name for feature in labels.label_features(filled, made)} == set(labels.axes(filled, made.label_set_id)["feature"])


def test_a_loan_is_bad_by_its_days_past_due_where_they_are_recorded(store: Store) -> None:
    frame, _ = people(200)
    put(store, frame)
    names = frame["applicant_id"].tolist()
    with pytest.raises(NotEnoughData, match="No outcome says how many days a loan is past due"):
        labels.observed(store, user="ann", rule=90)
    late = np.arange(200) % 120
    rows = DataFrame({"applicant_id": names, "observed_bad": late >= 30, "observed_on": None, "days_past_due": late})
    applicants.record_outcomes(store, rows, user="ann")
    assert labels.observed(store, user="ann").report["n_bad"] == int((late >= 30).sum())
    by_rule = labels.observed(store, user="ann", rule=90)
    assert by_rule.report["n_bad"] == int((late >= 90).sum())
    assert by_rule.report["rule"] == 90


def test_verdicts_wait_for_an_inspector(store: Store) -> None:
    put(store, people()[0])
    with pytest.raises(NothingYet, match="inspected and accepted"):
        labels.reviewed(store, user="ann")


def test_no_sentence_of_a_label_set_speaks_of_accuracy_or_of_default(filled: Store) -> None:
    filled.settings = replace(filled.settings, labels=Labels(k_max=4, bootstraps=12))
    made = labels.kmeans(filled, user="ann", performance_days=90)
    said = [str(labels.banner(made)), made.report["rule"], made.report["tree"]["sentence"]]
    said += [gate["sentence"] for gate in made.report["gates"]]
    whole = " ".join(said).replace("balanced accuracy", "").lower()
    assert "agreement with the proxy label" in whole
    assert not [word for word in ("accuracy", "default", "probability", " pd ") if word in whole]
