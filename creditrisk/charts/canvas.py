"""What every picture is drawn on: colours, the bare figure, its key, its axes, and how figures and words are written on it.

Colours read on light and dark; text takes the colour of the page. Text from a file passes through `long`, `short` or `literal` and is never
markup.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from textwrap import wrap
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from pandas import NA, DataFrame, Index, Series

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
PALE_TEAL: Final = "#8cc5bd"
PALE_BLUE: Final = "#93b9d6"
VIOLET: Final = "#8a6fa8"
ZERO: Final = {"zeroline": True, "zerolinecolor": GREY, "zerolinewidth": 1}
CLICKED: Final[dict[str, Any]] = {"clickmode": "event+select", "dragmode": False}


def nothing(sentence: str, height: int = 180, width: int = 54) -> go.Figure:
    """Return a figure without data that says why, in lines of at most `width` characters."""
    bare = figure("", height=height)
    text = "<br>".join(map(literal, wrap(sentence, width)))
    bare.add_annotation(text=text, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"color": GREY, "size": 14})
    bare.update_xaxes(visible=False)
    bare.update_yaxes(visible=False)
    return bare


def band_colour(band: str) -> str:
    """Return the colour of a band; grey where there is none."""
    return next((colour for name, _, _, colour in BANDS if name == band), GREY)


def figure(title: str, *, height: int) -> go.Figure:
    """Return a figure that has a title and nothing else yet."""
    return go.Figure(layout=layout(title, height))


def layout(title: str, height: int) -> dict[str, Any]:
    """Return the layout every figure begins with."""
    return {
        "title": {"text": title, "automargin": True, "yref": "container"},
        "height": height,
        "margin": {"l": 4, "r": 12, "t": 12, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"align": "left"},
        "bargap": 0.28,
    }


class Picture:
    """Data and layout as they were written; Plotly's own figure of them, checked, is made where somebody asks for a part of it.

    To make and check one takes Plotly twenty times as long as to write it, and what is drawn here does not change from page to page.
    """

    def __init__(self, data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any]):
        self.spec = {"data": _plain(data), "layout": _plain(layout)}

    @cached_property
    def checked(self) -> go.Figure:
        """Plotly's figure; raises ValueError for what Plotly does not know."""
        return go.Figure(**self.spec)

    def __getattr__(self, name: str) -> Any:
        """Return a part of Plotly's figure; what would change it is refused, for the page shows what was written."""
        if name.startswith(("add_", "update_")):
            raise AttributeError(f"A picture is written in one step: what {name} would change goes into `drawn`.")
        return getattr(self.checked, name)


def written(drawn: "go.Figure | Picture") -> dict[str, Any]:
    """Return data and layout of a figure as plain values, the reader's own to change at the top of the layout."""
    if isinstance(drawn, Picture):
        return {**drawn.spec, "layout": dict(drawn.spec["layout"])}
    spec: dict[str, Any] = drawn.to_dict()
    return spec


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        # what Plotly's own figure mends: in the browser a title is never a mere text
        return {name: {"text": part} if name == "title" and isinstance(part, str) else _plain(part) for name, part in value.items()}
    if isinstance(value, Series | DataFrame | Index | np.ndarray):
        found = np.asarray(value)
        return np.datetime_as_string(found).tolist() if found.dtype.kind == "M" else _plain(found.tolist())
    if isinstance(value, list | tuple):
        return [part if isinstance(part, str | float) else _plain(part) for part in value]
    if isinstance(value, date | np.datetime64):
        return None if value != value else str(np.datetime64(value)) if isinstance(value, np.datetime64) else value.isoformat()  # noqa: PLR0124
    if isinstance(value, Decimal):
        return float(value)
    return value.item() if isinstance(value, np.generic) else None if value is NA else value


def key(figure: go.Figure, *marks: tuple[str, str, str]) -> None:
    """Name colours above the plot, each (sign, colour, words): a legend that never lies over the data."""
    figure.add_annotation(_named(marks))
    figure.update_layout(showlegend=False, margin={"t": 34})


def drawn(
    title: str,
    height: int,
    data: Sequence[Mapping[str, Any]],
    marks: Sequence[tuple[str, str, str]] = (),
    gaps: DataFrame | None = None,
    **more: Any,
) -> Picture:
    """Make a figure in one step: many times faster than adding to one.

    `marks` name what is seen (sign, colour, words), `gaps` are days to shade (from_on, to_on), `more` is layout.
    """
    shades, notes = _unseen(gaps)
    whole = {**layout(title, height), "showlegend": False, **more}
    whole["shapes"] = [*more.get("shapes", []), *shades]
    whole["annotations"] = [*more.get("annotations", []), *([_named(marks)] if marks else []), *notes]
    if marks:
        whole["margin"] = {**whole["margin"], "t": 34}
    return Picture(data, whole)


def _named(marks: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    text = " &nbsp;&nbsp; ".join(f"<span style='color:{colour};font-size:16px'>{sign}</span> {words}" for sign, colour, words in marks)
    place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "yshift": 6}
    return {"text": text, "showarrow": False, "align": "left", "font": {"size": 12.5}, **place}


def time_axis(first: date, last: date) -> dict[str, Any]:
    """Return an axis of days that names each month once, and days where there are few."""
    if (last - first).days < 45:
        return {"type": "date", "tickangle": 0, "tickformat": "%d %b\n%Y", "nticks": 8}
    return {"type": "date", "tickangle": 0, "tickformat": "%b\n%Y", "dtick": step(first, last)}


def step(first: date, last: date) -> str:
    """Return how far apart the ticks of an axis of months stand, as Plotly writes it."""
    months = 12 * (last.year - first.year) + last.month - first.month + 1
    return "M1" if months <= 14 else "M3" if months <= 40 else "M6" if months <= 80 else "M12"


def _unseen(gaps: DataFrame | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Shade the days that no file covers, and say so."""
    shades, notes = [], []
    for start, end in [] if gaps is None else zip(days(gaps["from_on"]), days(gaps["to_on"]), strict=True):
        edges = {"x0": start.isoformat(), "x1": (end + timedelta(days=1)).isoformat(), "yref": "paper", "y0": 0, "y1": 1}
        shades.append({"type": "rect", "fillcolor": FAINT, "line": {"width": 0}, "layer": "below", **edges})
        place = {"x": (start + (end - start) / 2).isoformat(), "y": 1, "yref": "paper", "yanchor": "top"}
        notes.append({"text": "no file", "showarrow": False, "font": {"size": 11, "color": GREY}, **place})
    return shades, notes


def days(values: Any) -> list[date]:
    """Return dates where a frame may hold timestamps."""
    return [value.date() if hasattr(value, "date") else value for value in values]


def long(words: str) -> str:
    """Return text from a file for hovering: in lines, and no markup of its own."""
    return "<br>".join(map(literal, wrap(words, 60)))


def literal(words: str) -> str:
    """Return words that a picture shows letter by letter: neither its tags nor its templates."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("{", "&#123;")


def faded(colour: str, share: float = 0.26) -> str:
    """Return a colour (#rrggbb) at an opacity."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share})"


def percent(share: float, digits: int = 0) -> str:
    """Return a share as people read it, on one line: 0.4 is '40 %'."""
    return f"{100 * share:.{digits}f}\u00a0%"


def short(words: str, most: int = 32) -> str:
    """Return words cut to a length, and no markup of their own."""
    return literal(words if len(words) <= most else words[: most - 1].rstrip(" ,") + "…")


def counted(n: int, one: str, many: str = "") -> str:
    """Return a number of things: '1 day', '2 days'."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def signed(amount: float, currency: str | None) -> str:
    """Return a sum of money with its sign."""
    return f"{'+' if amount > 0 else '−'}{abs(amount):,.2f} {currency or ''}".rstrip()


def money_axis(what: str, currency: str | None) -> str:
    """Return the title of an axis of money."""
    return f"{what} ({currency or 'currency not stated'})"


def whiskers(value: Any, low: Any, high: Any, colour: str) -> dict[str, Any]:
    """Return the whiskers of an interval about its value."""
    return {
        "type": "data",
        "symmetric": False,
        "array": high - value,
        "arrayminus": value - low,
        "color": colour,
        "thickness": 2.2,
        "width": 5,
    }
