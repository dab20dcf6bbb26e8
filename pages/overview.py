"""What is in the workspace, how far each step has come, how the scores lie, and what happened last."""

import streamlit as st

import ui
from creditrisk import charts, labels, reviews, workspace
from ui import keeping, lab

store = ui.store()
ui.header("Overview", "From bank statements to explained scores, and from verdicts back to better models.")
held, seen = ui.seen(workspace.summary), ui.seen(reviews.summary)
newest = labels.newest(store)
model = ui.champion()

if not held["n_applicants"]:
    ui.empty(
        "This workspace is empty",
        "Upload a bank statement to begin: it is read, checked against its own balances and shown to you before anything is stored.",
        ("statements", "Upload statements"),
        ("data", "Import a table"),
        ("applicants", "Enter an application"),
        icon="account_balance",
    )

else:
    brought = [
        ("Statements", ui.count(held["n_statements"]), "Files stored whole after they were read and checked."),
        (
            "Transactions",
            ui.count(held["n_transactions"]),
            f"Booked movements from {ui.day(held['first_on'])} to {ui.day(held['last_on'])}."
            if held["n_statements"]
            else "Booked movements of all statements.",
        ),
    ]
    if ui.of_table():
        brought = [("Outcomes", ui.count(held["n_outcomes"]), "Applicants of whom it is known how their loan went.")]
    ui.figures(
        ("Applicants", ui.count(held["n_applicants"]), "People with a bank statement, an application or a row of a table."),
        *brought,
        (
            "Scored",
            ui.count(held["n_scored"]),
            f"Applicants with a score, out of {ui.count(held['n_predictions'])} predictions kept in all.",
        ),
        (
            "Verdicts",
            ui.count(held["n_reviews"]),
            f"Predictions with a verdict, “cannot judge” included; {ui.count(seen['n_waiting'])} wait for one.",
        ),
    )

ui.section(
    "From data to decision" if ui.of_table() else "From statement to decision",
    help="Each step builds on the one before it. A step that is waiting says what it needs.",
)
first = ("statements", "Statements", held["n_statements"], ui.plural(held["n_statements"], "file"), "Upload")
if ui.of_table():
    first = ("data", "Data", held["n_features"], ui.plural(held["n_features"], "row"), "Import")
steps = (
    first,
    ("labels", "Labels", held["n_label_sets"], newest, "Make a set"),
    ("training", "Candidates", held["n_models"], ui.plural(held["n_models"], "model"), "Train"),
    ("models", "Champion", model is not None, model and model["model_id"], "Promote"),
    ("score", "Scores", held["n_scored"], ui.plural(held["n_scored"], "person", "people"), "Score"),
    ("reviews", "Verdicts", held["n_reviews"], f"{ui.count(held['n_reviews'])} judged", "Judge"),
)
with st.grid(len(steps), min_column_width=112, gap="small", border=True) as grid:
    for place, (page, title, done, state, action) in enumerate(steps, start=1):
        with grid.cell():
            mark = ":green[:material/check_circle:]" if done else ":gray[:material/radio_button_unchecked:]"
            st.markdown(f":small[{mark} :gray[step {place}]]  \n**{title}**  \n:small[:gray[{ui.literal(state) if done else 'waiting'}]]")
            ui.link(page, "Open" if done else action)

if not held["n_applicants"]:
    st.stop()

left, right = st.columns([3, 2], gap="large")
with left:
    ui.section("Scores", help="The latest score of each applicant: 300 is the highest risk, 900 the lowest.")
    if model is not None and model["label_set_id"] != newest:  # else the labels beside them say so
        ui.proxy_banner(model["is_proxy"])
    ui.figure(
        charts.scores(ui.seen(workspace.scores)),
        key="scores",
        help="How many applicants lie in each stretch of 20 points, coloured by band.",
    )
    if model is not None:
        st.caption(
            f"Scores mean {ui.risk_word(model['is_proxy'])} on the {store.settings.score.scale.replace('logodds', 'log-odds')} scale."
        )
with right:
    ui.section("Labels", help="The newest label set, and how far it can be believed.")
    if newest is None:
        ui.empty(
            "No labels yet",
            "A model needs to know what good and bad mean: from clusters, or from observed outcomes.",
            ("labels", "Make a label set"),
            icon="label",
        )
    else:
        chosen = labels.get(store, newest)
        warning = labels.banner(chosen)
        if warning:
            ui.banner(ui.literal(warning))
        gates = chosen.report["gates"]
        st.markdown(f"**{sum(gate['passed'] for gate in gates)} of {len(gates)} quality checks passed**")
        with st.container(gap="xsmall"):
            for gate in gates:
                mark = ":green[:material/check_circle:]" if gate["passed"] else ":red[:material/cancel:]"
                st.markdown(f"{mark} {ui.literal(lab.gate_name(gate))}", help=ui.literal(gate["sentence"]))
        ui.link("labels", f"Open {newest}", labels=newest)

ui.section("What happened last", help="Every change names a person and is kept in a chained record.")
ui.story((row["happened_at"], row["user_name"], row["sentence"]) for row in ui.rows(workspace.activity(store, limit=10)))
keeping.offer()
