"""Pictures of a label set: which days it reads, whom it calls bad, how it agrees with outcomes and with another set."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import inf
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL

DAY: Final = 86_400_000  # milliseconds


def windows(cohorts: Sequence[Mapping[str, Any]], observation_days: int, gap_days: int, performance_days: int | None) -> go.Figure:
    """Show which days predictors and which the label reads, a lane a cohort: as_of (the day observation ends, ISO), n.

    Where no day is stated, each applicant has a day of their own, and one lane counts from it. Without `performance_days`
    predictors and label read the same days.
    """
    if not cohorts:
        return canvas.nothing("These rows have no dates: the label and the predictors read the same figures.", 90)
    days = [_day(row["as_of"]) for row in cohorts if row["as_of"]]
    lanes = [f"{end:%d %b %Y}, {canvas.counted(row['n'], 'applicant')}" for end, row in zip(days, cohorts, strict=False)]
    lanes = lanes or [canvas.counted(sum(row["n"] for row in cohorts), "applicant")]
    bars = [(TEAL, "", -observation_days, observation_days, "predictors")]
    if performance_days is None:
        title = "Predictors and the label read the same days, so a model can only re-learn the label"
        bars.append((AMBER, "/", -observation_days, observation_days, "label"))
    else:
        after = f"begin {canvas.counted(gap_days, 'day')} later" if gap_days else "follow"
        title = f"Predictors end where a cohort’s day begins; the {performance_days} days that make the label {after}"
        bars.append((AMBER, "", gap_days, performance_days, "label"))
        bars += [(GREY, "/", 0, gap_days, "gap: nobody reads")] if gap_days else []
    first, last = -observation_days, gap_days + (performance_days or 0)
    span = {"title": "days from the day an applicant was looked at", **canvas.ZERO}
    if days:
        span = canvas.time_axis(min(days) + timedelta(days=first), max(days) + timedelta(days=last))
    return canvas.drawn(
        title,
        (96 if days else 116) + 30 * len(lanes),
        [_stretch(lanes, days, *bar) for bar in bars],
        [("▨" if pattern else "■", colour, words) for colour, pattern, _, _, words in bars],
        xaxis=span,
        yaxis={"type": "category", "automargin": True, "autorange": "reversed", "showgrid": False},
        barmode="overlay",
    )


def cohort_rates(frame: DataFrame) -> go.Figure:
    """Show the share labelled bad in each cohort with its 95 % interval: columns cohort (ISO day or month), n, n_bad, share, low, high."""
    if frame.empty:
        return canvas.nothing("This label set has no cohorts to compare.")
    if len(frame) == 1:
        finding = f"One cohort: {canvas.percent(frame['share'].iloc[0], 1)} of it is labelled bad"
    else:
        ends = f"{canvas.percent(frame['share'].min(), 1)} and {canvas.percent(frame['share'].max(), 1)}"
        moves = frame["low"].max() > frame["high"].min()
        finding = f"Between {ends} of a cohort are labelled bad, {'which is more than chance' if moves else 'within chance'}"
    days = [_day(text) for text in frame["cohort"]]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": days,
        "y": frame["share"],
        "line": {"color": GREY, "width": 1.2},
        "marker": {"color": TEAL, "size": 9},
        "error_y": canvas.whiskers(frame["share"], frame["low"], frame["high"], TEAL),
        "customdata": frame[["cohort", "n_bad", "n", "low", "high"]],
        "hovertemplate": "%{customdata[0]}: %{y:.1%} bad, %{customdata[1]:,} of %{customdata[2]:,}"
        "<br>95 % interval %{customdata[3]:.1%} to %{customdata[4]:.1%}<extra></extra>",
    }
    few = {"type": "date", "tickvals": days, "tickformat": "%d %b\n%Y" if len(frame["cohort"].iloc[0]) > 7 else "%b\n%Y", "tickangle": 0}
    return canvas.drawn(
        finding,
        280,
        [trace],
        xaxis={"showgrid": False, **(few if len(days) <= 8 else canvas.time_axis(min(days), max(days)))},
        yaxis={"title": "share labelled bad", "tickformat": ".0%", "rangemode": "tozero"},
    )


def group_rates(frame: DataFrame) -> go.Figure:
    """Show the share labelled bad in each protected group with its 95 % interval, those warned of in brick.

    Columns: feature, title, group, n, n_bad, share, low, high, ratio (to everybody else), warned.
    """
    if frame.empty:
        return canvas.nothing("No protected column is kept, so nobody can look whether a group is labelled bad more often.")
    warned = frame[frame["warned"].astype(bool)]
    finding = "No protected group is labelled bad much more or less often than everybody else"
    if len(warned):
        worst = max(warned.to_dict("records"), key=lambda row: max(row["ratio"], 1 / row["ratio"] if row["ratio"] else inf))
        times = f"{worst['ratio']:.1f} times as often as" if worst["ratio"] < inf else "unlike"
        finding = f"{worst['title']} {worst['group']}: labelled bad {times} everybody else"
    names = [
        f"{canvas.short(title, 60)}: {canvas.short(str(group), 28)}" for title, group in zip(frame["title"], frame["group"], strict=True)
    ]
    data = []
    for is_warned, colour in ((False, TEAL), (True, BRICK)):
        place = [number for number, flag in enumerate(frame["warned"]) if bool(flag) == is_warned]
        part = frame.iloc[place]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": part["share"],
                "y": [names[number] for number in place],
                "marker": {"color": colour, "size": 10},
                "error_x": canvas.whiskers(part["share"], part["low"], part["high"], colour),
                "customdata": part[["n_bad", "n", "low", "high"]],
                "hovertemplate": "%{y}: %{x:.1%} bad, %{customdata[0]:,} of %{customdata[1]:,}"
                "<br>95 % interval %{customdata[2]:.1%} to %{customdata[3]:.1%}<extra></extra>",
            }
        )
    marks = [("●", TEAL, "share labelled bad"), *([("●", BRICK, "far from everybody else’s")] if len(warned) else [])]
    return canvas.drawn(
        finding,
        96 + 28 * len(names),
        data,
        marks,
        xaxis={"title": "share labelled bad", "tickformat": ".0%", "rangemode": "tozero"},
        yaxis={"type": "category", "categoryorder": "array", "categoryarray": names[::-1], "automargin": True},
    )


def against(figures: Sequence[tuple[str, Mapping[str, Any]]]) -> go.Figure:
    """Show AUCs against observed outcomes, (name, {value, low, high, n, n_bad}) each, beside the 0.5 of chance."""
    if not figures:
        return canvas.nothing("No observed outcome is recorded for these applicants, so nobody knows how far the label is right.")
    names = [name for name, _ in figures]
    low, high, value = ([found[part] for _, found in figures] for part in ("low", "high", "value"))
    best = max(figures, key=lambda pair: pair[1]["value"])
    certain = [name for name, found in figures if found["low"] > 0.5]
    finding = (
        f"{best[0]} ranks observed outcomes best: AUC {best[1]['value']:.2f}"
        if certain
        else "Nothing here ranks observed outcomes better than chance"
    )
    frame = DataFrame({"value": value, "low": low, "high": high})
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": frame["value"],
        "y": names,
        "marker": {"size": 12, "color": [TEAL if name in certain else BRICK for name in names]},
        "error_x": canvas.whiskers(frame["value"], frame["low"], frame["high"], GREY),
        "hovertext": [
            f"{name}: {found['value']:.3f}, 95 % interval {found['low']:.3f} to {found['high']:.3f}<br>"
            f"{found['n']:,} outcomes, {found['n_bad']:,} bad"
            for name, found in figures
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    chance = {"type": "line", "x0": 0.5, "x1": 0.5, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY, "width": 1.2, "dash": "dot"}}
    return canvas.drawn(
        finding,
        96 + 40 * len(names),
        [trace],
        xaxis={"title": "AUC against observed outcomes (dotted: chance)", "range": [min(0.4, min(low) - 0.03), 1.02], "tickformat": ".1f"},
        yaxis={"type": "category", "autorange": "reversed", "automargin": True},
        shapes=[chance],
    )


def agreement(table: DataFrame, one: str, other: str) -> go.Figure:
    """Show how two label sets label the same applicants: columns one (label of the first), good, bad, no label (counts by the second)."""
    labels = ["good", "bad", "no label"]
    counts = table[labels].to_numpy()
    kinds = [[1 if row == column else -1 if "no label" not in (row, column) else 0 for column in labels] for row in table["one"]]
    heat = {
        "type": "heatmap",
        "z": kinds,
        "x": [f"{label} in {other}" for label in labels],
        "y": [f"{label} in {one}" for label in table["one"]],
        "text": [[f"{count:,}" for count in row] for row in counts],
        "texttemplate": "%{text}",
        "textfont": {"size": 14, "color": "#15272e"},
        "zmin": -1,
        "zmax": 1,
        "xgap": 4,
        "ygap": 4,
        "showscale": False,
        "colorscale": [[0, "#ecb3a5"], [0.5, "#dde6e8"], [1, "#9fd3cc"]],
        "hovertemplate": "%{y}, %{x}: %{text} applicants<extra></extra>",
    }
    bare = {"showgrid": False, "ticks": ""}
    return canvas.drawn(
        f"Who is what in {one} and in {other}",
        220,
        [heat],
        yaxis={"autorange": "reversed", "automargin": True, **bare},
        xaxis={"side": "top", **bare},
    )


def _stretch(  # noqa: PLR0917  (a row of `windows`' own table)
    lanes: Sequence[str], days: Sequence[date], colour: str, pattern: str, start: int, length: int, words: str
) -> dict[str, Any]:
    """Bars of so many days, from so many days after each of `days`; of the days alone where none is stated."""
    starts = [day + timedelta(days=start) for day in days]
    said = [f"{words}: {day:%d %b %Y} to {day + timedelta(days=length - 1):%d %b %Y}, {length} days" for day in starts]
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(lanes),
        "base": [day.isoformat() for day in starts] or [start],
        "x": [DAY * length if days else length] * len(lanes),
        "width": 0.52,
        "marker": {
            "color": "rgba(0,0,0,0)" if pattern else canvas.faded(colour, 0.8),
            "line": {"width": 1, "color": colour},
            "pattern": {"shape": pattern, "fgcolor": colour, "size": 7},
        },
        "hovertext": said or [f"{words}: {length} days"],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _day(text: str) -> date:
    """'2026-04-01' or '2026-04' as a date."""
    return date.fromisoformat(text if len(text) > 7 else f"{text}-01")
