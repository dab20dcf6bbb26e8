"""From the overview a copy is made and everything is examined while the workbench runs."""

from streamlit.testing.v1 import AppTest

import ui
from creditrisk import integrity
from creditrisk.store import COPIES
from tests.conftest import ROOT
from tests.test_pages import text, written

__all__ = ["written"]


def overview() -> AppTest:
    """Open the page that is there when nothing is asked for: /overview only leads to it, and forgets what was pressed."""
    page = AppTest.from_file(str(ROOT / "pages" / "workbench.py"), default_timeout=60).run()
    assert not page.exception
    return page


def test_a_copy_is_made_and_verified_from_the_page(written: None) -> None:
    page = overview().button(key="back-up").click().run()
    (made,) = [path for path in (ui.store().settings.data / COPIES).iterdir() if path.is_dir()]
    assert page.success[-1].value.startswith(f"{integrity.verify(made):,} files are kept and verified")


def test_everything_is_examined_from_the_page(written: None) -> None:
    said = text(overview().button(key="check").click().run())
    assert "changes on record follow from one another" in said
    assert ":material/cancel:" not in said
    ui.store().append("update audit set subject = 'x' where seq = 2")
    assert "Audit row 2" in text(overview().button(key="check").click().run())
