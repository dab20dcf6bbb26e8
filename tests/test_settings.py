"""Settings: defaults stand in one place, the shipped file states exactly them, and a wrong key is named."""

from pathlib import Path

import pytest

from creditrisk.errors import InvalidInput
from creditrisk.settings import RANGES, SECTIONS, Settings, load
from tests.conftest import ROOT


def test_the_shipped_file_states_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDITRISK_DATA", raising=False)
    monkeypatch.delenv("CREDITRISK_MODELS", raising=False)
    assert load(ROOT / "creditrisk.toml") == Settings(data=ROOT / "data", models=ROOT / "models")


def test_every_number_has_a_range() -> None:
    numbers = {name for part in SECTIONS for name, value in vars(getattr(Settings(), part)).items() if not isinstance(value, str | dict)}
    assert numbers == set(RANGES)


def test_the_environment_points_elsewhere_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDITRISK_DATA", "/there")
    assert load().data == Path("/there")
    assert load(data=Path("/here")).data == Path("/here")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[score]\nscael = 1", "no key 'scael'"),
        ("[colour]\nx = 1", r"section \[colour\] that does not exist"),
        ('[score]\npoints_to_double_odds = "many"', "should be a number from 1 to 300"),
        ("[policy]\nknock_outs = 3", "should be a table of features"),
        ('[policy.knock_outs]\nhistory_days = "many"', "should be <, <=, > or >= and a number"),
        ("[policy.knock_outs]\nhistory_days = 5", "should be <, <=, > or >= and a number"),
        ('[score]\nscale = "cubic"', '"logodds" or "linear"'),
        ("[score", "not valid TOML"),
        ("score = 5", r"section \[score\] that does not exist"),
        ("[score]\nanchor_odds = 0", "should be a number from 0.001"),
        ("[score]\nanchor_score = inf", "from 300 to 900"),
        ("[policy]\nlgd = nan", "should be a number from 0.0001 to 1"),
        ("[labels]\nseed = 1.5", "should be a whole number from 0"),
        ("[people]\ndefault = 3", "should be a text"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "creditrisk.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        load(file)


def test_every_face_finds_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDITRISK_DATA", raising=False)
    monkeypatch.delenv("CREDITRISK_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert load().data == ROOT / "data"
    (tmp_path / "creditrisk.toml").write_text("[policy]\nlgd = 0.6")
    assert load().policy.lgd == 0.6
    assert load().data == tmp_path / "data"
