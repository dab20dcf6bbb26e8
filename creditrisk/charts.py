"""Pictures of frames that other rooms computed: Plotly figures, no arithmetic beyond placing a mark.

A figure's title states the finding, its axes carry units, hovering says the same in words, and a frame without rows gives
a figure that says so. Colours read on light and dark; text takes the colour of the page.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import floor
from textwrap import wrap
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame, isna
from plotly.subplots import make_subplots

from creditrisk.schema import Schema

TEAL: Final = "#17857e"
BRICK: Final = "#bf4e36"
AMBER: Final = "#d29a2e"
BLUE: Final = "#4a80ab"
GREY: Final = "#8497a0"
FAINT: Final = "rgba(132, 151, 160, 0.22)"
BANDS: Final = (
    ("Poor", 300.0, 500.0, BRICK),
    ("Average", 500.0, 650.0, AMBER),
    ("Good", 650.0, 750.0, "#6fb5ab"),
    ("Excellent", 750.0, 900.0, TEAL),
)
TICKS: Final = [300, 500, 650, 750, 900]
ALGORITHMS: Final = {
    "xgboost": "XGBoost",
    "random_forest": "Random forest",
    "logistic": "Logistic regression",
    "risk_index": "Plain risk index",
    "constant": "Constant",
}
BASELINES: Final = ("risk_index", "constant")
PALE_TEAL: Final = "#8cc5bd"
OWN: Final = "#b3c0c6"
PALE_BLUE: Final = "#93b9d6"
VIOLET: Final = "#8a6fa8"
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


def nothing(sentence: str, height: int = 180) -> go.Figure:
    """Return a figure without data that says why."""
    figure = _figure("", height=height)
    figure.add_annotation(text=sentence, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"color": GREY, "size": 14})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def gauge(score: float, shown: int, band: str, *, sure: bool = True, cutoff: float | None = None) -> go.Figure:
    """Show one score on the 300–900 arc with its four bands; `shown` is the floored figure people read, `cutoff` the policy's line.

    A score that nobody should rely on (`sure` false: too little history) stays grey and says so.
    """
    colour = band_colour(band) if sure else GREY
    figure = _figure(f"{shown} points: {band}" if sure else "Too little history for a score to rely on", height=230)
    figure.update_layout(margin={"l": 24, "r": 24, "t": 26, "b": 4})
    figure.add_trace(
        go.Indicator(
            mode="gauge+number",
            value=shown,
            number={"font": {"size": 54, "color": colour}, "valueformat": "d"},
            gauge={
                "axis": {"range": [300, 900], "tickvals": TICKS, "tickwidth": 0, "ticklen": 3, "tickfont": {"size": 12}},
                "bar": {"color": colour, "thickness": 0.52},
                "bgcolor": "rgba(0,0,0,0)",
                "borderwidth": 0,
                "steps": [{"range": [low, high], "color": _faded(hue), "thickness": 1} for _, low, high, hue in BANDS],
                "threshold": {"line": {"color": GREY, "width": 3}, "thickness": 1, "value": score if cutoff is None else cutoff},
            },
        )
    )
    if cutoff is not None:
        figure.update_layout(margin={"b": 26})
        text = f"<span style='color:{GREY}'><b>┃</b></span> cut-off {cutoff:.0f}"
        figure.add_annotation(text=text, showarrow=False, x=0.5, y=0, xref="paper", yref="paper", yanchor="top", font={"size": 12.5})
    return figure


def waterfall(
    frame: DataFrame,
    start: float,
    end: float,
    *,
    unit: str = "points",
    start_name: str = "Reference",
    end_name: str = "This applicant",
    limits: tuple[float, float] = (300, 900),
) -> go.Figure:
    """Show how contributions lead from a reference to one applicant; clicking a bar yields its feature.

    `frame` has feature, title, value, reference and the column `unit`: 'points' (+ is better) or 'contribution' (log-odds, + is riskier).
    Points beyond `limits` are said with the limit, which is the score people read.
    """
    if frame.empty:
        return nothing("Nothing was scored, so there is nothing to explain.")
    steps = [float(step) for step in frame[unit]]
    edges = _running(start, steps)
    better = [step >= 0 if unit == "points" else step <= 0 for step in steps]
    names = [
        _label(title, value, reference) for title, value, reference in zip(frame["title"], frame["value"], frame["reference"], strict=True)
    ]
    word = "points" if unit == "points" else "log-odds"
    sign = "+.0f" if unit == "points" else "+.2f"
    figure = _figure(_strongest(frame, steps, better, unit), height=80 + 38 * (len(steps) + 2))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=[f"<b>{start_name}</b>", *names, f"<b>{end_name}</b>"],
            base=[min(edges[0], _floor(edges)), *edges[:-1], _floor(edges)],
            x=[edges[0] - min(edges[0], _floor(edges)), *steps, end - _floor(edges)],
            marker={"color": [GREY, *[TEAL if good else BRICK for good in better], GREY], "cornerradius": 3},
            customdata=["", *frame["feature"], ""],
            text=[_figure_text(start, unit), *[_moved(step, sign) for step in steps], _figure_text(end, unit, limits)],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=[
                f"{start_name}: {_figure_text(start, unit)}<extra></extra>",
                *[
                    f"{title}: {_moved(step, sign)} {word}<br>{value}; reference {reference}<extra></extra>"
                    for title, value, reference, step in zip(frame["title"], frame["value"], frame["reference"], steps, strict=True)
                ],
                f"{end_name}: {_figure_text(end, unit, limits)}<extra></extra>",
            ],
            width=0.62,
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont={"size": 12.5}, showgrid=False)
    low, high = min([*edges, end]), max([*edges, end])
    room = (high - low or 1) * 0.2
    figure.update_xaxes(
        title="score points" if unit == "points" else "log-odds of risk",
        range=[_floor(edges) if low >= _floor(edges) else low, high + room],
        zeroline=False,
    )
    figure.update_layout(clickmode="event+select", dragmode=False)
    return figure


def scores(frame: DataFrame) -> go.Figure:
    """Show how many applicants lie in each score bin: columns low, band, n; bins are 20 points wide."""
    if frame.empty:
        return nothing("No applicant has a score yet.")
    sizes = frame.groupby("band")["n"].sum()
    band, share = sizes.idxmax(), sizes.max() / sizes.sum()
    finding = f"Most scores are {band}" if share > 0.5 else f"{band} is the largest band, with {_percent(share)} of the scores"
    figure = _figure(finding, height=330)
    for band, _, _, colour in BANDS:
        part = frame[frame["band"] == band]
        figure.add_trace(
            go.Bar(
                x=part["low"],
                y=part["n"],
                name=band,
                marker={"color": colour},
                width=18,
                offset=1,
                hovertemplate="%{y:,} applicants from %{x} points<extra>" + band + "</extra>",
            )
        )
    figure.update_layout(barmode="overlay")
    _key(figure, *(("■", colour, band) for band, _, _, colour in BANDS))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants", tickformat=",d", rangemode="tozero")
    return figure


def balance(
    frame: DataFrame,
    currency: str | None = None,
    *,
    events: DataFrame | None = None,
    breaks: DataFrame | None = None,
    gaps: DataFrame | None = None,
) -> go.Figure:
    """Show the end-of-day balance, days below zero shaded: columns day, balance (NaN where not seen: the line stops).

    Marked are `events` (booked_on, kind 'returned' or 'fee', title, text, amount), `breaks` (day, account, stated, computed: a stated
    balance that does not follow) and `gaps` (from_on, to_on: nobody saw these days).
    """
    if frame.empty or frame["balance"].isna().all():
        return nothing("No file states a balance for these days, so there is no curve.")
    values = frame["balance"].astype(float)
    n_below, n_known = int((values < 0).sum()), int(values.notna().sum())
    finding = "The balance never fell below zero" if n_below == 0 else f"Below zero on {n_below:,} of {n_known:,} days"
    n_back = 0 if events is None or events.empty else int((events["kind"] == "returned").sum())
    title = f"{finding}; {_counted(n_back, 'returned item or fee for one', 'returned items and their fees')}" if n_back else finding
    data: list[dict[str, Any]] = []
    for start, end in _runs(values):
        piece, days = values.iloc[start:end], frame["day"].iloc[start:end]
        for part, colour in ((piece.clip(lower=0), "rgba(23, 133, 126, 0.10)"), (piece.clip(upper=0), "rgba(191, 78, 54, 0.38)")):
            area = {"fill": "tozeroy", "fillcolor": colour, "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip"}
            data.append({"type": "scatter", "mode": "lines", "x": days, "y": part, **area})
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": frame["day"],
            "y": values,
            "line": {"color": TEAL, "width": 1.8, "shape": "hv"},
            "connectgaps": False,
            "hovertemplate": f"%{{x|%d %b %Y}}: %{{y:,.2f}} {currency or ''}<extra></extra>",
        }
    )
    marks = [("■", "rgba(191, 78, 54, 0.6)", "below zero")] if n_below else []
    for mark, trace in [*_marked_events(frame, events, currency), *_marked_breaks(breaks, currency)]:
        marks.append(mark)
        data.append(trace)
    return _drawn(
        title,
        330,
        data,
        marks,
        gaps,
        xaxis={"showgrid": False, **_time(*_days(frame["day"].iloc[[0, -1]]))},
        yaxis={"title": _money_axis("balance", currency), "tickformat": ",.0f", **ZERO},
    )


def flows(frame: DataFrame, currency: str | None = None, gaps: DataFrame | None = None, chosen: str | None = None) -> go.Figure:
    """Show what came in (above) and went out (below) in each month, by kind of category; own transfers apart, in a strip below.

    `frame` has month, category, title, class, amount (signed), n; `gaps` the days nobody saw (from_on, to_on). Clicking yields a category;
    where one is `chosen`, the others are pale.
    """
    if frame.empty:
        return nothing("No month of transactions yet.")
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
    return _drawn(
        title if len(totals) else "Nothing but own transfers",
        440 if apart else 370,
        [trace for trace in data if len(trace["x"])],
        [],
        gaps,
        xaxis={"anchor": "y2" if apart else "y", **_monthly(frame["month"])},
        yaxis={"domain": [0.25 if apart else 0, 1], "title": _money_axis("per month", currency), "tickformat": ",.0f", **ZERO},
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
        return nothing("No transaction in this window.")
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
            f"{_long(meaning)}<br>{_signed(amount, currency)} in {_counted(n, 'transaction')}"
            for meaning, amount, n in zip(part["meaning"], part["amount"], part["n"], strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    return _drawn(
        f"Largest sum: {part['title'].iloc[-1]}",
        84 + 27 * len(part),
        [bars],
        yaxis={"automargin": True, "showgrid": False},
        xaxis={"title": _money_axis("sum", currency), "tickformat": ",.0f", "nticks": 5, "tickangle": 0},
        **CLICKED,
    )


def unknown(frame: DataFrame, recent: float | None, most: float) -> go.Figure:
    """Show which share of each month's money is not categorised: columns month, share, unknown, moved, n, n_unknown.

    `recent` is the share of the last 90 days; above `most` the policy refers a case to a person.
    """
    if frame.empty or not frame["moved"].sum():
        return nothing("No money moved in these days.")
    said = (
        "Nothing moved in the last 90 days"
        if recent is None
        else f"{_percent(recent, 1)} of the money of the last 90 days is not categorised"
    )
    verdict = "" if recent is None else f", {'more than' if recent > most else 'within'} the {_percent(most)} the policy accepts"
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
    return _drawn(
        said + verdict,
        240,
        [bars],
        [("┄", BRICK, f"above {_percent(most)} of the last 90 days a person decides")],
        xaxis=_monthly(frame["month"]),
        yaxis={"title": "share of the money", "tickformat": ".0%", "range": [0, max(1.4 * most, 1.1 * float(frame["share"].max()))]},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": most, "y1": most, "line": dots}],
    )


def coverage(frame: DataFrame, months: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Show which days which file covers, a lane an account, gaps marked: columns account, kind ('file', 'gap'), from_on, to_on,
    file_name, n_transactions; `months` says of each account n, missing, partly (calendar months)."""
    if frame.empty:
        return nothing("No file covers any of these days.")
    names = {account: account or "the account" for account in dict.fromkeys(frame["account"])}
    data = []
    for kind, colour in (("file", TEAL), ("gap", BRICK)):
        part = frame[frame["kind"] == kind]
        starts, ends = _days(part["from_on"]), [day + timedelta(days=1) for day in _days(part["to_on"])]
        lengths = [(end - start).days for start, end in zip(starts, ends, strict=True)]
        words = [
            f"{_long(str(name))}: {_counted(int(n), 'transaction')}" if kind == "file" else "no file covers these days"
            for name, n in zip(part["file_name"], part["n_transactions"].fillna(0), strict=True)
        ]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [names[account] for account in part["account"]],
                "base": [start.isoformat() for start in starts],
                "x": [86_400_000 * days for days in lengths],
                "width": 0.5,
                "marker": {
                    "color": _faded(colour, 0.75) if kind == "file" else "rgba(0,0,0,0)",
                    "line": {"width": 1, "color": colour},
                    "pattern": {"shape": "" if kind == "file" else "/", "fgcolor": colour, "size": 7},
                },
                "hovertext": [
                    f"{start:%d %b %Y} to {start + timedelta(days=days - 1):%d %b %Y}, {_counted(days, 'day')}<br>{said}"
                    for start, days, said in zip(starts, lengths, words, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    marks = [("■", TEAL, "days covered by a file"), *([("▨", BRICK, "gap: no file")] if (frame["kind"] == "gap").any() else [])]
    return _drawn(
        _covered(months, names),
        104 + 30 * len(names),
        data,
        marks,
        xaxis=_time(min(_days(frame["from_on"])), max(_days(frame["to_on"]))),
        yaxis={"type": "category", "automargin": True, "autorange": "reversed", "showgrid": False},
        barmode="overlay",
    )


def streams(frame: DataFrame, currency: str | None = None) -> go.Figure:
    """Show what comes and goes on a rhythm, a lane a stream from its first day to its last, with a ring where the next is expected.

    Columns: name, title, direction ('in', 'out'), cadence, n, first_on, last_on, next_on, amount (typical, positive), regularity (0–1),
    state ('early', 'mature', 'ended'); those that ended are pale.
    """
    if frame.empty:
        return nothing("Nothing comes or goes on a rhythm: that takes three payments of a kind.")
    n_on = int((frame["state"] != "ended").sum())
    ended = len(frame) - n_on
    title = _counted(n_on, "recurring stream goes on", "recurring streams go on") if n_on else "Every recurring stream has ended"
    lanes = [f"{_short(str(name), 30)}{chr(0x200B) * place}" for place, name in enumerate(frame["name"])]  # alike names: lanes of their own
    data: list[dict[str, Any]] = []
    for lane, row in zip(lanes, frame.to_dict("records"), strict=True):
        colour = TEAL if row["direction"] == "in" else BLUE
        hover = (
            f"{_long(str(row['name']))}<br>{row['title']}, {row['cadence']}: about {float(row['amount']):,.2f} {currency or ''}, "
            f"{int(row['n'])} times<br>regularity {_percent(float(row['regularity']))}, {row['state']}<extra></extra>"
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
    return _drawn(
        f"{title}; {ended} ended" if n_on and ended else title,
        90 + 26 * len(frame),
        data,
        [*marks, *([("●", FAINT.replace("0.22", "0.6"), "ended")] if ended else [])],
        xaxis=_time(*_days([min(known), max(known)])),
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": lanes[::-1], "automargin": True, "showgrid": False},
    )


def scan(rows: Sequence[Mapping[str, Any]], chosen: int | None) -> go.Figure:
    """Show what each number of clusters gives: k, index_gap (standard deviations), stability (0–1), silhouette (−1–1)."""
    if not rows:
        return nothing("This label set was not made by looking through numbers of clusters.")
    numbers = [row["k"] for row in rows]
    panels = (
        ("index_gap", "Gap to the next cluster (SD)", 1.0),
        ("stability", "Stability (0 to 1)", 0.75),
        ("silhouette", "Silhouette (−1 to 1)", None),
    )
    figure = make_subplots(rows=1, cols=3, subplot_titles=[words for _, words, _ in panels], horizontal_spacing=0.07)
    figure.update_layout(
        _layout(f"{chosen} clusters, out of {numbers[0]} to {numbers[-1]} tried" if chosen else "No number of clusters was chosen", 250)
    )
    for place, (column, words, least) in enumerate(panels, start=1):
        marks = {
            "size": [14 if k == chosen else 7 for k in numbers],
            "color": [TEAL if k == chosen else GREY for k in numbers],
            "opacity": 1,
        }
        line = {"color": GREY, "width": 1.5}
        hover = f"%{{x}} clusters: %{{y:.2f}}<extra>{words}</extra>"
        values = [row[column] for row in rows]
        trace = go.Scatter(x=numbers, y=values, mode="lines+markers", line=line, marker=marks, showlegend=False, hovertemplate=hover)
        figure.add_trace(trace, row=1, col=place)
        if least is not None:
            figure.add_hline(y=least, row=1, col=place, line={"color": BRICK, "width": 1.2, "dash": "dot"})
            note = {
                "text": f"asked: {least:g}",
                "showarrow": False,
                "font": {"size": 11, "color": BRICK},
                "yanchor": "top",
                "xanchor": "left",
            }
            figure.add_annotation(x=min(numbers), y=least, row=1, col=place, **note)
        figure.update_xaxes(title="clusters (k)", dtick=1, showgrid=False, row=1, col=place)
        figure.update_yaxes(rangemode="tozero", row=1, col=place)
    figure.update_annotations(font_size=12)
    figure.update_layout(margin={"t": 32})
    return figure


def profiles(clusters: Sequence[Mapping[str, Any]], schema: Schema) -> go.Figure:
    """Show the mean of each label feature in each cluster (segment, means); colours go, within a row, from safer to riskier."""
    if not clusters:
        return nothing("This label set has no clusters to describe.")
    features = [schema[name] for name in clusters[0]["means"]]
    columns = [_cluster(row, len(clusters)) for row in clusters]
    said = [[feature.say(row["means"][feature.name]) for row in clusters] for feature in features]
    sides = [
        _sides([row["means"][feature.name] for row in clusters], feature.risk if len(set(words)) > 1 else 0)
        for feature, words in zip(features, said, strict=True)
    ]
    figure = _figure("How the clusters differ", height=64 + 34 * len(features))
    figure.add_trace(
        go.Heatmap(
            z=sides,
            x=columns,
            y=[feature.title for feature in features],
            text=said,
            texttemplate="%{text}",
            textfont={"size": 12.5, "color": "#15272e"},
            zmin=-1,
            zmax=1,
            xgap=4,
            ygap=4,
            showscale=False,
            colorscale=[[0, "#9fd3cc"], [0.5, "#dde6e8"], [1, "#ecb3a5"]],
            hovertemplate="%{x}<br>%{y}: %{text} on average<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False, ticks="")
    figure.update_xaxes(side="top", showgrid=False, ticks="")
    return figure


def segments(clusters: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Show the size of each cluster (segment, n, share, risk_index), safest first; the last is the one called bad."""
    if not clusters:
        return nothing("This label set has no clusters.")
    last = len(clusters) - 1
    figure = _figure(f"{clusters[last]['n']:,} applicants fall into the riskiest cluster", height=300)
    figure.add_trace(
        go.Bar(
            x=[_cluster(row, len(clusters)) for row in clusters],
            y=[row["n"] for row in clusters],
            text=[f"{row['n']:,}<br>{_percent(row['share'], 1)}" for row in clusters],
            textposition="outside",
            cliponaxis=False,
            customdata=[row["risk_index"] for row in clusters],
            marker={"color": [BRICK if place == last else GREY for place in range(len(clusters))], "cornerradius": 3},
            hovertemplate="%{x}: %{y:,} applicants, mean risk index %{customdata:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title="applicants", tickformat=",d", range=[0, 1.22 * max(row["n"] for row in clusters)])
    return figure


def leaderboard(frame: DataFrame, words: str, *, column: str = "auc") -> go.Figure:
    """Show the AUC of every model with its 95 % interval: columns model_id, algorithm, and `column` with _low and _high.

    `words` says what the AUC measures: 'agreement with the proxy label' or 'ranking of observed outcomes'.
    """
    known = frame.dropna(subset=[column]).sort_values(column, kind="stable")
    if known.empty:
        return nothing(f"Nothing was measured against this yet: {words}.")
    names = [
        f"{ALGORITHMS.get(algorithm, algorithm)} · {model}{' ★' if status == 'champion' else ''}"
        for algorithm, model, status in zip(known["algorithm"], known["model_id"], known.get("status", known["model_id"]), strict=True)
    ]
    known = known.assign(name=names, is_baseline=known["algorithm"].isin(BASELINES))
    best = known.iloc[-1]
    close = len(known) > 1 and known[column].iloc[-2] >= best[f"{column}_low"]
    lead = f"{best['name'].removesuffix(' ★')} leads in {words}: {best[column]:.3f}"
    figure = _figure(f"{lead}, within chance of the next" if close else lead, height=96 + 34 * len(known))
    for baseline, name, colour, symbol in ((False, "model", TEAL, "circle"), (True, "baseline to beat", GREY, "diamond-open")):
        part = known[known["is_baseline"] == baseline]
        low, high = part[f"{column}_low"], part[f"{column}_high"]
        figure.add_trace(
            go.Scatter(
                x=part[column],
                y=part["name"],
                mode="markers",
                name=name,
                marker={"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2, "color": colour}},
                error_x=_error(part[column], low, high, colour),
                customdata=list(zip(low, high, strict=True)),
                hovertemplate="%{y}: %{x:.3f}<br>95 % interval %{customdata[0]:.3f} to %{customdata[1]:.3f}<extra></extra>",
            )
        )
    figure.add_vline(x=0.5, line={"color": GREY, "width": 1.2, "dash": "dot"})
    figure.update_yaxes(categoryorder="array", categoryarray=names, automargin=True, range=[-0.6, len(names) - 0.4])
    figure.update_xaxes(
        title="AUC (dotted: chance)", range=[min(0.46, float(known[f"{column}_low"].min()) - 0.02), 1.015], tickformat=".1f", dtick=0.1
    )
    crowned = [("★", GREY, "champion")] if any(name.endswith("★") for name in names) else []
    _key(figure, ("●", TEAL, "model"), ("◇", GREY, "baseline to beat"), *crowned)
    return figure


def roc(frame: DataFrame, auc: Mapping[str, Any]) -> go.Figure:
    """Show a ROC curve: columns false_positive_rate, true_positive_rate; `auc` is {value, low, high}."""
    if frame.empty:
        return nothing("There are no test rows of both kinds.")
    figure = _figure(f"AUC {auc['value']:.3f}, between {auc['low']:.3f} and {auc['high']:.3f}", height=320)
    figure.add_trace(_diagonal(1.0))
    figure.add_trace(
        go.Scatter(
            x=frame["false_positive_rate"],
            y=frame["true_positive_rate"],
            mode="lines",
            line={"color": TEAL, "width": 2.5},
            fill="tozeroy",
            fillcolor=_faded(TEAL, 0.08),
            showlegend=False,
            hovertemplate="catches %{y:.0%} of the bad<br>by turning away %{x:.0%} of the good<extra></extra>",
        )
    )
    figure.update_xaxes(title="share of the good turned away", tickformat=".0%", dtick=0.2, range=[0, 1])
    figure.update_yaxes(title="share of the bad caught", tickformat=".0%", dtick=0.2, range=[0, 1.02])
    return figure


def calibration(frame: DataFrame, risk: str) -> go.Figure:
    """Show promised against found risk in bins of equal mass (mean_pd, share_bad, low, high, n); `risk` is 'PD' or 'risk (proxy)'."""
    if frame.empty:
        return nothing("There are no test rows.")
    outside = int(((frame["mean_pd"] < frame["low"]) | (frame["mean_pd"] > frame["high"])).sum())
    apart = f"Promised and found differ by more than chance in {outside} of {len(frame)} groups"
    figure = _figure(apart if outside else "Promised and found agree within chance", height=320)
    edge = min(1.0, 1.06 * float(max(frame["mean_pd"].max(), frame["high"].max())))
    figure.add_trace(_diagonal(edge))
    figure.add_trace(
        go.Scatter(
            x=frame["mean_pd"],
            y=frame["share_bad"],
            mode="markers",
            marker={"color": TEAL, "size": 10},
            showlegend=False,
            customdata=frame[["low", "high", "n"]],
            error_y=_error(frame["share_bad"], frame["low"], frame["high"], TEAL),
            hovertemplate=f"promised {risk} %{{x:.1%}}, found %{{y:.1%}} of %{{customdata[2]:,}} applicants"
            "<br>95 % interval %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title=f"promised {risk}", tickformat=".0%", nticks=7, range=[-0.03 * edge, 1.03 * edge])
    figure.update_yaxes(title="share found bad", tickformat=".0%", range=[-0.03 * edge, 1.03 * edge])
    return figure


def test_scores(frame: DataFrame, words: str) -> go.Figure:
    """Show the scores of the test set by what the label said: columns low (20-point bins), bad, n."""
    if frame.empty:
        return nothing("This model kept no test rows.")
    figure = _figure("Where the model puts the good and the bad", height=300)
    for bad, name, colour in ((False, "good", TEAL), (True, "bad", BRICK)):
        part = frame[frame["bad"].astype(bool) == bad]
        figure.add_trace(
            go.Bar(
                x=part["low"],
                y=part["n"],
                name=f"{name} ({words})",
                marker={"color": colour, "opacity": 0.85},
                width=18,
                offset=1,
                hovertemplate=f"%{{y:,}} {name} from %{{x}} points<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack")
    _key(figure, ("■", TEAL, f"good {words}"), ("■", BRICK, f"bad {words}"))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants in the test set", tickformat=",d")
    return figure


def importance(frame: DataFrame, *, top: int = 12) -> go.Figure:
    """Show how much each feature moves the model: columns title, mean_abs (mean size of its contribution, log-odds)."""
    if frame.empty:
        return nothing("This model kept no contributions.")
    part = frame.nlargest(top, "mean_abs").iloc[::-1]
    if not part["mean_abs"].any():
        return nothing("This model reads no figure: it says the same of everybody.")
    figure = _figure(f"{part['title'].iloc[-1]} moves this model most", height=70 + 25 * len(part))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=part["title"],
            x=part["mean_abs"],
            marker={"color": TEAL, "cornerradius": 2},
            hovertemplate="%{y}: moves the log-odds by %{x:.3f} on average<extra></extra>",
        )
    )
    figure.update_yaxes(automargin=True, showgrid=False)
    figure.update_xaxes(title="mean contribution (log-odds)")
    return figure


def score_history(frame: DataFrame) -> go.Figure:
    """Show every score an applicant was given, in time: columns scored_at, score, band, model_id."""
    if frame.empty:
        return nothing("No score yet.")
    figure = _figure(f"Scored {len(frame)} time{'' if len(frame) == 1 else 's'}", height=220)
    for _, low, high, colour in BANDS:
        figure.add_hrect(y0=low, y1=high, fillcolor=_faded(colour, 0.14), line_width=0)
    figure.add_trace(
        go.Scatter(
            x=frame["scored_at"],
            y=frame["score"],
            mode="lines+markers",
            line={"color": GREY, "width": 1.2},
            marker={"size": 10, "color": [band_colour(band) for band in frame["band"]]},
            showlegend=False,
            customdata=frame[["model_id", "band"]],
            hovertemplate="%{x|%d %b %Y %H:%M}: %{y:.0f} points, %{customdata[1]} (%{customdata[0]})<extra></extra>",
        )
    )
    figure.update_yaxes(title="score (points)", range=[300, 900], tickvals=TICKS, showgrid=False)
    figure.update_xaxes(showgrid=False)
    return figure


def bins(frame: DataFrame, title: str) -> go.Figure:
    """Show how a column lies and, where outcomes are known, the share bad of each bin with its interval; clicking yields the bin.

    Columns: bin, n, share, n_outcomes, n_bad, bad_rate, rate_low, rate_high.
    """
    if frame.empty:
        return nothing("No applicant has a row yet.")
    judged = frame[frame["n_outcomes"] > 0]
    most = frame.nlargest(1, "n").iloc[0]
    finding = f"{title}: {100 * most['share']:.0f} % of applicants have {most['bin']}"
    if len(judged) > 1 and judged["n_bad"].any():
        best, worst = judged.nsmallest(1, "bad_rate").iloc[0], judged.nlargest(1, "bad_rate").iloc[0]
        finding = f"{title}: {100 * best['bad_rate']:.0f} % bad at {best['bin']}, {100 * worst['bad_rate']:.0f} % at {worst['bin']}"
    figure = _figure(finding, height=340)
    names = [_short(str(name), 24) for name in frame["bin"]]
    figure.add_trace(
        go.Bar(
            x=names,
            y=frame["n"],
            marker={"color": [GREY if name == "not known" else BLUE for name in frame["bin"]], "opacity": 0.55, "cornerradius": 2},
            customdata=frame["bin"],
            hovertemplate="%{customdata}: %{y:,} applicants<extra></extra>",
        )
    )
    figure.update_yaxes(title="applicants", rangemode="tozero")
    figure.update_xaxes(type="category", tickangle=0 if sum(map(len, names)) < 90 else -35, automargin=True)
    if len(judged):
        figure.add_trace(
            go.Scatter(
                x=[_short(str(name), 24) for name in judged["bin"]],
                y=judged["bad_rate"],
                yaxis="y2",
                mode="markers",
                marker={"color": BRICK, "size": 9},
                error_y=_error(judged["bad_rate"], judged["rate_low"], judged["rate_high"], BRICK),
                customdata=judged["bin"],
                text=[f"{k} of {n}" for k, n in zip(judged["n_bad"], judged["n_outcomes"], strict=True)],
                hovertemplate="%{customdata}: %{y:.1%} bad (%{text})<extra></extra>",
            )
        )
        side = {"overlaying": "y", "side": "right", "tickformat": ".0%", "rangemode": "tozero", "showgrid": False, "title": "share bad"}
        side |= {"tickmode": "auto", "nticks": 6}
        figure.update_layout(yaxis2=side)
        _key(figure, ("■", BLUE, "applicants"), ("●", BRICK, "share bad, with its 95 % interval"))
    return figure


def correlations(frame: DataFrame, schema: Schema) -> go.Figure:
    """Show the strongest rank correlations between columns: one, other, correlation, n."""
    if frame.empty:
        return nothing("Fewer than two numeric columns vary, so none move together.")
    part = frame.iloc[::-1]
    titles = {feature.name: feature.title for feature in schema}
    first = frame.iloc[0]
    strongest = f"{titles[first['one']]} and {titles[first['other']].lower()} move together most ({first['correlation']:+.2f})"
    figure = _figure(strongest.replace("-", "−"), height=80 + 34 * len(part))
    labels = [f"{_short(titles[one], 44)}<br>{_short(titles[other], 44)}" for one, other in zip(part["one"], part["other"], strict=True)]
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=labels,
            x=part["correlation"],
            marker={"color": [TEAL if value > 0 else AMBER for value in part["correlation"]], "cornerradius": 2},
            customdata=part["n"],
            text=[f"{value:+.2f}".replace("-", "−") for value in part["correlation"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text} over %{customdata:,} applicants<extra></extra>",
        )
    )
    low = -1.15 if (part["correlation"] < 0).any() else 0
    figure.update_xaxes(range=[low, 1.15], title="rank correlation", zeroline=True, dtick=0.5)
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"size": 11})
    return figure


def band_colour(band: str) -> str:
    """Return the colour of a band; grey where there is none."""
    return next((colour for name, _, _, colour in BANDS if name == band), GREY)


def _figure(title: str, *, height: int) -> go.Figure:
    return go.Figure(layout=_layout(title, height))


def _layout(title: str, height: int) -> dict[str, Any]:
    return {
        "title": {"text": title, "automargin": True, "yref": "container"},
        "height": height,
        "margin": {"l": 4, "r": 12, "t": 12, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"align": "left"},
        "bargap": 0.28,
    }


def _key(figure: go.Figure, *marks: tuple[str, str, str]) -> None:
    """Name colours above the plot, each (sign, colour, words): a legend that never lies over the data."""
    figure.add_annotation(_named(marks))
    figure.update_layout(showlegend=False, margin={"t": 34})


ZERO: Final = {"zeroline": True, "zerolinecolor": GREY, "zerolinewidth": 1}
CLICKED: Final[dict[str, Any]] = {"clickmode": "event+select", "dragmode": False}


MONTH_WIDE: Final = 22 * 86_400_000  # milliseconds; said, since Plotly draws the only bar of an axis a millisecond wide
PERIOD: Final = {"xperiod": "M1", "xperiodalignment": "middle"}  # a bar of a month stands over the month, not over its first day
ALIKE: Final = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}  # what is chosen stands in the URL


def _drawn(
    title: str,
    height: int,
    data: Sequence[Mapping[str, Any]],
    marks: Sequence[tuple[str, str, str]] = (),
    gaps: DataFrame | None = None,
    **layout: Any,
) -> go.Figure:
    """Make a figure in one step, which Plotly checks once: several times faster than adding to one.

    `marks` name what is seen (sign, colour, words), `gaps` are days to shade (from_on, to_on).
    """
    shades, notes = _unseen(gaps)
    whole = {**_layout(title, height), "showlegend": False, **layout}
    whole["shapes"] = [*layout.get("shapes", []), *shades]
    whole["annotations"] = [*([_named(marks)] if marks else []), *notes]
    if marks:
        whole["margin"] = {**whole["margin"], "t": 34}
    return go.Figure(data=data, layout=whole)


def _named(marks: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    text = " &nbsp;&nbsp; ".join(f"<span style='color:{colour};font-size:16px'>{sign}</span> {words}" for sign, colour, words in marks)
    place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 6}
    return {"text": text, "showarrow": False, "align": "left", "font": {"size": 12.5}, **place}


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
            f"{title}: {_signed(amount, currency)} in {_counted(n, 'transaction')}"
            for title, amount, n in zip(part["title"], part["amount"], part["n"], strict=True)
        ],
        "hovertemplate": "%{x|%B %Y}<br>%{hovertext}<extra></extra>",
    }


def _paled(colour: str, category: str, chosen: str | None) -> str:
    return colour if chosen in (None, category) else _faded(colour, 0.22)


def _kinds(frame: DataFrame) -> list[str]:
    known = {group: name for name, (_, groups) in KINDS.items() for group in groups}
    return [known["unknown" if code == "UNKNOWN" else group] for code, group in zip(frame["category"], frame["class"], strict=True)]


def _monthly(months: Any) -> dict[str, Any]:
    """An axis of months."""
    first, last = _days([min(months), max(months)])
    return {
        "type": "date",
        "showgrid": False,
        "tickangle": 0,
        "tickformat": "%b\n%Y",
        "dtick": _step(first, last),
        "ticklabelmode": "period",
    }


def _time(first: date, last: date) -> dict[str, Any]:
    """An axis of days that names each month once, and days where there are few."""
    if (last - first).days < 45:
        return {"type": "date", "tickangle": 0, "tickformat": "%d %b\n%Y", "nticks": 8}
    return {"type": "date", "tickangle": 0, "tickformat": "%b\n%Y", "dtick": _step(first, last)}


def _step(first: date, last: date) -> str:
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    return "M1" if months <= 14 else "M3" if months <= 40 else "M6" if months <= 80 else "M12"


def _runs(values: Any) -> list[tuple[int, int]]:
    """Where runs of known values begin and end (exclusive)."""
    runs: list[tuple[int, int]] = []
    for place, known in enumerate(values.notna()):
        if known and runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        elif known:
            runs.append((place, place + 1))
    return runs


def _unseen(gaps: DataFrame | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shade the days that no file covers, and say so."""
    shades, notes = [], []
    for start, end in [] if gaps is None else zip(_days(gaps["from_on"]), _days(gaps["to_on"]), strict=True):
        edges = {"x0": start.isoformat(), "x1": (end + timedelta(days=1)).isoformat(), "yref": "paper", "y0": 0, "y1": 1}
        shades.append({"type": "rect", "fillcolor": FAINT, "line": {"width": 0}, "layer": "below", **edges})
        place = {"x": (start + (end - start) / 2).isoformat(), "y": 1, "yref": "paper", "yanchor": "top"}
        notes.append({"text": "no file", "showarrow": False, "font": {"size": 11, "color": GREY}, **place})
    return shades, notes


Marked = tuple[tuple[str, str, str], dict[str, Any]]  # what the key says of it, and the trace


def _marked_events(frame: DataFrame, events: DataFrame | None, currency: str | None) -> list[Marked]:
    if events is None or events.empty:
        return []
    levels = dict(zip(_days(frame["day"]), frame["balance"].fillna(0.0), strict=True))
    found: list[Marked] = []
    for kind, symbol, sign, colour, words in (
        ("fee", "diamond", "◆", AMBER, "overdraft, late or interest fee"),
        ("returned", "x", "✖", BRICK, "returned item, or the fee for one"),
    ):
        part = events[events["kind"] == kind]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": part["booked_on"],
            "y": [levels.get(day, 0.0) for day in _days(part["booked_on"])],
            "marker": {"symbol": symbol, "size": 10 if kind == "returned" else 8, "color": colour, "line": {"width": 1, "color": "white"}},
            "hovertext": [
                f"{title}: {_signed(amount, currency)}<br>{_long(text)}"
                for title, amount, text in zip(part["title"], part["amount"], part["text"], strict=True)
            ],
            "hovertemplate": "%{x|%d %b %Y}<br>%{hovertext}<extra></extra>",
        }
        if len(part):
            found.append(((sign, colour, words), trace))
    return found


def _marked_breaks(breaks: DataFrame | None, currency: str | None) -> list[Marked]:
    if breaks is None or breaks.empty:
        return []
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": breaks["day"],
        "y": breaks["stated"],
        "marker": {"symbol": "triangle-up-open", "size": 13, "color": VIOLET, "line": {"width": 2.4, "color": VIOLET}},
        "customdata": breaks[["computed", "account"]],
        "hovertemplate": f"%{{x|%d %b %Y}} %{{customdata[1]}}<br>stated %{{y:,.2f}} {currency or ''}, "
        "but the transactions give %{customdata[0]:,.2f}<extra></extra>",
    }
    return [(("△", VIOLET, "stated balance that does not follow"), trace)]


def _covered(months: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The finding of a strip of coverage: of the only account, or of the one that misses most."""
    worst = max(months, key=lambda row: (len(row["missing"]), len(row["partly"])))
    whole = worst["n"] - len(worst["missing"]) - len(worst["partly"])
    whose = f"{names[worst['account']]}: " if len(months) > 1 else ""
    if whole == worst["n"]:
        several = f"All {len(months)} accounts are covered without a gap" if len(months) > 1 else ""
        return several or (f"All {worst['n']} months are covered, without a gap" if worst["n"] > 1 else "One month is covered")
    gone, some = worst["missing"], worst["partly"]
    missing = f"{_listed(gone)} {'is' if len(gone) == 1 else 'are'} missing" if gone else ""
    partly = f"{_listed(some)} {'is' if len(some) == 1 else 'are'} covered in part" if some else ""
    return f"{whose}{whole} of {worst['n']} months are covered; {' and '.join(filter(None, (missing, partly)))}"


def _listed(months: Sequence[Any], most: int = 3) -> str:
    named = [f"{month:%B %Y}" for month in months]
    shown = named if len(named) <= most else [*named[: most - 1], f"{len(named) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _days(values: Any) -> list[date]:
    return [value.date() if hasattr(value, "date") else value for value in values]


def _long(words: str) -> str:
    """Text from a file, for hovering: in lines, and no markup of its own."""
    return "<br>".join(wrap(words.replace("&", "&amp;").replace("<", "&lt;"), 60))


def _faded(colour: str, share: float = 0.26) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def _running(start: float, steps: Sequence[float]) -> list[float]:
    edges = [start]
    for step in steps:
        edges.append(edges[-1] + step)
    return edges


def _floor(edges: Sequence[float]) -> float:
    """Where the two whole bars begin: a little left of everything, so that the steps fill the picture."""
    return min(edges) - 0.18 * ((max(edges) - min(edges)) or 1)


def _label(title: str, value: str, reference: str) -> str:
    said = f"{_short(value, 26)} · reference {_short(reference, 26)}"
    return f"{_short(title, 44)}<br><span style='font-size:11px;opacity:0.75'>{said}</span>" if value else title


def _strongest(frame: DataFrame, steps: Sequence[float], better: Sequence[bool], unit: str) -> str:
    """Say which figure does most; what is left over together is none of them, and a model that reads nothing has none."""
    single = [place for place, feature in enumerate(frame["feature"]) if feature]
    subject = "the score" if unit == "points" else "the risk"
    if not single or not any(abs(steps[place]) > 1e-9 for place in single):
        return f"No figure moves {subject}"
    strongest = max(single, key=lambda place: abs(steps[place]))
    verb = "raises" if better[strongest] == (unit == "points") else "lowers"
    return f"{frame['title'].iloc[strongest]} {verb} {subject} most"


def _moved(step: float, sign: str) -> str:
    """'+27', '−3', and '0' for what rounds to nothing."""
    text = f"{step:{sign}}"
    return text.lstrip("+-") if not text.strip("+-0.") else text.replace("-", "−")


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}\u00a0%"


def _short(words: str, most: int = 32) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip(" ,") + "…"


def _figure_text(value: float, unit: str, limits: tuple[float, float] | None = None) -> str:
    if unit != "points":
        return f"<b>{value:+.2f}</b>".replace("-", "−")
    held = min(max(value, limits[0]), limits[1]) if limits else value
    return f"<b>{floor(held)}</b>" if held == value else f"<b>{floor(held)}</b>, limited from {value:.0f}"


def _counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _signed(amount: float, currency: str | None) -> str:
    return f"{'+' if amount > 0 else '−'}{abs(amount):,.2f} {currency or ''}".rstrip()


def _money_axis(what: str, currency: str | None) -> str:
    return f"{what} ({currency or 'currency not stated'})"


def _cluster(row: Mapping[str, Any], n: int) -> str:
    place = row["segment"]
    return f"{place + 1}{' (safest)' if place == 0 else ' (riskiest)' if place == n - 1 else ''}"


def _sides(values: Sequence[float], risk: int) -> list[float]:
    """Place values between −1 (the safest of them) and 1 (the riskiest)."""
    low, high = min(values), max(values)
    return [0.0 if high == low or not risk else risk * (2 * (value - low) / (high - low) - 1) for value in values]


def _error(value: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "color": colour,
        "thickness": 2.2,
        "width": 5,
    }


def _diagonal(edge: float) -> go.Scatter:
    line = {"color": GREY, "width": 1, "dash": "dot"}
    return go.Scatter(x=[0, edge], y=[0, edge], mode="lines", line=line, hoverinfo="skip", showlegend=False)
