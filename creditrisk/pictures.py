"""Explanations as PNG files: frames that other rooms computed, drawn with Matplotlib, which is imported only when something is drawn.

A title states what is seen, axes carry units, and a column's own name never appears: features are called by their titles.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Series

from creditrisk.schema import Feature

RISKY, SAFE, GREY = "#bf4e36", "#17857e", "#8497a0"
SHOWN = 12  # features in a picture of many
POINTS = 2_000  # dots a picture can carry


def waterfall(
    file: Path, parts: Mapping[str, float], base: float, row: Mapping[str, Any], features: Sequence[Feature], *, title: str
) -> None:
    """Draw how one applicant's contributions lead from the base to the margin (log-odds); the smallest are summed."""
    known = {feature.name: feature for feature in features}
    ordered = sorted(parts.items(), key=lambda part: -abs(part[1]))
    first, rest = ordered[: SHOWN - 1], ordered[SHOWN - 1 :]
    steps = [(_stated(known[name], row.get(name)), size) for name, size in first]
    if rest:
        steps.append((f"{len(rest)} other features", sum(size for _, size in rest)))
    figure, axes = _figure(title, 1.3 + 0.36 * len(steps))
    at = base
    for place, (_, size) in enumerate(reversed(steps)):
        axes.barh(place, size, left=at, height=0.62, color=RISKY if size > 0 else SAFE)
        axes.annotate(f"{size:+.2f}", (max(at, at + size), place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
        at += size
    axes.set_yticks(range(len(steps)), [said for said, _ in reversed(steps)], fontsize=8.5)
    axes.axvline(base, color=GREY, linewidth=1, linestyle=":")
    axes.axvline(at, color="black", linewidth=1)
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_xlabel(f"log-odds: {base:.2f} for everyone (dotted), {at:.2f} for this applicant (line)")
    _save(figure, file)


def bars(file: Path, contributions: DataFrame, features: Sequence[Feature], risk: str) -> None:
    """Draw the mean size of each feature's contribution."""
    sizes = contributions.abs().mean().sort_values(ascending=False).head(SHOWN)[::-1]
    titles = {feature.name: feature.title for feature in features}
    lead = titles[str(sizes.index[-1])]
    figure, axes = _figure(f"{_brief(lead)} moves the {risk} most", 1.3 + 0.32 * len(sizes))
    axes.barh(range(len(sizes)), sizes.to_numpy(), color=SAFE, height=0.62)
    axes.set_yticks(range(len(sizes)), [_brief(titles[str(name)]) for name in sizes.index], fontsize=8.5)
    axes.set_xlabel(f"mean size of the contribution over {len(contributions):,} test applicants, in log-odds")
    _save(figure, file)


def beeswarm(file: Path, contributions: DataFrame, values: DataFrame, features: Sequence[Feature], risk: str) -> None:
    """Draw each applicant's contribution of each feature as a dot, coloured by where the feature's value stands among all."""
    names = [str(name) for name in contributions.abs().mean().sort_values(ascending=False).head(SHOWN).index]
    rows = _sample(len(contributions))
    known = {feature.name: feature for feature in features}
    figure, axes = _figure(f"What moves the {risk} up (right) and down (left)", 1.6 + 0.4 * len(names))
    for place, name in enumerate(reversed(names)):
        x = contributions[name].to_numpy(float)[rows]
        rank = ranks(values[name].iloc[rows]) if known[name].is_numeric else np.full(len(rows), np.nan)
        colours = ["#c3ccd0" if np.isnan(each) else None for each in rank]
        axes.scatter(x, place + spread(x), c=np.nan_to_num(rank, nan=0.5), cmap="coolwarm", vmin=0, vmax=1, s=7, linewidths=0)
        grey = [number for number, colour in enumerate(colours) if colour]
        axes.scatter(x[grey], (place + spread(x))[grey], color="#c3ccd0", s=7, linewidths=0)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(names)), [_brief(known[name].title) for name in reversed(names)], fontsize=8.5)
    axes.set_xlabel(f"contribution in log-odds, {len(rows):,} test applicants; red: high value, blue: low, grey: a choice or missing")
    _save(figure, file)


def dependence(file: Path, added: "Series[float]", values: "Series[Any]", feature: Feature) -> None:
    """Draw a feature's contribution against its value."""
    rows = _sample(len(added))
    x, y = values.iloc[rows], added.to_numpy(float)[rows]
    figure, axes = _figure(f"{_brief(feature.title)}: what each value adds to the risk", 4.2)
    if feature.is_numeric:
        numbers = x.to_numpy(dtype=np.float64, na_value=np.nan)
        axes.scatter(numbers, y, s=9, color=SAFE, alpha=0.5, linewidths=0)
        axes.set_xlabel(feature.title + (f" ({feature.unit})" if feature.unit else ""))
        if np.isnan(numbers).any():
            axes.axhline(float(y[np.isnan(numbers)].mean()), color=GREY, linestyle=":", label="where it is missing, on average")
            axes.legend(frameon=False, fontsize=8)
    else:
        said = np.array(["missing" if missing else str(each) for each, missing in zip(x, x.isna(), strict=True)])
        kinds = sorted(set(said), key=lambda kind: float(y[said == kind].mean()))[-SHOWN:]
        axes.boxplot([y[said == kind] for kind in kinds], orientation="horizontal", widths=0.6, showfliers=False)
        axes.set_yticks(range(1, len(kinds) + 1), [_brief(kind) for kind in kinds], fontsize=8.5)
    axes.axhline(0, color=GREY, linewidth=1) if feature.is_numeric else axes.axvline(0, color=GREY, linewidth=1)
    (axes.set_ylabel if feature.is_numeric else axes.set_xlabel)("contribution in log-odds")
    _save(figure, file)


def partial(file: Path, table: DataFrame, feature: Feature, risk: str) -> None:
    """Draw how the risk moves with a feature, all else as it is: columns value, row, pd (see `album.partial`)."""
    mean = table.groupby("value", sort=feature.is_numeric)["pd"].mean()
    mean = mean if feature.is_numeric else mean.sort_values()
    ends = f"between {100 * mean.min():.1f} % and {100 * mean.max():.1f} %"
    figure, axes = _figure(f"{_brief(feature.title)}: {risk} {ends}, all else as it is", 4.2)
    places = mean.index.to_numpy(float) if feature.is_numeric else np.arange(len(mean))
    for _, line in table[table["row"] < 50].groupby("row"):
        axes.plot(places, line.set_index("value")["pd"].loc[mean.index], color=GREY, alpha=0.35, linewidth=0.8)
    axes.plot(places, mean.to_numpy(), color=RISKY, linewidth=2.4, label="mean; grey lines are single applicants")
    if not feature.is_numeric:
        axes.set_xticks(places, [_brief(str(kind), 18) for kind in mean.index], rotation=30, ha="right", fontsize=8)
    axes.set_xlabel(feature.title + (f" ({feature.unit})" if feature.unit else ""))
    axes.set_ylabel(risk)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.legend(frameon=False, fontsize=8)
    _save(figure, file)


def _figure(title: str, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, max(height, 2.6)), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: Any, file: Path) -> None:
    figure.savefig(file, dpi=130, metadata={"Software": None})


def _stated(feature: Feature, value: object) -> str:
    return f"{_brief(feature.title)} = {_brief(feature.say(value), 24)}"


def _brief(words: str, most: int = 44) -> str:
    return (words if len(words) <= most else f"{words[: most - 1].rstrip()}…").replace("$", r"\$")


def _sample(n: int) -> NDArray[np.intp]:
    return np.arange(n) if n <= POINTS else np.sort(np.random.default_rng(0).choice(n, POINTS, replace=False))


def ranks(values: "Series[Any]") -> NDArray[np.float64]:
    """Return where each value stands among all, 0 to 1; NaN where it is missing."""
    return np.asarray(values.astype("float64").rank(pct=True), dtype=np.float64)


def spread(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return heights that keep dots of one place apart: the denser, the wider, in a fixed order."""
    bins = np.floor((x - x.min()) / ((float(np.ptp(x)) or 1.0) / 80)).astype(np.intp)
    counts = np.bincount(bins)
    heights = np.zeros(len(x))
    for number in np.flatnonzero(counts > 1):
        members = np.flatnonzero(bins == number)
        heights[members] = np.linspace(-0.4, 0.4, len(members)) * counts[number] / counts.max()
    return heights
