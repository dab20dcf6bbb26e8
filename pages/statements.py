"""Statements in: upload, see what was read, save; then what is stored, and every line as it stood in the file."""

import streamlit as st

import ui
from creditrisk import banks, conduct, features, formats, ingest

store = ui.store()
ui.header(
    "Statements", "Bank statements as files. Each is read whole, checked against its own balances, shown, and stored only when you say so."
)

CHECKS = {
    "ok": ":green-badge[:material/check: adds up]",
    "mismatch": ":red-badge[:material/close: does not add up]",
    "not stated": ":gray-badge[no balances to check]",
}


with st.container(border=True):
    st.markdown("**Upload**", help=f"{formats.titles()}; a file is known by what is in it, whatever its name says.")
    files = st.file_uploader(
        f"Statement files: {formats.titles()}",
        accept_multiple_files=True,
        key=f"files{st.session_state.get('batch', '')}",  # another key after saving: an empty box for the next files
        label_visibility="collapsed",
    )
    one, two = st.columns(2)
    with one:
        owner = st.text_input(
            "Applicant",
            key="owner",
            placeholder="account number in the file",
            help="Whose statements these are. Left empty, the account number in the file (else the file's name) stands for the applicant.",
        )
    with two:
        profile = st.selectbox(
            "Bank profile",
            list(banks.profiles(store.settings.data / "banks")),
            index=None,
            key="profile",
            placeholder="read from the file itself",
            help="How this bank writes its files. Left empty, separators, dates, signs and columns are inferred and shown below.",
        )

readings = []
if files:
    with ui.guard(), st.spinner("Reading …", show_time=True):
        readings = [ingest.read(file.name, file.getvalue(), profile=profile, settings=store.settings) for file in files]
for reading in readings:
    said = ingest.to_json(reading)
    with st.container(border=True):
        checked = "" if reading.status == "rejected" else CHECKS[reading.reconciliation]
        st.markdown(f"**{ui.literal(reading.file)}**  {ui.badge(reading.status, ui.STATE_COLOURS)}  {checked}")
        if reading.status != "rejected":
            ui.figures(
                ("Transactions", ui.count(reading.n_transactions), "Booked movements found in the file."),
                ("Sum", ui.money(reading.sum_amount, reading.currency), "All amounts added up; money in is positive."),
                ("Opening", ui.money(reading.opening), "Balance before the first transaction, as the file states it."),
                ("Closing", ui.money(reading.closing), "Balance after the last transaction, as the file states it."),
            )
            how, what = st.columns([2, 3], gap="large")
            with how:
                st.markdown("**How it was read**", help="What was inferred from the file or declared by the bank profile.")
                ui.facts(reading.dialect, alt="How the file was read")
            with what:
                st.markdown("**First lines as read**")
                ui.table(ui.preview(reading), ui.LINES, key=f"preview-{reading.sha256}", alt="First lines as read", height=300)
        if said["problems"]:
            st.markdown("**Problems**", help="Where the file could not be believed, by line.")
            ui.problems(said["problems"])

good = [reading for reading in readings if reading.status != "rejected"]
if readings and not good:
    st.info("Nothing can be stored: mend what is named above, or choose the bank's profile.", icon=":material/block:")
if good and st.button(f"Save {len(good)} file{'s' if len(good) > 1 else ''}", type="primary", icon=":material/save:", key="save"):
    with ui.guard(), st.spinner("Storing …", show_time=True):
        saved = ingest.save(store, good, user=ui.user(), applicant_id=owner.strip() or None)
        st.session_state["saved"] = [(item.reading.file, item.n_new, item.n_duplicate) for item in saved]
        st.session_state["batch"] = st.session_state.get("batch", 0) + 1
        ui.ask(statement=str(saved[0].statement_id))
        st.rerun()
for name, n_new, n_duplicate in st.session_state.pop("saved", []):
    again = f", {n_duplicate:,} were known already" if n_duplicate else ""
    st.success(f"{ui.literal(name)}: {n_new:,} new transactions stored{again}.", icon=":material/check_circle:")

ui.section("Stored statements")
stored = ingest.statements(store)
if stored.empty:
    ui.empty(
        "No statement yet",
        f"Choose files above, as the bank gives them: {formats.titles()}. Nothing leaves this machine, and nothing is stored before "
        "you have seen what was read.",
        icon="upload_file",
    )
else:
    columns = {
        "file_name": ui.text_column("File", pinned=True),
        "applicant_id": ui.text_column("Applicant"),
        "status": ui.text_column("Status", "accepted, or warned where something in the file is doubtful"),
        "reconciliation": ui.text_column("Balances", "Whether opening balance plus transactions is the closing balance"),
        "n_transactions": ui.number_column("Transactions"),
        "sum_amount": ui.money_column("Sum"),
        "currency": ui.text_column("Currency", width="small"),
        "first_on": ui.day_column("From"),
        "last_on": ui.day_column("To"),
        "stored_at": ui.instant_column("Stored (UTC)"),
        "stored_by": ui.text_column("By"),
    }
    ui.table(stored, columns, key="stored", alt="Stored statements, newest first", opens="statement_id", param="statement")
    st.caption("Pick a row to open the statement.")

chosen = ui.asked("statement")
if chosen:
    with ui.guard():
        facts = ui.known(stored, "statement_id", "statement", chosen)
        number, owner = ui.number(chosen), facts["applicant_id"]
        ui.section(f"Statement {chosen} · {ui.literal(facts['file_name'])}", help="One file: what it says, and how its accounts were run.")
        ui.statement_facts(conduct.held(store, number))
        if owner:
            with st.container(horizontal=True):
                ui.link("applicants", f"See all the money of {owner}", "group", applicant=owner)
                ui.link("score", f"Score {owner}", "speed", applicant=owner)
        found = conduct.look(store, ui.pick_scope(conduct.scopes(store, statement_id=number)))
        ui.pictures(found)
        ui.section("Transactions", help="Every one as it was read, with its line in the file, and what it was taken for.")
        ui.movements(found, key="lines", name=f"statement-{chosen}")
        if owner:
            ui.section(
                "Recurring", help=f"What comes and goes on a rhythm, on all accounts of {ui.literal(owner)} up to the end of this file."
            )
            ui.streams(features.streams(store, owner, found.scope.as_of), found.scope.currency)
