"""Pictures of what comes and goes: by month, by category, on a rhythm, and how much of it is not categorised."""

from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame, isna

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BLUE, BRICK, CLICKED, FAINT, GREY, PALE_BLUE, PALE_TEAL, TEAL, VIOLET, ZERO

OWN: Final = "#b3c0c6"
KINDS: Final = {  # what a sum of money is, in the order it is stacked: its colour, and the groups of categories that belong to it
    "income": (TEAL, ("income",)),
    "refunds": (PALE_TEAL, ("reversal",)),
    "housing, bills": (BLUE, ("housing", "committed")),
    "daily needs": (PALE_BLUE, ("essential",)),
    "other spending": (VIOLET, ("discretionary", "other")),
    "loans, debt": (AMBER, ("loan_in", "debt")),
    "fees, returns, gambling": (BRICK, ("bank_fee", "returned", "risk")),
    "transfers, cash, savings": (GREY, ("transfer", "savings", "own")),
    "not categorised": ("#c3ccd0", ("unknown",)),
}
MONTH_WIDE: Final = 22 * 86_400_000  # milliseconds; said, since Plotly draws the only bar of an axis a millisecond wide
PERIOD: Final = {"xperiod": "M1", "xperiodalignment": "middle"}  # a bar of a month stands over the month, not over its first day
ALIKE: Final = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # what is chosen stands in the URL


def flows(frame: DataFrame, currency: str | None = None, gaps: DataFrame | None = None, chosen: str | None = None) -> go.Figure:
    """Show what came in (above) and went out (below) in each month, by kind of category; own transfers apart, in a strip below.

    `frame` has month, category, title, class, amount (signed), n; `gaps` the days nobody saw (from_on, to_on). Clicking yields a category;
    where one is `chosen`, the others are pale.
    """
    if frame.empty:
        return canvas.nothing("No month of transactions yet.")
    money = frame.assign(amount=frame["amount"].astype(float), kind=_kinds(frame))
    own, other = money[money["class"] == "own"], money[money["class"] != "own"]
    totals = other.groupby("month")["amount"].sum()
    short = int((totals < 0).sum())
    title = f"More went out than came in during {short} of {len(totals)} months" if short else "More came in than went out in every month"
    data = [_stack(other[other["kind"] == kind], kind, colour, currency, chosen) for kind, (colour, _) in KINDS.items()]
    data.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": totals.index,
            "y": totals,
            **PERIOD,
            "name": "left over",
            "marker": {"color": "#ffffff", "size": 9, "symbol": "diamond", "line": {"width": 1.6, "color": "#15272e"}},
            "hovertemplate": f"%{{x|%B %Y}}: %{{y:+,.2f}} {currency or ''} left over<extra></extra>",
        }
    )
    data.append({**_stack(own, "own transfers", OWN, currency, chosen), "yaxis": "y2"})
    apart = len(own) > 0
    legend = {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 12.5}, "traceorder": "normal"}
    strip = {"domain": [0, 0.17], "title": {"text": "own transfers", "font": {"size": 11}}, "nticks": 3, "tickformat": ",.0f", **ZERO}
    return canvas.drawn(
        title if len(totals) else "Nothing but own transfers",
        440 if apart else 370,
        [trace for trace in data if len(trace["x"])],
        [],
        gaps,
        xaxis={"anchor": "y2" if apart else "y", **_monthly(frame["month"])},
        yaxis={"domain": [0.25 if apart else 0, 1], "title": canvas.money_axis("per month", currency), "tickformat": ",.0f", **ZERO},
        **({"yaxis2": strip} if apart else {}),
        legend=legend,
        showlegend=True,
        barmode="relative",
        **CLICKED,
    )


def spending(frame: DataFrame, currency: str | None = None, *, top: int = 12, chosen: str | None = None) -> go.Figure:
    """Show the largest sums by category: columns category, title, meaning, class, amount, n; clicking a bar yields its category.

    Where one is `chosen`, the others are pale.
    """
    if frame.empty:
        return canvas.nothing("No transaction in this window.")
    part = frame.assign(size=frame["amount"].astype(float).abs()).nlargest(top, "size").iloc[::-1]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": part["title"],
        "x": part["size"],
        "marker": {
            "color": [_paled(KINDS[kind][0], code, chosen) for code, kind in zip(part["category"], _kinds(part), strict=True)],
            "cornerradius": 2,
        },
        **ALIKE,
        "customdata": part["category"],
        "hovertext": [
            f"{canvas.long(meaning)}<br>{canvas.signed(amount, currency)} in {canvas.counted(n, 'transaction')}"
            for meaning, amount, n in zip(part["meaning"], part["amount"], part["n"], strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    return canvas.drawn(
        f"Largest sum: {part['title'].iloc[-1]}",
        84 + 27 * len(part),
        [bars],
        yaxis={"automargin": True, "showgrid": False},
        xaxis={"title": canvas.money_axis("sum", currency), "tickformat": ",.0f", "nticks": 5, "tickangle": 0},
        **CLICKED,
    )


def unknown(frame: DataFrame, recent: float | None, most: float) -> go.Figure:
    """Show which share of each month's money is not categorised: columns month, share, unknown, moved, n, n_unknown.

    `recent` is the share of the last 90 days; above `most` the policy refers a case to a person.
    """
    if frame.empty or not frame["moved"].sum():
        return canvas.nothing("No money moved in these days.")
    said = (
        "Nothing moved in the last 90 days"
        if recent is None
        else f"{canvas.percent(recent, 1)} of the money of the last 90 days is not categorised"
    )
    verdict = "" if recent is None else f", {'more than' if recent > most else 'within'} the {canvas.percent(most)} the policy accepts"
    bars = {
        "type": "bar",
        "x": frame["month"],
        **PERIOD,
        "width": MONTH_WIDE,
        "y": frame["share"],
        "marker": {"color": [BRICK if share > most else GREY for share in frame["share"]], "cornerradius": 2},
        "customdata": frame[["n_unknown", "n"]],
        "hovertemplate": "%{x|%B %Y}: %{y:.1%} of the money, %{customdata[0]:,} of %{customdata[1]:,} transactions<extra></extra>",
    }
    dots = {"color": BRICK, "width": 1.4, "dash": "dot"}
    return canvas.drawn(
        said + verdict,
        240,
        [bars],
        [("┄", BRICK, f"above {canvas.percent(most)} of the last 90 days a person decides")],
        xaxis=_monthly(frame["month"]),
        yaxis={"title": "share of the money", "tickformat": ".0%", "range": [0, max(1.4 * most, 1.1 * float(frame["share"].max()))]},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": most, "y1": most, "line": dots}],
    )


def streams(frame: DataFrame, currency: str | None = None) -> go.Figure:
    """Show what comes and goes on a rhythm, a lane a stream from its first day to its last, with a ring where the next is expected.

    Columns: name, title, direction ('in', 'out'), cadence, n, first_on, last_on, next_on, amount (typical, positive), regularity (0–1),
    state ('early', 'mature', 'ended'); those that ended are pale.
    """
    if frame.empty:
        return canvas.nothing("Nothing comes or goes on a rhythm: that takes three payments of a kind.")
    n_on = int((frame["state"] != "ended").sum())
    ended = len(frame) - n_on
    title = canvas.counted(n_on, "recurring stream goes on", "recurring streams go on") if n_on else "Every recurring stream has ended"
    # Alike names have lanes of their own.
    lanes = [f"{canvas.short(str(name), 30)}{chr(0x200B) * place}" for place, name in enumerate(frame["name"])]
    data: list[dict[str, Any]] = []
    for lane, row in zip(lanes, frame.to_dict("records"), strict=True):
        colour = TEAL if row["direction"] == "in" else BLUE
        hover = (
            f"{canvas.long(str(row['name']))}<br>{row['title']}, {row['cadence']}: about {float(row['amount']):,.2f} {currency or ''}, "
            f"{int(row['n'])} times<br>regularity {canvas.percent(float(row['regularity']))}, {row['state']}<extra></extra>"
        )
        whole = {
            "line": {"color": colour, "width": 5},
            "marker": {"color": colour, "size": 10},
            "opacity": 0.32 if row["state"] == "ended" else 1,
            "hovertemplate": f"%{{x|%d %b %Y}}<br>{hover}",
        }
        way = {"type": "scatter", "mode": "lines+markers", "y": [lane, lane]}
        data.append({**way, "x": [row["first_on"], row["last_on"]], **whole})
        if row["state"] != "ended" and not isna(row["next_on"]):
            ahead = {
                "line": {"color": colour, "width": 1.4, "dash": "dot"},
                "marker": {"symbol": "circle-open", "size": 10, "opacity": [0, 1], "color": colour, "line": {"width": 2}},
                "hovertemplate": f"next expected %{{x|%d %b %Y}}<br>{hover}",
            }
            data.append({**way, "x": [row["last_on"], row["next_on"]], **ahead})
    marks = [("●", TEAL, "comes in"), ("●", BLUE, "goes out"), ("○", GREY, "next expected")]
    known = [day for column in ("first_on", "last_on", "next_on") for day in frame[column].dropna()]
    return canvas.drawn(
        f"{title}; {ended} ended" if n_on and ended else title,
        90 + 26 * len(frame),
        data,
        [*marks, *([("●", FAINT.replace("0.22", "0.6"), "ended")] if ended else [])],
        xaxis=canvas.time_axis(*canvas.days([min(known), max(known)])),
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": lanes[::-1], "automargin": True, "showgrid": False},
    )


def _stack(part: DataFrame, name: str, colour: str, currency: str | None, chosen: str | None) -> dict[str, Any]:
    shown = [_paled(colour, code, chosen) for code in part["category"]] if chosen else colour
    return {
        "type": "bar",
        "x": part["month"],
        "y": part["amount"],
        "name": name,
        **PERIOD,
        **ALIKE,
        "width": MONTH_WIDE,
        "marker": {"color": shown, "line": {"width": 0.6, "color": "rgba(255, 255, 255, 0.55)"}},
        "customdata": part["category"],
        "hovertext": [
            f"{title}: {canvas.signed(amount, currency)} in {canvas.counted(n, 'transaction')}"
            for title, amount, n in zip(part["title"], part["amount"], part["n"], strict=True)
        ],
        "hovertemplate": "%{x|%B %Y}<br>%{hovertext}<extra></extra>",
    }


def _paled(colour: str, category: str, chosen: str | None) -> str:
    return colour if chosen in (None, category) else canvas.faded(colour, 0.22)


def _kinds(frame: DataFrame) -> list[str]:
    known = {group: name for name, (_, groups) in KINDS.items() for group in groups}
    return [known["unknown" if code == "UNKNOWN" else group] for code, group in zip(frame["category"], frame["class"], strict=True)]


def _monthly(months: Any) -> dict[str, Any]:
    """An axis of months."""
    first, last = canvas.days([min(months), max(months)])
    return {
        "type": "date",
        "showgrid": False,
        "tickangle": 0,
        "tickformat": "%b\n%Y",
        "dtick": canvas.step(first, last),
        "ticklabelmode": "period",
    }
