"""Pictures of invented applicants beside the real ones: how columns move together in both, and how far each is from its likeness."""

from typing import Any

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BLUE, BRICK, GREY

MOST = 12  # columns shown, the furthest first
ALIKE = 0.1  # a distance drawn as far: half of the published band for a shift of a distribution
SPAN = 1.05


def bonds(pairs: DataFrame) -> go.Figure:
    """Show each rank correlation among the real applicants against the same among the invented: one, other, real, invented, worst first.

    On the diagonal nothing changed.
    """
    if pairs.empty:
        return canvas.nothing("There are no two columns that could move together.")
    worst = pairs.iloc[0]
    change = f"from {_signed(worst['real'])} to {_signed(worst['invented'])}"
    title = f"The rank correlation that changed most: {worst['one']} with {worst['other'].lower()}, {change}"
    ends = {"mode": "lines", "line": {"color": GREY, "width": 1, "dash": "dot"}, "hoverinfo": "skip"}
    hover = "%{text}<br>%{x:.2f} real, %{y:.2f} invented<extra></extra>"

    def dots(part: DataFrame, colour: str, size: int) -> dict[str, Any]:
        named = [canvas.long(f"{one} with {other}") for one, other in zip(part["one"], part["other"], strict=True)]
        look = {"color": colour, "size": size, "opacity": 0.7}
        return {"type": "scatter", "mode": "markers", "x": part["real"], "y": part["invented"], "text": named, "marker": look} | {
            "hovertemplate": hover
        }

    return canvas.drawn(
        title,
        380,
        [
            {"type": "scatter", "x": [-1, 1], "y": [-1, 1], **ends},
            dots(pairs.iloc[1:], BLUE, 7),
            dots(pairs.iloc[:1], BRICK, 11),
        ],
        [("●", BLUE, canvas.counted(len(pairs), "pair") + " of columns"), ("●", BRICK, "changed most"), ("┄", GREY, "no change")],
        xaxis={"title": "rank correlation, real", **_range(pairs)},
        yaxis={"title": "rank correlation, invented", **_range(pairs)},
    )


def distances(columns: DataFrame) -> go.Figure:
    """Show how far the distribution of each column lies from the real one: title, ks; the furthest first, `MOST` of them."""
    if columns.empty:
        return canvas.nothing("There is no column.")
    part = columns.nlargest(MOST, "ks").iloc[::-1]
    worst = part.iloc[-1]
    more = f" ({MOST} of {len(columns)} columns)" if len(columns) > MOST else ""
    names = [canvas.long(canvas.short(title, 30)) for title in part["title"]]
    return canvas.drawn(
        f"The distribution furthest from the real one: {worst['title']}, {worst['ks']:.3f} of 1{more}",
        380,
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(part))),
                "x": part["ks"],
                "marker": {"color": [AMBER if value > ALIKE else BLUE for value in part["ks"]], "cornerradius": 2},
                "customdata": [canvas.long(title) for title in part["title"]],
                "text": [f"{value:.3f}" for value in part["ks"]],
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": "%{customdata}: %{text}<extra></extra>",
            }
        ],
        xaxis={"title": "largest distance of the distributions (KS, 0 to 1)", "range": [0, max(1.25 * float(worst["ks"]), ALIKE)]},
        yaxis={"tickvals": list(range(len(part))), "ticktext": names, "automargin": True, "showgrid": False, "tickfont": {"size": 11}},
    )


def _range(pairs: DataFrame) -> dict[str, Any]:
    """Return the same axis for both: from −1 where a correlation is well below nought, else from a little below it."""
    low = min(0.0, float(pairs["real"].min()), float(pairs["invented"].min()))
    return {"range": [max(-SPAN, low - 0.08), SPAN], "zeroline": True, "zerolinecolor": GREY, "zerolinewidth": 1, "dtick": 0.25}


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
