"""The ML-ready table: every column, how its values lie and what outcomes say of them; and the lender's own tables on their way in."""

from typing import Any

import streamlit as st

import ui
from creditrisk import charts, dictionary, features
from ui import inventing, portfolio

store = ui.store()
ui.header("Data", "Every column an applicant has, how it lies, and how outcomes go with it. A table of your own comes in here.")


def show(found: Any, key: str, alt: str, first: str) -> None:
    """Show applicants with every column, one of them beside the name."""
    titles = {feature.name: ui.text_column(feature.title) for feature in store.schema}
    named = {"twin": ui.text_column("Alike"), "applicant_id": ui.text_column("Applicant", pinned=True)}
    ui.table(found, {**named, **({first: titles[first]} if first in titles else {}), **titles}, key=key, alt=alt, height=300)


TOGETHER = (
    f"Rank correlation (Spearman): 1 the same order, −1 the reverse, 0 none. Of more than {ui.count(dictionary.RANKED)} applicants as many "
    "are drawn."
)

snapshot = features.latest_snapshot(store)
with st.expander("Import a table", icon=":material/upload_file:", expanded=snapshot is None):
    portfolio.bring_in()
portfolio.said_of_import()
if snapshot is None:
    ui.empty(
        "No applicant has a row yet",
        "Import a table above, or store bank statements: their features become this table.",
        ("statements", "Upload statements"),
        icon="table_chart",
    )
    st.stop()

with ui.guard():
    found = ui.seen(dictionary.columns, snapshot)
    outcomes = int(found["n_outcomes"].max())
    doubts = ui.seen(dictionary.doubts, snapshot)
    ui.figures(
        ("Applicants", ui.count(found["n"].max()), "Rows of the newest snapshot of everybody."),
        ("Columns", ui.count(len(found)), "Declared features, those no model reads included."),
        ("With an outcome", ui.count(outcomes), "Applicants whose loan's end was recorded; rates by bin rest on them."),
        ("To look at", ui.count(doubts["n"].sum()), "Rows that are another one's twin, and values beyond what the schema allows."),
    )
    columns = {
        "title": ui.text_column("Column", pinned=True),
        "role": ui.text_column("Role", "predictor: models may read it; protected and report: they never do"),
        "missing": ui.share_column("Not known", "Share of applicants without a value"),
        "lowest": ui.text_column("Lowest"),
        "typical": ui.text_column("Typical", "The median of numbers, the most frequent choice"),
        "highest": ui.text_column("Highest"),
        "distinct": ui.number_column("Different"),
        "codes": ui.text_column("Codes", "Written values that mean that nothing is known"),
        "outside": ui.number_column("Out of bounds", "Values beyond what the schema allows"),
        "iv": ui.number_column("IV", "Information value against outcomes: below 0.02 nothing, above 0.5 suspicious", "%.3f"),
        "auc": ui.number_column("AUC alone", "How well this column alone orders good and bad, whichever way round", "%.3f"),
    }
    ui.table(
        found,
        columns,
        key="columns",
        alt="Columns of the ML-ready table",
        opens="name",
        param="column",
        height=ui.fitting(len(found), 12),
        bin=None,
    )
    st.caption("Pick a row to see how its values lie.")

name = ui.asked("column")
if name:
    with ui.guard():
        feature = store.schema[name]
        ui.section(ui.literal(feature.title), help=ui.literal(feature.meaning) or None)
        drawn = charts.bins(ui.seen(dictionary.bins, name, snapshot), feature.title)
        ui.figure(
            drawn,
            key=f"bins-{name}",
            param="bin",
            help="Bars: applicants. Dots: share bad with its 95 % interval. Click a bar for its rows.",
        )
        bin = ui.asked("bin")
        if bin:
            members = ui.seen(dictionary.members, name, bin, snapshot)
            st.markdown(f"**{ui.literal(feature.title)}: {ui.literal(bin)}**")
            show(members, f"members-{name}", "Applicants in this bin", feature.name)

ui.section("Rows to look at", help="Nothing is removed for it: a person decides whether these are one applicant, or a slip of the pen.")
if doubts.empty:
    st.caption("None: no two applicants have the same figures, and no value is beyond what the schema allows.")
else:
    words = {"what": ui.text_column("What", width="large"), "n": ui.number_column("Applicants")}
    ui.table(doubts, words, key="doubts", alt="Rows to look at", opens="doubt", param="doubt")
    doubt = ui.asked("doubt")
    if doubt:
        with ui.guard():
            show(ui.seen(dictionary.doubtful, doubt, snapshot), f"doubt-{doubt}", "Applicants of this doubt", doubt)
    else:
        st.caption("Pick a row to see the applicants.")

if ui.of_table():
    portfolio.changed(snapshot)
    portfolio.respell(snapshot)

ui.section(
    "How far outcomes have come",
    help="Only outcomes observed after the day the figures describe count: what was known on that day is no outcome to predict. A loan "
    "younger than a year without an outcome may still go bad, so its silence says nothing.",
)
with ui.guard():
    ui.figure(charts.maturity(ui.seen(dictionary.maturity, snapshot)), key="maturity")

with ui.guard():
    ui.section("Scoring a file", help="A batch needs every column that models read; a cell may stay empty where nothing is known.")
    fill, explained = st.columns(2)
    fill.download_button(
        "A file to fill in",
        lambda: dictionary.as_csv(dictionary.template(store)),
        file_name="to-score.csv",
        mime="text/csv",
        icon=":material/download:",
        help="Every column that models read, with an example row: `score FILE` on the command line takes it.",
        on_click="ignore",
        width="stretch",
        key="template",
    )
    explained.download_button(
        "What may stand in it",
        lambda: dictionary.as_csv(dictionary.allowed(store)),
        file_name="to-score.columns.csv",
        mime="text/csv",
        icon=":material/download:",
        help="A line for each column: what is allowed, and which codes mean that nothing is known.",
        on_click="ignore",
        width="stretch",
        key="allowed",
    )
    portfolio.taken_away(snapshot)
    ui.section("Columns that move together", help=TOGETHER)
    pairs = ui.seen(dictionary.related, snapshot, 12)
    ui.figure(charts.correlations(pairs, store.schema), key="related")

inventing.view(snapshot)
