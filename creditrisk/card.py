"""A model's card in words: the dictionary that `card.json` holds, as Markdown and as a PDF. Formatting only; nothing is computed here.

What the Markdown says the PDF says, in the same order; a figure never stands without its n and, where it has one, its interval.
"""

import io
import re
from collections.abc import Mapping
from math import isnan
from textwrap import wrap
from typing import Any
from unicodedata import category, normalize

HEADINGS = {  # section of the card: how it is headed
    "origin": "Origin",
    "purpose": "Intended use",
    "data": "Data",
    "labels": "Labels: definition and quality",
    "split": "Learning and testing",
    "features": "Features",
    "exclusions": "Exclusions",
    "cut-offs": "Cut-offs",
    "stability": "Stability over the folds",
    "groups": "Groups",
    "limits": "Limits",
}
HELD_AGAINST = {
    "cluster": "the proxy label (agreement)",
    "rfm": "the engagement label (agreement)",
    "combined": "all labels together",
    "observed": "observed outcomes",
    "review": "reviewers' verdicts",
}
CALIBRATED = "A slope below 1 is too bold, above 1 too timid; the level is the share bad less the mean foreseen."
MARKUP = re.compile(r"[\\`*\[\]<>$~|]|^#|(?<!\w)_|_(?!\w)|:(?=[a-z])")
BOLD = re.compile(r"(?<!\\)(?:\*\*|`)")
ESCAPED = re.compile(r"\\([^a-zA-Z0-9\s])")
UNSEEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn"])
WIDTH, LINES = 104, 66  # characters of a line of the PDF, lines of a page


def text(card: Mapping[str, Any]) -> str:
    """Write a card as Markdown: what it is, the warning, the sections, the figures with intervals, the lineage."""
    lines = [f"# Model {card['model_id']}: {card['algorithm'].replace('_', ' ')}", ""]
    verb = "Imported" if card.get("origin") else "Trained"
    lines += [f"{verb} by {_plain(card['created_by'])} on {card['created_at']:%Y-%m-%d %H:%M} UTC; fitted in {card['seconds']:.1f} s.", ""]
    if card.get("banner"):
        lines += [f"> **{_plain(card['banner'])}**", ""]
    if card.get("circularity"):
        lines += [f"> {_plain(card['circularity'])}", ""]
    for section, heading in HEADINGS.items():
        said = card.get(section)
        if said:
            lines += [f"## {heading}", "", *(f"- {_plain(item)}" for item in ([said] if isinstance(said, str) else said)), ""]
        if section == "split":
            lines += ["## Figures on the untouched test rows", "", *_figures(card), ""]
            lines += ["## Calibration on the untouched test rows", "", *_calibration(card), "", CALIBRATED, ""]
    return "\n".join([*lines, "## Lineage", "", *(f"- {_plain(name)}: `{_code(value)}`" for name, value in _lineage(card).items()), ""])


def _plain(text: object) -> str:
    """Return a text that Markdown shows letter by letter: titles come from files, names from people, a whole card from elsewhere."""
    return MARKUP.sub(r"\\\g<0>", " ".join(str(text).split()))


def _code(value: object) -> str:
    return " ".join(str(value).replace("`", "'").split())


def _lineage(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the model was made of, by name; a card written before lineage was kept says less."""
    of_the_row = {
        "label set": card["label_set_id"],
        "schema": card["schema_fingerprint"],
        "snapshot of features": card["snapshot_id"],
        "SHA-256 of pipeline.joblib": card["digest"],
    }
    return {**of_the_row, **card.get("lineage", {})}


def _figures(card: Mapping[str, Any]) -> list[str]:
    lines = ["| held against | AUC | 95 % interval | Gini | KS | Brier | rows | bad |", "|---|---|---|---|---|---|---|---|"]
    for found, title in _measured(card):
        area, low, high = (_value(found["auc"][end]) for end in ("value", "low", "high"))
        figures = " | ".join(_value(found.get(name)) for name in ("gini", "ks", "brier"))
        lines.append(f"| {title} | {area} | {low} – {high} | {figures} | {found['n']} | {found['n_bad']} |")
    return lines


def _calibration(card: Mapping[str, Any]) -> list[str]:
    lines = [
        "| held against | slope | 95 % interval | level | 95 % interval | ECE | rows |",
        "|---|---|---|---|---|---|---|",
    ]
    for found, title in _measured(card):
        cells = []
        for name in ("calibration_slope", "calibration_in_the_large"):
            value, low, high = (_value(found.get(f"{name}{end}")) for end in ("", "_low", "_high"))
            cells += [value, f"{low} – {high}"]
        lines.append(f"| {title} | {' | '.join(cells)} | {_value(found.get('ece'))} | {found['n']} |")
    return lines


def _measured(card: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    return [(card["metrics"][source], title) for source, title in HELD_AGAINST.items() if card["metrics"].get(source)]


def _value(figure: Any) -> str:
    value = figure["value"] if isinstance(figure, Mapping) else figure
    return "–" if value is None or isnan(value) else f"{value:.3f}"


def pdf(markdown: str) -> bytes:
    """Return the Markdown of a card as a PDF of A4 pages; the same text gives the same bytes."""
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    lines, target = _laid_out(markdown), io.BytesIO()
    nothing = {"CreationDate": None, "Creator": None, "Producer": None, "Title": markdown.partition("\n")[0].removeprefix("# ")}
    with PdfPages(target, metadata=nothing) as pages:
        for number, page in enumerate(_pages(lines), 1):
            figure = Figure(figsize=(8.27, 11.69))
            for place, (line, weight) in enumerate(page):
                y = 0.955 - 0.0137 * place
                figure.text(0.07, y, _set(line), family="DejaVu Sans Mono", fontsize=7.4, weight=weight, parse_math=False)
            figure.text(0.93, 0.025, f"{number}", fontsize=7, ha="right")
            pages.savefig(figure)
    return target.getvalue()


def _pages(lines: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return lines page by page: none begins with a gap, and no heading stands below everything else of its page."""
    pages: list[list[tuple[str, str]]] = []
    while lines or not pages:
        end = LINES
        while LINES // 2 < end < len(lines) and (lines[end - 1][1] == "bold" or not lines[end - 1][0]):
            end -= 1
        pages.append(lines[:end])
        lines = lines[end:]
        while lines and not lines[0][0]:
            lines = lines[1:]
    return pages


def _set(line: str) -> str:
    """Return the letters of a line that paper has: none that turn, join or control others, on which the setting would break off."""
    return "".join(letter for letter in normalize("NFC", line) if category(letter) not in UNSEEN)


def _laid_out(markdown: str) -> list[tuple[str, str]]:
    """Return (line, weight) as they stand on paper: tables in columns, sentences broken at the margin."""
    laid: list[tuple[str, str]] = []
    table: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            if not re.fullmatch(r"[|\-]+", line):
                table.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        laid += _columns(table)
        table = []
        heading = re.match(r"#+ ", line)
        plain = ESCAPED.sub(r"\g<1>", line[heading.end() :] if heading else BOLD.sub("", line))
        room = WIDTH if not plain.startswith("- ") else WIDTH - 2
        broken = wrap(plain, room, subsequent_indent="  " if plain.startswith(("- ", "> ")) else "", break_on_hyphens=False) or [""]
        laid += [(part, "bold" if heading or line.startswith("> **") else "normal") for part in broken]
    return laid


def _columns(table: list[list[str]]) -> list[tuple[str, str]]:
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))] if table else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return [(line, "normal" if place else "bold") for place, line in enumerate(lines)]
