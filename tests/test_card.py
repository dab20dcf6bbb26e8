"""A model's card: everything somebody needs before trusting it, in words, the same as JSON, Markdown and PDF."""

import io

import pypdfium2

from creditrisk import card, features, registry
from creditrisk.store import Store


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_bounded().rsplit(None, 1)[0] for page in document)  # without the page's number


def test_a_card_says_everything_point_by_point(filled: Store) -> None:
    champion = registry.champion(filled)
    assert champion is not None
    found = registry.card(filled, champion["model_id"])
    text = found["markdown"]
    for heading in (
        *("Intended use", "Data", "Labels: definition and quality", "Learning and testing", "Figures on the untouched test rows"),
        *("Calibration on the untouched test rows", "Features", "Exclusions", "Cut-offs", "Stability over the folds", "Groups"),
        *("Limits", "Lineage"),
    ):
        assert f"\n## {heading}\n\n" in text
    assert "AUC of each of 5 folds" in text
    lineage = found["lineage"]
    assert lineage["features computed by"] == features.version()
    assert lineage["seed"] == champion["config"]["seed"]
    assert f"- label set: `{champion['label_set_id']}`" in text
    assert f"- schema: `{champion['schema_fingerprint']}`" in text
    assert "xgboost " in lineage["libraries"]
    assert "probability of default" not in text.replace("is no probability of default", "")  # a proxy is none
    slope = found["metrics"]["cluster"]["calibration_slope"]
    assert f"| {'–' if slope is None else f'{slope:.3f}'} |" in text


def test_the_pdf_says_what_the_markdown_says_and_is_the_same_twice(filled: Store) -> None:
    champion = registry.champion(filled)
    assert champion is not None
    text = registry.card(filled, champion["model_id"])["markdown"]
    made = card.pdf(text)
    assert made == card.pdf(text)
    read = "".join(words(made).split())
    for line in text.splitlines():
        if line.startswith(("#", "- ")):
            assert "".join(line.lstrip("#- ").replace("`", "").split()) in read


def test_the_version_of_the_features_changes_with_what_computes_them(monkeypatch, tmp_path) -> None:
    before = features.version()
    assert before == features.version()
    other = tmp_path / "cashflow.py"
    other.write_text("# other formulas")
    monkeypatch.setattr(features.cashflow, "__file__", str(other))
    assert features.version() != before


def test_no_page_of_paper_ends_with_a_heading_or_begins_with_a_gap() -> None:
    lines = [(f"line {place}", "normal") for place in range(card.LINES - 2)] + [("", "normal"), ("Heading", "bold"), ("", "normal")]
    pages = card._pages([*lines, *[("more", "normal")] * 200])
    assert [page[0][0] for page in pages][:2] == ["line 0", "Heading"]
    assert sum(len([line for line, _ in page if line]) for page in pages) == card.LINES - 2 + 1 + 200
    assert all(len(page) <= card.LINES for page in pages)
    assert card._pages([]) == [[]]
    assert len(card._pages([("x", "bold")] * 300)) < 12, "nothing but headings ends too"
