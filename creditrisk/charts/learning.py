"""Pictures of what feedback changes: before and after, version by version, a challenger beside the champion, the online challenger."""

from collections.abc import Mapping
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL

MEASURES: Final = {"auc": "AUC", "ks": "KS", "brier": "Brier", "log_loss": "Log-loss"}
COLOURS: Final = {"better": TEAL, "worse": BRICK, "within chance": GREY}
MOST: Final = 2_000  # dots; more look the same and take long to draw
FIGURES: Final = {
    "auc": ("AUC on cases drawn at random", ".3f"),
    "share_incorrect": ("predictions found incorrect", ".0%"),
    "calibration": ("found bad less promised", "+.0%"),
    "brier": ("Brier score", ".3f"),
}


def changed(frame: DataFrame, n: int, n_bad: int) -> go.Figure:
    """Show what a training changed, measure by measure: `retraining.changed`'s figures, + is better, on n people of whom n_bad bad."""
    if frame.empty:
        return canvas.nothing("Nobody verified was kept from both models, or all of them are good, or all bad: nothing can be compared.")
    rows = frame.iloc[::-1]
    first = frame.iloc[0]
    lead = f"AUC {first['before']:.3f} before, {first['after']:.3f} after, {first['finding']}"
    names = [MEASURES[name] for name in rows["measure"]]
    colours = [COLOURS[finding] for finding in rows["finding"]]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": rows["better"],
        "y": names,
        "marker": {"color": colours, "size": 12},
        "customdata": rows[["before", "before_low", "before_high", "after", "after_low", "after_high", "low", "high"]],
        "hovertemplate": "%{y} before %{customdata[0]:.3f} (%{customdata[1]:.3f} to %{customdata[2]:.3f})"
        "<br>after %{customdata[3]:.3f} (%{customdata[4]:.3f} to %{customdata[5]:.3f})"
        "<br>better by %{x:+.3f}, 95 % interval %{customdata[6]:+.3f} to %{customdata[7]:+.3f}<extra></extra>",
    }
    spans = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [row["low"], row["high"]],
            "y": [MEASURES[row["measure"]]] * 2,
            "line": {"color": COLOURS[row["finding"]], "width": 3},
            "hoverinfo": "skip",
        }
        for row in rows.to_dict("records")
    ]
    edge = 1.15 * max(float(rows[["low", "high"]].abs().max().max()), 0.02)
    return canvas.drawn(
        lead,
        230,
        [*spans, trace],
        [("●", colour, finding) for finding, colour in COLOURS.items() if finding in set(rows["finding"])],
        xaxis={
            "title": f"better by (95 % interval, {n:,} verified, {n_bad:,} bad)",
            "range": [-edge, edge],
            "nticks": 7,
            "tickformat": "+.2f",
            **canvas.ZERO,
        },
        yaxis={"type": "category", "automargin": True, "showgrid": False},
    )


def versions(frame: DataFrame, figure: str) -> go.Figure:
    """Show one figure of every version with its interval, oldest first: `retraining.versions`; `figure` is a key of FIGURES."""
    words, form = FIGURES[figure]
    known = frame.dropna(subset=[figure])
    if known.empty:
        return canvas.nothing(f"Too few cases drawn at random are judged, and the verdicts accepted, to say: {words}.", 250, 32)
    n = known["n_judged" if figure == "share_incorrect" else "n"]
    first, last = known.iloc[0], known.iloc[-1]
    lead = f"{last['model_id']}: {words} {format(last[figure], form)}".replace("%", "\u00a0%")
    if len(known) > 1:
        apart = last[f"{figure}_low"] > first[f"{figure}_high"] or last[f"{figure}_high"] < first[f"{figure}_low"]
        lead = f"{words[0].upper()}{words[1:]}: {format(first[figure], form)} → {format(last[figure], form)}"
        lead += "" if apart else ", within chance"
    low, high = known[f"{figure}_low"].fillna(known[figure]), known[f"{figure}_high"].fillna(known[figure])
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [f"{model}{' ★' if status == 'champion' else ''}" for model, status in zip(known["model_id"], known["status"], strict=True)],
        "y": known[figure],
        "line": {"color": GREY, "width": 1, "dash": "dot"},
        "marker": {"color": TEAL, "size": 11},
        "error_y": canvas.whiskers(known[figure], low, high, TEAL),
        "customdata": list(zip(low, high, n, known["n_verdicts"], known["n_outcomes"], strict=True)),
        "hovertemplate": f"%{{x}}: %{{y:{form}}} (95 % interval %{{customdata[0]:{form}}} to %{{customdata[1]:{form}}})"
        "<br>measured on %{customdata[2]:,}; learned from %{customdata[3]:,} verdicts and %{customdata[4]:,} outcomes<extra></extra>",
    }
    line = 0.5 if figure == "auc" else 0.0
    return canvas.drawn(
        lead,
        250,
        [trace],
        xaxis={"type": "category", "title": "version (★ champion)", "showgrid": False},
        yaxis={"title": words, "tickformat": form, "automargin": True, "rangemode": "normal" if figure == "auc" else "tozero"},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": line, "y1": line, "line": {"color": GREY, "dash": "dot"}}],
    )


def prequential(frame: DataFrame) -> go.Figure:
    """Show the mean squared error so far of the online challenger and of what was said live: `online.prequential`."""
    if frame.empty:
        return canvas.nothing("The online challenger has learned from nothing yet.")
    last = frame.iloc[-1]
    ahead = "is ahead" if last["less_high"] < 0 else "is behind" if last["less_low"] > 0 else "cannot be told from the champion"
    traces: list[dict[str, Any]] = []
    for name, colour, words in (("brier", TEAL, "online challenger"), ("champion_brier", AMBER, "said live")):
        band = frame.dropna(subset=[f"{name}_low"])
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [*band["step"], *band["step"][::-1]],
                "y": [*band[f"{name}_high"], *band[f"{name}_low"][::-1].clip(lower=0)],
                "fill": "toself",
                "fillcolor": canvas.faded(colour, 0.16),
                "line": {"width": 0},
                "hoverinfo": "skip",
            }
        )
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": frame["step"],
                "y": frame[name],
                "line": {"color": colour, "width": 2.5},
                "hovertemplate": f"after %{{x:,}} cases, {words}: %{{y:.3f}}<extra></extra>",
            }
        )
    return canvas.drawn(
        f"After {canvas.counted(len(frame), 'case')} the online challenger {ahead}",
        280,
        traces,
        [("▬", TEAL, "online challenger"), ("▬", AMBER, "what was said live")],
        xaxis={"title": "cases foretold, then learned from", "tickformat": ",d"},
        yaxis={"title": "mean squared error so far", "automargin": True, "rangemode": "tozero"},
    )


def shadow(frame: DataFrame, found: Mapping[str, Any], risk: str) -> go.Figure:
    """Show what a challenger says of the cases that were scored live: `shadow.beside` and its summary; `risk` is 'PD' or 'risk (proxy)'."""
    if frame.empty:
        return canvas.nothing("Nothing was scored beside the champion yet.")
    rows = frame if len(frame) <= MOST else frame.sample(MOST, random_state=0)
    cutoff = found["cutoff"]
    moved = ((rows["pd_live"] >= cutoff) != (rows["pd"] >= cutoff)).to_numpy(bool)
    trace = {
        "type": "scattergl" if len(rows) > 500 else "scatter",
        "mode": "markers",
        "x": rows["pd_live"],
        "y": rows["pd"],
        "marker": {"color": [BRICK if each else TEAL for each in moved], "size": 6, "opacity": 0.6},
        "customdata": rows["live_id"],
        "hovertext": [canvas.long(str(who)) for who in rows["applicant_id"]],
        "hovertemplate": f"%{{hovertext}}: {risk} %{{x:.1%}} live (%{{customdata}}), %{{y:.1%}} beside it<extra></extra>",
    }
    edge = 1.03 * float(max(rows["pd_live"].max(), rows["pd"].max(), cutoff))
    line = {"color": GREY, "width": 1, "dash": "dot"}
    return canvas.drawn(
        f"{found['n_swapped']:,} of {canvas.counted(found['n'], 'case')} would change sides ({canvas.percent(found['share_swapped'], 1)})",
        330,
        [trace],
        [("●", TEAL, "same side of the cut-off"), ("●", BRICK, "other side")],
        xaxis={"title": f"{risk} said live", "tickformat": ".0%", "range": [0, edge]},
        yaxis={"title": f"{risk} said beside it", "tickformat": ".0%", "range": [0, edge]},
        shapes=[
            {"type": "line", "x0": 0, "y0": 0, "x1": edge, "y1": edge, "line": line},
            {"type": "line", "x0": cutoff, "x1": cutoff, "yref": "paper", "y0": 0, "y1": 1, "line": line},
            {"type": "line", "y0": cutoff, "y1": cutoff, "xref": "paper", "x0": 0, "x1": 1, "line": line},
        ],
    )
