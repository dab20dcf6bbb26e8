"""What the pages share: the open store, who acts, errors as sentences, empty states, banners, tables, figures and number formats.

The only place where an error of the library becomes something to read, and the only one where a frame becomes a widget.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

import streamlit as st
from pandas import NA, DataFrame, Series
from plotly.basedatatypes import BaseFigure
from plotly.io import templates

from creditrisk import (
    blinding,
    categories,
    cells,
    charts,
    conduct,
    integrity,
    registry,
    scoring,
    sessions,
    settings,
    workspace,
)
from creditrisk import store as stores
from creditrisk.errors import CreditRiskError, NotSignedIn, UnknownThing
from creditrisk.people import Person
from creditrisk.settings import Settings
from creditrisk.store import Store
from ui import entrance

# The store is opened and the caches are declared before there is a page, on purpose; Streamlit would log lines about it.
for name in ("scriptrunner_utils.script_run_context", "caching.cache_data_api"):
    logging.getLogger(f"streamlit.runtime.{name}").setLevel(logging.ERROR)

HERE = Path(__file__).parents[1]
PRODUCT = "Credit Risk Workbench"
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
SHARE = "%.1f %%"
READING = frozenset({"claim", "decide"})  # actions that store nothing but who has a case in hand, and what was decided on it
ON_CASES = READING | {"score", "review", "inspect"}  # what is done all day, each of a single case: no model and no job changes by it


def declared() -> Settings:
    """The settings of this installation."""
    return settings.load()


@cache
def opened() -> Store:
    """The workspace, opened once per process; what a crash left behind is put right. A page asks for `store`."""
    integrity.wipe(declared())
    opened = stores.open_workspace(declared())
    for said in integrity.recover(opened):
        print(f"  {said}", flush=True)
    return opened


def store() -> Store:
    """The workspace, for who may see it: every page, part of a page and callback asks here, and ends here where nobody may."""
    theirs = None
    with guard():
        who = user()
        opened().require(who, "read", "a page")
        theirs = opened().seen_by(who)
    if theirs is None:
        st.stop()
    return theirs


def user() -> str:
    """Who acts: who is signed in; in local mode the name in the sidebar, with the role chosen there or what the settings give the name.

    Where the session is over, be it in the middle of a run, the page ends here and offers to sign in again.
    """
    signing = entrance.provider()
    if signing is not None:
        return _signed_in(signing)
    held = opened().settings.people
    name, role = str(st.session_state.get("acting_as") or held.default), st.session_state.get("acting_role")
    return Person(name, [role]) if role and not held.roles else name


def _signed_in(signing: entrance.SignIn) -> Person:
    person = None
    with guard():
        person = sessions.person(opened(), signing.claims(st.context.cookies))
    if person is None:
        st.stop()
    return person


@contextmanager
def guard() -> Iterator[None]:
    """Show an error of the library as its sentence; everything else is a fault of ours and stays one."""
    try:
        yield
    except NotSignedIn as error:
        st.warning(literal(str(error)), icon=":material/lock:")
        signing = entrance.provider()
        names = signing.names if signing else ()
        for name in names:
            label = "Sign in" if len(names) == 1 else f"Sign in with {literal(name)}"
            st.button(label, key=f"sign-in-{name}", type="primary", on_click=st.login, args=(name,))
        st.stop()
    except CreditRiskError as error:
        st.error(literal(str(error)), icon=":material/error:")


def literal(text: object) -> str:
    """Escape what Markdown would interpret: names and texts come from files."""
    return re.sub(r"([\\`*_{}\[\]<>#$~|:])", r"\\\1", str(text)).replace(" %", "\u00a0%")


# Questions whose answer is counts, figures of models and of the whole: kept for everybody. Any other answer is kept for who asked.
OF_NOBODY = frozenset(
    {f"registry.{question}" for question in ("champion", "former", "get", "hindrance", "models")}
    | {f"dictionary.{question}" for question in ("bins", "columns", "doubts", "maturity", "related")}
    | {f"labels.shelf.{question}" for question in ("get", "sets")}
    | {f"labels.views.{question}" for question in ("axes", "by_cohort", "by_group")}
    | {f"retraining.{question}" for question in ("changed", "latest", "proposal", "versions")}
    | {f"standing.{question}" for question in ("consequences", "leaderboard")}
    | {f"reviews.{question}" for question in ("done_on", "open_claims", "summary")}
    | {"workspace.summary", "workspace.scores", "inspections.agreement", "decisions.effects", "jobs.active"}
    | {"gate.judge", "augment.count", "augment.likeness", "online.prequential", "online.waiting", "online.weighs"}
)
_noticed: dict[tuple[int, frozenset[str]], tuple[float, int]] = {}  # when writes were looked at last, and the newest there was then


@st.cache_data(show_spinner=False, max_entries=300)
def _answer(*, _ask: Callable[..., Any], key: str, reader: str) -> Any:  # noqa: ARG001  (they are the key)
    return _ask()


def seen(ask: Callable[..., Any], *given: Any, but: Collection[str] = (), others: float = 0, every: float = 0) -> Any:
    """Ask the library once for as long as nothing is written: a rerun that only picks, opens or types reads nothing anew.

    `but` names actions whose writes the answer does not rest on: with many at work, something is written all the time. `others` says how
    many seconds may go by before what others wrote is noticed; what somebody wrote themselves they see at once. An answer that is to be
    asked for anew whatever was written names the seconds it stands in `every`. What is not known to be of nobody in particular
    (`OF_NOBODY`) is kept for who asked, and for nobody else.
    """
    held, question = store(), f"{ask.__module__}.{ask.__qualname__}".removeprefix("creditrisk.")
    at = _newest(held, frozenset(but), others), int(monotonic() // every) if every else 0
    key = f"{question} {given!r} {held.settings.data} {id(held.whole)} {at}"
    return _answer(_ask=lambda: ask(held, *given), key=key, reader="" if question in OF_NOBODY else held.reader)


def _newest(held: Store, but: frozenset[str], others: float) -> int:
    """Return the number of the newest write that counts."""
    newest = workspace.last_write(held, but)
    if not others:
        return newest
    at, noticed = _noticed.get((id(held.whole), but), (-others, 0))
    if monotonic() - at >= others:
        _, noticed = _noticed[id(held.whole), but] = monotonic(), newest
    return max(noticed, workspace.own_write(held, held.reader, but))


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
    st.page_link(
        HERE / "pages" / f"{page}.py", label=literal(label), icon=f":material/{icon or 'arrow_forward'}:", query_params=params or None
    )


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
            "Learned from a proxy label (groups of applicants), not from repayments: **risk (proxy)** is no probability of default. "
            f"{literal(circularity or '')}"
        )


def proxies(scored: DataFrame) -> bool:
    """Whether a score that is shown was learned from a proxy label."""
    return bool((scored["is_proxy"] == True).any())  # noqa: E712  (null where nobody was scored)


def known(frame: DataFrame, column: str, kind: str, name: str) -> dict[str, Any]:
    """Return the row an id out of the URL names, None where it holds nothing; refuse an id that nothing has."""
    found = rows(frame[frame[column].astype(str) == name])
    if not found:
        raise UnknownThing(kind, name)
    return {field: None if missing(value) else value for field, value in found[0].items()}


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
    hint: str = "Choose or type",
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
        placeholder=hint,
        accept_new_options=free,
    )


def view(views: Mapping[str, str], param: str = "view") -> str:
    """Let somebody choose one of the views of a page; the choice lives in the URL, and the first is the one where it names none."""
    current = asked(param) if asked(param) in views else next(iter(views))
    key = f"view-{param}-{current}"
    st.segmented_control(
        "View",
        list(views),
        default=current,
        required=True,
        format_func=views.get,
        key=key,
        label_visibility="collapsed",
        on_change=lambda: ask(**{param: st.session_state[key]}),
    )
    return str(current)


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
    page: str | None = None,
    height: int | None = None,
    placeholder: str = "",
    **also: None,
) -> None:
    """Show the named columns of a frame; where `opens` names a column, picking a row puts its value into the URL as `param`.

    Where `page` is given, it opens that page instead.
    """
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
        "placeholder": placeholder,
    }
    if height or len(shown) > 11:
        options["height"] = height or fitting(len(shown), 12)
    if opens is None:
        st.dataframe(cells.harmless(shown), **options)  # the browser offers what it shows as a CSV file
        return

    def choose() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        ask(**{param or opens: str(shown[opens].iloc[picked[0]]) if picked else None}, **also)

    if page is None:
        st.dataframe(cells.harmless(shown), on_select=choose, selection_mode="single-row", **options)
        return
    picked = st.dataframe(cells.harmless(shown), on_select="rerun", selection_mode="single-row", **options)["selection"]["rows"]
    if picked:
        go(page, **{param or opens: str(shown[opens].iloc[picked[0]])})


def tick(frame: DataFrame, columns: Mapping[str, Any], *, key: str, alt: str, height: int) -> list[int]:
    """Show the named columns of a frame with a box before each row; returns the places ticked."""
    shown = cells.harmless(_in_words(frame))
    config = {name: column for name, column in columns.items() if _says_something(shown[name])}
    options: dict[str, Any] = {"hide_index": True, "column_config": config, "column_order": list(config), "height": height, "alt": alt}
    picked = st.dataframe(shown, key=key, on_select="rerun", selection_mode="multi-row", **options)
    return [int(row) for row in picked["selection"]["rows"]]


def edited(frame: DataFrame, **options: Any) -> DataFrame:
    """Let somebody edit a table, whose formulas are harmless while the browser has it; what nobody touched comes back as it was."""
    shown = cells.harmless(frame)
    made = st.data_editor(shown, hide_index=True, placeholder="", **options)
    changed = {name: made[name].tolist() for name in frame}
    kept = {
        name: [old if new == given else new for old, given, new in zip(frame[name].tolist(), shown[name].tolist(), news, strict=True)]
        for name, news in changed.items()
        if not frame[name].equals(shown[name])
    }
    return made.assign(**kept) if kept else made


def bullets(texts: Iterable[str], mark: str) -> None:
    """Say a few things, a line each behind its mark; a remark in brackets stays on one line; nothing to say is said, too."""
    whole = (re.sub(r"\([^)]*\)$", lambda remark: remark[0].replace(" ", "\u00a0"), text) for text in texts)
    st.markdown("  \n".join(f"{mark} {literal(text)}" for text in whole) or ":gray[Nothing.]")


def _in_words(frame: DataFrame) -> DataFrame:
    """Put words in the place of codes, and nothing in the place of what this person may not read now."""
    frame = blinding.covered(opened(), user(), frame) if "applicant_id" in frame else frame
    known = {name: words for name, words in WORDS.items() if name in frame}
    said = {name: [words.get(code, code) for code in frame[name].tolist()] for name, words in known.items()}
    return frame.assign(**said) if known else frame


def problems(found: Sequence[Mapping[str, Any]], most: int = 30, file: str = "", where: str = "Line") -> None:
    """Show what is wrong with a file, by line, in sentences that repeat neither the file nor the line."""
    shown = [
        {
            where: "–" if problem["line"] is None else str(problem["line"]),
            "Column": literal(problem["column"] or "–"),
            "Value": literal(problem["value"] or "–"),
            "What is wrong": literal(sentence(re.sub(r"^(line|Row) \d+: ", "", problem["message"].removeprefix(file).lstrip(":, ")))),
        }
        for problem in found[:most]
    ]
    st.table(shown, border="horizontal", hide_index=True, alt=f"Problems by {where.lower()}")
    if len(found) > most:
        st.caption(f"{count(len(found) - most)} more.")


def _says_something(column: Series) -> bool:
    return any(not missing(value) and str(value) for value in column)  # mostly the first one does


def story(events: Iterable[tuple[Any, str, str]]) -> None:
    """Tell what happened, a line each: when, who, what."""
    lines = [f":gray[{instant(when)}] &nbsp; **{literal(who)}** {literal(what)}" for when, who, what in events]
    st.markdown("  \n".join(lines))


def figure(drawn: Any, *, key: str, help: str | None = None, param: str | None = None, page: str | None = None) -> None:
    """Show a figure under its title as text of the page; where `param` is given, clicking a mark puts its custom data into the URL.

    Where `page` is given, it opens that page with it instead.
    """
    spec = charts.written(drawn)
    layout = spec["layout"]
    title = layout.pop("title", {}).get("text") or ""
    layout.setdefault("template", _template())
    shown = _Written(spec)
    if title:
        st.markdown(f"**{literal(title)}**", help=help)
    options: dict[str, Any] = {"config": {"displayModeBar": False, "scrollZoom": False}, "key": key, "alt": title or "empty chart"}
    if param is None:
        st.plotly_chart(shown, **options)
        return

    def choose() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points and points[0].get("customdata"):
            clicked = str(points[0]["customdata"])
            ask(**{param: None if clicked == asked(param) else clicked})  # a second click lets go

    if page is None:
        st.plotly_chart(shown, on_select=choose, selection_mode="points", **options)
        return
    points = st.plotly_chart(shown, on_select="rerun", selection_mode="points", **options)["selection"]["points"]
    if points and points[0].get("customdata"):
        go(page, **{param: str(points[0]["customdata"])})


class _Written(BaseFigure):  # type: ignore[misc]
    """A figure that Streamlit takes as it is written: of anything else it has Plotly make one more and check it."""

    def __init__(self, spec: dict[str, Any]):
        self._spec = spec

    def to_dict(self) -> dict[str, Any]:
        """Return data and layout."""
        return self._spec


@cache
def _template() -> dict[str, Any]:
    """What Streamlit's theme asks of a figure, as Plotly puts it into each of its own."""
    found: dict[str, Any] = templates[templates.default].to_plotly_json()
    return found


def figures(*items: tuple[str, str, str] | tuple[str, str, str, str]) -> None:
    """Show a row of key figures: (name, value, what it means, and what to say below it)."""
    with st.grid(len(items), min_column_width=130, gap="small"):
        for name, value, meaning, *below in items:
            st.metric(name, value, *below, delta_color="off", delta_arrow="off", help=meaning, border=True, height="stretch")


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


# --- numbers ----------------------------------------------------------------------------------------------------------


def count(value: object) -> str:
    """12345 → '12,345'; nothing → '0'."""
    return f"{int(value or 0):,}"  # type: ignore[call-overload]


def money(value: object, currency: str | None = None) -> str:
    """1234.5 → '1,234.50 EUR'."""
    return "not stated" if missing(value) else f"{value:,.2f}{f' {currency}' if currency else ''}".replace("-", "−")


def percent(value: object, digits: int = 1) -> str:
    """0.123 → '12.3 %'."""
    if missing(value):
        return "not known"
    share, least = 100 * float(value), 10.0**-digits  # type: ignore[arg-type]
    return f"< {least:g} %" if 0 < share < least / 2 else f"{share:.{digits}f} %"


def plain(value: object, digits: int = 3) -> str:
    """0.8123 → '0.812', also where the figure comes with its interval."""
    if isinstance(value, Mapping):
        value = value.get("value")
    return "–" if missing(value) else f"{value:.{digits}f}"


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
    return "not known" if missing(value) else f"{value.day} {value:%b %Y}"  # type: ignore[attr-defined]


def plural(n: object, one: str, many: str = "") -> str:
    """'1 statement', '2 statements'."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def instant(value: object) -> str:
    """A UTC instant as '3 Mar 2026, 14:05 UTC'."""
    return "not known" if missing(value) else f"{day(value)}, {value:%H:%M} UTC"


def interval(value: Mapping[str, Any] | None, digits: int = 3) -> str:
    """The interval of a figure: '0.774 to 0.846'."""
    known = value and not missing(value.get("low"))
    return f"{value['low']:.{digits}f} to {value['high']:.{digits}f}" if known else "no interval"  # type: ignore[index]


def missing(value: object) -> bool:
    return value is None or value is NA or value != value  # noqa: PLR0124  (NaN and NaT differ from themselves)


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
    "label_source": {
        "cluster": "clusters (proxy)",
        "observed": "observed outcomes",
        "review": "verdicts",
        "rfm": "RFM (proxy)",
        "combined": "several",
    },
    "reconciliation": {"ok": "adds up", "mismatch": "does not add up", "not stated": "none to check"},
    "about": {"decision": "recommendation"},
    **{column: {True: "bad", False: "good"} for column in ("bad", "one", "other")},
}


# --- how an account was run: one picture for a file and for an applicant ----------------------------------------------


# --- what several pages offer -----------------------------------------------------------------------------------------


def champion() -> dict[str, Any] | None:
    """The model that scores."""
    found: dict[str, Any] | None = seen(registry.champion, but=ON_CASES)
    return found


def loaded(model_id: str, digest: str) -> scoring.Model:
    """A model, ready to score; one that is registered never changes, so it is read once."""
    return _model(store(), model_id, digest)


@st.cache_resource(show_spinner=False, max_entries=6)
def _model(_store: Store, model_id: str, digest: str) -> scoring.Model:  # noqa: ARG001  (bytes that never change are the key)
    return scoring.model(_store, model_id)


def algorithm(name: str) -> str:
    """An algorithm's name as people write it."""
    return charts.ALGORITHMS.get(name, name)


def today() -> date:
    """The present day."""
    return stores.now().date()


def sentence(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
