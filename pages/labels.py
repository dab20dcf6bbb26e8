"""What good and bad mean here, and how far that can be believed: gates, the choice of clusters, their profiles, observed outcomes."""

import streamlit as st

import ui
from creditrisk import charts, features, labels
from ui import lab

store = ui.store()
ui.header(
    "Labels",
    "A model needs to know what good and bad mean. Where no loan outcome is known, clusters of applicants stand in for it, and their "
    "worth is tested here.",
)

WINDOWS = {90: "The last 90 days; predictors end before them", None: "The same days as the predictors (circular)"}


@st.dialog("New label set", icon=":material/new_label:")
def make() -> None:
    """Ask how good and bad are told apart."""
    how = st.segmented_control(
        "From",
        ["kmeans", "observed"],
        default="kmeans",
        required=True,
        format_func=lab.METHODS.get,
        key="how",
        help="K-Means groups applicants by a few signed features and calls the riskiest group bad, by proxy. Observed outcomes are "
        "what really happened.",
    )
    limits, k, days = store.settings.labels, None, None
    if how == "kmeans":
        k = st.selectbox(
            "Number of clusters",
            [None, *range(limits.k_min, limits.k_max + 1)],
            format_func=lambda number: "chosen from the data" if number is None else f"{number} clusters",
            key="k",
            help=labels.RULE,
        )
        days = (
            None
            if ui.of_table()
            else st.selectbox(
                "What the label looks at",
                list(WINDOWS),
                format_func=WINDOWS.get,
                key="days",
                help="In two windows, predictors end where the label begins: the model has to foresee. In one window it can only re-learn "
                "the clusters, and everything learned from the set says so.",
            )
        )
    anew = not ui.of_table() and st.toggle(
        "Compute features first", value=True, key="anew", help="So that the newest statements count. Takes seconds."
    )
    if st.button("Make the label set", type="primary", width="stretch", key="make-labels"):
        with ui.guard(), st.spinner("Grouping applicants and testing the groups …", show_time=True):
            snapshot = features.build(store, user=ui.user()) if anew else None
            if how == "kmeans":
                made = labels.kmeans(store, user=ui.user(), k=k, snapshot_id=snapshot, performance_days=days)
            else:
                made = labels.observed(store, user=ui.user(), snapshot_id=snapshot)
            ui.go("labels", labels=made.label_set_id)


sets = {row["label_set_id"]: row for row in ui.rows(labels.sets(store))}
pick, new = st.columns([4, 1], vertical_alignment="bottom")
with pick:
    chosen = ui.pick(
        "Label set",
        list(sets),
        "labels",
        say=lambda name: lab.said_set(sets[name]) if name in sets else name,
        first=True,
        help="Label sets never change; a new one is made beside the old.",
    )
with new:
    if st.button(
        "New label set", type="primary" if not sets else "secondary", icon=":material/new_label:", width="stretch", key="new-labels"
    ):
        make()

if chosen is None:
    ui.empty(
        "No labels yet",
        "Make a label set from what is known of the applicants. It takes seconds, and every test of its worth is shown.",
        *(() if features.latest_snapshot(store) else [("statements", "Upload statements first"), ("data", "Import a table")]),
        icon="label",
    )
    st.stop()

with ui.guard():
    found = labels.get(store, chosen)
    report = found.report
    warning = labels.banner(found)
    if warning:
        ui.banner(ui.literal(warning))
    ui.figures(
        (
            "Labelled",
            ui.count(report["n_bad"] + report["n_good"]),
            f"Applicants with a label, of {ui.count(found.n)}; those near the border or with too little history have none.",
        ),
        (
            "Risky",
            ui.percent(found.share_risky),
            "Share of applicants in the riskiest cluster." if found.is_proxy else "Share of applicants whose loan went bad.",
        ),
        *([("Clusters", str(found.k), "How many groups K-Means was asked for; the riskiest is called bad, by proxy.")] if found.k else []),
        ("Made", ui.day(found.created_at), f"By {found.created_by}, from features of snapshot {found.snapshot_id}."),
    )

    passed = sum(gate["passed"] for gate in report["gates"])
    ui.section(
        f"{passed} of {len(report['gates'])} quality checks passed",
        help="A set that fails a check may be trained on; a model learned from it should not be promoted.",
    )
    lab.checks(report["gates"])

    truth = report.get("auc_vs_observed")
    index = report.get("index_auc_vs_observed")
    ui.section("Against what really happened", help="AUC: how often a bad applicant ranks above a good one. 0.5 is chance, 1 is perfect.")
    if truth or index:
        held = truth or index
        label = [
            (
                "Label against outcomes",
                ui.plain(truth, 2),
                f"How well the label ranks {ui.count(held['n'])} observed outcomes ({ui.count(held['n_bad'])} bad); below, its 95 % "
                "interval.",
                ui.interval(truth, 2),
            )
        ]
        ui.figures(
            *(label if truth else []),
            (
                "Plain risk index",
                ui.plain(index, 2),
                "The same for the signed sum of the label features, in which nothing is learned. It ranks everybody, where a label "
                "only says yes or no; the check “Keeps up with the plain risk index” compares them fairly, cut at the same share.",
                ui.interval(index, 2),
            ),
        )
    else:
        st.markdown(":gray[No observed outcome is recorded for these applicants, so nobody knows how far the label is right.]")

    if report.get("scan"):
        ui.section("How many clusters", help=report["rule"])
        ui.figure(
            charts.scan(report["scan"], found.k),
            key="scan",
            help="For each number of clusters: how far the riskiest lies above the next, how reliably the clusters come back in "
            "resamples, and how compact they are. The last decides nothing.",
        )
    if report.get("profiles"):
        left, right = st.columns([3, 2], gap="large")
        with left:
            ui.figure(
                charts.profiles(report["profiles"], store.schema),
                key="profiles",
                help="The mean of each label feature in each cluster. Within a row, red is the riskier side and teal the safer.",
            )
        with right:
            ui.figure(
                charts.segments(report["profiles"]),
                key="segments",
                help="Size of each cluster, ordered by the plain risk index; the riskiest is called bad.",
            )
    with st.container(horizontal=True):
        ui.link("training", f"Train on {chosen}", "model_training", labels=chosen)
