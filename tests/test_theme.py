"""The theme as it is remembered is the theme as Streamlit reads it, section by section."""

from types import SimpleNamespace

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from tests.conftest import ROOT
from ui import theme

SECTIONS = ["theme", *(f"theme.{name}" for name in ("light", "dark", "sidebar", "light.sidebar", "dark.sidebar"))]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_remembered_is_what_was_read(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    config.get_config_options(force_reparse=True)
    read = getattr(app_session._populate_theme_msg, "__wrapped__", app_session._populate_theme_msg)
    times: list[str] = []

    def counted(message: CustomThemeConfig, section: str = "theme") -> None:
        times.append(section)
        read(message, section)

    where = SimpleNamespace(**{theme.READS: counted})
    theme.keep(where)
    theme.keep(where)
    plain = CustomThemeConfig()
    read(plain, section)
    for _ in range(3):
        message = CustomThemeConfig()
        where._populate_theme_msg(message, section)
        assert message == plain
    assert times == [section], "read once, however often it is asked for"
    assert bool(plain.ByteSize()) is (section != "theme.sidebar"), "the settings name every other section"


def test_another_version_stays_as_it_is() -> None:
    where = SimpleNamespace()
    theme.keep(where)
    assert vars(where) == {}
