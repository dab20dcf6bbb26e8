"""The words banks use."""

import pytest

from creditrisk import lexicon


@pytest.mark.parametrize("word", ["VYBER", "výběr", "VYDAJ"])
def test_a_czech_withdrawal_is_money_out_like_any_other_expense(word: str) -> None:
    assert lexicon.side(word) == lexicon.side("debit")
    assert lexicon.side("PRIJEM") == lexicon.side("credit")
