"""Bank profiles, built in and of a workspace."""

from pathlib import Path

import pytest

from creditrisk import banks
from creditrisk.errors import InvalidInput, UnknownThing


def test_a_workspace_adds_profiles_and_bad_ones_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('date_format = "%d/%m/%Y"\n', encoding="utf-8")
    assert {"berka", "mine"} <= set(banks.profiles(tmp_path))
    assert banks.profile("mine", tmp_path).date_format == "%d/%m/%Y"
    with pytest.raises(UnknownThing, match="berka"):
        banks.profile("nobody", tmp_path)
    (tmp_path / "mine.toml").write_text('dateformat = "%d/%m/%Y"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="dateformat"):
        banks.profiles(tmp_path)
    (tmp_path / "mine.toml").write_text('[columns]\nday = "Date"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="'day'"):
        banks.profiles(tmp_path)
    (tmp_path / "mine.toml").write_text('[sign]\nD = "minus"\n', encoding="utf-8")
    with pytest.raises(InvalidInput, match="'minus'"):
        banks.profiles(tmp_path)
