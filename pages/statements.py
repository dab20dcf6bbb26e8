"""Statements in: upload, see what was read, save; then what is stored, and every line as it stood in the file."""

import streamlit as st

import ui
from creditrisk import answers, banks, conduct, features, formats, ingest
from ui import account, intake, recategorise

store = ui.store()
ui.header(
    "Statements", "Bank statements as files. Each is read whole, checked against its own balances, shown, and stored only when you say so."
)

CHECKS = {
    "ok": ":green-badge[:material/check: adds up]",
    "mismatch": ":red-badge[:material/close: does not add up]",
    "not stated": ":gray-badge[no balances to check]",
}


ROLES = {"date": "Date", "text": "Text", "amount": "Amount", "debit": "Money out", "credit": "Money in", "balance": "Balance"}


def show(upload: intake.Upload) -> None:
    """One file: what it holds, how it was read, what it leaves open, and what is wrong with it."""
    reading = upload.reading
    with st.container(border=True):
        checked = "" if reading.status == "rejected" else CHECKS[reading.reconciliation]
        st.markdown(f"**{ui.literal(reading.file)}**  {ui.badge(upload.state, ui.STATE_COLOURS)}  {checked}")
        if upload.told:
            show_answers(upload)
        if reading.questions:
            show_question(upload)
        if reading.status != "rejected":
            show_reading(upload)
        problems = [] if upload.state == "asks" else ingest.to_json(reading)["problems"]
        if problems:
            st.markdown(
                "**Warnings**" if reading.status == "warned" else "**Problems**", help="Where the file could not be believed, by line."
            )
            ui.problems(problems, file=reading.file)


def show_reading(upload: intake.Upload) -> None:
    """What was found in a file, and how."""
    reading = upload.reading
    if reading.dialect.get("profile_known_by"):
        name = ui.literal(reading.dialect["profile"])
        st.info(f"Read with the bank profile **{name}**, which knows this file by its headings.", icon=":material/bookmark:")
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
        ui.table(
            ui.preview(reading),
            {**account.LINES, "text": ui.text_column("Text", "As the bank wrote it", 190)},
            key=f"preview-{upload.id}",
            alt="First lines as read",
            height=ui.fitting(reading.n_transactions, 8),
        )


def show_question(upload: intake.Upload) -> None:
    """The ways a file can be read, side by side, and a button for each."""
    question = upload.reading.questions[0]
    icon = ":material/help:"
    how = "Choose the way its rows read right." if question.choices else "Say what each column holds."
    st.info(f"**{ui.literal(question.asks)}** The file alone does not say. {how}", icon=icon)
    if not question.choices:
        choose_columns(upload)
        return
    with ui.guard():
        found = intake.ways(upload)
        grid = st.grid(min(len(found), 3), min_column_width=270, gap="medium")
        for place, way in enumerate(found):
            with grid, st.container(border=True, height="stretch"):
                st.markdown(f"**{ui.literal(way.choice.label)}**")
                intake.first_rows(way.rows, alt=f"First rows, read so that {way.choice.label}")
                st.caption(ui.literal(intake.way_note(way)))
                st.button(
                    "Read it this way",
                    key=f"answer-{upload.id}-{place}",
                    type="primary",
                    on_click=intake.tell,
                    args=(upload, way.choice.declares, way.choice.label),
                    icon=":material/check:",
                )
    if question.sample:
        with st.expander("None of these: say what each column holds", key=f"none-of-these-{upload.id}"):
            choose_columns(upload)


def choose_columns(upload: intake.Upload) -> None:
    """Which column is which, said by hand."""
    question = upload.reading.questions[0]
    names = intake.column_names(question)
    heads = list(map(ui.literal, names))
    sample = [dict(zip(heads, map(ui.literal, row), strict=False)) for row in question.sample]
    st.table(sample, border="horizontal", hide_index=True, alt="First rows of the file")
    with st.form(f"columns-{upload.id}"):
        with st.grid(3, min_column_width=140, gap="small"):
            places = {
                role: st.selectbox(
                    label, range(len(names)), index=None, format_func=names.__getitem__, key=f"{role}-{upload.id}", placeholder="none"
                )
                for role, label in ROLES.items()
            }
        said = st.form_submit_button("Read it this way", type="primary", icon=":material/check:")
    if said:
        with ui.guard():
            intake.tell(upload, answers.columns(question.sample, question.headings, places), "columns chosen by hand")
            st.rerun()


def show_answers(upload: intake.Upload) -> None:
    """What was answered about a file, the way back, and the offer to remember it for the bank."""
    told = upload.told
    one, two = st.columns([5, 1], vertical_alignment="center")
    with one:
        ui.bullets([f"{asks} {label}" for asks, label in told["said"]], ":material/question_answer:")
    two.button("Take back", key=f"untell-{upload.id}", on_click=intake.untell, args=(upload,), icon=":material/undo:", width="stretch")
    if upload.reading.status == "rejected":
        return
    if told.get("kept"):
        st.success(f"Kept as the bank profile **{ui.literal(told['kept'])}**.", icon=":material/bookmark_added:")
        return
    with st.expander("Remember for this bank", icon=":material/bookmark_add:", expanded=True, key=f"remember-{upload.id}"), ui.guard():
        name, known = st.columns([2, 3], vertical_alignment="bottom", gap="medium")
        chosen = name.text_input("Name of the bank profile", key=f"name-{upload.id}", placeholder="such as Postbank", max_chars=40)
        headings = ui.literal(", ".join(told["headings"]))
        matches = bool(told["headings"]) and known.checkbox(
            "Use it for every file with exactly these headings",
            value=True,
            key=f"known-{upload.id}",
            help=f"{headings}. It then answers what such a file leaves open, and never overrides what the file says.",
        )
        taken = chosen.strip() in banks.profiles(store.settings.data / "banks")
        overwrite = taken and st.checkbox(f"Replace the bank profile {ui.literal(chosen.strip())}", key=f"replace-{upload.id}")
        if st.button("Save bank profile", key=f"keep-{upload.id}", icon=":material/bookmark_add:"):
            known_by = told["headings"] if matches else ()
            answers.remember(store, chosen, told["declares"], headings=known_by, user=ui.user(), overwrite=overwrite)
            told["kept"] = chosen.strip()
            intake.forget_open()
            st.rerun()


def confirm(warned: list[intake.Upload]) -> list[intake.Upload]:
    """Ask of every warned file whether its warnings were read; return those that are confirmed."""
    if not warned:
        return []
    st.markdown("**Warned files are stored once you have read why**")
    read = []
    with st.container(height=320 if len(warned) > 4 else "content", border=len(warned) > 4):
        for upload in warned:
            label = f"I have read the warnings of **{ui.literal(upload.reading.file)}**  \n:gray[{ui.literal(upload.note)}]"
            if st.checkbox(label, key=f"read-{upload.id}"):
                read.append(upload)
    return read


def save(chosen: list[intake.Upload], found: list[intake.Upload], owner: str) -> None:
    """Store file by file, each whole; a press of Stop leaves the rest in the box, and so does a file that still waits for somebody."""
    refused = [upload for upload in found if upload.state == "rejected"]
    record = st.session_state["outcomes"] = {"batch": st.session_state.get("batch", 0), "saved": [], "refused": refused}
    bar = st.progress(0.0)
    if len(chosen) > 1:
        st.button("Stop storing", icon=":material/stop_circle:", key="stop-storing")
    with ui.guard():
        for place, upload in enumerate(chosen):
            bar.progress(place / len(chosen), text=f"Storing {place + 1} of {len(chosen)}: {ui.literal(upload.reading.file)}")
            (saved,) = ingest.save(store, [upload.reading], user=ui.user(), applicant_id=owner.strip() or None)
            record["saved"].append(saved)
        if all(upload in chosen or upload.state not in ("asks", "warned") for upload in found):
            st.session_state["batch"] = record["batch"] + 1
        ui.ask(statement=str(record["saved"][0].statement_id), file=None)
        st.rerun()


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
    with two, ui.guard():
        profile = st.selectbox(
            "Bank profile",
            list(banks.profiles(store.settings.data / "banks")),
            index=None,
            key="profile",
            placeholder="read from the file itself",
            help="How this bank writes its files. Left empty, separators, dates, signs and columns are inferred and shown below.",
        )

found = intake.uploads(files, st.session_state.get("profile"))
if len(found) > 1:
    ui.section("Files in the box")
    intake.state_line(found)
    intake.file_table(found, key="files-in-box")
    st.caption("Pick a row to see how a file was read.")
picked = next((upload for upload in found if upload.id == ui.asked("file")), None)
asking = next((upload for upload in found if upload.state == "asks"), None)
shown = found[0] if len(found) == 1 else picked or asking
if shown:
    show(shown)
if shown and asking and shown.state != "asks":
    st.button(
        f"Next question: {ui.literal(asking.reading.file)}",
        icon=":material/help:",
        key="next-question",
        on_click=ui.ask,
        kwargs={"file": asking.id},
    )

fresh = [upload for upload in found if upload.state == "accepted"]
if len(found) > 1 or fresh or any(upload.state == "warned" for upload in found):
    ui.section("Store", help="Each file is stored whole or not at all; the same file or transaction twice adds nothing.")
    chosen = fresh
    if len(found) > 1 and fresh and not st.checkbox(f"Store the {ui.plural(len(fresh), 'accepted file')}", value=True, key="all-accepted"):
        chosen = []
    chosen = chosen + confirm([upload for upload in found if upload.state == "warned"])
    if intake.left_out(found):
        st.caption(intake.left_out(found))
    if any(upload.state in ("accepted", "warned") for upload in found) and st.button(
        f"Save {ui.plural(len(chosen), 'file')}" if chosen else "Save",
        type="primary",
        icon=":material/save:",
        key="save",
        disabled=not chosen,
    ):
        save(chosen, found, owner)
elif found and found[0].state == "stored already":
    st.info(f"This file is stored already, as statement {found[0].stored_as}.", icon=":material/inventory_2:")
elif found and found[0].state == "rejected":
    st.info("Nothing can be stored: mend what is named above, or choose the bank's profile.", icon=":material/block:")
intake.outcomes(bool(files))

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
        "n_transactions": ui.number_column("Rows", "Transactions in the file"),
        "sum_amount": ui.money_column("Sum"),
        "currency": ui.text_column("Currency", width=72),
        "first_on": ui.day_column("From"),
        "last_on": ui.day_column("To"),
        "stored_at": ui.day_column("Stored on"),
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
        account.statement_facts(ingest.held(store, number))
        if owner:
            with st.container(horizontal=True):
                ui.link("applicants", f"See all the money of {owner}", "group", applicant=owner)
                ui.link("score", f"Score {owner}", "speed", applicant=owner)
        found = ui.seen(conduct.look, account.pick_scope(conduct.scopes(store, statement_id=number)))
        account.pictures(found)
        ui.section("Transactions", help="Every one as it was read, with its line in the file, and what it was taken for.")
        account.movements(found, key="lines", name=f"statement-{chosen}", show=recategorise.table)
        if owner:
            ui.section(
                "Recurring", help=f"What comes and goes on a rhythm, on all accounts of {ui.literal(owner)} up to the end of this file."
            )
            account.streams(ui.seen(features.streams, owner, found.scope.as_of), found.scope.currency)
