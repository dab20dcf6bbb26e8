"""The ML-ready table: every column, how its values lie and what outcomes say of them; and the lender's own tables on their way in."""

import streamlit as st

import ui
from creditrisk import augment, charts, dictionary, features, tables, tabular

store = ui.store()
ui.header("Data", "Every column an applicant has, how it lies, and how outcomes go with it. A table of your own comes in here.")


def bring_in() -> None:
    """Read tables, join them, show what is proposed, and keep them when somebody says so."""
    files = st.file_uploader(
        "Tables: CSV, Parquet or Excel; the first says who is an applicant, the others add columns",
        accept_multiple_files=True,
        key=f"tables{st.session_state.get('imports', '')}",
        type=["csv", "tsv", "txt", "parquet", "pq", "xlsx", "xls"],
    )
    if not files:
        return
    with ui.guard(), st.spinner("Reading …", show_time=True):
        read = {file.name: tabular.read(file.name, file.getvalue(), store.settings.intake) for file in files}
        one, two, three = st.columns(3)
        names = list(dict.fromkeys(name for table in read.values() for name in table.columns))
        guess = tables.key_of(next(iter(read.values())))
        key = one.selectbox(
            "Who is an applicant",
            names,
            index=names.index(guess) if guess else None,
            key="key",
            placeholder="each row",
            help="The column that names each one.",
        )
        target = two.selectbox(
            "How it went (if known)", names, index=None, key="target", placeholder="not known", help="1 or 0, yes or no, bad or good."
        )
        as_of = three.selectbox(
            "The day the figures describe", names, index=None, key="as_of", placeholder="not known", help="Left empty, no day is known."
        )
        joined = tables.join(read, key=key)
        ui.table(
            [vars(part) for part in joined.parts],
            {
                "file": ui.text_column("File"),
                "rows": ui.number_column("Rows"),
                "matched": ui.number_column("Matched", "Rows whose key another file has too"),
                "unmatched": ui.number_column(
                    "Not matched", "Rows of the first file are kept without partner; others belong to nobody here"
                ),
            },
            key="parts",
            alt="Files and how they were joined",
        )
        proposal = tables.wanted(store, joined, target=target, as_of=as_of)
        for sentence in [*joined.notes, *(finding.sentence for finding in proposal.findings)]:
            st.caption(f":material/info: {ui.literal(sentence)}")
        edited = st.data_editor(
            tables.editable(proposal.schema),
            key="schema",
            hide_index=True,
            placeholder="",
            disabled=["name"],
            column_config={
                "name": ui.text_column("Column", pinned=True),
                "title": ui.text_column("Title"),
                "type": st.column_config.SelectboxColumn("Type", options=["number", "integer", "flag", "choice"], required=True),
                "unit": ui.text_column("Unit"),
                "role": st.column_config.SelectboxColumn("Role", options=["predictor", "protected", "report"], required=True),
                "risk": st.column_config.SelectboxColumn("More means", options=[-1, 0, 1], help="+1 more risk, −1 less, 0 unsaid"),
                "low": ui.number_column("Least", format="%g"),
                "high": ui.number_column("Most", format="%g"),
                "in_index": st.column_config.CheckboxColumn("In the index", help="Among the label features of K-Means"),
                "why": ui.text_column("Why", "The reason for letting a model read a protected column"),
            },
        )
        if st.button(f"Keep {ui.count(len(joined.frame))} applicants", type="primary", icon=":material/save:", key="keep"):
            schema = tables.edited(proposal.schema, edited)
            made = tables.save(store, joined, schema, user=ui.user(), target=target, as_of=as_of)
            st.session_state["imported"] = (made.n, made.n_outcomes, [problem.message for problem in made.problems])
            st.session_state["imports"] = st.session_state.get("imports", 0) + 1
            st.rerun()


snapshot = features.latest_snapshot(store)
with st.expander("Import a table", icon=":material/upload_file:", expanded=snapshot is None):
    bring_in()
if "imported" in st.session_state:
    n, n_outcomes, wrong = st.session_state.pop("imported")
    also = f" and {ui.count(n_outcomes)} outcomes" if n_outcomes else ""
    st.success(f"{ui.count(n)} applicants{also} kept.", icon=":material/check_circle:")
    if wrong:
        st.warning(
            f"{ui.plural(len(wrong), 'cell')} could not be and stayed empty: {ui.literal(' '.join(wrong[:5]))}", icon=":material/warning:"
        )
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
    ui.figures(
        ("Applicants", ui.count(found["n"].max()), "Rows of the newest snapshot of everybody."),
        ("Columns", ui.count(len(found)), "Declared features, those no model reads included."),
        ("With an outcome", ui.count(outcomes), "Applicants whose loan's end was recorded; rates by bin rest on them."),
    )
    columns = {
        "title": ui.text_column("Column", pinned=True),
        "role": ui.text_column("Role", "predictor: models may read it; protected and report: they never do"),
        "missing": ui.share_column("Not known", "Share of applicants without a value"),
        "lowest": ui.text_column("Lowest"),
        "typical": ui.text_column("Typical", "The median of numbers, the most frequent choice"),
        "highest": ui.text_column("Highest"),
        "distinct": ui.number_column("Different"),
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
            shown = {"applicant_id": ui.text_column("Applicant", pinned=True), name: ui.text_column(feature.title)}
            shown |= {other.name: ui.text_column(other.title) for other in store.schema if other.name != name}
            ui.table(members, shown, key=f"members-{name}", alt="Applicants in this bin", height=300)
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
    ui.section("Columns that move together", help="Rank correlation (Spearman): 1 the same order, −1 the reverse, 0 none.")
    pairs = ui.seen(dictionary.related, snapshot, 12)
    ui.figure(charts.correlations(pairs, store.schema), key="related")
    invented = augment.count(store)
    ui.section(
        "Invented applicants",
        help="Drawn so that each column is distributed, and columns move together, as among the real ones. They lie apart: no profile, "
        "score or measure on this or any page counts them.",
    )
    if invented:
        like = augment.likeness(store)
        st.markdown(f"**{ui.count(invented)}** beside {ui.count(like.n_real)} real ones. {ui.literal(like.sentence)}")
        shown = {
            "title": ui.text_column("Column", pinned=True),
            "psi": ui.number_column("PSI", "Population stability index against the real ones: below 0.1 alike", "%.4f"),
            "ks": ui.number_column("KS", "Largest distance between the two distributions, 0 to 1", "%.4f"),
            "missing_real": ui.share_column("Not known, real"),
            "missing_invented": ui.share_column("Not known, invented"),
        }
        ui.table(like.columns, shown, key="likeness", alt="How like the real applicants the invented ones are", height=300)
        if st.button("Remove them", icon=":material/delete:", key="remove"):
            augment.remove(store, user=ui.user())
            st.rerun()
    else:
        st.caption("There are none. `augment --to N` on the command line, or this button, makes some.")
        real = int(found["n"].max())
        to = st.number_input("Until there are, with the real ones", min_value=real + 1, max_value=augment.MOST, value=2 * real, key="to")
        if st.button("Invent applicants", icon=":material/groups:", key="invent"):
            with st.spinner("Drawing …", show_time=True):
                augment.invent(store, int(to), user=ui.user())
            st.rerun()
