"""Pictures of a label set: what it rests on, how its clusters differ, and how far it can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from creditrisk.charts import canvas
from creditrisk.charts.canvas import BRICK, GREY, TEAL
from creditrisk.schema import Schema


def scan(rows: Sequence[Mapping[str, Any]], chosen: int | None) -> go.Figure:
    """Show what each number of clusters gives: k, index_gap (standard deviations), stability (0–1), silhouette (−1–1)."""
    if not rows:
        return canvas.nothing("This label set was not made by looking through numbers of clusters.")
    numbers = [row["k"] for row in rows]
    panels = (
        ("index_gap", "Gap to the next cluster (SD)", 1.0),
        ("stability", "Stability (0 to 1)", 0.75),
        ("silhouette", "Silhouette (−1 to 1)", None),
    )
    figure = make_subplots(rows=1, cols=3, subplot_titles=[words for _, words, _ in panels], horizontal_spacing=0.07)
    title = f"{chosen} clusters, out of {numbers[0]} to {numbers[-1]} tried" if chosen else "No number of clusters was chosen"
    figure.update_layout(canvas.layout(title, 250))
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
        return canvas.nothing("This label set has no clusters to describe.")
    features = [schema[name] for name in clusters[0]["means"]]
    columns = [_cluster(row, len(clusters)) for row in clusters]
    said = [[feature.say(row["means"][feature.name]) for row in clusters] for feature in features]
    sides = [
        _sides([row["means"][feature.name] for row in clusters], feature.risk if len(set(words)) > 1 else 0)
        for feature, words in zip(features, said, strict=True)
    ]
    figure = canvas.figure("How the clusters differ", height=64 + 34 * len(features))
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
        return canvas.nothing("This label set has no clusters.")
    last = len(clusters) - 1
    figure = canvas.figure(f"{clusters[last]['n']:,} applicants fall into the riskiest cluster", height=300)
    figure.add_trace(
        go.Bar(
            x=[_cluster(row, len(clusters)) for row in clusters],
            y=[row["n"] for row in clusters],
            text=[f"{row['n']:,}<br>{canvas.percent(row['share'], 1)}" for row in clusters],
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


def _cluster(row: Mapping[str, Any], n: int) -> str:
    place = row["segment"]
    return f"{place + 1}{' (safest)' if place == 0 else ' (riskiest)' if place == n - 1 else ''}"


def _sides(values: Sequence[float], risk: int) -> list[float]:
    """Place values between −1 (the safest of them) and 1 (the riskiest)."""
    low, high = min(values), max(values)
    return [0.0 if high == low or not risk else risk * (2 * (value - low) / (high - low) - 1) for value in values]
