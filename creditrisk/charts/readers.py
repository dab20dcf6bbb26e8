"""Pictures of those who judge: how far two readers of the same case agree, and how each reviewer works."""

from collections.abc import Mapping
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL

MEASURES: Final = (
    ("alpha", "alpha", "Krippendorff’s alpha: 1 is perfect, 0 is chance"),
    ("pabak", "PABAK", "kappa as it would be if both answers were equally usual"),
    ("kappa", "kappa", "Cohen’s kappa: agreement beyond chance"),
    ("share", "same verdict", "share of cases on which both said the same"),
)


def readings(found: Mapping[str, Any]) -> go.Figure:
    """Show agreement of two readers: `inspections.agreement`'s n and each measure with _low and _high."""
    if not found["n"]:
        return canvas.nothing("No case has been read by two people yet, so nobody knows how far reviewers agree.", 150)
    known = [measure for measure in MEASURES if found[measure[0]] == found[measure[0]]]
    ends = [(found[f"{name}_low"], found[f"{name}_high"]) for name, _, _ in known]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [found[name] for name, _, _ in known],
        "y": [words for _, words, _ in known],
        "marker": {"color": TEAL, "size": 11},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [high - found[name] for (name, _, _), (_, high) in zip(known, ends, strict=True)],
            "arrayminus": [found[name] - low for (name, _, _), (low, _) in zip(known, ends, strict=True)],
            "color": TEAL,
            "thickness": 2.2,
            "width": 5,
        },
        "customdata": [[meaning, _ends(*low_high)] for (_, _, meaning), low_high in zip(known, ends, strict=True)],
        "hovertemplate": "%{y} %{x:.2f}, %{customdata[1]}<br>%{customdata[0]}<extra></extra>",
    }
    agreed = round(found["share"] * found["n"])
    return canvas.drawn(
        f"Two readers said the same of {agreed:,} of {canvas.counted(found['n'], 'case')}",
        190,
        [trace],
        xaxis={"range": [min(0, *(low for low, _ in ends if low == low)) - 0.05, 1.05], "title": "agreement", **canvas.ZERO},  # noqa: PLR0124
        yaxis={"type": "category", "automargin": True, "showgrid": False},
    )


def _ends(low: float, high: float) -> str:
    return f"95 % interval {low:.2f} to {high:.2f}" if low < high else "too few cases for an interval"


def reviewers(frame: DataFrame) -> go.Figure:
    """Show each reviewer's verdicts as a bar by what came of them: columns reviewed_by, n, n_accepted, n_rejected, seconds, flags."""
    if frame.empty:
        return canvas.nothing("Nobody has given a verdict yet.", 150)
    who = [canvas.short(name, 24) for name in frame["reviewed_by"]]
    waiting = frame["n"] - frame["n_accepted"] - frame["n_rejected"]
    flagged = int((frame["flags"] != "").sum())
    bars = [(TEAL, "accepted", frame["n_accepted"]), (BRICK, "rejected", frame["n_rejected"]), (GREY, "neither yet", waiting)]
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "x": values,
            "y": who,
            "marker": {"color": colour, "line": {"color": AMBER, "width": [2 if flag else 0 for flag in frame["flags"]]}},
            "customdata": [[words, canvas.long(flag) or "nothing stands out"] for flag in frame["flags"]],
            "hovertemplate": "%{y}: %{x:,} %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        }
        for colour, words, values in bars
    ]
    title = f"{flagged} of {canvas.counted(len(frame), 'reviewer')} should be looked at" if flagged else "No reviewer stands out"
    return canvas.drawn(
        title,
        96 + 30 * len(frame),
        traces,
        [("■", colour, words) for colour, words, _ in bars],
        barmode="stack",
        xaxis={"title": "verdicts that stand", "tickformat": ",d"},
        yaxis={"type": "category", "automargin": True, "autorange": "reversed", "showgrid": False},
    )
