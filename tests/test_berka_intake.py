"""The documented example of a bank profile on the real file it was written for."""

from decimal import Decimal
from pathlib import Path

from creditrisk import ingest
from creditrisk.settings import Settings
from creditrisk.store import Store


def test_berka_is_stored_once_and_whole(shared: Path, store: Store, settings: Settings) -> None:
    content = (shared / "berka" / "trans.asc").read_bytes()
    reading = ingest.read("trans.asc", content, profile="berka", settings=settings)
    assert (reading.n_transactions, len(reading.accounts), reading.currency) == (46_997, 1_229, "CZK")
    assert reading.sum_amount == Decimal("39296762.80")
    assert reading.reconciliation == "mismatch", "the file itself prints balances rounded to 0.1"
    assert reading.status == "warned"
    (saved,) = ingest.save(store, [reading], user="ana")
    assert (saved.n_new, saved.n_duplicate) == (46_997, 0)
    (again,) = ingest.save(store, [reading], user="ana")
    assert (again.n_new, again.n_duplicate) == (0, 46_997)
    other_bytes = ingest.read("copy.asc", content + b"\n", profile="berka", settings=settings)
    (copy,) = ingest.save(store, [other_bytes], user="ana")
    assert (copy.n_new, copy.n_duplicate) == (0, 46_997)
    assert store.value("select count(distinct applicant_id) from account") == 1_229
    assert store.value("select sum(amount) from transaction") == Decimal("39296762.80")


def test_berka_codes_become_words_and_categories(shared: Path, store: Store, settings: Settings) -> None:
    content = (shared / "berka" / "trans.asc").read_bytes()
    ingest.save(store, [ingest.read("trans.asc", content, profile="berka", settings=settings)], user="ana")
    found = dict(store.rows("select code, category from description"))
    assert found["VYBER|SANKC. UROK"] == "FEE_OVERDRAFT"
    assert found["PREVOD Z UCTU|DUCHOD"] == "INC_PENSION"
    assert found["PREVOD NA UCET|UVER"] == "DEBT_PERSONAL"
    assert found["UROK"] == "INC_INVEST"
    assert store.value("select text from description where code = 'VYBER|SANKC. UROK'") == "penalty interest on negative balance"
    assert store.value("select count(*) from movement where category = 'UNKNOWN'") == 0
    assert store.value("select bool_and((amount < 0) = (category in $out)) from movement", out=OUT)


OUT = ["CASH_WITHDRAWAL", "FEE_OTHER", "RENT", "TRF_P2P_OUT", "INSURANCE", "DEBT_PERSONAL", "FEE_OVERDRAFT"]
