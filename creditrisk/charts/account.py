"""Pictures of the days of an account: its balance, and which days a file covers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, TEAL, VIOLET, ZERO

Marked = tuple[tuple[str, str, str], dict[str, Any]]  # what the key says of it, and the trace


def balance(
    frame: DataFrame,
    currency: str | None = None,
    *,
    events: DataFrame | None = None,
    breaks: DataFrame | None = None,
    gaps: DataFrame | None = None,
) -> go.Figure:
    """Show the end-of-day balance, days below zero shaded: columns day, balance (NaN where not seen: the line stops).

    Marked are `events` (booked_on, kind 'returned' or 'fee', title, text, amount), `breaks` (day, account, stated, computed: a stated
    balance that does not follow) and `gaps` (from_on, to_on: nobody saw these days).
    """
    if frame.empty or frame["balance"].isna().all():
        return canvas.nothing("No file states a balance for these days, so there is no curve.")
    values = frame["balance"].astype(float)
    n_below, n_known = int((values < 0).sum()), int(values.notna().sum())
    finding = "The balance never fell below zero" if n_below == 0 else f"Below zero on {n_below:,} of {n_known:,} days"
    n_back = 0 if events is None or events.empty else int((events["kind"] == "returned").sum())
    title = f"{finding}; {canvas.counted(n_back, 'returned item or fee for one', 'returned items and their fees')}" if n_back else finding
    data: list[dict[str, Any]] = []
    for start, end in _runs(values):
        piece, days = values.iloc[start:end], frame["day"].iloc[start:end]
        for part, colour in ((piece.clip(lower=0), "rgba(23, 133, 126, 0.10)"), (piece.clip(upper=0), "rgba(191, 78, 54, 0.38)")):
            area = {"fill": "tozeroy", "fillcolor": colour, "line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip"}
            data.append({"type": "scatter", "mode": "lines", "x": days, "y": part, **area})
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": frame["day"],
            "y": values,
            "line": {"color": TEAL, "width": 1.8, "shape": "hv"},
            "connectgaps": False,
            "hovertemplate": f"%{{x|%d %b %Y}}: %{{y:,.2f}} {currency or ''}<extra></extra>",
        }
    )
    marks = [("■", "rgba(191, 78, 54, 0.6)", "below zero")] if n_below else []
    for mark, trace in [*_marked_events(frame, events, currency), *_marked_breaks(breaks, currency)]:
        marks.append(mark)
        data.append(trace)
    return canvas.drawn(
        title,
        330,
        data,
        marks,
        gaps,
        xaxis={"showgrid": False, **canvas.time_axis(*canvas.days(frame["day"].iloc[[0, -1]]))},
        yaxis={"title": canvas.money_axis("balance", currency), "tickformat": ",.0f", **ZERO},
    )


def coverage(frame: DataFrame, months: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Show which days which file covers, a lane an account, gaps marked: columns account, kind ('file', 'gap'), from_on, to_on,
    file_name, n_transactions; `months` says of each account n, missing, partly (calendar months)."""
    if frame.empty:
        return canvas.nothing("No file covers any of these days.")
    names = {account: account or "the account" for account in dict.fromkeys(frame["account"])}
    data = []
    for kind, colour in (("file", TEAL), ("gap", BRICK)):
        part = frame[frame["kind"] == kind]
        starts, ends = canvas.days(part["from_on"]), [day + timedelta(days=1) for day in canvas.days(part["to_on"])]
        lengths = [(end - start).days for start, end in zip(starts, ends, strict=True)]
        words = [
            f"{canvas.long(str(name))}: {canvas.counted(int(n), 'transaction')}" if kind == "file" else "no file covers these days"
            for name, n in zip(part["file_name"], part["n_transactions"].fillna(0), strict=True)
        ]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": [canvas.literal(names[account]) for account in part["account"]],
                "base": [start.isoformat() for start in starts],
                "x": [86_400_000 * days for days in lengths],
                "width": 0.5,
                "marker": {
                    "color": canvas.faded(colour, 0.75) if kind == "file" else "rgba(0,0,0,0)",
                    "line": {"width": 1, "color": colour},
                    "pattern": {"shape": "" if kind == "file" else "/", "fgcolor": colour, "size": 7},
                },
                "hovertext": [
                    f"{start:%d %b %Y} to {start + timedelta(days=days - 1):%d %b %Y}, {canvas.counted(days, 'day')}<br>{said}"
                    for start, days, said in zip(starts, lengths, words, strict=True)
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    marks = [("■", TEAL, "days covered by a file"), *([("▨", BRICK, "gap: no file")] if (frame["kind"] == "gap").any() else [])]
    return canvas.drawn(
        _covered(months, names),
        104 + 30 * len(names),
        data,
        marks,
        xaxis=canvas.time_axis(min(canvas.days(frame["from_on"])), max(canvas.days(frame["to_on"]))),
        yaxis={"type": "category", "automargin": True, "autorange": "reversed", "showgrid": False},
        barmode="overlay",
    )


def _runs(values: Any) -> list[tuple[int, int]]:
    """Where runs of known values begin and end (exclusive)."""
    runs: list[tuple[int, int]] = []
    for place, known in enumerate(values.notna()):
        if known and runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        elif known:
            runs.append((place, place + 1))
    return runs


def _marked_events(frame: DataFrame, events: DataFrame | None, currency: str | None) -> list[Marked]:
    if events is None or events.empty:
        return []
    levels = dict(zip(canvas.days(frame["day"]), frame["balance"].fillna(0.0), strict=True))
    found: list[Marked] = []
    for kind, symbol, sign, colour, words in (
        ("fee", "diamond", "◆", AMBER, "overdraft, late or interest fee"),
        ("returned", "x", "✖", BRICK, "returned item, or the fee for one"),
    ):
        part = events[events["kind"] == kind]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": part["booked_on"],
            "y": [levels.get(day, 0.0) for day in canvas.days(part["booked_on"])],
            "marker": {"symbol": symbol, "size": 10 if kind == "returned" else 8, "color": colour, "line": {"width": 1, "color": "white"}},
            "hovertext": [
                f"{title}: {canvas.signed(amount, currency)}<br>{canvas.long(text)}"
                for title, amount, text in zip(part["title"], part["amount"], part["text"], strict=True)
            ],
            "hovertemplate": "%{x|%d %b %Y}<br>%{hovertext}<extra></extra>",
        }
        if len(part):
            found.append(((sign, colour, words), trace))
    return found


def _marked_breaks(breaks: DataFrame | None, currency: str | None) -> list[Marked]:
    if breaks is None or breaks.empty:
        return []
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": breaks["day"],
        "y": breaks["stated"],
        "marker": {"symbol": "triangle-up-open", "size": 13, "color": VIOLET, "line": {"width": 2.4, "color": VIOLET}},
        "customdata": breaks["computed"],
        "hovertext": [canvas.long(str(account)) for account in breaks["account"]],
        "hovertemplate": f"%{{x|%d %b %Y}} %{{hovertext}}<br>stated %{{y:,.2f}} {currency or ''}, "
        "but the transactions give %{customdata:,.2f}<extra></extra>",
    }
    return [(("△", VIOLET, "stated balance that does not follow"), trace)]


def _covered(months: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """The finding of a strip of coverage: of the only account, or of the one that misses most."""
    worst = max(months, key=lambda row: (len(row["missing"]), len(row["partly"])))
    whole = worst["n"] - len(worst["missing"]) - len(worst["partly"])
    whose = f"{names[worst['account']]}: " if len(months) > 1 else ""
    if whole == worst["n"]:
        several = f"All {len(months)} accounts are covered without a gap" if len(months) > 1 else ""
        return several or (f"All {worst['n']} months are covered, without a gap" if worst["n"] > 1 else "One month is covered")
    gone, some = worst["missing"], worst["partly"]
    missing = f"{_listed(gone)} {'is' if len(gone) == 1 else 'are'} missing" if gone else ""
    partly = f"{_listed(some)} {'is' if len(some) == 1 else 'are'} covered in part" if some else ""
    return f"{whose}{whole} of {worst['n']} months are covered; {' and '.join(filter(None, (missing, partly)))}"


def _listed(months: Sequence[Any], most: int = 3) -> str:
    named = [f"{month:%B %Y}" for month in months]
    shown = named if len(named) <= most else [*named[: most - 1], f"{len(named) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
