"""Pictures of one applicant's score: where it lies, how it came about, and those before it."""

from collections.abc import Sequence
from math import floor
from typing import Any

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import BANDS, BRICK, GREY, TEAL, TICKS


def gauge(score: float, shown: int, band: str, *, sure: bool = True, cutoff: float | None = None) -> go.Figure:
    """Show one score on the 300–900 arc with its four bands; `shown` is the floored figure people read, `cutoff` the policy's line.

    A score that nobody should rely on (`sure` false: too little history) stays grey and says so.
    """
    colour = canvas.band_colour(band) if sure else GREY
    line = [] if cutoff is None else [_below(f"<span style='color:{GREY}'><b>┃</b></span> cut-off {cutoff:.0f}")]
    dial = {
        "type": "indicator",
        "mode": "gauge+number",
        "value": shown,
        "number": {"font": {"size": 54, "color": colour}, "valueformat": "d"},
        "gauge": {
            "axis": {"range": [300, 900], "tickvals": TICKS, "tickwidth": 0, "ticklen": 3, "tickfont": {"size": 12}},
            "bar": {"color": colour, "thickness": 0.52},
            "bgcolor": "rgba(0,0,0,0)",
            "borderwidth": 0,
            "steps": [{"range": [low, high], "color": canvas.faded(hue), "thickness": 1} for _, low, high, hue in BANDS],
            "threshold": {"line": {"color": GREY, "width": 3}, "thickness": 1, "value": score if cutoff is None else cutoff},
        },
    }
    title = f"{shown} points: {band}" if sure else "Too little history for a score to rely on"
    return canvas.drawn(title, 230, [dial], annotations=line, margin={"l": 24, "r": 24, "t": 26, "b": 26 if line else 4})


def waterfall(
    frame: DataFrame,
    start: float,
    end: float,
    *,
    unit: str = "points",
    start_name: str = "Reference",
    end_name: str = "This applicant",
    limits: tuple[float, float] = (300, 900),
    against: str = "reference",
) -> go.Figure:
    """Show how contributions lead from a reference to one applicant; clicking a bar yields its feature.

    `frame` has feature, title, value, reference and the column `unit`: 'points' (+ is better) or 'contribution' (log-odds, + is riskier).
    Points beyond `limits` are said with the limit, which is the score people read. `against` is what a value is held against.
    """
    if frame.empty:
        return canvas.nothing("Nothing was scored, so there is nothing to explain.")
    steps = [float(step) for step in frame[unit]]
    edges = _running(start, steps)
    better = [step >= 0 if unit == "points" else step <= 0 for step in steps]
    names = [
        _label(title, value, f"{against} {canvas.short(reference, 26)}" if value != reference or against == "reference" else "unchanged")
        for title, value, reference in zip(frame["title"], frame["value"], frame["reference"], strict=True)
    ]
    start_name, end_name = canvas.literal(start_name), canvas.literal(end_name)
    told = zip(frame["title"], frame["value"], frame["reference"], steps, strict=True)
    word = "points" if unit == "points" else "log-odds"
    sign = "+.0f" if unit == "points" else "+.2f"
    low, high = min([*edges, end]), max([*edges, end])
    room = (high - low or 1) * 0.2
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [f"<b>{start_name}</b>", *names, f"<b>{end_name}</b>"],
        "base": [min(edges[0], _floor(edges)), *edges[:-1], _floor(edges)],
        "x": [edges[0] - min(edges[0], _floor(edges)), *steps, end - _floor(edges)],
        "marker": {"color": [GREY, *[TEAL if good else BRICK for good in better], GREY], "cornerradius": 3},
        "customdata": ["", *frame["feature"], ""],
        "text": [_figure_text(start, unit), *[_moved(step, sign) for step in steps], _figure_text(end, unit, limits)],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": [
            f"{start_name}: {_figure_text(start, unit)}<extra></extra>",
            *[
                f"{canvas.long(title)}: {_moved(step, sign)} {word}"
                f"{f'<br>{canvas.long(value)}; {against} {canvas.long(reference)}' if value else ''}<extra></extra>"
                for title, value, reference, step in told
            ],
            f"{end_name}: {_figure_text(end, unit, limits)}<extra></extra>",
        ],
        "width": 0.62,
    }
    return canvas.drawn(
        _strongest(frame, steps, better, unit),
        80 + 38 * (len(steps) + 2),
        [bars],
        yaxis={"autorange": "reversed", "automargin": True, "tickfont": {"size": 12.5}, "showgrid": False},
        xaxis={
            "title": {"text": "score points" if unit == "points" else "log-odds of risk"},
            "range": [_floor(edges) if low >= _floor(edges) else low, high + room],
            "zeroline": False,
        },
        **canvas.CLICKED,
    )


def month(frame: DataFrame) -> go.Figure:
    """Show a month's money, from what comes in to what is left: columns feature, title, amount (money, negative: out), is_sum.

    A sum stands from nothing; what lies between takes away from the bar before. Clicking a bar yields its feature.
    """
    if frame.empty:
        return canvas.nothing("The figures of this applicant do not say what a month costs.")
    amounts, tops = [float(amount) for amount in frame["amount"]], [0.0]
    for amount, is_sum in zip(amounts, frame["is_sum"], strict=True):
        tops.append(amount if is_sum else tops[-1] + amount)
    last, left = str(frame["title"].iloc[-1]), amounts[-1]
    figure = canvas.figure(
        f"{last}: {_money(left)} a month" if left >= 0 else f"{last}: nothing, {_money(-left)} a month is missing", height=300
    )
    figure.add_trace(
        go.Bar(
            x=[str(name) for name in frame["title"]],
            y=amounts,
            base=[0.0 if is_sum else top for top, is_sum in zip(tops, frame["is_sum"], strict=False)],
            marker={"color": [_side(amount, is_sum) for amount, is_sum in zip(amounts, frame["is_sum"], strict=True)], "cornerradius": 3},
            customdata=list(frame["feature"]),
            text=[f"<b>{_money(amount)}</b>" for amount in amounts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{x}: %{text} a month<extra></extra>",
            width=0.6,
        )
    )
    low, high = min(0.0, *tops), max(tops)
    room = 0.15 * ((high - low) or 1)
    figure.update_yaxes(title="money a month", range=[low - room, high + room], tickformat=",d", zeroline=True, zerolinecolor=GREY)
    figure.update_xaxes(showgrid=False, automargin=True)
    figure.update_layout(**canvas.CLICKED)
    return figure


def _side(amount: float, is_sum: bool) -> str:
    return BRICK if amount < 0 else TEAL if is_sum else GREY


def _money(amount: float) -> str:
    return f"{round(amount):,}".replace("-", "−")


def score_history(frame: DataFrame) -> go.Figure:
    """Show every score an applicant was given, in time: columns scored_at, score, band, model_id."""
    if frame.empty:
        return canvas.nothing("No score yet.")
    across = {"type": "rect", "xref": "x domain", "x0": 0, "x1": 1, "line": {"width": 0}}
    points = {
        "type": "scatter",
        "x": frame["scored_at"],
        "y": frame["score"],
        "mode": "lines+markers",
        "line": {"color": GREY, "width": 1.2},
        "marker": {"size": 10, "color": [canvas.band_colour(band) for band in frame["band"]]},
        "customdata": frame[["model_id", "band"]],
        "hovertemplate": "%{x|%d %b %Y %H:%M}: %{y:.0f} points, %{customdata[1]} (%{customdata[0]})<extra></extra>",
    }
    return canvas.drawn(
        f"Scored {len(frame)} time{'' if len(frame) == 1 else 's'}",
        220,
        [points],
        shapes=[{**across, "y0": low, "y1": high, "fillcolor": canvas.faded(colour, 0.14)} for _, low, high, colour in BANDS],
        yaxis={"title": {"text": "score (points)"}, "range": [300, 900], "tickvals": TICKS, "showgrid": False},
        xaxis={"showgrid": False},
    )


def _below(text: str) -> dict[str, Any]:
    """Return a line of text under a picture."""
    place = {"x": 0.5, "y": 0, "xref": "paper", "yref": "paper", "yanchor": "top"}
    return {"text": text, "showarrow": False, "font": {"size": 12.5}, **place}


def _running(start: float, steps: Sequence[float]) -> list[float]:
    edges = [start]
    for step in steps:
        edges.append(edges[-1] + step)
    return edges


def _floor(edges: Sequence[float]) -> float:
    """Where the two whole bars begin: a little left of everything, so that the steps fill the picture."""
    return min(edges) - 0.18 * ((max(edges) - min(edges)) or 1)


def _label(title: str, value: str, usual: str) -> str:
    said = f"{canvas.short(value, 26)} · {usual}"
    return f"{canvas.short(title, 44)}<br><span style='font-size:11px;opacity:0.75'>{said}</span>" if value else canvas.literal(title)


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


def _figure_text(value: float, unit: str, limits: tuple[float, float] | None = None) -> str:
    if unit != "points":
        return f"<b>{value:+.2f}</b>".replace("-", "−")
    held = min(max(value, limits[0]), limits[1]) if limits else value
    return f"<b>{floor(held)}</b>" if held == value else f"<b>{floor(held)}</b>, limited from {value:.0f}".replace("-", "−")
