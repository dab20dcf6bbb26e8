"""Statement files before they are stored: what is in the box, how it reads, what is asked about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import (
    answers,
    ingest,
)


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
            return ui.sentence(messages[0]) + (f" And {len(messages) - 1} more." if len(messages) > 1 else "")
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
                bar.progress(number / len(waiting), text=f"Reading {number + 1} of {len(waiting)}: {ui.literal(file.name)}")
                given = told.get(file.file_id, {}).get("declares")
                with notices, ui.guard():  # a broken bank profile hinders the files that need one, and no other
                    done[keys[file.file_id]] = ingest.read(
                        file.name, file.getvalue(), profile=profile, answers=given, settings=ui.store().settings
                    )
        place.empty()
    left = [file.name for file in files if keys[file.file_id] not in done]
    if left and state.get("halt"):
        one, two = st.columns([4, 1], vertical_alignment="center")
        one.warning(f"Stopped: {ui.plural(len(left), 'file')} not read yet, {ui.literal(left[0])} first.", icon=":material/stop_circle:")
        two.button("Read the rest", key="go-on", on_click=state.update, args=({"halt": False},), width="stretch")
    found = [(file.file_id, done[keys[file.file_id]]) for file in files if keys[file.file_id] in done]
    stored = ingest.stored(ui.store(), [reading for _, reading in found])
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
            kept[key] = answers.ways(upload.reading, question, settings=ui.store().settings)
    return kept[key]


def tell(upload: Upload, declares: Mapping[str, Any], label: str) -> None:
    """Note an answer; the file is read again with it at once."""
    question = upload.reading.questions[0]
    told = upload.told or {"declares": {}, "headings": question.headings, "said": []}
    declares_ = {**told["declares"], **declares}
    st.session_state["told"][upload.id] = {**told, "declares": declares_, "said": [*told["said"], (question.asks, label)]}
    ui.ask(file=upload.id)


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
    shown = [{FIRST_ROWS[name]: ui.literal(said_cell(name, value)) for name, value in row.items()} for row in found]
    st.table(shown, border="horizontal", hide_index=True, alt=alt)


FIRST_ROWS = {"line": "Line", "booked_on": "Booked\u00a0on", "text": "Text", "amount": "Amount", "balance": "Balance"}


def said_cell(name: str, value: Any) -> str:
    """A value of a movement as text."""
    if name == "booked_on":
        return ui.day(value).replace(" ", "\u00a0")
    if name in ("amount", "balance"):
        return "" if value is None else ui.money(value)
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
        "file": ui.text_column("File", width=150, pinned=True),
        "state": ui.text_column("State", "accepted; warned: something is doubtful; asks: it can be read more than one way; rejected", 75),
        "note": ui.text_column("What to know", width=300),
        "n": ui.number_column("Rows", "Booked transactions found", "localized", 50),
        "sum": ui.money_column("Sum", width=85),
        "reconciliation": ui.text_column("Balances", "Whether opening balance plus transactions is the closing balance", 100),
        "currency": ui.text_column("Currency", width=70),
        "first_on": ui.day_column("From", width=90),
        "last_on": ui.day_column("To", width=90),
    }
    ui.table(shown, columns, key=key, alt="Files and what they hold", opens="id", param="file", height=ui.fitting(len(shown), 15))


STATES = ("asks", "rejected", "warned", "accepted", "stored already", "twice")


def state_line(found: Sequence[Upload]) -> None:
    """Say in a line how many files there are in each state."""
    counts = [(state, sum(one.state == state for one in found)) for state in STATES]
    said_ = {"asks": "to answer", "twice": "chosen twice"}
    st.markdown("  ".join(f":{ui.STATE_COLOURS[state]}-badge[{n} {said_.get(state, state)}]" for state, n in counts if n))


def left_out(found: Sequence[Upload]) -> str:
    """Say which files are not stored, and why."""
    counts = {state: sum(one.state == state for one in found) for state in STATES}
    why = {
        "asks": "with an open question",
        "rejected": "that cannot be read",
        "stored already": "that the workspace has",
        "twice": "chosen twice",
    }
    said = [f"{ui.plural(counts[state], 'file')} {words}" for state, words in why.items() if counts[state]]
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
    total = ui.money(reading.sum_amount, reading.currency)
    return f"{ui.plural(reading.n_transactions, 'row')}, {ui.day(first)} to {ui.day(last)}, sum {total}{checked}"


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
    what = ui.literal(saved[0].reading.file) if len(saved) == 1 else f"{len(saved)} files"
    again = f", {n_known:,} were known already" if n_known else ""
    but = f" {ui.plural(len(refused), 'file was', 'files were')} refused." if refused else ""
    st.success(f"{what}: {n_new:,} new transactions stored{again}.{but}", icon=":material/check_circle:")
    if len(saved) + len(refused) > 1:
        shown = [
            {"file": one.reading.file, "outcome": f"statement {one.statement_id}", "new": one.n_new, "known": one.n_duplicate}
            for one in saved
        ]
        shown += [{"file": one.reading.file, "outcome": f"refused: {one.note}", "new": None, "known": None} for one in refused]
        columns = {
            "file": ui.text_column("File", width="medium"),
            "outcome": ui.text_column("Outcome", "The statement it became, or why it was refused", "large"),
            "new": ui.number_column("New", "Transactions the workspace did not have", width=60),
            "known": ui.number_column("Known already", "Transactions it had, from this or another file", width=110),
        }
        with st.expander("File by file"):
            ui.table(shown, columns, key="outcomes-by-file", alt="What became of each file", height=ui.fitting(len(shown), 10))
