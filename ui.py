"""What the pages share: the open store, who acts, errors as sentences, empty states, banners, tables, figures and number formats.

The only place where an error of the library becomes something to read, and the only one where a frame becomes a widget.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import streamlit as st
from pandas import DataFrame, Series

from creditrisk import (
    answers,
    applicants,
    categories,
    cells,
    charts,
    conduct,
    ingest,
    jobs,
    labels,
    registry,
    scorecard,
    scoring,
    settings,
    training,
    workspace,
)
from creditrisk import store as stores
from creditrisk.errors import CreditRiskError, UnknownThing
from creditrisk.settings import Settings
from creditrisk.store import Store

# The store is opened and the caches are declared before there is a page, on purpose; Streamlit would log lines about it.
for name in ("scriptrunner_utils.script_run_context", "caching.cache_data_api"):
    logging.getLogger(f"streamlit.runtime.{name}").setLevel(logging.ERROR)

HERE = Path(__file__).parent
PRODUCT = "Credit Risk Workbench"
METHODS = {"kmeans": "K-Means", "observed": "Observed outcomes", "rfm": "RFM"}
BAND_COLOURS = {"Poor": "red", "Average": "orange", "Good": "green", "Excellent": "green"}
STATE_COLOURS = {
    "accepted": "green",
    "warned": "orange",
    "rejected": "red",
    "asks": "blue",
    "stored already": "gray",
    "twice": "gray",
    "champion": "green",
    "candidate": "gray",
    "challenger": "blue",
    "retired": "gray",
}
GATES = {  # what a quality check of a label set is called, and which side of the figure asked for passes
    "stability": ("Clusters come back in resamples", "≥"),
    "index gap": ("Riskiest cluster stands apart", "≥"),
    "signs": ("Features point the right way", "≥"),
    "share at least": ("Riskiest cluster is not too small", "≥"),
    "share at most": ("Riskiest cluster is not too large", "≤"),
    "outcomes": ("Enough outcomes are recorded", "≥"),
    "bad outcomes": ("Enough of them are bad", "≥"),
    "against outcomes": ("Ranks observed outcomes", ">"),
    "beside the index": ("Keeps up with the plain risk index", "≥"),
}
SHARE = "%.1f %%"
ADDS_UP = {"ok": ":green[:material/check_circle:]", "mismatch": ":red[:material/error:]"}
REFERENCES = {"cut-off": "Near the cut-off", "everyone": "Everybody"}
ADVICE_COLOURS = {"approve": "green", "decline": "red", "refer": "orange", "insufficient data": "gray"}


def declared() -> Settings:
    """The settings of this installation."""
    return settings.load()


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The workspace, opened once per process; what a crash left behind is put right."""
    opened = stores.open_workspace(declared())
    jobs.recover(opened)
    registry.recover(opened)
    return opened


def user() -> str:
    """Who acts: the name in the sidebar."""
    return str(st.session_state.get("acting_as") or store().settings.people.default)


@contextmanager
def guard() -> Iterator[None]:
    """Show an error of the library as its sentence; everything else is a fault of ours and stays one."""
    try:
        yield
    except CreditRiskError as error:
        st.error(literal(str(error)), icon=":material/error:")


def literal(text: object) -> str:
    """Escape what Markdown would interpret: names and texts come from files."""
    return re.sub(r"([\\`*_{}\[\]<>#$~|:])", r"\\\1", str(text)).replace(" %", "\u00a0%")


@st.cache_data(show_spinner=False, max_entries=200)
def _answer(_ask: Callable[..., Any], name: str, given: str, opened: str, last_write: int) -> Any:  # noqa: ARG001  (they are the key)
    return _ask()


def seen(ask: Callable[..., Any], *given: Any) -> Any:
    """Ask the library once for as long as nothing is written: a rerun that only picks, opens or types reads nothing anew."""
    held = store()
    name, opened = f"{ask.__module__}.{ask.__qualname__}", f"{held.settings.data} {id(held)}"
    return _answer(lambda: ask(held, *given), name, repr(given), opened, workspace.last_write(held))


def of_table() -> bool:
    """Whether applicants are rows of the lender's own table, and no statement stands behind them."""
    return workspace.of_table(store())


# --- the page ---------------------------------------------------------------------------------------------------------


def header(title: str, lead: str) -> None:
    """Begin a page: its name and, in a sentence, what it is for."""
    st.title(title, anchor=False)
    st.markdown(f":gray[{lead}]")


def section(title: str, help: str | None = None) -> None:
    """Begin a part of a page."""
    st.space("xsmall")
    st.subheader(title, anchor=False, help=help)


def link(page: str, label: str, icon: str | None = None, **params: str) -> None:
    """Offer the way to another page, at a certain applicant, model or prediction."""
    st.page_link(HERE / "pages" / f"{page}.py", label=label, icon=f":material/{icon or 'arrow_forward'}:", query_params=params or None)


def go(page: str, **params: str) -> None:
    """Go to another page now."""
    st.switch_page(HERE / "pages" / f"{page}.py", query_params=params or None)


def empty(title: str, what: str, *ways: tuple[str, str], icon: str = "inbox") -> None:
    """Say what is missing and offer the next step: `ways` are (page, label)."""
    with st.container(border=True, horizontal_alignment="center", key=f"empty-{re.sub('[^a-z]+', '-', title.lower())}"):
        st.space("small")
        st.title(f":gray[:material/{icon}:]", anchor=False, width="content")
        st.markdown(f"**{title}**", width="content")
        st.markdown(f":gray[{what}]", width="content", text_alignment="center")
        with st.container(horizontal=True, horizontal_alignment="center"):
            for page, label in ways:
                link(page, label)
        st.space("small")


def banner(sentence: str, *, alarm: bool = False) -> None:
    """Say what a reader must know before believing what follows."""
    (st.error if alarm else st.warning)(sentence, icon=":material/warning:")


def proxy_banner(is_proxy: bool, circularity: str | None = None) -> None:
    """Say once a page that the risk shown was learned from a proxy, and where the model only learns that proxy again."""
    if is_proxy:
        banner(
            "Learned from clusters of applicants, not from repayments. Figures say **risk (proxy)**: agreement with the proxy label, not a "
            f"probability of default. {literal(circularity or '')}"
        )


def known(frame: DataFrame, column: str, kind: str, name: str) -> dict[str, Any]:
    """Return the row an id out of the URL names, None where it holds nothing; refuse an id that nothing has."""
    found = rows(frame[frame[column].astype(str) == name])
    if not found:
        raise UnknownThing(kind, name)
    return {field: None if _missing(value) else value for field, value in found[0].items()}


def risk_word(is_proxy: bool) -> str:
    """What to call the probability."""
    return "risk (proxy)" if is_proxy else "PD"


# --- the address of a page --------------------------------------------------------------------------------------------


def asked(param: str) -> str | None:
    """What the URL asks for."""
    return st.query_params.get(param)


def ask(**params: str | None) -> None:
    """Put the choice into the URL, so that it can be shared, reloaded and opened on another day."""
    for name, value in params.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = value


def pick(
    label: str,
    options: Sequence[str],
    param: str,
    *,
    say: Callable[[str], str] = str,
    help: str | None = None,
    free: bool = False,
    first: bool = False,
    **also: None,
) -> str | None:
    """Let somebody choose one of `options`; the choice lives in the URL, and a URL that names another is kept as it is.

    `first` takes the first option where the URL names none, `free` allows ids beyond the options, and `also` are
    parameters that a choice makes void.
    """
    current = asked(param) or (options[0] if first and options else None)
    shown = list(options) if current is None or current in options else [current, *options]
    key = f"pick-{param}-{current}"

    def choose() -> None:
        ask(**{param: st.session_state[key] or None}, **also)

    return st.selectbox(
        label,
        shown,
        index=shown.index(current) if current is not None else None,
        format_func=say,
        key=key,
        on_change=choose,
        help=help,
        placeholder="Choose or type",
        accept_new_options=free,
    )


# --- frames and figures -----------------------------------------------------------------------------------------------


def rows(frame: DataFrame) -> list[dict[str, Any]]:
    """A frame as records, for a page that walks through a few of them."""
    return frame.to_dict("records")  # type: ignore[return-value]


def table(
    frame: DataFrame | Sequence[Mapping[str, Any]],
    columns: Mapping[str, Any],
    *,
    key: str,
    alt: str,
    opens: str | None = None,
    param: str | None = None,
    height: int | None = None,
    **also: None,
) -> None:
    """Show the named columns of a frame; where `opens` names a column, picking a row puts its value into the URL as `param`."""
    shown = _in_words(frame if isinstance(frame, DataFrame) else DataFrame(list(frame), columns=list(columns)))
    config = {name: column for name, column in columns.items() if name in shown and (shown.empty or _says_something(shown[name]))}
    shares = [name for name, column in config.items() if (column.get("type_config") or {}).get("format") == SHARE]
    shown = shown.assign(**{name: 100 * shown[name].astype(float) for name in shares}) if shares else shown
    options: dict[str, Any] = {
        "hide_index": True,
        "column_config": config,
        "column_order": list(config),
        "alt": alt,
        "key": key,
        "placeholder": "",
    }
    if height or len(shown) > 11:
        options["height"] = height or fitting(len(shown), 12)
    if opens is None:
        st.dataframe(cells.harmless(shown), **options)  # the browser offers what it shows as a CSV file
        return

    def choose() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        ask(**{param or opens: str(shown[opens].iloc[picked[0]]) if picked else None}, **also)

    st.dataframe(cells.harmless(shown), on_select=choose, selection_mode="single-row", **options)


def bullets(texts: Iterable[str], mark: str) -> None:
    """Say a few things, a line each behind its mark; a remark in brackets stays on one line; nothing to say is said, too."""
    whole = (re.sub(r"\([^)]*\)$", lambda remark: remark[0].replace(" ", "\u00a0"), text) for text in texts)
    st.markdown("  \n".join(f"{mark} {literal(text)}" for text in whole) or ":gray[Nothing.]")


def _in_words(frame: DataFrame) -> DataFrame:
    """Put words in the place of codes."""
    known = {name: words for name, words in WORDS.items() if name in frame}
    return frame.assign(**{name: frame[name].map(words).fillna(frame[name]) for name, words in known.items()}) if known else frame


def problems(found: Sequence[Mapping[str, Any]], most: int = 30) -> None:
    """Show what is wrong with a file, by line, in whole sentences."""
    shown = [
        {
            "Line": "–" if problem["line"] is None else str(problem["line"]),
            "Column": literal(problem["column"] or "–"),
            "Value": literal(problem["value"] or "–"),
            "What is wrong": literal(problem["message"]),
        }
        for problem in found[:most]
    ]
    st.table(shown, border="horizontal", hide_index=True, alt="Problems by line")
    if len(found) > most:
        st.caption(f"{count(len(found) - most)} more.")


def _says_something(column: Series) -> bool:
    return bool((column.notna() & (column.astype(str) != "")).any())


def story(events: Iterable[tuple[Any, str, str]]) -> None:
    """Tell what happened, a line each: when, who, what."""
    lines = [f":gray[{instant(when)}] &nbsp; **{literal(who)}** {literal(what)}" for when, who, what in events]
    st.markdown("  \n".join(lines))


def figure(drawn: Any, *, key: str, help: str | None = None, param: str | None = None) -> None:
    """Show a figure under its title as text of the page; where `param` is given, clicking a mark puts its custom data into the URL."""
    title = drawn.layout.title.text or ""
    drawn.update_layout(title=None)
    if title:
        st.markdown(f"**{literal(title)}**", help=help)
    options: dict[str, Any] = {"config": {"displayModeBar": False, "scrollZoom": False}, "key": key, "alt": title or "empty chart"}
    if param is None:
        st.plotly_chart(drawn, **options)
        return

    def choose() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata"):
            clicked = str(points[0]["customdata"])
            ask(**{param: None if clicked == asked(param) else clicked})  # a second click lets go

    st.plotly_chart(drawn, on_select=choose, selection_mode="points", **options)


def figures(*items: tuple[str, str, str] | tuple[str, str, str, str]) -> None:
    """Show a row of key figures: (name, value, what it means, and what to say below it)."""
    with st.grid(len(items), min_column_width=130, gap="small"):
        for name, value, meaning, *below in items:
            st.metric(name, value, *below, delta_color="off", delta_arrow="off", help=meaning, border=True, height="stretch")


def checks(gates: Sequence[Mapping[str, Any]]) -> None:
    """Show quality gates: passed or not, what was found, what is asked, and the sentence."""
    st.table(
        [
            {
                "": ":green[:material/check_circle:]" if gate["passed"] else ":red[:material/cancel:]",
                "Check": f"**{literal(gate_name(gate))}**",
                "Found": gate_figure(gate, "value"),
                "Asked": literal(gate_asks(gate)),
                "In words": f":gray[{literal(gate['sentence'])}]",
            }
            for gate in gates
        ],
        border="horizontal",
        hide_index=True,
        alt="Quality checks",
    )


def gate_name(gate: Mapping[str, Any]) -> str:
    """What a quality check is called on a page."""
    return GATES.get(gate["name"], (gate["name"], ""))[0]


def gate_asks(gate: Mapping[str, Any]) -> str:
    """What a quality check asks for: '≥ 0.75'."""
    return f"{GATES.get(gate['name'], ('', ''))[1]} {gate_figure(gate, 'threshold')}".strip()


def gate_figure(gate: Mapping[str, Any], part: str) -> str:
    """A figure of a quality check: counts whole, all else with two decimals."""
    return count(gate[part]) if gate["name"] in ("outcomes", "bad outcomes") else plain(gate[part], 2)


def facts(pairs: Mapping[str, object], alt: str) -> None:
    """Show a short list of facts; values are literal, and a fact with parts says them one after the other."""
    st.table(
        {said(name).replace(" ", "\u00a0"): literal(said(value)) for name, value in pairs.items() if value not in (None, "", [], {})},
        border="horizontal",
        alt=alt,
    )


def badge(text: str, colours: Mapping[str, str]) -> str:
    """A word with its colour, inside Markdown."""
    return f":{colours.get(text, 'gray')}-badge[{literal(text)}]"


def said(value: object) -> str:
    """A value of a declaration as people read it: 'date_format' → 'date format', a tab as its name, lists with commas."""
    if isinstance(value, Mapping):
        parts = {said(part) for part in value.values()}
        if len(value) > 1 and len(parts) == 1:
            return parts.pop()
        return "; ".join(f"{said(name)}: {said(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(said(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    for code, words in (("%d", "DD"), ("%m", "MM"), ("%Y", "YYYY"), ("%y", "YY"), ("%b", "MMM")):
        text = text.replace(code, words)
    return {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar", ".": "point"}.get(text, text.replace("_", " "))


def preview(reading: Any, n: int = 50) -> DataFrame:
    """The first lines of a file as they were read."""
    return reading.rows.slice(0, n).to_pandas()


# --- statement files before they are stored ---------------------------------------------------------------------------


@dataclass
class Upload:
    """A file in the box: what was answered about it, and how it reads."""

    id: str
    reading: ingest.Reading
    told: dict[str, Any]
    stored_as: int | None = None
    twin: str | None = None  # the name of the same file earlier in the box

    @property
    def state(self) -> str:
        """What an analyst has to know first: one of STATES."""
        if self.twin is not None:
            return "twice"
        if self.reading.status == "rejected":
            return "asks" if self.reading.questions else "rejected"
        return "stored already" if self.stored_as else self.reading.status

    @property
    def note(self) -> str:
        """What to know about it, in a line."""
        messages = [problem.message.removeprefix(self.reading.file).lstrip(":, ") for problem in self.reading.problems]
        if self.twin is not None:
            return f"The same file as {self.twin}."
        if self.state == "asks":
            return self.reading.questions[0].asks
        if self.state == "stored already":
            return f"It is statement {self.stored_as}."
        if self.reading.questions:
            return f"{self.reading.questions[0].asks} Open it to answer; unanswered, it is stored as it is read now."
        if messages:
            return sentence(messages[0]) + (f" And {len(messages) - 1} more." if len(messages) > 1 else "")
        known = self.reading.dialect.get("profile")
        return f"Read with the bank profile {known}." if known else ""


def uploads(files: Sequence[Any], profile: str | None) -> list[Upload]:
    """Read the files in the box one by one, each once; a press of Stop keeps what is read and leaves the rest."""
    state = st.session_state
    told: dict[str, Any] = state.setdefault("told", {})
    keys = {file.file_id: (file.file_id, profile, repr(told.get(file.file_id, {}).get("declares"))) for file in files}
    state["read"] = done = {key: found for key, found in state.get("read", {}).items() if key in keys.values()}
    waiting = [file for file in files if keys[file.file_id] not in done]
    if not waiting:
        state.pop("halt", None)
    if waiting and not state.get("halt"):
        notices, place = st.container(), st.empty()
        with place.container():
            bar = st.progress(0.0)
            if len(waiting) > 1:
                st.button("Stop reading", icon=":material/stop_circle:", key="stop-reading", on_click=state.update, args=({"halt": True},))
            for number, file in enumerate(waiting):
                bar.progress(number / len(waiting), text=f"Reading {number + 1} of {len(waiting)}: {literal(file.name)}")
                given = told.get(file.file_id, {}).get("declares")
                with notices, guard():  # a broken bank profile hinders the files that need one, and no other
                    done[keys[file.file_id]] = ingest.read(
                        file.name, file.getvalue(), profile=profile, answers=given, settings=store().settings
                    )
        place.empty()
    left = [file.name for file in files if keys[file.file_id] not in done]
    if left and state.get("halt"):
        one, two = st.columns([4, 1], vertical_alignment="center")
        one.warning(f"Stopped: {plural(len(left), 'file')} not read yet, {literal(left[0])} first.", icon=":material/stop_circle:")
        two.button("Read the rest", key="go-on", on_click=state.update, args=({"halt": False},), width="stretch")
    found = [(file.file_id, done[keys[file.file_id]]) for file in files if keys[file.file_id] in done]
    stored = ingest.stored(store(), [reading for _, reading in found])
    firsts: dict[str, str] = {}
    twins = [firsts.get(reading.sha256) or firsts.update({reading.sha256: reading.file}) for _, reading in found]
    return [
        Upload(name, reading, told.get(name, {}), stored.get(reading.sha256), twin)
        for (name, reading), twin in zip(found, twins, strict=True)
    ]


def ways(upload: Upload) -> list[answers.Way]:
    """The ways a file can be read, computed once."""
    question = upload.reading.questions[0]
    key = (upload.id, upload.reading.profile, repr(upload.reading.answers), question.key)
    kept: dict[Any, list[answers.Way]] = st.session_state.setdefault("ways", {})
    if key not in kept:
        with st.spinner("Reading it each way …"):
            kept.clear()
            kept[key] = answers.ways(upload.reading, question, settings=store().settings)
    return kept[key]


def tell(upload: Upload, declares: Mapping[str, Any], label: str) -> None:
    """Note an answer; the file is read again with it at once."""
    question = upload.reading.questions[0]
    told = upload.told or {"declares": {}, "headings": question.headings, "said": []}
    declares_ = {**told["declares"], **declares}
    st.session_state["told"][upload.id] = {**told, "declares": declares_, "said": [*told["said"], (question.asks, label)]}
    ask(file=upload.id)


def untell(upload: Upload) -> None:
    """Take back what was answered about a file."""
    st.session_state["told"].pop(upload.id, None)


def forget_open() -> None:
    """Have files that ask read again, because there is a new bank profile."""
    state = st.session_state
    state["read"] = {key: found for key, found in state.get("read", {}).items() if not found.questions}
    state.pop("ways", None)


def first_rows(found: Sequence[Mapping[str, Any]], alt: str) -> None:
    """Show a few rows as they would be read, the month in words so that it cannot be mistaken."""
    shown = [{FIRST_ROWS[name]: literal(said_cell(name, value)) for name, value in row.items()} for row in found]
    st.table(shown, border="horizontal", hide_index=True, alt=alt)


FIRST_ROWS = {"line": "Line", "booked_on": "Booked\u00a0on", "text": "Text", "amount": "Amount", "balance": "Balance"}


def said_cell(name: str, value: Any) -> str:
    """A value of a movement as text."""
    if name == "booked_on":
        return day(value).replace(" ", "\u00a0")
    if name in ("amount", "balance"):
        return "" if value is None else money(value)
    return str(value) if len(str(value)) <= 24 else f"{str(value)[:22].strip()}…"


def file_table(found: Sequence[Upload], key: str) -> None:
    """Show many files in a table, those that need somebody first; picking one opens it."""
    ranks = {state: place for place, state in enumerate(STATES)}
    shown = DataFrame(
        [
            {
                "id": one.id,
                "file": one.reading.file,
                "state": one.state,
                "note": one.note,
                "n": one.reading.n_transactions or None,
                "sum": float(one.reading.sum_amount) if one.reading.n_transactions else None,
                "currency": one.reading.currency,
                "reconciliation": one.reading.reconciliation if one.reading.n_transactions else None,
                "first_on": ingest.covered(one.reading)[0],
                "last_on": ingest.covered(one.reading)[1],
            }
            for one in sorted(found, key=lambda one: ranks[one.state])
        ]
    )
    columns = {
        "file": text_column("File", width=165, pinned=True),
        "state": text_column("State", "accepted; warned: something is doubtful; asks: it can be read more than one way; rejected", 75),
        "note": text_column("What to know", width=320),
        "n": number_column("Rows", "Booked transactions found", "localized", 50),
        "sum": money_column("Sum", width=95),
        "reconciliation": text_column("Balances", "Whether opening balance plus transactions is the closing balance", 100),
        "currency": text_column("Currency", width=70),
        "first_on": day_column("From", width=90),
        "last_on": day_column("To", width=90),
    }
    table(shown, columns, key=key, alt="Files and what they hold", opens="id", param="file", height=fitting(len(shown), 15))


STATES = ("asks", "rejected", "warned", "accepted", "stored already", "twice")


def state_line(found: Sequence[Upload]) -> None:
    """Say in a line how many files there are in each state."""
    counts = [(state, sum(one.state == state for one in found)) for state in STATES]
    said_ = {"asks": "to answer", "twice": "chosen twice"}
    st.markdown("  ".join(f":{STATE_COLOURS[state]}-badge[{n} {said_.get(state, state)}]" for state, n in counts if n))


def left_out(found: Sequence[Upload]) -> str:
    """Say which files are not stored, and why."""
    counts = {state: sum(one.state == state for one in found) for state in STATES}
    why = {
        "asks": "with an open question",
        "rejected": "that cannot be read",
        "stored already": "that the workspace has",
        "twice": "chosen twice",
    }
    said = [f"{plural(counts[state], 'file')} {words}" for state, words in why.items() if counts[state]]
    return f"Not stored: {'; '.join(said)}." if said else ""


def way_note(way: answers.Way) -> str:
    """What one way of reading a file makes of the whole of it."""
    reading = way.reading
    if reading.status == "rejected" and not reading.questions:
        return f"Read this way it is refused: {reading.problems[0].message}"
    if way.asks:
        return f"Then there is one more question: {way.asks}"
    first, last = ingest.covered(reading)
    checked = {"ok": "; the balances add up", "mismatch": "; the balances do not add up", "not stated": ""}[reading.reconciliation]
    return (
        f"{plural(reading.n_transactions, 'row')}, {day(first)} to {day(last)}, sum {money(reading.sum_amount, reading.currency)}{checked}"
    )


def column_names(question: Any) -> list[str]:
    """What the columns of a file are called whose headings say nothing."""
    width = max(map(len, question.sample))
    headings = [*question.headings, *[""] * width][:width]
    named = [name if name and headings.count(name) == 1 else f"{name or 'Column'} {place}" for place, name in enumerate(headings, 1)]
    return named if len(set(named)) == width else [f"Column {place}" for place in range(1, width + 1)]


def outcomes(has_files: bool) -> None:
    """Say what became of the files that were stored last, until the next are chosen."""
    record = st.session_state.get("outcomes")
    if not record or not record["saved"] or (has_files and record["batch"] != st.session_state.get("batch", 0)):
        return
    saved, refused = record["saved"], record["refused"]
    n_new, n_known = sum(one.n_new for one in saved), sum(one.n_duplicate for one in saved)
    what = literal(saved[0].reading.file) if len(saved) == 1 else f"{len(saved)} files"
    again = f", {n_known:,} were known already" if n_known else ""
    but = f" {plural(len(refused), 'file was', 'files were')} refused." if refused else ""
    st.success(f"{what}: {n_new:,} new transactions stored{again}.{but}", icon=":material/check_circle:")
    if len(saved) + len(refused) > 1:
        shown = [
            {"file": one.reading.file, "outcome": f"statement {one.statement_id}", "new": one.n_new, "known": one.n_duplicate}
            for one in saved
        ]
        shown += [{"file": one.reading.file, "outcome": f"refused: {one.note}", "new": None, "known": None} for one in refused]
        columns = {
            "file": text_column("File", width="medium"),
            "outcome": text_column("Outcome", "The statement it became, or why it was refused", "large"),
            "new": number_column("New", "Transactions the workspace did not have", width=60),
            "known": number_column("Known already", "Transactions it had, from this or another file", width=110),
        }
        with st.expander("File by file"):
            table(shown, columns, key="outcomes-by-file", alt="What became of each file", height=fitting(len(shown), 10))


# --- numbers ----------------------------------------------------------------------------------------------------------


def count(value: object) -> str:
    """12345 → '12,345'; nothing → '0'."""
    return f"{int(value or 0):,}"  # type: ignore[call-overload]


def money(value: object, currency: str | None = None) -> str:
    """1234.5 → '1,234.50 EUR'."""
    return "not stated" if _missing(value) else f"{value:,.2f}{f' {currency}' if currency else ''}".replace("-", "−")


def percent(value: object, digits: int = 1) -> str:
    """0.123 → '12.3 %'."""
    if _missing(value):
        return "not known"
    share, least = 100 * float(value), 10.0**-digits  # type: ignore[arg-type]
    return f"under {least:g} %" if 0 < share < least / 2 else f"{share:.{digits}f} %"


def plain(value: object, digits: int = 3) -> str:
    """0.8123 → '0.812', also where the figure comes with its interval."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return "–" if _missing(value) else f"{value:.{digits}f}"


def span(metrics: Mapping[str, Any], name: str) -> str:
    """The interval of a figure whose ends stand beside it."""
    return interval({"low": metrics.get(f"{name}_low"), "high": metrics.get(f"{name}_high")})


def number(text: str) -> int:
    """A number out of a URL; anything else is an id nobody has."""
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def fitting(n: int, most: int) -> int:
    """The height of a table of `n` rows that shows at most `most` of them."""
    return 33 * (min(n, most) + 1) + 3


def day(value: object) -> str:
    """A date as '3 Mar 2026'."""
    return "not known" if _missing(value) else f"{value.day} {value:%b %Y}"  # type: ignore[attr-defined]


def plural(n: object, one: str, many: str = "") -> str:
    """'1 statement', '2 statements'."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def instant(value: object) -> str:
    """A UTC instant as '3 Mar 2026, 14:05 UTC'."""
    return "not known" if _missing(value) else f"{day(value)}, {value:%H:%M} UTC"


def interval(value: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The interval of a figure: '0.774 to 0.846'."""
    known = value and not _missing(value.get("low"))
    return f"{value['low']:.{digits}f} to {value['high']:.{digits}f}" if known else "no interval"  # type: ignore[index]


def _missing(value: object) -> bool:
    return value is None or value != value  # noqa: PLR0124  (NaN and NaT differ from themselves)


# --- columns of tables ------------------------------------------------------------------------------------------------


def text_column(label: str, help: str | None = None, width: Any = None, pinned: bool | None = None) -> Any:
    """A column of words."""
    return st.column_config.TextColumn(label, help=help, width=width, pinned=pinned)


def number_column(label: str, help: str | None = None, format: str = "localized", width: Any = None) -> Any:
    """A column of numbers."""
    return st.column_config.NumberColumn(label, help=help, format=format, width=width)


def money_column(label: str, help: str | None = None, width: Any = None) -> Any:
    """A column of amounts, two decimals."""
    return st.column_config.NumberColumn(label, help=help, format="%,.2f", width=width)


def share_column(label: str, help: str | None = None, width: Any = None) -> Any:
    """A column of fractions, shown in per cent with one decimal; `table` multiplies them."""
    return st.column_config.NumberColumn(label, help=help, format=SHARE, width=width)


def day_column(label: str, help: str | None = None, width: Any = None) -> Any:
    """A column of dates."""
    return st.column_config.DateColumn(label, help=help, format="D MMM YYYY", width=width)


def instant_column(label: str, help: str | None = None, width: Any = None) -> Any:
    """A column of UTC instants."""
    return st.column_config.DatetimeColumn(label, help=help, format="D MMM YYYY, HH:mm", width=width)


def score_column(label: str = "Score") -> Any:
    """A column of scores as bars on the 300–900 axis."""
    return st.column_config.ProgressColumn(
        label, help="Points from 300 (highest risk) to 900 (lowest).", min_value=300, max_value=900, format="%d"
    )


WORDS = {
    "algorithm": charts.ALGORITHMS,
    "category": {code: conduct.name_of(kind) for code, kind in categories.taxonomy().items()},
    "direction": {"in": "comes in", "out": "goes out"},
    "label_source": {"cluster": "clusters (proxy)", "observed": "observed outcomes", "review": "verdicts", "rfm": "RFM (proxy)"},
    "reconciliation": {"ok": "adds up", "mismatch": "does not add up", "not stated": "none to check"},
    "about": {"decision": "recommendation"},
}
MOVES = {
    "booked_on": day_column("Booked on"),
    "text": text_column("Text", "As the bank wrote it", 270),
    "amount": money_column("Amount", "Money in is positive"),
    "balance": money_column("Balance", "After this transaction, as the bank printed it"),
    "category": text_column("Category", "What the text, the code and the direction were taken for", 150),
    "account": text_column("Account"),
    "file_name": text_column("File", "The statement it came from"),
    "line": number_column("Line", "The line of that file", "%d", 54),
}
LINES = {"line": MOVES["line"], **MOVES, "printed": text_column("As it stood in the file", width="large")}


# --- how an account was run: one picture for a file and for an applicant ----------------------------------------------


def reconciled(account: Mapping[str, Any]) -> str:
    """How the balances of an account in a file follow from its amounts, in words."""
    currency, off = account["currency"] or None, account["off"]
    total = f"{'+' if account['sum_amount'] >= 0 else ''}{money(account['sum_amount'], currency)}"
    if account["reconciliation"] == "not stated":
        return f"The transactions add up to {total}. The file does not state both balances, so nothing checks that sum."
    if off is None:
        return f"The transactions add up to {total}, and the balances printed beside them do not follow."
    way = f"Opening {money(account['opening'], currency)}, transactions {total}"
    closing = money(account["closing"], currency)
    if off:
        reached = money(account["opening"] + account["sum_amount"], currency)
        how = f"{money(abs(off), currency)} {'more' if off > 0 else 'less'}"
        return f"{way}: that makes {reached}, but the file says {closing}, which is {how}."
    if account["reconciliation"] == "mismatch":
        return f"{way}, closing {closing}: the ends agree, but balances printed in between do not follow."
    return f"{way}, closing {closing}: it adds up."


def statement_facts(held: Mapping[str, Any]) -> None:
    """Say what is held of a stored file: whose, which days, who stored it, whether it adds up, how it was read."""
    accounts = held["accounts"]
    owners, numbers = ([*dict.fromkeys(row[name] for row in accounts if row[name])] for name in ("applicant_id", "account"))
    first, last = min(row["first_on"] for row in accounts), max(row["last_on"] for row in accounts)
    known = f", of which {count(held['n_duplicate'])} were known already from other files" if held["n_duplicate"] else ""
    about, adds_up = st.columns([2, 3], gap="large")
    with about:
        said = {
            "Applicant": _some(owners),
            "Account": _some(numbers) or "no number in the file",
            "Days": f"{day(first)} to {day(last)} ({plural((last - first).days + 1, 'day')})",
            "Transactions": f"{count(held['n_transactions'])}{known}",
            "Stored": f"{instant(held['stored_at'])} by {held['stored_by']}",
        }
        facts(said, alt="What is held of this file")
    with adds_up:
        for row in accounts[:4]:
            whose = f"**{literal(row['account'] or 'No number')} {row['currency']}** " if len(accounts) > 1 else ""
            mark = ADDS_UP.get(row["reconciliation"], ":gray[:material/help:]")
            st.markdown(f"{mark} {whose}{literal(reconciled(row))}")
        if len(accounts) > 4:
            st.caption(f"{plural(len(accounts) - 4, 'account')} more.")
        remarks = f", {plural(len(held['problems']), 'remark')}" if held["problems"] else ""
        with st.expander(f"How it was read: {literal(held['format'].upper())}{remarks}", icon=":material/manage_search:"):
            facts(held["dialect"], alt="How the file was read")
            if held["problems"]:
                problems(held["problems"])


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def pick_scope(scopes: Sequence[conduct.Scope]) -> conduct.Scope:
    """Let somebody choose the accounts that are looked at, where there are several; the URL names the choice."""
    known = {scope.key: scope for scope in scopes}
    if len(known) == 1:
        return scopes[0]
    with st.columns([2, 3])[0]:
        help = "Which accounts the pictures show. Accounts in different currencies are never added up."
        chosen = pick("Accounts", list(known), "account", say=lambda key: known[key].title if key in known else key, first=True, help=help)
    if chosen not in known:
        raise UnknownThing("account here", str(chosen), "Choose one of the list.")
    return known[str(chosen)]


def pictures(found: conduct.Conduct) -> None:
    """Show how the accounts were run: days covered, balance, money by month and category, and what is not categorised."""
    currency, key = found.scope.currency, found.scope.key
    gaps = found.stretches[found.stretches["kind"] == "gap"]
    figure(
        charts.coverage(found.stretches, conduct.months_covered(found.stretches)),
        key=f"coverage-{key}",
        help="From the first to the last transaction of each file. Files a month apart or less are taken to follow one another; "
        "beyond that it is a gap. Features leave out the days that no account covers.",
    )
    figure(
        charts.balance(found.balances, currency, events=found.events, breaks=found.breaks, gaps=gaps),
        key=f"balance-{key}",
        help="At the end of each day: the opening balance a file states, and everything booked since. The line stops where no file covers "
        "an account.",
    )
    left_out = len(found.scope.account_ids) - int(found.balances["n_accounts"].max() if len(found.balances) else 0)
    if len(found.balances) and left_out:
        st.caption(f"{plural(left_out, 'account')} left out: no file states a balance.")
    figure(
        charts.flows(found.months, currency, gaps, asked("category") or None),
        key=f"flows-{key}",
        param="category",
        help="Each calendar month: what came in above the line, what went out below it, the diamond what was left over. Click a part for "
        "its transactions, a name to hide it. The first and the last month may be incomplete.",
    )
    largest, unknown = st.columns(2, gap="large")
    with largest:
        help = "Sums over all the days shown, in and out alike. Click a bar for its transactions."
        figure(charts.spending(found.mix, currency, chosen=asked("category") or None), key=f"mix-{key}", param="category", help=help)
    with unknown:
        uncategorised(found)


def uncategorised(found: conduct.Conduct) -> None:
    """Show what share nobody could name, and whom a correction would pay off on most."""
    shares, most = found.unknown_shares, store().settings.policy.max_uncategorised_share
    figure(
        charts.unknown(found.unknown, shares["recent"], most),
        key=f"unknown-{found.scope.key}",
        help="By month, of the money in and out. The policy looks at the last 90 days: above the dotted line a person decides.",
    )
    if found.merchants.empty:
        st.markdown(":green[:material/check_circle:] Every transaction has a category.")
        return
    st.caption(
        f"{percent(shares['amount'])} of all the money and {percent(shares['rows'])} of the transactions "
        f"({count(shares['n_unknown'])} of {count(shares['n'])}). Pick a row for its transactions."
    )
    columns = {
        "words": text_column("Not categorised", "The words of the text, without dates and references"),
        "amount": money_column("Amount", "Money in is positive", 80),
        "share": share_column("Share", "Of all the money moved", 60),
        "n": number_column("Times", width=54),
    }
    key = f"merchants-{found.scope.key}"
    alt = "The largest sums that are not categorised"
    table(found.merchants, columns, key=key, alt=alt, opens="words", param="words", height=fitting(len(found.merchants), 6), category=None)


def streams(frame: DataFrame, currency: str | None, key: str = "streams") -> None:
    """Show what comes and goes on a rhythm: a frame of `features.streams`."""
    shown = conduct.named(frame)
    help = "At least three payments of a kind, at like distances and of like size. A ring stands where the next one is expected."
    figure(charts.streams(shown, currency), key=key, help=help)
    columns = {
        "name": text_column("Stream", width=195, pinned=True),
        "category": text_column("Category", width=100),
        "direction": text_column("Direction", width=76),
        "cadence": text_column("Rhythm", width=84),
        "amount": money_column("Amount", "What it usually is", 76),
        "n": number_column("Times", width=54),
        "last_on": day_column("Last", width=88),
        "next_on": day_column("Next", "When the next one is expected", 88),
        "state": text_column("State", "Early: two or three so far. Ended: overdue by more than its rhythm allows.", 66),
        "regularity": share_column("Even", "How evenly it comes: 100 % is like clockwork", 60),
    }
    if len(shown):
        table(shown, columns, key=f"{key}-table", alt="Recurring streams", height=fitting(len(shown), 8))


def movements(found: conduct.Conduct, key: str, *, name: str, show: Callable[..., None] = table) -> None:
    """Show the transactions looked at, by category and words; both live in the URL.

    `show` draws the table as `table` does; `name` is that of the file to download.
    """
    _movements(found, key, name, show, asked("category"))


@st.fragment
def _movements(found: conduct.Conduct, key: str, name: str, show: Callable[..., None], drawn: str | None) -> None:
    """Redraw the table alone when words are typed; another category than the pictures were `drawn` for redraws them, too."""
    scope, category, words = found.scope, asked("category"), asked("words")
    if category != drawn:
        st.rerun()
    # The one chosen goes without its number: the browser would keep the number of before a change.
    sizes = {row["category"]: row["title"] + ("" if row["category"] == category else f" ({count(row['n'])})") for row in rows(found.mix)}
    typed, only = f"{key}-words", f"{key}-unknown"
    st.session_state.update({typed: words or "", only: category == categories.UNKNOWN})  # the URL knows better than what a widget remembers
    one, two, three, four = st.columns([3, 3, 2.2, 1.6], vertical_alignment="bottom")
    with one:
        say = {"": "All categories", **sizes}
        pick("Category", list(say), "category", say=lambda code: say.get(code, WORDS["category"].get(code, code)), first=True)
    with two:
        st.text_input(
            "Words",
            key=typed,
            placeholder="words of the text",
            icon=":material/search:",
            on_change=lambda: ask(words=st.session_state[typed].strip() or None),
        )
    with three:
        st.toggle(
            "Not categorised only",
            key=only,
            on_change=lambda: ask(category=categories.UNKNOWN if st.session_state[only] else None),
        )
    shown = conduct.chosen(found.movements, category, words)
    with four:
        st.download_button(
            "Download",
            lambda: conduct.to_csv(shown),
            file_name=f"{name}-transactions.csv",
            mime="text/csv",
            icon=":material/download:",
            help="These rows as CSV. A text that a spreadsheet would calculate begins with an apostrophe.",
            on_click="ignore",
            width="stretch",
            key=f"{key}-download",
            disabled=shown.empty,
        )
    if shown.empty:
        if show is not table:
            show(shown, {}, key=key, alt="Transactions")  # a change may have emptied the list, and what it did is still to be said
        which = " with these words" if words else ""
        st.info(f"No transaction{which}{' in this category' if category else ''}.", icon=":material/search_off:")
        return
    columns = MOVES if scope.statement_id is None else LINES
    same = {column for column in ("file_name", "account") if shown[column].nunique() == 1}
    columns = {column: how for column, how in columns.items() if column not in same}
    show(shown, columns, key=key, alt="Transactions", height=fitting(len(shown), 10))
    filtered = "" if not (category or words) else " with these words" if words else " of this category"
    st.caption(f"{plural(len(shown), 'transaction')}{filtered}, {money(shown['amount'].sum(), scope.currency)} together.")
    if len(found.movements) == conduct.MOST_LISTED:
        st.caption(f"Only {count(conduct.MOST_LISTED)} of them are listed here; the pictures show all.")


# --- what several pages offer -----------------------------------------------------------------------------------------


def champion() -> dict[str, Any] | None:
    """The model that scores."""
    return registry.champion(store())


def algorithm(name: str) -> str:
    """An algorithm's name as people write it."""
    return charts.ALGORITHMS.get(name, name)


def today() -> date:
    """The present day."""
    return stores.now().date()


@st.cache_data(show_spinner=False, max_entries=256)
def steps(_store: Store, prediction_id: str, top: int = 9) -> DataFrame:
    """The parts of a kept prediction; it never changes, so neither do they."""
    return scoring.waterfall(_store, scoring.get(_store, prediction_id), top)


@st.cache_data(show_spinner=False, max_entries=256)
def supports(_store: Store, prediction_id: str) -> list[dict[str, Any]]:
    """What speaks for the applicant of a kept prediction."""
    return scoring.supports(_store, scoring.get(_store, prediction_id))


@st.cache_data(show_spinner="Drawing the test set …", max_entries=64)
def curves(_store: Store, model_id: str, digest: str) -> dict[str, DataFrame]:  # noqa: ARG001  (the digest is the key)
    """What a model's page draws; a model never changes."""
    return training.curves(_store, model_id)


def waterfall(prediction: scoring.Prediction, top: int = 9) -> Any:
    """The way from the reference to this score, in points; in log-odds where points do not add up (the linear scale)."""
    parts = steps(store(), prediction.prediction_id, top)
    scale = settings.Score(**prediction.scale)
    baseline = REFERENCES[prediction.baseline]
    if scale.scale == "linear":
        return charts.waterfall(parts, prediction.base, prediction.margin, unit="contribution", start_name=baseline)
    start, end = (scorecard.offset(scale) + scorecard.points(margin, scale) for margin in (prediction.base, prediction.margin))
    return charts.waterfall(parts, start, end, start_name=baseline)


def cutoff(prediction: scoring.Prediction) -> float:
    """The cut-off of the policy a prediction was made under, in points of its scale."""
    limit = scorecard.cost_cutoff(prediction.policy["margin"], prediction.policy["lgd"])
    return float(scorecard.score(limit, settings.Score(**prediction.scale)))


def sentence(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def person_name(person: Mapping[str, Any]) -> str:
    """'A0001 · Ann Example', or the id alone where no name is known."""
    name = person.get("name")
    return str(person["applicant_id"]) if _missing(name) else f"{person['applicant_id']} · {name}"


def known_until(person: Mapping[str, Any]) -> date:
    """The day up to which an applicant is looked at before features exist: that of the application, else after the last transaction."""
    if not _missing(person["applied_on"]):
        return person["applied_on"]
    return today() if _missing(person["last_on"]) else person["last_on"] + timedelta(days=1)


def circumstances(person: Mapping[str, Any]) -> str:
    """What an applicant asked for and what is held of them, in two sentences."""
    if not person["n_statements"] and of_table() and _missing(person["applied_on"]):
        return "A row of the lender's own table."
    asked = "No application is recorded."
    if not _missing(person["applied_on"]):
        asked = (
            f"Asked for {money(person['amount'], person['currency'])} over {person['term_months']} months on {day(person['applied_on'])}."
        )
    return f"{asked} {plural(person['n_transactions'], 'transaction')} in {plural(person['n_statements'], 'statement')}."


def pick_applicant(help: str, *, free: bool = True) -> str | None:
    """Let somebody choose an applicant; the URL names the choice, and any id may be typed."""
    found = rows(seen(applicants.people, "", 500))
    current = asked("applicant")
    if current and current not in {row["applicant_id"] for row in found}:
        found += [row for row in rows(applicants.people(store(), search=current, limit=20)) if row["applicant_id"] == current]
    known = {row["applicant_id"]: person_name(row) for row in found}
    return pick(
        "Applicant", list(known), "applicant", say=lambda name: known.get(name, name), help=help, free=free, prediction=None, feature=None
    )


def training_choices(key: str, *, wide: bool = False) -> training.Config | None:
    """Ask what to train on: label set, algorithms, split; None where there is nothing to train on yet."""
    sets = {row["label_set_id"]: row for row in rows(labels.sets(store()))}
    if not sets:
        st.info("Training learns from labels, and there is no label set yet.", icon=":material/label:")
        link("labels", "Make a label set", "new_label")
        return None
    learners, parts = list(training.CANDIDATES), {"random": "Random", "time": "Newest"}
    one, two, three = st.columns([2.1, 2.5, 1.5], gap="medium") if wide else [st.container() for _ in range(3)]
    label_set_id = one.selectbox(
        "Labels",
        list(sets),
        format_func=lambda name: said_set(sets[name]),
        key=f"{key}-labels",
        help="What good and bad mean in this run. The newest set comes first.",
    )
    chosen = two.pills(
        "Algorithms",
        learners,
        selection_mode="multi",
        default=learners,
        format_func=algorithm,
        key=f"{key}-algorithms",
        help="The plain risk index and a constant are always trained beside them: a model has to beat both.",
        wrap=True,
    )
    split = three.segmented_control(
        "Test applicants",
        list(parts),
        default="random",
        required=True,
        format_func=parts.get,
        key=f"{key}-split",
        help="Which applicants are kept away from training to measure it: a stratified random quarter, or those who applied last.",
    )
    if not chosen:
        st.info("Choose at least one algorithm.", icon=":material/touch_app:")
        return None
    return replace(training.defaults(store()), algorithms=tuple(chosen), label_set_id=label_set_id, split=split)


def said_set(row: Mapping[str, Any]) -> str:
    """A label set in a line: 'L0001 · K-Means, 3 clusters · 16 % risky'."""
    clusters = "" if _missing(row["k"]) else f", {int(row['k'])} clusters"
    return f"{row['label_set_id']} · {METHODS.get(row['method'], row['method'])}{clusters} · {percent(row['share_risky'], 0)} risky"


def job_progress(job: Mapping[str, Any], key: str) -> None:
    """Show a job under way, with the button that stops it."""
    st.progress(min(max(float(job["progress"]), 0.0), 1.0), text=f"**Training** {job['job_id']}: {literal(job['message'] or job['state'])}")
    if st.button("Stop training", icon=":material/stop_circle:", key=f"{key}-stop", width="stretch"):
        with guard():
            jobs.stop(store(), job["job_id"], user=user())


def job_ended(job_id: str | None) -> None:
    """Say how the job this person followed has ended, until they look at what came of it."""
    if job_id is None or asked("job") == job_id:
        st.session_state.pop("job_id", None)
        return
    job = jobs.get(store(), job_id)
    if job["state"] == "done":
        st.success(f"Training {job_id} is done.", icon=":material/check_circle:")
        link("training", "See the leaderboard", "leaderboard", job=job_id)
    elif job["state"] != "running":
        st.warning(f"Training {job_id}: {literal(job['message'] or job['state'])}.", icon=":material/stop_circle:")
