"""Pictures of frames that other rooms computed: Plotly figures, no arithmetic beyond placing a mark.

A figure's title states the finding, its axes carry units, hovering says the same in words, and a frame without rows gives
a figure that says so. Colours read on light and dark; text takes the colour of the page.
"""

from collections.abc import Mapping, Sequence
from math import floor
from textwrap import wrap
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame
from plotly.subplots import make_subplots

from creditrisk.schema import Schema

TEAL: Final = "#17857e"
BRICK: Final = "#bf4e36"
AMBER: Final = "#d29a2e"
BLUE: Final = "#4a80ab"
GREY: Final = "#8497a0"
FAINT: Final = "rgba(132, 151, 160, 0.22)"
BANDS: Final = (
    ("Poor", 300.0, 500.0, BRICK),
    ("Average", 500.0, 650.0, AMBER),
    ("Good", 650.0, 750.0, "#6fb5ab"),
    ("Excellent", 750.0, 900.0, TEAL),
)
TICKS: Final = [300, 500, 650, 750, 900]
ALGORITHMS: Final = {
    "xgboost": "XGBoost",
    "random_forest": "Random forest",
    "logistic": "Logistic regression",
    "risk_index": "Plain risk index",
    "constant": "Constant",
}
BASELINES: Final = ("risk_index", "constant")
GROUPS: Final = {
    "income": TEAL,
    "risk": BRICK,
    "bank_fee": BRICK,
    "returned": BRICK,
    "debt": AMBER,
    "loan_in": AMBER,
    "unknown": GREY,
    "transfer": GREY,
}
KINDS: Final = {TEAL: "income", BRICK: "fees, returns, gambling", AMBER: "debt", BLUE: "spending", GREY: "transfers and unknown"}


def nothing(sentence: str, height: int = 180) -> go.Figure:
    """Return a figure without data that says why."""
    figure = _figure("", height=height)
    figure.add_annotation(text=sentence, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"color": GREY, "size": 14})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def gauge(score: float, shown: int, band: str, *, sure: bool = True, cutoff: float | None = None) -> go.Figure:
    """Show one score on the 300–900 arc with its four bands; `shown` is the floored figure people read, `cutoff` the policy's line.

    A score that nobody should rely on (`sure` false: too little history) stays grey and says so.
    """
    colour = band_colour(band) if sure else GREY
    figure = _figure(f"{shown} points: {band}" if sure else "Too little history for a score to rely on", height=230)
    figure.update_layout(margin={"l": 24, "r": 24, "t": 26, "b": 4})
    figure.add_trace(
        go.Indicator(
            mode="gauge+number",
            value=shown,
            number={"font": {"size": 54, "color": colour}, "valueformat": "d"},
            gauge={
                "axis": {"range": [300, 900], "tickvals": TICKS, "tickwidth": 0, "ticklen": 3, "tickfont": {"size": 12}},
                "bar": {"color": colour, "thickness": 0.52},
                "bgcolor": "rgba(0,0,0,0)",
                "borderwidth": 0,
                "steps": [{"range": [low, high], "color": _faded(hue), "thickness": 1} for _, low, high, hue in BANDS],
                "threshold": {"line": {"color": GREY, "width": 3}, "thickness": 1, "value": score if cutoff is None else cutoff},
            },
        )
    )
    if cutoff is not None:
        figure.update_layout(margin={"b": 26})
        text = f"<span style='color:{GREY}'><b>┃</b></span> cut-off {cutoff:.0f}"
        figure.add_annotation(text=text, showarrow=False, x=0.5, y=0, xref="paper", yref="paper", yanchor="top", font={"size": 12.5})
    return figure


def waterfall(
    frame: DataFrame,
    start: float,
    end: float,
    *,
    unit: str = "points",
    start_name: str = "Reference",
    end_name: str = "This applicant",
    limits: tuple[float, float] = (300, 900),
) -> go.Figure:
    """Show how contributions lead from a reference to one applicant; clicking a bar yields its feature.

    `frame` has feature, title, value, reference and the column `unit`: 'points' (+ is better) or 'contribution' (log-odds, + is riskier).
    Points beyond `limits` are said with the limit, which is the score people read.
    """
    if frame.empty:
        return nothing("Nothing was scored, so there is nothing to explain.")
    steps = [float(step) for step in frame[unit]]
    edges = _running(start, steps)
    better = [step >= 0 if unit == "points" else step <= 0 for step in steps]
    names = [
        _label(title, value, reference) for title, value, reference in zip(frame["title"], frame["value"], frame["reference"], strict=True)
    ]
    word = "points" if unit == "points" else "log-odds"
    sign = "+.0f" if unit == "points" else "+.2f"
    strongest = max(range(len(steps)), key=lambda position: abs(steps[position]))
    verb = "raises" if better[strongest] == (unit == "points") else "lowers"
    subject = "the score" if unit == "points" else "the risk"
    figure = _figure(f"{frame['title'].iloc[strongest]} {verb} {subject} most", height=80 + 38 * (len(steps) + 2))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=[f"<b>{start_name}</b>", *names, f"<b>{end_name}</b>"],
            base=[min(edges[0], _floor(edges)), *edges[:-1], _floor(edges)],
            x=[edges[0] - min(edges[0], _floor(edges)), *steps, end - _floor(edges)],
            marker={"color": [GREY, *[TEAL if good else BRICK for good in better], GREY], "cornerradius": 3},
            customdata=["", *frame["feature"], ""],
            text=[_figure_text(start, unit), *[f"{step:{sign}}".replace("-", "−") for step in steps], _figure_text(end, unit, limits)],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=[
                f"{start_name}: {_figure_text(start, unit)}<extra></extra>",
                *[
                    f"{title}: {step:{sign}} {word}<br>{value}; reference {reference}<extra></extra>"
                    for title, value, reference, step in zip(frame["title"], frame["value"], frame["reference"], steps, strict=True)
                ],
                f"{end_name}: {_figure_text(end, unit, limits)}<extra></extra>",
            ],
            width=0.62,
        )
    )
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont={"size": 12.5}, showgrid=False)
    low, high = min([*edges, end]), max([*edges, end])
    room = (high - low or 1) * 0.2
    figure.update_xaxes(
        title="score points" if unit == "points" else "log-odds of risk",
        range=[_floor(edges) if low >= _floor(edges) else low, high + room],
        zeroline=False,
    )
    figure.update_layout(clickmode="event+select", dragmode=False)
    return figure


def scores(frame: DataFrame) -> go.Figure:
    """Show how many applicants lie in each score bin: columns low, band, n; bins are 20 points wide."""
    if frame.empty:
        return nothing("No applicant has a score yet.")
    sizes = frame.groupby("band")["n"].sum()
    band, share = sizes.idxmax(), sizes.max() / sizes.sum()
    finding = f"Most scores are {band}" if share > 0.5 else f"{band} is the largest band, with {share:.0%} of the scores"
    figure = _figure(finding, height=330)
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
    _key(figure, *(("■", colour, band) for band, _, _, colour in BANDS))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants", tickformat=",d", rangemode="tozero")
    return figure


def balance(frame: DataFrame, currency: str | None = None) -> go.Figure:
    """Show the end-of-day balance with the days below zero shaded: columns day, balance."""
    if frame.empty:
        return nothing("No balance is known for these days.")
    values = frame["balance"].astype(float)
    n_below = int((values < 0).sum())
    figure = _figure("The balance never fell below zero" if n_below == 0 else f"Below zero on {n_below} of {len(values)} days", height=280)
    common = {
        "x": frame["day"],
        "mode": "lines",
        "line": {"width": 0, "shape": "hv"},
        "fill": "tozeroy",
        "hoverinfo": "skip",
        "showlegend": False,
    }
    figure.add_trace(go.Scatter(y=values.clip(lower=0), fillcolor="rgba(23, 133, 126, 0.10)", **common))
    figure.add_trace(go.Scatter(y=values.clip(upper=0), fillcolor="rgba(191, 78, 54, 0.38)", **common))
    figure.add_trace(
        go.Scatter(
            x=frame["day"],
            y=values,
            mode="lines",
            line={"color": TEAL, "width": 1.8, "shape": "hv"},
            showlegend=False,
            hovertemplate=f"%{{x|%d %b %Y}}: %{{y:,.2f}} {currency or ''}<extra></extra>",
        )
    )
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(title=_money_axis("balance", currency), tickformat=",.0f")
    return figure


def months(frame: DataFrame, currency: str | None = None) -> go.Figure:
    """Show money in and out by month, and income as a line: columns month, money_in, money_out, income."""
    if frame.empty:
        return nothing("No month of transactions yet.")
    money_in, money_out = frame["money_in"].astype(float), frame["money_out"].astype(float).abs()
    short = int((money_out > money_in).sum())
    title = (
        "More came in than went out in every month" if short == 0 else f"More went out than came in during {short} of {len(frame)} months"
    )
    figure = _figure(title, height=280)
    for name, values, colour in (("money in", money_in, TEAL), ("money out", money_out, AMBER)):
        figure.add_trace(
            go.Bar(
                x=frame["month"],
                y=values,
                name=name,
                marker={"color": colour, "cornerradius": 2},
                hovertemplate=f"%{{x|%B %Y}}: %{{y:,.0f}} {currency or ''} {name}<extra></extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=frame["month"],
            y=frame["income"].astype(float),
            name="of it income",
            mode="markers",
            marker={"color": BLUE, "size": 9, "symbol": "line-ew", "line": {"width": 3, "color": BLUE}},
            hovertemplate=f"%{{x|%B %Y}}: %{{y:,.0f}} {currency or ''} counted as income<extra></extra>",
        )
    )
    figure.update_layout(barmode="group", bargap=0.32, bargroupgap=0.06)
    _key(figure, ("■", TEAL, "money in"), ("■", AMBER, "money out"), ("▬", BLUE, "income"))
    figure.update_xaxes(tickformat="%b\n%Y", dtick="M1" if len(frame) <= 7 else "M3", tickangle=0, showgrid=False)
    figure.update_yaxes(title=_money_axis("per month", currency), tickformat=",.0f", rangemode="tozero")
    return figure


def spending(frame: DataFrame, currency: str | None = None, *, top: int = 12, lead: str = "Largest") -> go.Figure:
    """Show the largest sums by category: columns category, meaning, class, amount, n; `lead` begins the finding."""
    if frame.empty:
        return nothing("No transaction in this window.")
    part = frame.assign(size=frame["amount"].astype(float).abs()).nlargest(top, "size").iloc[::-1]
    colours = [GROUPS.get(kind, BLUE) for kind in part["class"]]
    figure = _figure(f"{lead}: {_short(part['meaning'].iloc[-1], 44)}", height=92 + 31 * len(part))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=["<br>".join(wrap(_short(words, 44), 26)) for words in part["meaning"]],
            x=part["size"],
            marker={"color": colours, "cornerradius": 2},
            customdata=list(zip(part["n"], part["meaning"], strict=True)),
            hovertemplate=f"%{{customdata[1]}}<br>%{{x:,.2f}} {currency or ''} in %{{customdata[0]}} transactions<extra></extra>",
        )
    )
    figure.update_yaxes(automargin=True, showgrid=False)
    figure.update_xaxes(title=_money_axis("sum", currency), tickformat=",.0f", nticks=5, tickangle=0)
    _key(figure, *(("■", colour, kind) for colour, kind in KINDS.items() if colour in colours))
    return figure


def scan(rows: Sequence[Mapping[str, Any]], chosen: int | None) -> go.Figure:
    """Show what each number of clusters gives: k, index_gap (standard deviations), stability (0–1), silhouette (−1–1)."""
    if not rows:
        return nothing("This label set was not made by looking through numbers of clusters.")
    numbers = [row["k"] for row in rows]
    panels = (
        ("index_gap", "Gap to the next cluster (SD)", 1.0),
        ("stability", "Stability (0 to 1)", 0.75),
        ("silhouette", "Silhouette (−1 to 1)", None),
    )
    figure = make_subplots(rows=1, cols=3, subplot_titles=[words for _, words, _ in panels], horizontal_spacing=0.07)
    figure.update_layout(
        _layout(f"{chosen} clusters, out of {numbers[0]} to {numbers[-1]} tried" if chosen else "No number of clusters was chosen", 250)
    )
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
        return nothing("This label set has no clusters to describe.")
    features = [schema[name] for name in clusters[0]["means"]]
    columns = [_cluster(row, len(clusters)) for row in clusters]
    said = [[feature.say(row["means"][feature.name]) for row in clusters] for feature in features]
    sides = [
        _sides([row["means"][feature.name] for row in clusters], feature.risk if len(set(words)) > 1 else 0)
        for feature, words in zip(features, said, strict=True)
    ]
    figure = _figure("How the clusters differ", height=64 + 34 * len(features))
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
        return nothing("This label set has no clusters.")
    last = len(clusters) - 1
    figure = _figure(f"{clusters[last]['n']:,} applicants fall into the riskiest cluster", height=300)
    figure.add_trace(
        go.Bar(
            x=[_cluster(row, len(clusters)) for row in clusters],
            y=[row["n"] for row in clusters],
            text=[f"{row['n']:,}<br>{row['share']:.1%}" for row in clusters],
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


def leaderboard(frame: DataFrame, words: str, *, column: str = "auc") -> go.Figure:
    """Show the AUC of every model with its 95 % interval: columns model_id, algorithm, and `column` with _low and _high.

    `words` says what the AUC measures: 'agreement with the proxy label' or 'ranking of observed outcomes'.
    """
    known = frame.dropna(subset=[column]).sort_values(column, kind="stable")
    if known.empty:
        return nothing(f"Nothing was measured against this yet: {words}.")
    names = [
        f"{ALGORITHMS.get(algorithm, algorithm)} · {model}{' ★' if status == 'champion' else ''}"
        for algorithm, model, status in zip(known["algorithm"], known["model_id"], known.get("status", known["model_id"]), strict=True)
    ]
    known = known.assign(name=names, is_baseline=known["algorithm"].isin(BASELINES))
    best = known.iloc[-1]
    close = len(known) > 1 and known[column].iloc[-2] >= best[f"{column}_low"]
    lead = f"{best['name'].removesuffix(' ★')} leads in {words}: {best[column]:.3f}"
    figure = _figure(f"{lead}, within chance of the next" if close else lead, height=96 + 34 * len(known))
    for baseline, name, colour, symbol in ((False, "model", TEAL, "circle"), (True, "baseline to beat", GREY, "diamond-open")):
        part = known[known["is_baseline"] == baseline]
        low, high = part[f"{column}_low"], part[f"{column}_high"]
        figure.add_trace(
            go.Scatter(
                x=part[column],
                y=part["name"],
                mode="markers",
                name=name,
                marker={"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2, "color": colour}},
                error_x=_error(part[column], low, high, colour),
                customdata=list(zip(low, high, strict=True)),
                hovertemplate="%{y}: %{x:.3f}<br>95 % interval %{customdata[0]:.3f} to %{customdata[1]:.3f}<extra></extra>",
            )
        )
    figure.add_vline(x=0.5, line={"color": GREY, "width": 1.2, "dash": "dot"})
    figure.update_yaxes(categoryorder="array", categoryarray=names, automargin=True, range=[-0.6, len(names) - 0.4])
    figure.update_xaxes(
        title="AUC (dotted: chance)", range=[min(0.46, float(known[f"{column}_low"].min()) - 0.02), 1.015], tickformat=".1f", dtick=0.1
    )
    crowned = [("★", GREY, "champion")] if any(name.endswith("★") for name in names) else []
    _key(figure, ("●", TEAL, "model"), ("◇", GREY, "baseline to beat"), *crowned)
    return figure


def roc(frame: DataFrame, auc: Mapping[str, Any]) -> go.Figure:
    """Show a ROC curve: columns false_positive_rate, true_positive_rate; `auc` is {value, low, high}."""
    if frame.empty:
        return nothing("There are no test rows of both kinds.")
    figure = _figure(f"AUC {auc['value']:.3f}, between {auc['low']:.3f} and {auc['high']:.3f}", height=320)
    figure.add_trace(_diagonal(1.0))
    figure.add_trace(
        go.Scatter(
            x=frame["false_positive_rate"],
            y=frame["true_positive_rate"],
            mode="lines",
            line={"color": TEAL, "width": 2.5},
            fill="tozeroy",
            fillcolor=_faded(TEAL, 0.08),
            showlegend=False,
            hovertemplate="catches %{y:.0%} of the bad<br>by turning away %{x:.0%} of the good<extra></extra>",
        )
    )
    figure.update_xaxes(title="share of the good turned away", tickformat=".0%", dtick=0.2, range=[0, 1])
    figure.update_yaxes(title="share of the bad caught", tickformat=".0%", dtick=0.2, range=[0, 1.02])
    return figure


def calibration(frame: DataFrame, risk: str) -> go.Figure:
    """Show promised against found risk in bins of equal mass (mean_pd, share_bad, low, high, n); `risk` is 'PD' or 'risk (proxy)'."""
    if frame.empty:
        return nothing("There are no test rows.")
    outside = int(((frame["mean_pd"] < frame["low"]) | (frame["mean_pd"] > frame["high"])).sum())
    apart = f"Promised and found differ by more than chance in {outside} of {len(frame)} groups"
    figure = _figure(apart if outside else "Promised and found agree within chance", height=320)
    edge = min(1.0, 1.06 * float(max(frame["mean_pd"].max(), frame["high"].max())))
    figure.add_trace(_diagonal(edge))
    figure.add_trace(
        go.Scatter(
            x=frame["mean_pd"],
            y=frame["share_bad"],
            mode="markers",
            marker={"color": TEAL, "size": 10},
            showlegend=False,
            customdata=frame[["low", "high", "n"]],
            error_y=_error(frame["share_bad"], frame["low"], frame["high"], TEAL),
            hovertemplate=f"promised {risk} %{{x:.1%}}, found %{{y:.1%}} of %{{customdata[2]:,}} applicants"
            "<br>95 % interval %{customdata[0]:.1%} to %{customdata[1]:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title=f"promised {risk}", tickformat=".0%", nticks=7, range=[-0.03 * edge, 1.03 * edge])
    figure.update_yaxes(title="share found bad", tickformat=".0%", range=[-0.03 * edge, 1.03 * edge])
    return figure


def test_scores(frame: DataFrame, words: str) -> go.Figure:
    """Show the scores of the test set by what the label said: columns low (20-point bins), bad, n."""
    if frame.empty:
        return nothing("This model kept no test rows.")
    figure = _figure("Where the model puts the good and the bad", height=300)
    for bad, name, colour in ((False, "good", TEAL), (True, "bad", BRICK)):
        part = frame[frame["bad"].astype(bool) == bad]
        figure.add_trace(
            go.Bar(
                x=part["low"],
                y=part["n"],
                name=f"{name} ({words})",
                marker={"color": colour, "opacity": 0.85},
                width=18,
                offset=1,
                hovertemplate=f"%{{y:,}} {name} from %{{x}} points<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack")
    _key(figure, ("■", TEAL, f"good {words}"), ("■", BRICK, f"bad {words}"))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants in the test set", tickformat=",d")
    return figure


def importance(frame: DataFrame, *, top: int = 12) -> go.Figure:
    """Show how much each feature moves the model: columns title, mean_abs (mean size of its contribution, log-odds)."""
    if frame.empty:
        return nothing("This model kept no contributions.")
    part = frame.nlargest(top, "mean_abs").iloc[::-1]
    figure = _figure(f"{part['title'].iloc[-1]} moves this model most", height=70 + 25 * len(part))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=part["title"],
            x=part["mean_abs"],
            marker={"color": TEAL, "cornerradius": 2},
            hovertemplate="%{y}: moves the log-odds by %{x:.3f} on average<extra></extra>",
        )
    )
    figure.update_yaxes(automargin=True, showgrid=False)
    figure.update_xaxes(title="mean contribution (log-odds)")
    return figure


def score_history(frame: DataFrame) -> go.Figure:
    """Show every score an applicant was given, in time: columns scored_at, score, band, model_id."""
    if frame.empty:
        return nothing("No score yet.")
    figure = _figure(f"Scored {len(frame)} time{'' if len(frame) == 1 else 's'}", height=220)
    for _, low, high, colour in BANDS:
        figure.add_hrect(y0=low, y1=high, fillcolor=_faded(colour, 0.14), line_width=0)
    figure.add_trace(
        go.Scatter(
            x=frame["scored_at"],
            y=frame["score"],
            mode="lines+markers",
            line={"color": GREY, "width": 1.2},
            marker={"size": 10, "color": [band_colour(band) for band in frame["band"]]},
            showlegend=False,
            customdata=frame[["model_id", "band"]],
            hovertemplate="%{x|%d %b %Y %H:%M}: %{y:.0f} points, %{customdata[1]} (%{customdata[0]})<extra></extra>",
        )
    )
    figure.update_yaxes(title="score (points)", range=[300, 900], tickvals=TICKS, showgrid=False)
    figure.update_xaxes(showgrid=False)
    return figure


def bins(frame: DataFrame, title: str) -> go.Figure:
    """Show how a column lies and, where outcomes are known, the share bad of each bin with its interval; clicking yields the bin.

    Columns: bin, n, share, n_outcomes, n_bad, bad_rate, rate_low, rate_high.
    """
    if frame.empty:
        return nothing("No applicant has a row yet.")
    judged = frame[frame["n_outcomes"] > 0]
    most = frame.nlargest(1, "n").iloc[0]
    finding = f"{title}: {100 * most['share']:.0f} % of applicants have {most['bin']}"
    if len(judged) > 1 and judged["n_bad"].any():
        best, worst = judged.nsmallest(1, "bad_rate").iloc[0], judged.nlargest(1, "bad_rate").iloc[0]
        finding = f"{title}: {100 * best['bad_rate']:.0f} % bad at {best['bin']}, {100 * worst['bad_rate']:.0f} % at {worst['bin']}"
    figure = _figure(finding, height=340)
    names = [_short(str(name), 24) for name in frame["bin"]]
    figure.add_trace(
        go.Bar(
            x=names,
            y=frame["n"],
            marker={"color": [GREY if name == "not known" else BLUE for name in frame["bin"]], "opacity": 0.55, "cornerradius": 2},
            customdata=frame["bin"],
            hovertemplate="%{customdata}: %{y:,} applicants<extra></extra>",
        )
    )
    figure.update_yaxes(title="applicants", rangemode="tozero")
    figure.update_xaxes(type="category", tickangle=0 if sum(map(len, names)) < 90 else -35, automargin=True)
    if len(judged):
        figure.add_trace(
            go.Scatter(
                x=[_short(str(name), 24) for name in judged["bin"]],
                y=judged["bad_rate"],
                yaxis="y2",
                mode="markers",
                marker={"color": BRICK, "size": 9},
                error_y=_error(judged["bad_rate"], judged["rate_low"], judged["rate_high"], BRICK),
                customdata=judged["bin"],
                text=[f"{k} of {n}" for k, n in zip(judged["n_bad"], judged["n_outcomes"], strict=True)],
                hovertemplate="%{customdata}: %{y:.1%} bad (%{text})<extra></extra>",
            )
        )
        side = {"overlaying": "y", "side": "right", "tickformat": ".0%", "rangemode": "tozero", "showgrid": False, "title": "share bad"}
        side |= {"tickmode": "auto", "nticks": 6}
        figure.update_layout(yaxis2=side)
        _key(figure, ("■", BLUE, "applicants"), ("●", BRICK, "share bad, with its 95 % interval"))
    return figure


def correlations(frame: DataFrame, schema: Schema) -> go.Figure:
    """Show the strongest rank correlations between columns: one, other, correlation, n."""
    if frame.empty:
        return nothing("Fewer than two numeric columns vary, so none move together.")
    part = frame.iloc[::-1]
    titles = {feature.name: feature.title for feature in schema}
    first = frame.iloc[0]
    strongest = f"{titles[first['one']]} and {titles[first['other']].lower()} move together most ({first['correlation']:+.2f})"
    figure = _figure(strongest.replace("-", "−"), height=80 + 34 * len(part))
    labels = [f"{_short(titles[one], 34)}<br>{_short(titles[other], 34)}" for one, other in zip(part["one"], part["other"], strict=True)]
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=labels,
            x=part["correlation"],
            marker={"color": [TEAL if value > 0 else AMBER for value in part["correlation"]], "cornerradius": 2},
            customdata=part["n"],
            hovertemplate="%{y}: %{x:+.2f} over %{customdata:,} applicants<extra></extra>",
        )
    )
    figure.update_xaxes(range=[-1.05, 1.05], title="rank correlation", zeroline=True)
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"size": 11})
    return figure


def band_colour(band: str) -> str:
    """Return the colour of a band; grey where there is none."""
    return next((colour for name, _, _, colour in BANDS if name == band), GREY)


def _figure(title: str, *, height: int) -> go.Figure:
    return go.Figure(layout=_layout(title, height))


def _layout(title: str, height: int) -> dict[str, Any]:
    return {
        "title": {"text": title, "automargin": True, "yref": "container"},
        "height": height,
        "margin": {"l": 4, "r": 12, "t": 12, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"align": "left"},
        "bargap": 0.28,
    }


def _key(figure: go.Figure, *marks: tuple[str, str, str]) -> None:
    """Name colours above the plot, each (sign, colour, words): a legend that never lies over the data."""
    text = " &nbsp;&nbsp; ".join(f"<span style='color:{colour};font-size:16px'>{sign}</span> {words}" for sign, colour, words in marks)
    place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 6}
    figure.add_annotation(text=text, showarrow=False, align="left", font={"size": 12.5}, **place)
    figure.update_layout(showlegend=False, margin={"t": 34})


def _faded(colour: str, share: float = 0.26) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def _running(start: float, steps: Sequence[float]) -> list[float]:
    edges = [start]
    for step in steps:
        edges.append(edges[-1] + step)
    return edges


def _floor(edges: Sequence[float]) -> float:
    """Where the two whole bars begin: a little left of everything, so that the steps fill the picture."""
    return min(edges) - 0.18 * ((max(edges) - min(edges)) or 1)


def _label(title: str, value: str, reference: str) -> str:
    return f"{title}<br><span style='font-size:11px;opacity:0.75'>{value} · reference {reference}</span>" if value else title


def _short(words: str, most: int = 32) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip(" ,") + "…"


def _figure_text(value: float, unit: str, limits: tuple[float, float] | None = None) -> str:
    if unit != "points":
        return f"<b>{value:+.2f}</b>".replace("-", "−")
    held = min(max(value, limits[0]), limits[1]) if limits else value
    return f"<b>{floor(held)}</b>" if held == value else f"<b>{floor(held)}</b>, limited from {value:.0f}"


def _money_axis(what: str, currency: str | None) -> str:
    return f"{what} ({currency or 'currency not stated'})"


def _cluster(row: Mapping[str, Any], n: int) -> str:
    place = row["segment"]
    return f"{place + 1}{' (safest)' if place == 0 else ' (riskiest)' if place == n - 1 else ''}"


def _sides(values: Sequence[float], risk: int) -> list[float]:
    """Place values between −1 (the safest of them) and 1 (the riskiest)."""
    low, high = min(values), max(values)
    return [0.0 if high == low or not risk else risk * (2 * (value - low) / (high - low) - 1) for value in values]


def _error(value: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "color": colour,
        "thickness": 2.2,
        "width": 5,
    }


def _diagonal(edge: float) -> go.Scatter:
    line = {"color": GREY, "width": 1, "dash": "dot"}
    return go.Scatter(x=[0, edge], y=[0, edge], mode="lines", line=line, hoverinfo="skip", showlegend=False)
