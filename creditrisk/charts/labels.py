"""Pictures of a label set: what it rests on, how its clusters differ, and how far it can be believed.

Clusters are coloured from safe to risky in the order of the index; whatever is called bad is brick.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL
from creditrisk.clusters import GAP, SHARE_HIGH, SHARE_LOW, STABLE
from creditrisk.schema import Schema

SAFE_TO_RISKY: Final = [[0.0, TEAL], [0.5, AMBER], [1.0, BRICK]]
MEASURES: Final = (  # what is looked at for each number of clusters, and between which limits it passes
    ("index_gap", f"Gap (SD), asked ≥ {GAP:g}", ".1f", (GAP, None)),
    ("stability", f"Stability, asked ≥ {STABLE:g}", ".2f", (STABLE, None)),
    ("share_risky", f"Share risky, asked {SHARE_LOW:.0%} to {SHARE_HIGH:.0%}", ".0%", (SHARE_LOW, SHARE_HIGH)),
    ("silhouette", "Silhouette, decides nothing", ".2f", (None, None)),
)
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


def profiles(clusters: Sequence[Mapping[str, Any]], schema: Schema) -> go.Figure:
    """Show the mean of each label feature in each cluster (segment, means); colours go, within a row, from safer to riskier."""
    if not clusters:
        return canvas.nothing("This label set has no clusters to describe.")
    features = [schema[name] for name in clusters[0]["means"]]
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
            x=[_cluster(row["segment"], len(clusters)) for row in clusters],
            y=[row["n"] for row in clusters],
            text=[f"{row['n']:,}<br>{canvas.percent(row['share'], 1)}" for row in clusters],
            textposition="outside",
            cliponaxis=False,
            customdata=[row["risk_index"] for row in clusters],
            marker={"color": _colours(len(clusters)), "cornerradius": 3},
            hovertemplate="%{x}: %{y:,} applicants, mean risk index %{customdata:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title="applicants", tickformat=",d", range=[0, 1.22 * max(row["n"] for row in clusters)])
    return figure


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
    apart = f"; of the next {middles[-2]:.2f}" if k > 1 else ""
    return canvas.drawn(
        f"The middle of the riskiest cluster has a risk index of {middles[-1]:.2f}{apart}".replace("-", "−"),
        110 + 46 * k,
        data,
        xaxis={"title": "plain risk index (standard deviations; higher = riskier)", **canvas.ZERO},
        yaxis={"type": "category", "automargin": True, "showgrid": False},
        violingap=0,
    )


def cloud(points: DataFrame, axes: tuple[str, str], n: int) -> go.Figure:
    """Show applicants on a map of two directions, coloured by cluster, the bad ringed and the grey zone open; clicking yields one.

    Columns: applicant_id, x, y, segment, bad (null = unlabelled), risk_index; `axes` are words for x and y, `n` counts everybody.
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
    rest = labelled[labelled["segment"].isna()]
    if len(rest):
        data.append(_dots(rest, {"color": TEAL, "size": 6, "opacity": 0.72}, "no cluster"))
        marks.append(("●", TEAL, "labelled without clusters"))
    if len(grey):
        data.append(_dots(grey, {"color": GREY, "size": 7, "symbol": "circle-open", "line": {"width": 1.4}}, "not labelled"))
        marks.append(("○", GREY, "grey zone: no label"))
    rings = {"color": BRICK, "size": 12, "symbol": "circle-open", "line": {"width": 1.2}}
    data.append({**_dots(bad, rings, "bad"), "hoverinfo": "skip", "hovertemplate": None})
    marks.append(("◯", BRICK, "called bad"))
    shown = f"{len(points):,} of {n:,} applicants" if n > len(points) else canvas.counted(len(points), "applicant")
    bare = {"showgrid": False, "zeroline": False, "showticklabels": False}
    return canvas.drawn(
        f"{shown}, near to each other where their label features are alike",
        460,
        data,
        marks,
        xaxis={"title": axes[0], **bare},
        yaxis={"title": axes[1], **bare},
        **canvas.CLICKED,
    )


def cohort_rates(frame: DataFrame) -> go.Figure:
    """Show the share called risky in each cohort with its 95 % interval: columns cohort (ISO day or month), n, n_bad, share, low, high."""
    if frame.empty:
        return canvas.nothing("This label set has no cohorts to compare.")
    if len(frame) == 1:
        finding = f"One cohort: {canvas.percent(frame['share'].iloc[0], 1)} of it are called risky"
    else:
        ends = f"{canvas.percent(frame['share'].min(), 1)} and {canvas.percent(frame['share'].max(), 1)}"
        moves = frame["low"].max() > frame["high"].min()
        finding = f"Between {ends} of a cohort are called risky, {'which is more than chance' if moves else 'within chance'}"
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
        "hovertemplate": "%{customdata[0]}: %{y:.1%} risky, %{customdata[1]:,} of %{customdata[2]:,}"
        "<br>95 % interval %{customdata[3]:.1%} to %{customdata[4]:.1%}<extra></extra>",
    }
    few = {"type": "date", "tickvals": days, "tickformat": "%d %b\n%Y" if len(frame["cohort"].iloc[0]) > 7 else "%b\n%Y", "tickangle": 0}
    return canvas.drawn(
        finding,
        280,
        [trace],
        xaxis={"showgrid": False, **(few if len(days) <= 8 else canvas.time_axis(min(days), max(days)))},
        yaxis={"title": "share called risky", "tickformat": ".0%", "rangemode": "tozero"},
    )


def group_rates(frame: DataFrame) -> go.Figure:
    """Show the share called risky in each protected group with its 95 % interval, those warned of in brick.

    Columns: feature, title, group, n, n_bad, share, low, high, warned.
    """
    if frame.empty:
        return canvas.nothing("No column that the law protects is kept, so nobody can look whether a group is called risky more often.")
    warned = frame[frame["warned"].astype(bool)]
    if warned.empty:
        finding = "No protected group is called risky much more often than another"
    else:
        worst = warned.nlargest(1, "share").iloc[0]
        finding = f"{worst['title']}: {worst['group']} is called risky much more often than others"
    names = [f"{title}: {canvas.short(str(group), 28)}" for title, group in zip(frame["title"], frame["group"], strict=True)]
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
                "hovertemplate": "%{y}: %{x:.1%} risky, %{customdata[0]:,} of %{customdata[1]:,}"
                "<br>95 % interval %{customdata[2]:.1%} to %{customdata[3]:.1%}<extra></extra>",
            }
        )
    marks = [("●", TEAL, "share called risky"), *([("●", BRICK, "much more often than others")] if len(warned) else [])]
    return canvas.drawn(
        finding,
        96 + 28 * len(names),
        data,
        marks,
        xaxis={"title": "share called risky", "tickformat": ".0%", "rangemode": "tozero"},
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


def _dots(part: DataFrame, marker: Mapping[str, Any], words: str) -> dict[str, Any]:
    said = part["bad"].map({True: "called bad", False: "called good"}).fillna("not labelled")
    return {
        "type": "scattergl",
        "mode": "markers",
        "x": part["x"],
        "y": part["y"],
        "marker": marker,
        "customdata": part["applicant_id"],
        "hovertext": [f"index {index:.2f}, {label}".replace("-", "−") for index, label in zip(part["risk_index"], said, strict=True)],
        "hovertemplate": f"%{{customdata}}<br>cluster {words}<br>%{{hovertext}}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": marker.get("opacity", 1)}},
    }


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
