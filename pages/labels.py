"""What good and bad mean here, and how far that can be believed: the verdict, what it rests on, clusters, groups, outcomes, another set."""

import streamlit as st

import ui
from creditrisk import charts, features, labels
from ui import lab, labelling

store = ui.store()
ui.header(
    "Labels",
    "What good and bad mean. Where no outcome is known, clusters of applicants stand in for it, and their worth is tested here.",
)

sets = {row["label_set_id"]: row for row in ui.rows(ui.seen(labels.sets))}
pick, new = st.columns([4, 1], vertical_alignment="bottom")
with pick:
    chosen = ui.pick(
        "Label set",
        list(sets),
        "labels",
        say=lambda name: lab.said_set(sets[name]) if name in sets else name,
        first=True,
        help="Label sets never change; a new one is made beside the old.",
        k=None,
        segment=None,
    )
with new:
    st.button(
        "New label set",
        type="primary" if not sets else "secondary",
        icon=":material/new_label:",
        width="stretch",
        key="new-labels",
        on_click=labelling.begin,
    )
labelling.going_on()

if chosen is None:
    ui.empty(
        "No labels yet",
        "Make a label set from what is known of the applicants. It takes seconds, and every test of its worth is shown.",
        *(() if features.latest_snapshot(store) else [("statements", "Upload statements first"), ("data", "Import a table")]),
        icon="label",
    )
    st.stop()

with ui.guard():
    found = ui.seen(labels.get, chosen)
    report = found.report
    labelling.verdict(found)
    ui.figures(
        (
            "Labelled",
            ui.count(labelling.n_labelled(report)),
            f"Applicants with a label, of {ui.count(found.n)}; those near the border or with too little history have none.",
        ),
        (
            "Called bad",
            ui.percent(found.share_risky),
            "Share of applicants in the clusters called risky, the grey zone counted in."
            if found.k
            else "Share of applicants whose label is bad.",
        ),
        *([("Clusters", str(found.k), "How many groups K-Means was asked for; the riskiest is called bad, by proxy.")] if found.k else []),
        ("Made", ui.day(found.created_at), f"By {ui.literal(found.created_by)}, from features of snapshot {found.snapshot_id}."),
    )
    passed = sum(gate["passed"] for gate in report["gates"])
    ui.section(
        f"{passed} of {len(report['gates'])} quality checks passed",
        help="A set that fails a check may be trained on; a model learned from it cannot be promoted.",
    )
    lab.checks(report["gates"])
    labelling.beware(found)

    ui.section("What they rest on", help="Which days are read, what the label is made of, and who chose what for which reason.")
    labelling.foundations(found)

    if found.k:
        ui.section("How many clusters", help=labels.RULE)
        ui.figure(
            charts.scan(report["scan"], found.k),
            key="scan",
            param="k",
            help="For each number of clusters: how far the riskiest lies above the next, how reliably the clusters come back in "
            "resamples, how many it holds, and how compact they are. Green passes, red does not; the ringed one was taken.",
        )
        labelling.another_number(found)

        ui.section("What makes each cluster", help="In what a cluster lies furthest from everybody; an arrow up is the riskier side.")
        labelling.cards(found)
        ui.figure(
            charts.profiles(report["profiles"], labels.label_features(store, found)),
            key="profiles",
            help="The mean of each label feature in each cluster. Within a row, red is the riskier side and teal the safer.",
        )

    points = ui.seen(labels.points, chosen)
    if found.k:
        left, right = st.columns(2, gap="large")
        with left:
            ui.figure(charts.segments(report["profiles"]), key="segments", help="Size of each cluster, ordered by the plain risk index.")
        with right:
            ui.figure(
                charts.spread(points),
                key="spread",
                help="How the plain risk index lies in each cluster. Where hills overlap, the clusters differ in something else than risk.",
            )
    ui.section("Where applicants lie", help="A map of the label features: the two directions in which applicants differ most.")
    ui.figure(
        charts.cloud(points, ui.seen(labels.axes, chosen), found.n),
        key="cloud",
        param="applicant",
        page="applicants",
        help="Hover for the applicant, click to open their page.",
    )
    if found.k:
        ui.section("Look at some yourself", help="The best test of a label: do these people look as their label says?")
        labelling.examples(found)

    ui.section("Whom the label marks", help="A label that moves with time, or marks one group much more often, needs a reason.")
    left, right = st.columns(2, gap="large")
    with left:
        ui.figure(
            charts.cohort_rates(ui.seen(labels.by_cohort, chosen)),
            key="by-cohort",
            help="Share called bad among those labelled, by the day they were looked at, with 95 % intervals.",
        )
    with right:
        ui.figure(
            charts.group_rates(ui.seen(labels.by_group, chosen)),
            key="by-group",
            help="Share called bad in each group the law protects, with 95 % intervals. Marked are groups whose share is outside 0.8 to "
            "1.25 times that of everybody else, where chance does not explain it.",
        )

    ui.section("Against what really happened", help="AUC: how often a bad applicant ranks above a good one. 0.5 is chance, 1 is perfect.")
    measured = (("The label", report.get("auc_vs_observed")), ("The plain risk index", report.get("index_auc_vs_observed")))
    ui.figure(
        charts.against([(name, value) for name, value in measured if value]),
        key="against",
        help="The index is the signed sum of the label features, in which nothing is learned. It ranks everybody, where a label only says "
        "yes or no; the check “Keeps up with the plain risk index” compares them fairly, cut at the same share.",
    )

    if len(sets) > 1:
        ui.section("Beside another set", help="Where two ways to tell good from bad disagree, somebody should look.")
        labelling.compare(found, [name for name in sets if name != chosen], lambda name: lab.said_set(sets[name]) if name in sets else name)
    with st.container(horizontal=True):
        ui.link("training", f"Train on {chosen}", "model_training", labels=chosen)
