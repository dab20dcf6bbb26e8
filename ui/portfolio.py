"""The lender's own tables on the data page: how they come in, what that changed, and how their choices are spelt."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import dictionary, gather, ids, provenance, spelling, tables, tabular
from creditrisk.schema import Schema
from creditrisk.settings import Intake

KINDS = ["csv", "tsv", "txt", "parquet", "pq", "xlsx", "xls"]
MORE = {1: "more risk", 0: "unsaid", -1: "less risk"}
SCHEMA_COLUMNS = {
    "name": ui.text_column("Column", pinned=True),
    "title": ui.text_column("Title"),
    "type": st.column_config.SelectboxColumn("Type", options=["number", "integer", "flag", "choice"], required=True),
    "unit": ui.text_column("Unit"),
    "role": st.column_config.SelectboxColumn("Role", options=["predictor", "protected", "report"], required=True),
    "risk": st.column_config.SelectboxColumn(
        "More means", options=[*MORE], format_func=MORE.get, help="Which way more of it moves the risk"
    ),
    "low": ui.number_column("Least", format="%g"),
    "high": ui.number_column("Most", format="%g"),
    "in_index": st.column_config.CheckboxColumn("In the index", help="Among the label features of K-Means"),
    "actionable": st.column_config.CheckboxColumn(
        "Can be changed", help="By what an applicant does within months, so that guidance may name it: only a scored number with a sign"
    ),
    "missing": ui.text_column("Codes for nothing", "Written values that mean there is none, and why: 98=refused to say, 96=no account"),
    "formula": ui.text_column("Computed as", "Of other columns, like loan / income: computed for everybody and never believed"),
    "why": ui.text_column("Why", "The reason for letting a model read a protected column"),
}
WRITINGS = {
    "column": ui.text_column("Column", pinned=True),
    "written": ui.text_column("Written"),
    "n": ui.number_column("Rows"),
    "perhaps": ui.text_column("Perhaps meant", "A frequent choice that looks alike: a guess, nothing is changed by it"),
    "means": ui.text_column("Means", "What this writing is to be read as; empty: itself"),
}
EXPORTS = {
    ".parquet": ("Parquet", "application/zip"),
    ".csv": ("CSV", "application/zip"),
    ".duckdb": ("A DuckDB file of its own", "application/octet-stream"),
}
TOLD = 6  # sentences about a table that stand there at once


def bring_in() -> None:
    """Read tables, join them, show what is proposed, and keep them when somebody says so."""
    files = st.file_uploader(
        "Tables: CSV, Parquet or Excel; the first says who is an applicant, the others add columns",
        accept_multiple_files=True,
        key=f"tables{st.session_state.get('imports', '')}",
        type=KINDS,
    )
    if not files:
        return
    store = ui.store()
    with ui.guard(), st.spinner("Reading …", show_time=True):
        named = tables.named((file.name, file.getvalue()) for file in files)
        read = {name: _read(name, content, store.settings.intake) for name, content in named.items()}
        key, target, as_of = _asked(read)
        joined = tables.join(read, key=key, gather=_plan(read, key))
        if len(read) > 1:
            _partners(joined.parts)
        proposal = tables.wanted(store, joined, target=target, as_of=as_of)
        _told([*joined.notes, *(finding.sentence for finding in proposal.findings)])
        edited = ui.edited(tables.editable(proposal.schema), key="schema", disabled=["name"], column_config=SCHEMA_COLUMNS)
        schema = _spelt(proposal.schema, spelling.writings(proposal.schema, joined.frame), key="writings")
        if st.button(f"Keep {ui.count(len(joined.frame))} applicants", type="primary", icon=":material/save:", key="keep"):
            wanted = tables.edited(schema, edited)
            made = tables.save(store, joined, wanted, user=ui.user(), target=target, as_of=as_of, findings=proposal.findings)
            st.session_state["imported"] = (made.n, made.n_outcomes, [problem.message for problem in made.problems])
            st.session_state["imports"] = st.session_state.get("imports", 0) + 1
            st.rerun()


@st.cache_data(show_spinner=False, max_entries=8, scope="session")
def _read(name: str, content: bytes, _limits: Intake) -> DataFrame:
    """Read a file once, however often its table is looked at while somebody corrects what is proposed."""
    return tabular.read(name, content, _limits)


def said_of_import() -> None:
    """Say once what the import that was just made brought."""
    if "imported" not in st.session_state:
        return
    n, n_outcomes, wrong = st.session_state.pop("imported")
    also = f" and {ui.count(n_outcomes)} outcomes" if n_outcomes else ""
    st.success(f"{ui.count(n)} applicants{also} kept.", icon=":material/check_circle:")
    if wrong:
        st.warning(
            f"{ui.plural(len(wrong), 'cell')} could not be and stayed empty: {ui.literal(' '.join(wrong[:5]))} "
            "All of them stand below, under what the import changed.",
            icon=":material/warning:",
        )


def changed(snapshot_id: int) -> None:
    """Show what the import of a snapshot changed, and the cells of the change that is picked."""
    told = ui.seen(provenance.changes, snapshot_id)
    ui.section(
        "What the import changed",
        help="A value that is not named here is as the file says. Every changed cell is kept as it was written.",
    )
    if told.empty:
        st.caption("Nothing: every value is as the file says.")
        return
    columns = {
        "column_name": ui.text_column("Column", pinned=True),
        "kind": ui.text_column("What was done"),
        "n": ui.number_column("Cells", "Cells changed, or rows without a partner"),
        "what": ui.text_column("Why", width="large"),
        "examples": ui.text_column("As written"),
    }
    alt = "What the import changed"
    ui.table(told, columns, key="changes", alt=alt, opens="place", param="change", height=ui.fitting(len(told), 8))
    change = ui.asked("change")
    if not change:
        st.caption("Pick a row to see its cells.")
        return
    cells = {
        "row_number": ui.number_column("Row", "In the file, the first below the heading is 1"),
        "applicant_id": ui.text_column("Applicant"),
        "value": ui.text_column("As written"),
        "message": ui.text_column("What is wrong", width="large"),
    }
    found = ui.seen(provenance.cells, snapshot_id, ui.number(change))
    if found.empty:
        st.caption("This change is of the column or the file as a whole.")
    else:
        ui.table(found, cells, key=f"cells-{change}", alt="Cells of this change", height=ui.fitting(len(found), 8))


def respell(snapshot_id: int) -> None:
    """Let a person say what the writings of a choice mean, and keep the applicants so in a new snapshot."""
    store = ui.store()
    if not any(feature.choices for feature in store.schema):
        return
    with st.expander("Put spellings right", icon=":material/spellcheck:"), ui.guard():
        st.caption(
            "Say what a writing means; the values are put right in a new import, and files that write so are read so from then on. "
            "The one before stays. Models learned until now know the old choices and score nobody: label and train anew afterwards."
        )
        wanted = _spelt(store.schema, ui.seen(spelling.written, snapshot_id), key="respell")
        if st.button("Import anew with these spellings", icon=":material/save:", key="respelt", disabled=wanted == store.schema):
            spelling.respell(store, snapshot_id, wanted, user=ui.user())
            st.rerun()


def taken_away(snapshot_id: int) -> None:
    """Offer the table with its schema and its data dictionary, each kind of file made when it is asked for."""
    ui.section(
        "Taking the table away",
        help="Every applicant with every column, schema (TOML) and data dictionary beside it; `features --out FILE` does the same.",
    )
    for place, (kind, (title, mime)) in zip(st.columns(len(EXPORTS)), EXPORTS.items(), strict=True):
        place.download_button(
            title,
            partial(dictionary.packed, ui.store(), kind, snapshot_id),
            file_name="applicants.duckdb" if kind == ".duckdb" else f"applicants{kind}.zip",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
            key=f"export{kind}",
        )


def _asked(read: Mapping[str, DataFrame]) -> tuple[str | None, str | None, str | None]:
    """Ask which columns name the applicant, say how it went, and on which day."""
    one, two, three = st.columns(3)
    names = list(dict.fromkeys(name for table in read.values() for name in table.columns))
    guess = ids.column_of(next(iter(read.values())))
    key = one.selectbox(
        "Who is an applicant",
        names,
        index=names.index(guess) if guess else None,
        key="key",
        placeholder="each row",
        help="The column that names each one.",
    )
    how = "1 or 0, yes or no, bad or good; or type COLUMN=VALUE,VALUE with the values that are bad."
    target = two.selectbox(
        "How it went (if known)", names, index=None, key="target", placeholder="not known", help=how, accept_new_options=True
    )
    day = "Left empty, no day is known."
    as_of = three.selectbox("The day the figures describe", names, index=None, key="as_of", placeholder="not known", help=day)
    return key, target, as_of


def _plan(read: Mapping[str, DataFrame], key: str | None) -> dict[str, list[str]]:
    """Ask how several rows of one applicant become one, for every file that has them."""
    said: list[str] = []
    for file, columns in tables.several(read, key=key).items():
        said += st.multiselect(
            f"{ui.literal(file)} has several rows for an applicant: what becomes of them",
            [f"{column}={function}" for column in columns for function in gather.FUNCTIONS],
            key=f"gather-{file}",
            placeholder="Choose: loan_amount=sum, days_late=max …",
            help="Each choice becomes a column; how many rows there were always does. Columns without a choice are left out.",
        )
    return gather.plan(said)


def _told(sentences: Sequence[str]) -> None:
    """Say what was noticed: a few sentences at once, the others when somebody opens them."""
    if sentences:
        st.caption("  \n".join(f":material/info: {ui.literal(sentence)}" for sentence in sentences[:TOLD]))
    if more := sentences[TOLD:]:
        with st.expander(f"{ui.plural(len(more), 'more note')} on this table"):
            st.caption("  \n".join(f":material/info: {ui.literal(sentence)}" for sentence in more))


def _partners(parts: list[Any]) -> None:
    ui.table(
        [vars(part) for part in parts],
        {
            "file": ui.text_column("File"),
            "rows": ui.number_column("Rows"),
            "matched": ui.number_column("Matched", "Rows whose key another file has too"),
            "unmatched": ui.number_column("Not matched", "Rows of the first file are kept without partner; others belong to nobody here"),
        },
        key="parts",
        alt="Files and how they were joined",
    )


def _spelt(schema: Schema, writings: DataFrame, *, key: str) -> Schema:
    """Show how choices are written, let a person say what is meant, and return the schema that says so."""
    if writings.empty:
        return schema
    st.caption("How choices are written, and what is meant: a slip of the pen gets the right word under “Means”.")
    edited = ui.edited(
        writings,
        key=key,
        disabled=["column", "written", "n", "perhaps"],
        column_config=WRITINGS,
        height=ui.fitting(len(writings), 8),
    )
    return spelling.spelled(schema, edited)
