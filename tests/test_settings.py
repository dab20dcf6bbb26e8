"""Settings: defaults stand in one place, the shipped file states exactly them, and a wrong key is named."""

from pathlib import Path

import pytest

from creditrisk.errors import InvalidInput
from creditrisk.settings import Settings, load
from tests.conftest import ROOT


def test_the_shipped_file_states_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDITRISK_DATA", raising=False)
    monkeypatch.delenv("CREDITRISK_MODELS", raising=False)
    assert load(ROOT / "creditrisk.toml") == Settings()


def test_the_environment_points_elsewhere_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITRISK_DATA", "/there")
    assert load().data == Path("/there")
    assert load(data=Path("/here")).data == Path("/here")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[score]\nscael = 1", "no key 'scael'"),
        ("[colour]\nx = 1", r"section \[colour\] that does not exist"),
        ('[score]\npoints_to_double_odds = "many"', "should be a number"),
        ('[score]\nscale = "cubic"', '"logodds" or "linear"'),
        ("[score", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "creditrisk.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        load(file)
