"""Pictures of clusters: how many there are, what each is like, how the index lies in them, and where they lie.

Clusters are coloured from safe to risky in the order of the index; whatever is called bad is brick.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL
from creditrisk.clusters import GAP, SHARE_HIGH, SHARE_LOW, STABLE
from creditrisk.schema import Feature

SAFE_TO_RISKY: Final = [[0.0, TEAL], [0.5, AMBER], [1.0, BRICK]]
MEASURES: Final = (  # what is looked at for each number of clusters, and between which limits it passes
    ("index_gap", f"Gap (SD), asked ≥ {GAP:g}", ".1f", (GAP, None)),
    ("stability", f"Stability, asked ≥ {STABLE:g}", ".2f", (STABLE, None)),
    ("share_risky", f"Share risky, asked {SHARE_LOW:.0%} to {SHARE_HIGH:.0%}", ".0%", (SHARE_LOW, SHARE_HIGH)),
    ("silhouette", "Silhouette, decides nothing", ".2f", (None, None)),
)


def scan(rows: Sequence[Mapping[str, Any]], chosen: int | None) -> go.Figure:
    """Show what each number of clusters gives, and where it passes; clicking yields it.

    Columns: k, index_gap (standard deviations), stability (0–1), share_risky, silhouette (−1–1).
    """
    if not rows:
        return canvas.nothing("This label set was not made by looking through numbers of clusters.")
    numbers = [row["k"] for row in rows]
    figure = make_subplots(rows=1, cols=len(MEASURES), subplot_titles=[words for _, words, _, _ in MEASURES], horizontal_spacing=0.06)
    title = f"{chosen} clusters, out of {numbers[0]} to {numbers[-1]} tried" if chosen else "No number of clusters was chosen"
    figure.update_layout(canvas.layout(title, 270))
    for place, (column, words, form, (least, most)) in enumerate(MEASURES, start=1):
        values = [row[column] for row in rows]
        fits = [value is not None and (least is None or value >= least) and (most is None or value <= most) for value in values]
        judged = least is not None or most is not None
        colours = [GREY if not judged else TEAL if passes else BRICK for passes in fits]
        figure.add_trace(
            go.Scatter(
                x=numbers,
                y=values,
                mode="lines+markers",
                line={"color": GREY, "width": 1.2},
                marker={
                    "size": [15 if k == chosen else 9 for k in numbers],
                    "color": colours,
                    "opacity": 1,
                    "line": {"width": [3 if k == chosen else 0 for k in numbers], "color": canvas.faded(GREY, 0.9)},
                },
                customdata=numbers,
                showlegend=False,
                hovertemplate=f"%{{x}} clusters: %{{y:{form}}}<extra>{words}</extra>",
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": 1}},
            ),
            row=1,
            col=place,
        )
        for limit in (least, most):
            if limit is not None:
                figure.add_hline(y=limit, row=1, col=place, line={"color": GREY, "width": 1.2, "dash": "dot"})
        figure.update_xaxes(title="clusters (k)", dtick=1, showgrid=False, row=1, col=place)
        figure.update_yaxes(rangemode="tozero", tickformat=form, nticks=5, row=1, col=place)
    figure.update_annotations(font_size=12)
    figure.update_layout(margin={"t": 32}, **canvas.CLICKED)
    return figure


def profiles(clusters: Sequence[Mapping[str, Any]], features: Sequence[Feature]) -> go.Figure:
    """Show the mean of each label feature in each cluster (segment, means); colours go, within a row, from safer to riskier."""
    if not clusters:
        return canvas.nothing("This label set has no clusters to describe.")
    columns = [_cluster(row["segment"], len(clusters)) for row in clusters]
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
            y=[canvas.short(feature.title, 60) for feature in features],
            text=[[canvas.short(words) for words in line] for line in said],
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
    figure.update_xaxes(type="category", side="top", showgrid=False, ticks="")
    return figure


def segments(clusters: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Show the size of each cluster: segment, n, share, risk_index, safest first."""
    if not clusters:
        return canvas.nothing("This label set has no clusters.")
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": [_cluster(row["segment"], len(clusters)) for row in clusters],
        "x": [row["n"] for row in clusters],
        "text": [f"{row['n']:,} ({canvas.percent(row['share'], 1)})" for row in clusters],
        "textposition": "outside",
        "cliponaxis": False,
        "width": 0.5,
        "customdata": [row["risk_index"] for row in clusters],
        "marker": {"color": _colours(len(clusters)), "cornerradius": 3},
        "hovertemplate": "%{y}: %{x:,} applicants, mean risk index %{customdata:.2f}<extra></extra>",
    }
    return canvas.drawn(
        f"{canvas.counted(clusters[-1]['n'], 'applicant falls', 'applicants fall')} into the riskiest cluster",
        _height(len(clusters)),
        [bars],
        xaxis={"title": "applicants", "tickformat": ",d", "range": [0, 1.35 * max(row["n"] for row in clusters)], "nticks": 5},
        yaxis={"type": "category", "automargin": True, "showgrid": False, "range": [-0.5, len(clusters) + 0.1]},
    )


def spread(points: DataFrame) -> go.Figure:
    """Show how the plain risk index lies in each cluster, safest first: columns segment, risk_index."""
    known = points.dropna(subset=["segment"])
    if known.empty:
        return canvas.nothing("This label set has no clusters.")
    k = int(known["segment"].max()) + 1
    parts = [known.loc[known["segment"] == segment, "risk_index"] for segment in range(k)]
    middles = [part.median() for part in parts]
    data = [
        {
            "type": "violin",
            "orientation": "h",
            "side": "positive",
            "x": part,
            "y": [_cluster(segment, k)] * len(part),
            "width": 1.6,
            "points": False,
            "spanmode": "hard",
            "line": {"color": colour, "width": 1.6},
            "fillcolor": canvas.faded(colour, 0.35),
            "box": {"visible": True, "width": 0.12},
            "hoveron": "violins",
            "hoverinfo": "skip",
        }
        for segment, (part, colour) in enumerate(zip(parts, _colours(k), strict=True))
    ]
    apart = f", next {middles[-2]:.2f}" if k > 1 else ""
    return canvas.drawn(
        f"Median risk index: riskiest {middles[-1]:.2f}{apart}".replace("-", "−"),
        _height(k),
        data,
        xaxis={"title": "plain risk index (standard deviations; higher = riskier)", **canvas.ZERO},
        yaxis={"type": "category", "automargin": True, "showgrid": False, "range": [-0.5, k + 0.1]},
        violingap=0,
    )


def cloud(points: DataFrame, axes: DataFrame, n: int) -> go.Figure:
    """Show applicants on a map of two directions, coloured by cluster, the bad ringed and the grey zone open; clicking yields one.

    Columns: applicant_id, x, y, segment, bad (null = unlabelled), risk_index; `axes` say what x and y are: axis, share, title,
    loading (+ is riskier), largest first; `n` counts everybody.
    """
    if points.empty:
        return canvas.nothing("This label set has nobody to show.")
    k = int(points["segment"].max()) + 1 if points["segment"].notna().any() else 0
    labelled, grey = points[points["bad"].notna()], points[points["bad"].isna()]
    bad = labelled[labelled["bad"].astype(bool)]
    marks: list[tuple[str, str, str]] = []
    data = []
    for segment, colour in enumerate(_colours(k)):
        part = labelled[labelled["segment"] == segment]
        data.append(_dots(part, {"color": colour, "size": 6, "opacity": 0.72}, _cluster(segment, k)))
        marks.append(("●", colour, _cluster(segment, k)))
    rest = labelled[labelled["segment"].isna()]  # of a set without clusters
    for is_bad, colour, words in ((False, TEAL, "labelled good"), (True, BRICK, "labelled bad")):
        part = rest[rest["bad"].astype(bool) == is_bad]
        if len(part):
            data.append(_dots(part, {"color": colour, "size": 6, "opacity": 0.72}, "none"))
            marks.append(("●", colour, words))
    if len(grey):
        data.append(_dots(grey, {"color": GREY, "size": 7, "symbol": "circle-open", "line": {"width": 1.4}}, "not labelled"))
        marks.append(("○", GREY, "grey zone: no label"))
    rings = {"color": BRICK, "size": 12, "symbol": "circle-open", "line": {"width": 1.2}}
    data += [{**_dots(bad, rings, "bad"), "hoverinfo": "skip", "hovertemplate": None}] if k else []
    marks += [("◯", BRICK, "called bad")] if k else []
    shown = f"{len(points):,} of {n:,} applicants" if n > len(points) else canvas.counted(len(points), "applicant")
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False}
    return canvas.drawn(
        f"{shown}, near to each other where their label features are alike",
        460,
        data,
        marks,
        xaxis={"title": _direction(axes, "x", 3), **bare},
        yaxis={"title": _direction(axes, "y", 2), **bare},
        **canvas.CLICKED,
    )


def _direction(axes: DataFrame, axis: str, most: int) -> str:
    """What a direction of the map is: '→ riskier: days overdrawn, low balance (43 % of all differences)', a line each way."""
    part = axes[axes["axis"] == axis].head(most) if len(axes) else axes
    words, glue = [], ", " if axis == "x" else ",<br>"  # upright there is less room
    for sign, arrow in ((1, "→"), (-1, "←")):
        titles = [canvas.short(title, 28) for title, loading in zip(part["title"], part["loading"], strict=True) if sign * loading > 0]
        words += [f"{arrow} riskier: {glue.join(titles)}"] if titles else []
    return f"{'<br>'.join(words)} ({canvas.percent(part['share'].iloc[0])} of all differences)"


def _dots(part: DataFrame, marker: Mapping[str, Any], words: str) -> dict[str, Any]:
    said = part["bad"].map({True: "called bad", False: "called good"}).fillna("not labelled")
    return {
        "type": "scatter",
        "mode": "markers",
        "x": part["x"],
        "y": part["y"],
        "marker": marker,
        "customdata": part["applicant_id"],
        "hovertext": [
            f"{canvas.long(str(who))}<br>cluster {words}<br>index {f'{index:.2f}'.replace('-', '−')}, {label}"
            for who, index, label in zip(part["applicant_id"], part["risk_index"], said, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": marker.get("opacity", 1)}},
    }


def _height(k: int) -> int:
    """Of pictures with a lane a cluster, so that they stand beside each other."""
    return 100 + 54 * k


def _colours(k: int) -> list[str]:
    """From safe to risky, as #rrggbb."""
    found = sample_colorscale(SAFE_TO_RISKY, [place / (k - 1) for place in range(k)], colortype="tuple") if k > 1 else []
    return [f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}" for red, green, blue in found] or [BRICK] * k


def _cluster(place: int, k: int) -> str:
    return f"{place + 1}{' (safest)' if place == 0 else ' (riskiest)' if place == k - 1 else ''}"


def _sides(values: Sequence[float], risk: int) -> list[float]:
    """Place values between −1 (the safest of them) and 1 (the riskiest)."""
    low, high = min(values), max(values)
    return [0.0 if high == low or not risk else risk * (2 * (value - low) / (high - low) - 1) for value in values]
