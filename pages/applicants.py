"""Who applied: a searchable list, one applicant's money in pictures, and a form for a new application."""

import streamlit as st

import ui
from creditrisk import applicants, conduct, dictionary, features
from creditrisk.applicants import apply as record_applications
from ui import account, case, erasure, recategorise

store = ui.store()
ui.header("Applicants", "Everybody with a bank statement, an application or a row of a table. Open one to see what is known of them.")


@st.dialog("New application", icon=":material/person_add:")
def enter() -> None:
    """Take down an application."""
    with st.form("application", border=False):
        left, right = st.columns(2)
        applicant_id = left.text_input("Applicant id", help="The id or account number under which the bank statements are stored.")
        name = right.text_input("Name")
        amount = left.number_input(
            "Amount", min_value=1.0, value=5000.0, step=500.0, help="What is asked for, in the currency of the account."
        )
        term = right.number_input("Term (months)", min_value=1, max_value=480, value=36)
        applied_on = left.date_input(
            "Applied on", value=ui.today(), format="YYYY-MM-DD", help="Features read nothing booked on or after this day."
        )
        purpose = right.text_input("Purpose")
        asked = st.form_submit_button("Record application", type="primary", width="stretch")
        if asked and not applicant_id.strip():
            st.error("An application needs the id of its applicant.", icon=":material/error:")
        elif asked:
            with ui.guard():
                given = {
                    "applicant_id": applicant_id.strip() or None,
                    "applied_on": applied_on,
                    "name": name or None,
                    "amount": amount,
                    "term_months": term,
                    "purpose": purpose or None,
                }
                record_applications(store, [given], user=ui.user())
                ui.go("applicants", applicant=applicant_id.strip())


search, new = st.columns([4, 1], vertical_alignment="bottom")
with search:
    words = st.text_input(
        "Search", key="search", placeholder="Name, applicant id or account number", icon=":material/search:", label_visibility="collapsed"
    )
with new:
    if st.button("New application", icon=":material/person_add:", width="stretch", key="new"):
        enter()
MOST = 2000
found = ui.seen(applicants.people, words, MOST + 1)
more, found = len(found) > MOST, found[:MOST]
if found.empty and not words:
    ui.empty(
        "Nobody here yet",
        "Upload a bank statement, or enter an application and add statements later.",
        ("statements", "Upload statements"),
        ("data", "Import a table"),
        icon="group",
    )
elif found.empty:
    st.info(f"Nobody matches “{ui.literal(words)}”.", icon=":material/search_off:")
else:
    ui.proxy_banner(ui.proxies(found))
    columns = {
        "applicant_id": ui.text_column("Applicant", pinned=True),
        "name": ui.text_column("Name"),
        "score": ui.score_column(),
        "band": ui.text_column("Band"),
        "recommendation": ui.text_column("Recommendation"),
        "applied_on": ui.day_column("Applied on"),
        "amount": ui.number_column("Asked for", "The amount applied for"),
        "term_months": ui.number_column("Months", format="%d"),
        "purpose": ui.text_column("Purpose"),
    }
    if not ui.of_table():
        columns |= {"n_transactions": ui.number_column("Transactions"), "last_on": ui.day_column("Last transaction")}
    ui.table(found, columns, key="people", alt="Applicants", opens="applicant_id", param="applicant", height=ui.fitting(len(found), 12))
    shown = f"The first {ui.count(MOST)}" if more else f"{ui.plural(len(found), 'applicant')}"
    st.caption(f"{shown}, last scored first. Pick a row to open an applicant.")

chosen = ui.asked("applicant")
if chosen:
    with ui.guard():
        person = applicants.person(store, chosen)
        row = features.one(store, chosen)
        as_of = row["as_of"] if row else case.known_until(person)
        title, action = st.columns([4, 1], vertical_alignment="bottom")
        with title:
            ui.section(ui.literal(case.person_name(person)))
        with action:
            ui.link("score", "Score this applicant", "speed", applicant=chosen)
        scopes = conduct.scopes(store, applicant_id=chosen, as_of=as_of) if person["n_statements"] else []
        shown = f" Pictures show what was known before {ui.day(as_of)}." if scopes else ""
        st.markdown(f":gray[{ui.literal(case.circumstances(person))}{shown}]")
        if person["observed_bad"] is not None:
            outcome = ":red-badge[turned out bad]" if person["observed_bad"] else ":green-badge[repaid]"
            when = f" :gray[observed on {ui.day(person['observed_on'])}]" if person["observed_on"] else ""
            st.markdown(f"{outcome}{when}")
        if scopes:
            found = ui.seen(conduct.look, account.pick_scope(scopes))
            account.pictures(found)
            ui.section("Transactions", help=f"Everything booked before {ui.day(as_of)}, newest first, across all files.")
            account.movements(found, key="transactions", name=chosen, show=recategorise.table)
            ui.section("Recurring", help="What comes and goes on a rhythm, on all accounts together.")
            account.streams(ui.seen(features.streams, chosen, as_of), found.scope.currency)
        elif row:
            ui.section("What the table says", help="This applicant's row of the lender's own table.")
            columns = {"title": ui.text_column("Column"), "value": ui.text_column("Value"), "role": ui.text_column("Role")}
            card = dictionary.card(store, chosen)
            ui.table(card, columns, key="card", alt="This applicant's row", height=ui.fitting(len(card), most=20))
        else:
            ui.empty("No statement yet", "Upload one to see how the money of this applicant moves.", ("statements", "Upload statements"))
        recategorise.changes(chosen)
        erasure.offer(chosen)
