"""One registered model as its page shows it: figures, cut-offs, explanations, promotion, comparison, card. A view computes only itself."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import album, blinding, charts, comparison, cutoffs, gate, registry, scorecard, standing, training
from creditrisk.store import Store
from ui import lab

VIEWS = {
    "figures": "Figures",
    "cutoff": "Cut-off",
    "explained": "Explanations",
    "promotion": "Promotion",
    "beside": "Beside the champion",
    "compare": "Comparison",
    "card": "Card and origin",
}
BY = {True: "by the proxy label", False: "by outcome"}
RULES = {
    "policy": "The policy’s",
    "profit": "Most profit",
    "recall": "Catch a share of the bad",
    "approval": "Approve a share",
    "hand": "By hand",
}
MEASURES = {
    "auc": "AUC",
    "gini": "Gini",
    "ks": "KS",
    "pr_auc": "PR AUC",
    "brier": "Brier",
    "log_loss": "Log-loss",
    "ece": "Calibration error",
    "calibration_slope": "Calibration slope",
}
LISTED = 60  # of the riskiest and of the safest test applicants each


def kept(store: Store, model_id: str, digest: str) -> album.Kept:
    """A model's test rows and their contributions, for who reads them, changed by nobody; a model never changes."""
    return _kept(store, model_id, digest, store.reader)


@st.cache_resource(show_spinner="Reading what was kept of the test rows …", max_entries=8)
def _kept(_store: Store, model_id: str, digest: str, reader: str) -> album.Kept:  # noqa: ARG001  (the digest and who reads are the key)
    return album.kept(_store, model_id)


def swarm(store: Store, model_id: str, digest: str) -> DataFrame:
    """The dots of a model's contributions, each of them somebody's."""
    return _swarm(store, model_id, digest, store.reader)


@st.cache_data(show_spinner=False, max_entries=64)
def _swarm(_store: Store, model_id: str, digest: str, reader: str) -> DataFrame:  # noqa: ARG001
    return album.swarm(kept(_store, model_id, digest))


@st.cache_data(show_spinner="Asking the model about other values …", max_entries=64)
def partial(_store: Store, model_id: str, digest: str, name: str) -> DataFrame:
    """How a model's risk moves with one feature."""
    found = kept(_store, model_id, digest)
    return album.partial(registry.load(_store, model_id), found.values, found.schema[name])


@st.cache_data(show_spinner=False, max_entries=64)
def bins(_store: Store, model_id: str, digest: str) -> DataFrame:  # noqa: ARG001  (the digest is the key)
    """A scorecard's bins and points."""
    return album.bins(_store, model_id)


# --- figures ----------------------------------------------------------------------------------------------------------


def figures(model: Mapping[str, Any]) -> None:
    """Draw what the model does on the applicants kept away from training."""
    risk, metrics = ui.risk_word(model["is_proxy"]), model["metrics"][model["label_source"]]
    curves = lab.curves(ui.store(), model["model_id"], model["digest"])
    left, right = st.columns(2, gap="large")
    with left:
        ui.figure(
            charts.calibration(curves["calibration"], risk),
            key="calibration",
            help=f"Ten groups of equal size by {risk}: what was promised against what was found, with 95 % intervals. On the dotted "
            "line both agree.",
        )
    with right:
        ui.figure(
            charts.roc(curves["roc"], metrics["auc"]),
            key="roc",
            help="Each point is a cut-off: how many of the bad it catches, and how many of the good it turns away.",
        )
    left, right = st.columns(2, gap="large")  # a second row, so that titles of one line and of two stand level
    with left:
        ui.figure(
            charts.test_scores(curves["scores"], BY[model["is_proxy"]]),
            key="test-scores",
            help="Scores of the applicants kept away from training, by their label.",
        )
    with right:
        ui.figure(
            charts.importance(curves["concepts"]),
            key="importance",
            help="Mean size of what each subject adds over the test applicants, in log-odds; the features of one subject are added up "
            "first. It says what moves this model, not what causes risk.",
        )


# --- the cut-off ------------------------------------------------------------------------------------------------------


@st.fragment
def cutoff(model: Mapping[str, Any]) -> None:
    """Let somebody move the cut-off; everything it does moves together. It is chosen on validation rows and told of test rows."""
    with ui.guard():
        _cutoff(model)


def _cutoff(model: Mapping[str, Any]) -> None:
    store, model_id, risk = ui.store(), model["model_id"], ui.risk_word(model["is_proxy"])
    tables = ui.seen(standing.consequences, model_id)
    rule = st.segmented_control(
        "Cut-off",
        list(RULES),
        default="policy",
        required=True,
        format_func=RULES.get,
        key=f"rule-{model_id}",
        help="Who is declined: everybody from this risk on. A rule chooses on learning rows foreseen by fits that had not seen them.",
    )
    places = tables["validation"]["cutoff"].tolist()
    if rule == "hand":
        place = st.select_slider(
            f"Decline from this {risk} on",
            range(len(places)),
            value=len(places) // 2,
            format_func=lambda number: ui.percent(min(places[number], 1.0)),
            key=f"cutoff-{model_id}",
        )
        there, here = (ui.rows(tables[part])[place] for part in ("validation", "test"))
        level = here["cutoff"]
    else:
        targets = {"recall": ("Share of the bad to catch", cutoffs.RECALL), "approval": ("Share to approve", cutoffs.APPROVAL)}
        asked = {}
        if rule in targets:
            name, usual = targets[rule]
            share = st.slider(name, 1, 99, round(100 * usual), format="%d %%", key=f"{rule}-{model_id}")
            asked[rule] = share / 100
        line = next(found for found in standing.cutoffs_of(store, model_id, **asked) if found["rule"] == rule)
        there, here, level = line["validation"], line["test"], line["cutoff"]
    ui.figures(
        ("Declined from", ui.percent(level), f"{ui.sentence(risk)} from which applicants are declined."),
        ("Approved", ui.percent(here["share_approved"]), "Of all test applicants.", f"validation {ui.percent(there['share_approved'])}"),
        (
            "Bad among them",
            ui.percent(here["bad_among_approved"]),
            f"Of the approved, those bad {BY[model['is_proxy']]}.",
            f"validation {ui.percent(there['bad_among_approved'])}",
        ),
        ("Bad declined", ui.percent(here["recall"]), "Recall: of all bad, those declined.", f"validation {ui.percent(there['recall'])}"),
        (
            "Earned per 100",
            ui.plain(100 * here["profit_each"], 2),
            "The policy’s margin for each good one approved less its loss for each bad one, per 100 asked for by everybody.",
            f"validation {ui.plain(100 * there['profit_each'], 2)}",
        ),
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        ui.figure(
            charts.cutoffs(tables["test"], level, risk),
            key=f"cutoffs-{model_id}",
            help="The test applicants at every cut-off. The line is the chosen one.",
        )
    with right:
        ui.figure(charts.confusion(here), key=f"confusion-{model_id}", help="The confusion matrix of the test applicants at this cut-off.")
    st.caption(
        f"Bad {BY[model['is_proxy']]}; {ui.count(here['n'])} test applicants, {ui.count(here['n_bad'])} of them bad. The margin and the "
        "loss are the policy’s of today. A look only: what the policy declines from stands in the settings."
    )


# --- explanations -----------------------------------------------------------------------------------------------------


def explained(model: Mapping[str, Any]) -> None:
    """Show what moves the model: all test rows, one of them, one feature, and a scorecard's points."""
    store, model_id, digest = ui.store(), model["model_id"], model["digest"]
    found = kept(store, model_id, digest)
    titles = {feature.name: feature.title for feature in found.features}
    ui.section("All test applicants", help="A dot is an applicant; click one to see how its risk came about.")
    ui.figure(charts.beeswarm(blinding.others(store, ui.user(), swarm(store, model_id, digest))), key=f"swarm-{model_id}", param="row")

    ui.section("One test applicant", help="From the average of everybody to this applicant, feature by feature; the bars add up exactly.")
    _row(model, found)

    ui.section("One feature", help="What each of its values adds, and how the risk moves with it when nothing else does.")
    name = ui.pick("Feature", list(titles), "feature", say=lambda key: titles.get(key, key), first=True, help="The strongest come first.")
    feature, risk = found.schema[str(name)], ui.risk_word(model["is_proxy"])
    st.markdown(f":gray[{ui.literal(feature.meaning)}]")
    left, right = st.columns(2, gap="large")
    with left:
        ui.figure(
            charts.dependence(blinding.others(store, ui.user(), album.dependence(found, feature.name)), feature.title, feature.unit),
            key=f"dependence-{model_id}-{name}",
            param="row",
            help="Each dot is a test applicant as it is. Where dots of one value lie apart, the feature acts together with others.",
        )
    with right:
        shown = st.toggle(
            "All else as it is", key=f"partial-{model_id}", help="Partial dependence, and single applicants (ICE): asks the model anew."
        )
        if shown:
            table = partial(store, model_id, digest, feature.name)
            ui.figure(charts.partial(table, feature.title, feature.unit, risk), key=f"partial-{model_id}-{name}")
        else:
            st.caption("Switch on to see how the risk of the same applicants would move if only this figure were another.")
    if model["algorithm"] == "scorecard":
        _scorecard(model)


def _row(model: Mapping[str, Any], found: album.Kept) -> None:
    store, risk = ui.store(), ui.risk_word(model["is_proxy"])
    ranked = sorted(ui.rows(blinding.others(store, ui.user(), found.scored)), key=lambda row: -row["margin"])
    offered = {row["applicant_id"]: row for row in (*ranked[:LISTED], *ranked[LISTED:][-LISTED:])}
    say = {name: f"{name} · {risk} {ui.percent(row['pd'])}{_labelled(row['bad'])}" for name, row in offered.items()}
    who = ui.pick(
        "Test applicant",
        list(offered),
        "row",
        say=lambda name: say.get(name, name),
        first=True,
        free=True,
        help="The riskiest and the safest are offered; the id of any other test applicant may be typed.",
    )
    blinding.require(store, ui.user(), str(who))
    steps, row = album.steps(store, found, str(who)), ui.rows(found.scored)[found.place(str(who))]
    scale = store.settings.score
    if scale.scale == "linear":
        figure = charts.waterfall(steps, found.base, row["margin"], unit="contribution", start_name="Average", end_name=str(who))
    else:
        start, end = (scorecard.offset(scale) + scorecard.points(margin, scale) for margin in (found.base, row["margin"]))
        figure = charts.waterfall(steps, start, end, start_name="Average", end_name=str(who))
    said = f"{risk} {ui.percent(row['pd'])}{_labelled(row['bad'])}"
    st.markdown(f"**{ui.literal(who)}** :gray[{said}. “Reference” is the middle of the test applicants.]")
    ui.figure(figure, key=f"row-{model['model_id']}-{who}", param="feature", help="Click a bar to see what its feature does to everybody.")
    ui.link("applicants", "See the applicant", "person", applicant=str(who))


def _labelled(bad: object) -> str:
    return "" if ui.missing(bad) else f" · {'bad' if bad else 'good'}"


def _scorecard(model: Mapping[str, Any]) -> None:
    ui.section("The scorecard", help="Each applicant is in one bin of each feature; the points of the bins add up to the score.")
    columns = {
        "title": ui.text_column("Feature", pinned=True),
        "bin": ui.text_column("Bin"),
        "count": ui.number_column("Weight", "Learning applicants in the bin, weighed as they were learned from", "%.0f"),
        "share_bad": ui.share_column("Bad", "Share of bad among them"),
        "woe": ui.number_column("WoE", "Weight of evidence: above 0 is safer than usual", "%.2f"),
        "points": ui.number_column("Points", "What the bin gives to the score", "%.0f"),
    }
    found = bins(ui.store(), model["model_id"], model["digest"])
    ui.table(found, columns, key="bins", alt="The scorecard", height=ui.fitting(len(found), 14))


# --- promotion --------------------------------------------------------------------------------------------------------


def promotion(model: Mapping[str, Any], hindrance: str | None) -> None:
    """Show what stands for and against a promotion before anybody gives a reason for it."""
    store, model_id, present = ui.store(), model["model_id"], ui.champion()
    if model["status"] == "champion":
        st.markdown(f"**{model_id}** is the champion and scores now.")
        return
    against = [sentence for sentence in (hindrance, gate.own_work(store, model_id, user=ui.user())) if sentence]
    if present is None:
        st.markdown(":gray[No model scores yet. A first champion is held against nothing: only its labels have to pass their checks.]")
    else:
        with st.spinner(f"Holding {model_id} against {present['model_id']} …"):
            judged = ui.seen(gate.judge, model_id)
        passed = sum(each["passed"] for each in judged.gates)
        ui.section(
            f"{passed} of {len(judged.gates)} conditions are met",
            help=f"{model_id} held against the champion {present['model_id']}, on applicants whose outcome is verified and from whom "
            "neither learned. Whatever is not surely met refuses.",
        )
        lab.checks(judged.gates)
        ui.figure(
            charts.swaps(judged.swaps, model_id, str(judged.champion_id)),
            key=f"swaps-{model_id}",
            help="Everybody by the two recommendations at the policy’s cut-off, with the outcomes known of those neither learned from.",
        )
        if not judged.passed:
            against.append(
                f"{len(judged.gates) - passed} of the conditions above are not met, so {model_id} may not take the champion’s place."
            )
    for sentence in against:
        st.markdown(f":red[:material/block:] {ui.literal(sentence)}")
    reason = st.text_area("Why this model?", key=f"reason-{model_id}", help="Kept with your name in the registry.", disabled=bool(against))
    st.markdown(f":gray[Promoted by **{ui.literal(ui.user())}**. The present champion, if any, retires; one step brings it back.]")
    if st.button(
        f"Make {model_id} the champion",
        type="primary",
        icon=":material/military_tech:",
        key="promote",
        disabled=bool(against),
        help=ui.literal(against[0]) if against else None,
    ):
        gate.promote(store, model_id, user=ui.user(), reason=reason)
        st.session_state["promoted"] = model_id
        st.rerun()


def rollback() -> None:
    """Offer the step back to the champion before the present one."""
    store, former = ui.store(), ui.seen(registry.former)
    hindered = "There was no other champion to go back to." if former is None else ui.seen(registry.hindrance, former)
    key = f"rollback-{former}"  # another key after the step: a closed popover
    with st.popover("Roll back", icon=":material/undo:", width="stretch", disabled=hindered is not None, help=hindered, key=key):
        st.markdown(f"**{former}** becomes the champion again, at once. It stood before, so it is not judged anew.")
        reason = st.text_area("Why go back?", key=f"back-{former}", help="Kept with your name in the registry.")
        if st.button(f"Go back to {former}", type="primary", key="rollback", width="stretch"):
            with ui.guard():
                st.session_state["promoted"] = registry.rollback(store, user=ui.user(), reason=reason)
                st.rerun()


# --- beside another version -------------------------------------------------------------------------------------------


def compare(model: Mapping[str, Any], known: DataFrame) -> None:
    """Show the model beside another: figures, what differs for sure, who would change sides, whose reasons change."""
    model_id, present = model["model_id"], ui.champion()
    others = {row["model_id"]: row for row in ui.rows(known) if row["model_id"] != model_id}
    if not others:
        st.markdown(":gray[There is no other model to compare with.]")
        return
    able = [name for name, row in others.items() if row["algorithm"] not in registry.BASELINES]
    first = present["model_id"] if present and present["model_id"] in others else next(iter(able or others))
    other = ui.pick(
        "Beside",
        sorted(others, key=lambda name: (name != first, name not in able, name)),
        "against",
        say=lambda name: f"{name} · {ui.algorithm(others[name]['algorithm'])} · {others[name]['status']}" if name in others else name,
        first=True,
    )
    with st.spinner(f"Asking {model_id} and {other} about the same applicants …"):
        found = ui.seen(comparison.compare, model_id, str(other))
    ui.section("What differs for sure", help="Both on the same test applicants; 95 % intervals over the same resamples for both.")
    if found.differences.empty:
        st.markdown(":gray[They share no labelled test applicants of both kinds: only the figures below can be put side by side.]")
    else:
        ui.figures(
            *(
                (
                    f"{MEASURES[row['measure']]}: {row['finding']}",
                    f"{row['value']:+.3f}".replace("-", "−"),
                    f"{model_id} minus {other}, on {ui.count(found.n)} test applicants, {ui.count(found.n_bad)} of them bad.",
                    f"{row['low']:+.3f} to {row['high']:+.3f}".replace("-", "−"),
                )
                for row in ui.rows(found.differences)
            )
        )
    named = found.figures.assign(measure=found.figures["measure"].map(MEASURES))
    for place, (source, part) in zip(st.columns(2, gap="large") * 3, named.groupby("source", sort=False), strict=False):
        with place:
            drawn = charts.sides(part, model_id, str(other), ui.WORDS["label_source"][str(source)])
            ui.figure(drawn, key=f"sides-{source}", help="Each on its own test applicants. AUC, Gini, KS and PR AUC: more is better.")
    shown = [
        {
            "Held against": ui.WORDS["label_source"][row["source"]],
            "Figure": MEASURES[row["measure"]],
            model_id: ui.plain(row["one"]),
            f"{model_id}, 95 %": ui.interval({"low": row["one_low"], "high": row["one_high"]}),
            str(other): ui.plain(row["other"]),
            f"{other}, 95 %": ui.interval({"low": row["other_low"], "high": row["other_high"]}),
        }
        for row in ui.rows(found.figures)
    ]
    with st.expander("All figures", icon=":material/table_rows:"):
        st.table(shown, border="horizontal", hide_index=True, alt="Figures side by side")
    ui.figure(charts.swaps(found.swaps, model_id, str(other)), key=f"swaps-{model_id}-{other}")
    ui.section("Reasons", help="The principal reasons both give to applicants whom one of them declines.")
    same = f"{ui.count(found.n_same)} of {ui.count(found.n_declined)}"
    st.markdown(
        f"**{same}** applicants declined by one of them hear the same first reason from both." if found.n_declined else ":gray[Nobody.]"
    )
    columns = {
        "title": ui.text_column("Subject", pinned=True),
        "n_one": ui.number_column(model_id, f"How often {model_id} names it among its reasons"),
        "n_other": ui.number_column(str(other), f"How often {other} does"),
    }
    ui.table(found.reasons, columns, key="reasons", alt="Reasons by subject", height=ui.fitting(len(found.reasons), 8))
    if found.changed.empty:
        return
    st.markdown("**Applicants who would hear another first reason**", help="Pick one to see the applicant.")
    columns = {
        "applicant_id": ui.text_column("Applicant", pinned=True),
        "first_other": ui.text_column(f"Now, by {other}"),
        "first_one": ui.text_column(f"Then, by {model_id}"),
    }
    ui.table(
        found.changed,
        columns,
        key="changed",
        alt="Applicants whose first reason is another",
        opens="applicant_id",
        param="applicant",
        page="applicants",
    )


# --- card and origin --------------------------------------------------------------------------------------------------


def card(model: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """Show where the model comes from, what became of it, and its card."""
    config = training.config_of(ui.store(), model["model_id"])
    ui.section("Origin", help="All that is needed to say what this model is, and to make it again.")
    origin = {
        "Features": f"snapshot {model['snapshot_id']}",
        "Schema": model["schema_fingerprint"],
        "Model file (SHA-256)": model["digest"],
        "Run": model["job_id"],
        **lab.said_run(config),
    }
    ui.facts(origin, "Where the model comes from")
    ui.section("History", help="Who gave this model which standing, and why.")
    for event in ui.rows(registry.events(ui.store(), model["model_id"])):
        st.markdown(
            f":gray[{ui.instant(event['happened_at'])}]  {ui.badge(event['status'], ui.STATE_COLOURS)}  by "
            f"**{ui.literal(event['by_user'])}**: {ui.literal(event['reason'])}"
        )
    ui.section("Model card")
    with st.container(border=True):
        st.markdown(written["markdown"])
