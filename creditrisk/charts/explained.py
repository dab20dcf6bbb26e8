"""Pictures of why a model says what it says, and of what follows from it: contributions, cut-offs, standings, who changes sides."""

from collections.abc import Mapping
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BLUE, BRICK, GREY, TEAL
from creditrisk.charts.models import ALGORITHMS

LINES: Final = 40  # single applicants drawn in a picture of partial dependence
KINDS: Final = 12  # choices of one feature shown
STANDING: Final = {"champion": TEAL, "challenger": BLUE, "candidate": GREY, "retired": "rgba(132, 151, 160, 0.35)"}
RIGHT: Final = {"overlaying": "y", "side": "right", "tickformat": ".1f", "tickmode": "auto", "nticks": 7, "showgrid": False}
SHARES: Final = (
    ("share_approved", "approved", TEAL),
    ("bad_among_approved", "bad among them", BRICK),
    ("recall", "bad declined", BLUE),
)


def beeswarm(frame: DataFrame) -> go.Figure:
    """Show each applicant's contribution of each feature as a dot; clicking one yields the applicant.

    Columns: feature, title, said, contribution (log-odds), rank (0 to 1, NaN for choices), height, applicant_id; strongest feature first.
    """
    if frame.empty or not frame["contribution"].any():
        return canvas.nothing("This model reads no figure: it says the same of everybody.")
    titles = list(dict.fromkeys(frame["title"]))
    place = {title: len(titles) - 1 - number for number, title in enumerate(titles)}
    ranked, rest = frame[frame["rank"].notna()], frame[frame["rank"].isna()]
    scale = [[0.0, BLUE], [0.5, "#b9c2c6"], [1.0, BRICK]]
    colours: tuple[Any, ...] = ({"color": ranked["rank"], "colorscale": scale, "cmin": 0, "cmax": 1}, {"color": GREY})
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": part["contribution"],
            "y": [place[title] + height for title, height in zip(part["title"], part["height"], strict=True)],
            "marker": {"size": 5, "opacity": 0.8, **colour},
            "customdata": part["applicant_id"],
            "text": [
                f"{canvas.long(str(who))}<br>{canvas.long(f'{title}: {said}')}"
                for who, title, said in zip(part["applicant_id"], part["title"], part["said"], strict=True)
            ],
            "hovertemplate": "%{text}<br>moves the log-odds by %{x:+.2f}<extra></extra>",
        }
        for part, colour in zip((ranked, rest), colours, strict=True)
    ]
    names = [canvas.short(title, 44) for title in titles]
    return canvas.drawn(
        f"{titles[0]} moves single applicants most",
        96 + 34 * len(titles),
        data,
        [("●", BRICK, "high value"), ("●", BLUE, "low value"), ("●", GREY, "a choice, or not known")],
        yaxis={"tickvals": list(place.values()), "ticktext": names, "automargin": True, "showgrid": False, "zeroline": False},
        xaxis={"title": "contribution (log-odds; right: more risk)", **canvas.ZERO},
        **canvas.CLICKED,
    )


def dependence(frame: DataFrame, title: str, unit: str) -> go.Figure:
    """Show what each value of a feature added; clicking a dot yields the applicant.

    Columns: value, contribution (log-odds), applicant_id.
    """
    if frame.empty or frame["value"].isna().all():
        return canvas.nothing(f"{title} is not known of any test applicant.")
    known = frame[frame["value"].notna()]
    numeric = known["value"].map(lambda value: isinstance(value, int | float)).all()
    finding = f"{title}: what each value adds"
    more: dict[str, Any] = {"yaxis": {"title": "contribution (log-odds)", "automargin": True, **canvas.ZERO}}
    if numeric:
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": known["value"].astype(float),
            "y": known["contribution"],
            "marker": {"color": TEAL, "size": 6, "opacity": 0.5},
            "customdata": known["applicant_id"],
            "hovertext": [canvas.long(str(who)) for who in known["applicant_id"]],
            "hovertemplate": "%{hovertext}: %{x:,.3~g}<br>moves the log-odds by %{y:+.2f}<extra></extra>",
        }
        missing = frame[frame["value"].isna()]["contribution"]
        if len(missing):
            level = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": float(missing.mean()), "y1": float(missing.mean())}
            more["shapes"] = [{**level, "line": {"color": GREY, "dash": "dot", "width": 1.5}}]
            more["marks"] = [("●", TEAL, "an applicant"), ("┄", GREY, f"not known ({len(missing):,}), on average")]
        return canvas.drawn(finding, 330, [trace], xaxis=_measured(title, unit), **more, **canvas.CLICKED)
    kinds = known.assign(value=known["value"].astype(str)).groupby("value")["contribution"].median().sort_values().tail(KINDS).index
    boxes = [
        {
            "type": "box",
            "y": known.loc[known["value"].astype(str) == kind, "contribution"],
            "name": canvas.short(str(kind), 22),
            "marker": {"color": TEAL, "size": 4},
            "line": {"width": 1.5},
        }
        for kind in kinds
    ]
    return canvas.drawn(finding, 330, boxes, xaxis={"title": canvas.short(title, 60), "automargin": True}, **more)


def partial(frame: DataFrame, title: str, unit: str, risk: str) -> go.Figure:
    """Show how the risk moves with one feature, all else as it is: columns value, row, pd; the mean, and single applicants in grey."""
    if frame.empty:
        return canvas.nothing(f"{title} is not known of any test applicant.")
    mean = frame.groupby("value", sort=False)["pd"].mean()
    numeric = all(isinstance(value, int | float) for value in mean.index)
    places = [float(value) for value in mean.index] if numeric else [canvas.short(str(value), 22) for value in mean.index]
    single = frame[frame["row"] < LINES].pivot_table(index="row", columns="value", values="pd", sort=False)[list(mean.index)]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [each for _ in range(len(single)) for each in (*places, None)],
            "y": [each for row in single.to_numpy().tolist() for each in (*row, None)],
            "line": {"color": canvas.faded(GREY, 0.45), "width": 1},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": places,
            "y": mean.to_numpy(),
            "line": {"color": BRICK, "width": 3},
            "marker": {"size": 5},
            "hovertemplate": "at %{x}: " + risk + " %{y:.1%} on average<extra></extra>",
        },
    ]
    ends = f"between {canvas.percent(float(mean.min()), 1)} and {canvas.percent(float(mean.max()), 1)}"
    finding = f"{title}: {risk} {ends}, all else as it is"
    return canvas.drawn(
        finding,
        330,
        data,
        [("━", BRICK, "mean"), ("━", GREY, "single applicants")],
        xaxis={**_measured(title, unit), "automargin": True},
        yaxis={"title": risk, "tickformat": ".0%", "rangemode": "tozero"},
    )


def _measured(title: str, unit: str) -> dict[str, Any]:
    """Return the axis of a feature's values: its title with the unit where that is not said already, shares in per cent."""
    if unit == "share":
        return {"title": canvas.short(title, 60), "tickformat": ".0%"}
    said = not unit or unit in title.lower()
    return {"title": canvas.short(title, 60) if said else f"{canvas.short(title, 60)} ({canvas.short(unit, 30)})"}


def cutoffs(frame: DataFrame, cutoff: float, risk: str) -> go.Figure:
    """Show what every cut-off does on the test rows (the columns of `cutoffs.table`), and where the chosen one lies."""
    if frame.empty:
        return canvas.nothing("There are no labelled test rows.")
    part = frame.iloc[:-1] if len(frame) > 1 else frame
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": part["cutoff"],
            "y": part[column],
            "line": {"color": colour, "width": 2.4},
            "hovertemplate": f"from {risk} %{{x:.1%}} on: %{{y:.1%}} {words}<extra></extra>",
        }
        for column, words, colour in SHARES
    ]
    data.append(
        {
            "type": "scatter",
            "mode": "lines",
            "x": part["cutoff"],
            "y": 100 * part["profit_each"],
            "yaxis": "y2",
            "line": {"color": AMBER, "width": 2.4, "dash": "dash"},
            "hovertemplate": f"from {risk} %{{x:.1%}} on: earns %{{y:.2f}} per 100 asked for<extra></extra>",
        }
    )
    here = part.iloc[int((part["cutoff"] - cutoff).abs().to_numpy().argmin())]
    line = {"type": "line", "x0": cutoff, "x1": cutoff, "yref": "paper", "y0": 0, "y1": 1, "line": {"color": GREY, "width": 2}}
    return canvas.drawn(
        f"Declining from {canvas.percent(cutoff, 1)} on approves {canvas.percent(here['share_approved'])}",
        340,
        data,
        [*(("━", colour, words) for _, words, colour in SHARES), ("╍", AMBER, "earned (right)")],
        shapes=[line],
        xaxis={"title": f"decline from this {risk} on", "tickformat": ".0%"},
        yaxis={"title": "share", "tickformat": ".0%", "range": [0, 1.02]},
        yaxis2={"title": "earned per 100 asked for", **RIGHT},
    )


def confusion(row: Mapping[str, Any]) -> go.Figure:
    """Show who is declined and who approved, by what the label says: true_bad, false_bad, true_good, false_good (see `cutoffs`)."""
    cells = [[row["true_bad"], row["false_good"]], [row["false_bad"], row["true_good"]]]
    right = int(row["true_bad"] + row["true_good"])
    everyone = int(sum(map(sum, cells)))
    heat = {
        "type": "heatmap",
        "z": [[1, -1], [-1, 1]],
        "x": ["declined", "approved"],
        "y": ["bad", "good"],
        "text": [[f"{cell:,.0f}" for cell in line] for line in cells],
        "texttemplate": "%{text}",
        "textfont": {"size": 18, "color": "#15272e"},
        "zmin": -1,
        "zmax": 1,
        "xgap": 4,
        "ygap": 4,
        "showscale": False,
        "colorscale": [[0, "#ecb3a5"], [1, "#9fd3cc"]],
        "hovertemplate": "%{text} %{y} applicants are %{x}<extra></extra>",
    }
    bare = {"showgrid": False, "ticks": ""}
    finding = f"{right:,} of {everyone:,} test applicants on the side their label asks for"
    return canvas.drawn(finding, 230, [heat], yaxis={"autorange": "reversed", **bare}, xaxis={"side": "top", **bare})


def swaps(frame: DataFrame, one: str, other: str) -> go.Figure:
    """Show who would change sides if `one` took the place of `other`.

    Columns: champion and challenger ('approve' or 'decline'), n, n_verified, n_bad, share_bad (of those whose outcome is verified).
    """
    if frame.empty:
        return canvas.nothing(f"Nothing scores yet, so nobody would change sides with {one}.")
    said = {
        ("approve", "approve"): ("approved by both", TEAL),
        ("decline", "approve"): (f"approved by {one} only", BLUE),
        ("approve", "decline"): (f"declined by {one} only", AMBER),
        ("decline", "decline"): ("declined by both", BRICK),
    }
    found = {(row["champion"], row["challenger"]): row for row in frame.to_dict("records")}
    rows = [found.get(pair, {"n": 0, "n_verified": 0, "n_bad": 0}) for pair in said]
    moved = sum(row["n"] for pair, row in found.items() if pair[0] != pair[1])
    finding = f"{moved:,} of {int(frame['n'].sum()):,} applicants would change sides with {one} in the place of {other}"
    words = [
        f"{row['n']:,}"
        + (
            f" · {row['n_bad']:,.0f} of {row['n_verified']:,} known went bad"
            if row["n_verified"]
            else " · no outcome known"
            if row["n"]
            else ""
        )
        for row in rows
    ]
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": [name for name, _ in said.values()],
        "x": [row["n"] for row in rows],
        "marker": {"color": [colour for _, colour in said.values()], "cornerradius": 3},
        "text": words,
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    return canvas.drawn(
        finding,
        230,
        [bar],
        yaxis={"autorange": "reversed", "automargin": True, "showgrid": False},
        xaxis={"title": "applicants", "range": [0, 1.75 * (max(row["n"] for row in rows) or 1)], "tickformat": ",d"},
    )


def standings(frame: DataFrame) -> go.Figure:
    """Show which model had which standing when; clicking a bar yields the model.

    Columns: model_id, algorithm, status, from_at, until_at, is_present, by_user, reason. Only models that were more than candidates.
    """
    told = frame[frame["model_id"].isin(frame.loc[frame["status"].isin(["champion", "challenger"]), "model_id"])]
    if told.empty:
        return canvas.nothing("No model was promoted yet: every one is a candidate.")
    names = {
        row["model_id"]: f"{row['model_id']} · {ALGORITHMS.get(row['algorithm'], row['algorithm'])}" for row in told.to_dict("records")
    }
    data = []
    for status, colour in STANDING.items():
        part = told[told["status"] == status]
        if part.empty:
            continue
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": part["model_id"].map(names),
                "base": part["from_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f"),
                "x": [max(span.total_seconds() * 1000, 1.0) for span in part["until_at"] - part["from_at"]],
                "marker": {"color": colour, "cornerradius": 2},
                "width": 0.55,
                "customdata": part["model_id"],
                "hovertext": [
                    f"{row['model_id']}, {status} from {row['from_at']:%d %b %Y %H:%M}"
                    f"{'' if row['is_present'] else format(row['until_at'], ' to %d %b %Y %H:%M')} UTC<br>"
                    f"by {canvas.long(str(row['by_user']))}: {canvas.long(str(row['reason']))}"
                    for row in part.to_dict("records")
                ],
                "hovertemplate": "%{hovertext}<extra></extra>",
            }
        )
    crowned = told[told["status"] == "champion"]
    present = crowned[crowned["is_present"]]
    times = canvas.counted(len(crowned), "promotion")
    now = (
        f"{present['model_id'].iloc[-1]} has been champion since {present['from_at'].iloc[-1]:%d %b %Y, %H:%M}"
        if len(present)
        else "No champion now"
    )
    marks = [("■", colour, status) for status, colour in STANDING.items() if (told["status"] == status).any()]
    lanes = list(names.values())[::-1]
    return canvas.drawn(
        f"{now}, after {times}",
        110 + 34 * len(names),
        data,
        marks,
        barmode="overlay",
        yaxis={"automargin": True, "showgrid": False, "type": "category", "categoryorder": "array", "categoryarray": lanes},
        xaxis={"type": "date", "title": "UTC", "nticks": 7},
        **canvas.CLICKED,
    )
