"""Pictures of what models do on applicants kept away from training."""

from collections.abc import Mapping
from typing import Any, Final

import plotly.graph_objects as go
from pandas import DataFrame

from creditrisk.charts import canvas
from creditrisk.charts.canvas import AMBER, BRICK, GREY, TEAL, TICKS

ALGORITHMS: Final = {
    "xgboost": "XGBoost",
    "lightgbm": "LightGBM",
    "random_forest": "Random forest",
    "logistic": "Logistic regression",
    "scorecard": "Scorecard",
    "risk_index": "Plain risk index",
    "constant": "Constant",
}
BASELINES: Final = ("risk_index", "constant")


def leaderboard(frame: DataFrame, words: str, *, column: str = "auc") -> go.Figure:
    """Show the AUC of every model with its 95 % interval: columns model_id, algorithm, and `column` with _low and _high.

    `words` says what the AUC measures: 'agreement with the proxy label' or 'ranking of observed outcomes'.
    """
    known = frame.dropna(subset=[column]).sort_values(column, kind="stable")
    if known.empty:
        return canvas.nothing(f"Nothing was measured against this yet: {words}.")
    names = [
        f"{ALGORITHMS.get(algorithm, algorithm)} · {model}{' ★' if status == 'champion' else ''}"
        for algorithm, model, status in zip(known["algorithm"], known["model_id"], known.get("status", known["model_id"]), strict=True)
    ]
    known = known.assign(name=names, is_baseline=known["algorithm"].isin(BASELINES))
    best = known.iloc[-1]
    close = len(known) > 1 and known[column].iloc[-2] >= best[f"{column}_low"]
    lead = f"{best['name'].removesuffix(' ★')} leads in {words}: {best[column]:.3f}"
    figure = canvas.figure(f"{lead}, within chance of the next" if close else lead, height=96 + 34 * len(known))
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
                error_x=canvas.whiskers(part[column], low, high, colour),
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
    canvas.key(figure, ("●", TEAL, "model"), ("◇", GREY, "baseline to beat"), *crowned)
    return figure


def sides(frame: DataFrame, one: str, other: str, source: str) -> go.Figure:
    """Show two models' figures with their intervals, one below the other: measure (in words), one, one_low, one_high, other, …

    `source` says what they are held against.
    """
    known = frame.dropna(subset=["one", "other"])
    if known.empty:
        return canvas.nothing(f"Held against {source}, the two have no figure in common.")
    names, first = known["measure"].tolist(), known.iloc[0]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": known[who],
            "y": [len(names) - 1 - place + shift for place in range(len(names))],
            "marker": {"color": colour, "size": 9},
            "error_x": canvas.whiskers(known[who], low, high, colour),
            "text": names,
            "customdata": list(zip(low, high, strict=True)),
            "hovertemplate": f"{model} %{{text}} %{{x:.3f}}, 95 % interval %{{customdata[0]:.3f}} to %{{customdata[1]:.3f}}<extra></extra>",
        }
        for who, model, colour, shift in (("one", one, TEAL, 0.17), ("other", other, AMBER, -0.17))
        for low, high in [(known[f"{who}_low"].fillna(known[who]), known[f"{who}_high"].fillna(known[who]))]
    ]
    return canvas.drawn(
        f"{source[:1].upper()}{source[1:]}: {names[0]} {first['one']:.3f} and {first['other']:.3f}",
        70 + 34 * len(names),
        data,
        [("●", TEAL, one), ("●", AMBER, other)],
        yaxis={"tickvals": [*range(len(names))][::-1], "ticktext": names, "automargin": True, "showgrid": False, "zeroline": False},
        xaxis={"title": "figure, with its 95 % interval", "nticks": 6, "zeroline": False},
    )


def roc(frame: DataFrame, auc: Mapping[str, Any]) -> go.Figure:
    """Show a ROC curve: columns false_positive_rate, true_positive_rate; `auc` is {value, low, high}."""
    if frame.empty:
        return canvas.nothing("There are no test rows of both kinds.")
    figure = canvas.figure(f"AUC {auc['value']:.3f}, between {auc['low']:.3f} and {auc['high']:.3f}", height=320)
    figure.add_trace(_diagonal(1.0))
    figure.add_trace(
        go.Scatter(
            x=frame["false_positive_rate"],
            y=frame["true_positive_rate"],
            mode="lines",
            line={"color": TEAL, "width": 2.5},
            fill="tozeroy",
            fillcolor=canvas.faded(TEAL, 0.08),
            showlegend=False,
            hovertemplate="catches %{y:.0%} of the bad<br>by turning away %{x:.0%} of the good<extra></extra>",
        )
    )
    figure.update_xaxes(title="share of the good turned away", tickformat=".0%", dtick=0.2, range=[0, 1.02])
    figure.update_yaxes(title="share of the bad caught", tickformat=".0%", dtick=0.2, range=[0, 1.02])
    return figure


def calibration(frame: DataFrame, risk: str) -> go.Figure:
    """Show promised against found risk in bins of equal mass (mean_pd, share_bad, low, high, n); `risk` is 'PD' or 'risk (proxy)'."""
    if frame.empty:
        return canvas.nothing("There are no test rows.")
    outside = int(((frame["mean_pd"] < frame["low"]) | (frame["mean_pd"] > frame["high"])).sum())
    apart = f"Promised and found differ by more than chance in {outside} of {len(frame)} groups"
    figure = canvas.figure(apart if outside else "Promised and found agree within chance", height=320)
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
            error_y=canvas.whiskers(frame["share_bad"], frame["low"], frame["high"], TEAL),
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
        return canvas.nothing("This model kept no test rows.")
    figure = canvas.figure("Where the model puts the good and the bad", height=300)
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
    canvas.key(figure, ("■", TEAL, f"good {words}"), ("■", BRICK, f"bad {words}"))
    figure.update_xaxes(title="score (points)", range=[296, 922], tickvals=TICKS, showgrid=False)
    figure.update_yaxes(title="applicants in the test set", tickformat=",d")
    return figure


def importance(frame: DataFrame, *, top: int = 12) -> go.Figure:
    """Show how much each feature or subject moves the model: columns title, mean_abs (mean size of its contribution, log-odds).

    A column of_which, where there is one, says which features belong to a subject.
    """
    if frame.empty:
        return canvas.nothing("This model kept no contributions.")
    part = frame.nlargest(top, "mean_abs").iloc[::-1]
    if not part["mean_abs"].any():
        return canvas.nothing("This model reads no figure: it says the same of everybody.")
    figure = canvas.figure(f"{part['title'].iloc[-1]} moves this model most", height=70 + 25 * len(part))
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=part["title"],
            text=[canvas.long(title) for title in part["title"]],
            textposition="none",
            x=part["mean_abs"],
            marker={"color": TEAL, "cornerradius": 2},
            customdata=[f"<br>{canvas.long(words)}" for words in part["of_which"]] if "of_which" in part else [""] * len(part),
            hovertemplate="%{text}: moves the log-odds by %{x:.3f} on average%{customdata}<extra></extra>",
        )
    )
    names = part["title"].tolist()
    short = [canvas.short(name, 46) for name in names]
    figure.update_yaxes(automargin=True, showgrid=False, type="category", tickvals=names, ticktext=short)
    figure.update_xaxes(title="mean contribution (log-odds)")
    return figure


def _diagonal(edge: float) -> go.Scatter:
    line = {"color": GREY, "width": 1, "dash": "dot"}
    return go.Scatter(x=[0, edge], y=[0, edge], mode="lines", line=line, hoverinfo="skip", showlegend=False)
