"""Pictures of everybody: their scores, and how a column lies and moves with others."""

from typing import Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BANDS, BLUE, BRICK, GREY, PALE_BLUE, TEAL, TICKS, VIOLET
from creditrisk.schema import Schema


def scores(frame: DataFrame) -> go.Figure:
    """Show how many applicants lie in each score bin: columns low, band, n; bins are 20 points wide."""
    if frame.empty:
        return canvas.nothing("No applicant has a score yet.")
    sizes = frame.groupby("band")["n"].sum()
    band, share = sizes.idxmax(), sizes.max() / sizes.sum()
    finding = f"Most scores are {band}" if share > 0.5 else f"{band} is the largest band, with {canvas.percent(share)} of the scores"
    figure = canvas.figure(finding, height=330)
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
    canvas.key(figure, *(("■", colour, band) for band, _, _, colour in BANDS))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants", tickformat=",d", rangemode="tozero")
    return figure


def bins(frame: DataFrame, title: str) -> go.Figure:
    """Show how a column lies and, where outcomes are known, the share bad of each bin with its interval; clicking yields the bin.

    Columns: bin, n, share, n_outcomes, n_bad, bad_rate, rate_low, rate_high, woe.
    """
    if frame.empty:
        return canvas.nothing("No applicant has a row yet.")
    judged = frame[frame["n_outcomes"] > 0]
    most = frame.nlargest(1, "n").iloc[0]
    finding = f"{title}: {100 * most['share']:.0f} % of applicants have {most['bin']}"
    if len(judged) > 1 and judged["n_bad"].any():
        best, worst = judged.nsmallest(1, "bad_rate").iloc[0], judged.nlargest(1, "bad_rate").iloc[0]
        finding = f"{title}: {100 * best['bad_rate']:.0f} % bad at {best['bin']}, {100 * worst['bad_rate']:.0f} % at {worst['bin']}"
    figure = canvas.figure(finding, height=340)
    names = [canvas.short(str(name), 24) for name in frame["bin"]]
    figure.add_trace(
        go.Bar(
            x=names,
            y=frame["n"],
            marker={"color": [GREY if name == "not known" else BLUE for name in frame["bin"]], "opacity": 0.55, "cornerradius": 2},
            customdata=frame["bin"],
            hovertext=[canvas.long(str(name)) for name in frame["bin"]],
            hovertemplate="%{hovertext}: %{y:,} applicants<extra></extra>",
        )
    )
    figure.update_yaxes(title="applicants", tickformat=",d", rangemode="tozero")
    figure.update_xaxes(type="category", tickangle=0 if sum(map(len, names)) < 90 else -35, automargin=True)
    if len(judged):
        figure.add_trace(
            go.Scatter(
                x=[canvas.short(str(name), 24) for name in judged["bin"]],
                y=judged["bad_rate"],
                yaxis="y2",
                mode="markers",
                marker={"color": BRICK, "size": 9},
                error_y=canvas.whiskers(judged["bad_rate"], judged["rate_low"], judged["rate_high"], BRICK),
                customdata=judged["bin"],
                hovertext=[canvas.long(str(name)) for name in judged["bin"]],
                text=[
                    f"{k:,} of {n:,}); weight of evidence {woe:+.2f}".replace("-", "−")
                    for k, n, woe in zip(judged["n_bad"], judged["n_outcomes"], judged["woe"], strict=True)
                ],
                hovertemplate="%{hovertext}: %{y:.1%} bad (%{text}<extra></extra>",
            )
        )
        side = {"overlaying": "y", "side": "right", "tickformat": ".0%", "rangemode": "tozero", "showgrid": False, "title": "share bad"}
        side |= {"tickmode": "auto", "nticks": 6}
        figure.update_layout(yaxis2=side)
        canvas.key(figure, ("■", BLUE, "applicants"), ("●", BRICK, "share bad, with its 95 % interval"))
    return figure


STANDING: Final = (  # of an outcome: column, words, colour
    ("n_good", "good", TEAL),
    ("n_bad", "bad", BRICK),
    ("n_young", "too young to tell", PALE_BLUE),
    ("n_open", "no outcome recorded", GREY),
    ("n_early", "known already on the day", AMBER),
)


def maturity(frame: DataFrame) -> go.Figure:
    """Show how far outcomes have come by the half-year of the day the figures describe, and the share bad with its 95 % interval.

    Columns: cohort, n, n_outcomes, n_bad, n_young, n_open, n_early, bad_rate, rate_low, rate_high.
    """
    if frame.empty or not frame["n_outcomes"].any():
        return canvas.nothing("No outcome is recorded that was not known already.")
    everybody, judged = int(frame["n"].sum()), frame[frame["n_outcomes"] > 0]
    n, bad = int(frame["n_outcomes"].sum()), int(frame["n_bad"].sum())
    young = int(frame["n_young"].sum())
    also = f"; {canvas.percent(young / everybody)} are too young to tell" if young else ""
    figure = canvas.figure(f"{n:,} of {everybody:,} applicants have an outcome, {canvas.percent(bad / n, 1)} of them bad{also}", height=320)
    parts = frame.assign(n_good=frame["n_outcomes"] - frame["n_bad"])
    shown = [part for part in STANDING if parts[part[0]].any()]
    wide = min(0.6, 0.12 * len(parts))  # one cohort alone is no wall
    for column, words, colour in shown:
        hover = f"%{{x}}: %{{y:,}} {words}<extra></extra>"
        figure.add_trace(go.Bar(x=parts["cohort"], y=parts[column], marker={"color": colour}, width=wide, hovertemplate=hover))
    figure.add_trace(
        go.Scatter(
            x=judged["cohort"],
            y=judged["bad_rate"],
            yaxis="y2",
            mode="markers",
            marker={"color": VIOLET, "size": 9, "symbol": "diamond"},
            error_y=canvas.whiskers(judged["bad_rate"], judged["rate_low"], judged["rate_high"], VIOLET),
            text=[f"{k:,} of {n:,}" for k, n in zip(judged["n_bad"], judged["n_outcomes"], strict=True)],
            hovertemplate="%{x}: %{y:.1%} bad (%{text})<extra></extra>",
        )
    )
    side = {"overlaying": "y", "side": "right", "tickformat": ".0%", "rangemode": "tozero", "showgrid": False, "title": "share bad"}
    figure.update_xaxes(type="category", title="half-year of the day the figures describe")
    figure.update_yaxes(title="applicants", tickformat=",d", rangemode="tozero")
    figure.update_layout(barmode="stack", bargap=0.35, yaxis2={**side, "nticks": 6})
    canvas.key(figure, *(("■", colour, words) for _, words, colour in shown), ("◆", VIOLET, "share bad, with its 95 % interval"))
    return figure


def correlations(frame: DataFrame, schema: Schema) -> go.Figure:
    """Show the strongest rank correlations between columns: one, other, correlation, n."""
    if frame.empty:
        return canvas.nothing("No two columns of numbers move together.")
    part = frame.iloc[::-1]
    titles = {feature.name: feature.title for feature in schema}
    first = frame.iloc[0]
    strongest = f"{titles[first['one']]} and {titles[first['other']].lower()} move together most ({first['correlation']:+.2f})"
    figure = canvas.figure(strongest.replace("-", "−"), height=80 + 34 * len(part))
    labels = [
        f"{canvas.short(titles[one], 44)}<br>{canvas.short(titles[other], 44)}"
        for one, other in zip(part["one"], part["other"], strict=True)
    ]
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
