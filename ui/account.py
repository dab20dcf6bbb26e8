"""How an account was run, one picture for a file and for an applicant: months covered, balance, kinds of money, movements."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from pandas import DataFrame

import ui
from creditrisk import (
    categories,
    charts,
    conduct,
)
from creditrisk.errors import UnknownThing

ADDS_UP = {"ok": ":green[:material/check_circle:]", "mismatch": ":red[:material/error:]"}


MOVES = {
    "booked_on": ui.day_column("Booked on"),
    "text": ui.text_column("Text", "As the bank wrote it", 240),
    "amount": ui.money_column("Amount", "Money in is positive"),
    "balance": ui.money_column("Balance", "After this transaction, as the bank printed it"),
    "category": ui.text_column("Category", "What the text, the code and the direction were taken for", 135),
    "account": ui.text_column("Account"),
    "file_name": ui.text_column("File", "The statement it came from"),
    "line": ui.number_column("Line", "The line of that file", "%d", 54),
}


LINES = {"line": MOVES["line"], **MOVES, "printed": ui.text_column("As it stood in the file", width="large")}


def reconciled(account: Mapping[str, Any]) -> str:
    """How the balances of an account in a file follow from its amounts, in words."""
    currency, off = account["currency"] or None, account["off"]
    total = f"{'+' if account['sum_amount'] >= 0 else ''}{ui.money(account['sum_amount'], currency)}"
    if account["reconciliation"] == "not stated":
        return f"The transactions add up to {total}. The file does not state both balances, so nothing checks that sum."
    if off is None:
        return f"The transactions add up to {total}, and the balances printed beside them do not follow."
    way = f"Opening {ui.money(account['opening'], currency)}, transactions {total}"
    closing = ui.money(account["closing"], currency)
    if off:
        reached = ui.money(account["opening"] + account["sum_amount"], currency)
        how = f"{ui.money(abs(off), currency)} {'more' if off > 0 else 'less'}"
        return f"{way}: that makes {reached}, but the file says {closing}, which is {how}."
    if account["reconciliation"] == "mismatch":
        return f"{way}, closing {closing}: the ends agree, but balances printed in between do not follow."
    return f"{way}, closing {closing}: it adds up."


def statement_facts(held: Mapping[str, Any]) -> None:
    """Say what is held of a stored file: whose, which days, who stored it, whether it adds up, how it was read."""
    accounts = held["accounts"]
    owners, numbers = ([*dict.fromkeys(row[name] for row in accounts if row[name])] for name in ("applicant_id", "account"))
    first, last = min(row["first_on"] for row in accounts), max(row["last_on"] for row in accounts)
    known = f", of which {ui.count(held['n_duplicate'])} were known already from other files" if held["n_duplicate"] else ""
    about, adds_up = st.columns([2, 3], gap="large")
    with about:
        said = {
            "Applicant": _some(owners),
            "Account": _some(numbers) or "no number in the file",
            "Days": f"{ui.day(first)} to {ui.day(last)} ({ui.plural((last - first).days + 1, 'day')})",
            "Transactions": f"{ui.count(held['n_transactions'])}{known}",
            "Stored": f"{ui.instant(held['stored_at'])} by {held['stored_by']}",
        }
        ui.facts(said, alt="What is held of this file")
    with adds_up:
        for row in accounts[:4]:
            whose = f"**{ui.literal(row['account'] or 'No number')} {row['currency']}** " if len(accounts) > 1 else ""
            mark = ADDS_UP.get(row["reconciliation"], ":gray[:material/help:]")
            st.markdown(f"{mark} {whose}{ui.literal(reconciled(row))}")
        if len(accounts) > 4:
            st.caption(f"{ui.plural(len(accounts) - 4, 'account')} more.")
        remarks = f", {ui.plural(len(held['problems']), 'remark')}" if held["problems"] else ""
        with st.expander(f"How it was read: {ui.literal(held['format'].upper())}{remarks}", icon=":material/manage_search:"):
            ui.facts(held["dialect"], alt="How the file was read")
            if held["problems"]:
                ui.problems(held["problems"], file=held["file_name"])


def _some(names: Sequence[str], most: int = 3) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def pick_scope(scopes: Sequence[conduct.Scope]) -> conduct.Scope:
    """Let somebody choose the accounts that are looked at, where there are several; the URL names the choice."""
    known = {scope.key: scope for scope in scopes}
    if len(known) == 1:
        return scopes[0]
    with st.columns([2, 3])[0]:
        help = "Which accounts the pictures show. Accounts in different currencies are never added up."
        chosen = ui.pick(
            "Accounts", list(known), "account", say=lambda key: known[key].title if key in known else key, first=True, help=help
        )
    if chosen not in known:
        raise UnknownThing("account here", str(chosen), "Choose one of the list.")
    return known[str(chosen)]


def pictures(found: conduct.Conduct) -> None:
    """Show how the accounts were run: days covered, balance, money by month and category, and what is not categorised."""
    currency, key = found.scope.currency, found.scope.key
    gaps = found.stretches[found.stretches["kind"] == "gap"]
    ui.figure(
        charts.coverage(found.stretches, conduct.months_covered(found.stretches)),
        key=f"coverage-{key}",
        help="From the first to the last transaction of each file. Files a month apart or less are taken to follow one another; "
        "beyond that it is a gap. Features leave out the days that no account covers.",
    )
    ui.figure(
        charts.balance(found.balances, currency, events=found.events, breaks=found.breaks, gaps=gaps),
        key=f"balance-{key}",
        help="At the end of each day: the opening balance a file states, and everything booked since. The line stops where no file covers "
        "an account.",
    )
    left_out = len(found.scope.account_ids) - int(found.balances["n_accounts"].max() if len(found.balances) else 0)
    if len(found.balances) and left_out:
        st.caption(f"{ui.plural(left_out, 'account')} left out: no file states a balance.")
    ui.figure(
        charts.flows(found.months, currency, gaps, ui.asked("category") or None),
        key=f"flows-{key}",
        param="category",
        help="Each calendar month: what came in above the line, what went out below it, the diamond what was left over. Click a part for "
        "its transactions, a name to hide it. The first and the last month may be incomplete.",
    )
    largest, unknown = st.columns(2, gap="large")
    with largest:
        help = "Sums over all the days shown, in and out alike. Click a bar for its transactions."
        ui.figure(charts.spending(found.mix, currency, chosen=ui.asked("category") or None), key=f"mix-{key}", param="category", help=help)
    with unknown:
        uncategorised(found)


def uncategorised(found: conduct.Conduct) -> None:
    """Show what share nobody could name, and whom a correction would pay off on most."""
    shares, most = found.unknown_shares, ui.store().settings.policy.max_uncategorised_share
    ui.figure(
        charts.unknown(found.unknown, shares["recent"], most),
        key=f"unknown-{found.scope.key}",
        help="By month, of the money in and out. The policy looks at the last 90 days: above the dotted line a person decides.",
    )
    if found.merchants.empty:
        st.markdown(":green[:material/check_circle:] Every transaction has a category.")
        return
    st.caption(
        f"{ui.percent(shares['amount'])} of all the money and {ui.percent(shares['rows'])} of the transactions "
        f"({ui.count(shares['n_unknown'])} of {ui.count(shares['n'])}). Pick a row for its transactions."
    )
    columns = {
        "words": ui.text_column("Not categorised", "The words of the text, without dates and references"),
        "amount": ui.money_column("Amount", "Money in is positive", 80),
        "share": ui.share_column("Share", "Of all the money moved", 60),
        "n": ui.number_column("Times", width=54),
    }
    key = f"merchants-{found.scope.key}"
    alt = "The largest sums that are not categorised"
    ui.table(
        found.merchants, columns, key=key, alt=alt, opens="words", param="words", height=ui.fitting(len(found.merchants), 6), category=None
    )


def streams(frame: DataFrame, currency: str | None, key: str = "streams") -> None:
    """Show what comes and goes on a rhythm: a frame of `features.streams`."""
    shown = conduct.named(frame)
    help = "At least three payments of a kind, at like distances and of like size. A ring stands where the next one is expected."
    ui.figure(charts.streams(shown, currency), key=key, help=help)
    columns = {
        "name": ui.text_column("Stream", width=190, pinned=True),
        "category": ui.text_column("Category", width=112),
        "direction": ui.text_column("Direction", width=70),
        "cadence": ui.text_column("Rhythm", width=84),
        "amount": ui.money_column("Amount", "What it usually is", 76),
        "n": ui.number_column("Times", width=54),
        "last_on": ui.day_column("Last", width=88),
        "next_on": ui.day_column("Next", "When the next one is expected", 88),
        "state": ui.text_column("State", "Early: two or three so far. Ended: overdue by more than its rhythm allows.", 66),
        "regularity": ui.share_column("Even", "How evenly it comes: 100 % is like clockwork", 60),
    }
    if len(shown):
        ui.table(shown, columns, key=f"{key}-table", alt="Recurring streams", height=ui.fitting(len(shown), 8))


def movements(found: conduct.Conduct, key: str, *, name: str, show: Callable[..., None] = ui.table) -> None:
    """Show the transactions looked at, by category and words; both live in the URL.

    `show` draws the table as `table` does; `name` is that of the file to download.
    """
    _movements(found, key, name, show, ui.asked("category"))


@st.fragment
def _movements(found: conduct.Conduct, key: str, name: str, show: Callable[..., None], drawn: str | None) -> None:
    """Redraw the table alone when words are typed; another category than the pictures were `drawn` for redraws them, too."""
    scope, category, words = found.scope, ui.asked("category"), ui.asked("words")
    if category != drawn:
        st.rerun()
    # The one chosen goes without its number: the browser would keep the number of before a change.
    sizes = {
        row["category"]: row["title"] + ("" if row["category"] == category else f" ({ui.count(row['n'])})") for row in ui.rows(found.mix)
    }
    typed, only = f"{key}-words", f"{key}-unknown"
    st.session_state.update({typed: words or "", only: category == categories.UNKNOWN})  # the URL knows better than what a widget remembers
    one, two, three, four = st.columns([3, 3, 2.2, 1.6], vertical_alignment="bottom")
    with one:
        say = {"": "All categories", **sizes}
        ui.pick("Category", list(say), "category", say=lambda code: say.get(code, ui.WORDS["category"].get(code, code)), first=True)
    with two:
        st.text_input(
            "Words",
            key=typed,
            placeholder="words of the text",
            icon=":material/search:",
            on_change=lambda: ui.ask(words=st.session_state[typed].strip() or None),
        )
    with three:
        st.toggle(
            "Not categorised only",
            key=only,
            on_change=lambda: ui.ask(category=categories.UNKNOWN if st.session_state[only] else None),
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
        if show is not ui.table:
            show(shown, {}, key=key, alt="Transactions")  # a change may have emptied the list, and what it did is still to be said
        which = " with these words" if words else ""
        st.info(f"No transaction{which}{' in this category' if category else ''}.", icon=":material/search_off:")
        return
    columns = MOVES if scope.statement_id is None else LINES
    same = {column for column in ("file_name", "account") if shown[column].nunique() == 1}
    columns = {column: how for column, how in columns.items() if column not in same}
    show(shown, columns, key=key, alt="Transactions", height=ui.fitting(len(shown), 10))
    filtered = "" if not (category or words) else " with these words" if words else " of this category"
    st.caption(f"{ui.plural(len(shown), 'transaction')}{filtered}, {ui.money(shown['amount'].sum(), scope.currency)} together.")
    if len(found.movements) == conduct.MOST_LISTED:
        st.caption(f"Only {ui.count(conduct.MOST_LISTED)} of them are listed here; the pictures show all.")
