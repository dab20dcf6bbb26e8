"""Pictures of a batch: how its scores lie beside those of training, and what moved."""

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL, TICKS

MOST = 1.0  # a PSI beyond which further is no longer told apart by eye
COLOURS = {"far": BRICK, "moved": AMBER, "": GREY}


def batch_scores(frame: DataFrame) -> go.Figure:
    """Show shares of scores beside those of training: columns low (edge of 20 points), share, share_trained, n."""
    if frame.empty or not frame["n"].sum():
        return canvas.nothing("Nobody is scored in this batch yet.")
    figure = canvas.figure(f"Where {int(frame['n'].sum()):,} scores lie", height=300)
    figure.add_trace(
        go.Bar(
            x=frame["low"] + 10,
            y=frame["share"],
            width=17,
            marker={"color": TEAL, "opacity": 0.85},
            customdata=frame[["low", "n"]],
            hovertemplate="%{customdata[1]:,} of this batch (%{y:.1%}) from %{customdata[0]} points<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=frame["low"] + 10,
            y=frame["share_trained"],
            mode="lines",
            line={"color": GREY, "width": 2, "shape": "hvh"},
            hovertemplate="%{y:.1%} of the model's test applicants<extra></extra>",
        )
    )
    canvas.key(figure, ("■", TEAL, "this batch"), ("━", GREY, "the model's test applicants"))
    figure.update_xaxes(title="score (points)", range=[296, 904], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="share of applicants", tickformat=".0%", rangemode="tozero")
    return figure


def moved(frame: DataFrame, *, top: int = 12) -> go.Figure:
    """Show how far figures moved since training: columns title, psi, critical, moved ("far", "moved" or "")."""
    known = frame.dropna(subset=["psi"])
    if known.empty:
        return canvas.nothing("The table this model learned from is not in this workspace, so nothing can be held against it.")
    n = int((known["moved"] != "").sum())
    part = known.nlargest(top, "psi").iloc[::-1]
    said = "No figure moved further than chance explains" if not n else f"{canvas.counted(n, 'figure')} moved since training"
    figure = canvas.figure(said, height=90 + 25 * len(part))
    names = [canvas.short(title, 40) for title in part["title"]]
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=names,
            x=part["psi"],
            marker={"color": [COLOURS[each] for each in part["moved"]], "cornerradius": 2},
            customdata=part[["critical", "missing", "missing_trained"]],
            hovertemplate="%{y}: PSI %{x:.3f}, chance stays below %{customdata[0]:.3f}<br>not known: %{customdata[1]:.1%}, in training "
            "%{customdata[2]:.1%}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=part["critical"],
            y=names,
            mode="markers",
            marker={"symbol": "line-ns", "size": 12, "line": {"width": 2, "color": GREY}},
            hoverinfo="skip",
        )
    )
    canvas.key(figure, ("■", BRICK, "far"), ("■", AMBER, "moved"), ("■", GREY, "not"), ("|", GREY, "by chance"))
    figure.update_yaxes(automargin=True, showgrid=False, type="category")
    figure.update_xaxes(title="population stability index (PSI)", range=[0, 1.05 * min(max(float(part["psi"].max()), 0.3), MOST)])
    return figure
