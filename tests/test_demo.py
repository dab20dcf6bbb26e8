"""The demo: statements in four dialects that the real ingest reads to the cent, and a workspace worth exploring."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest

from creditrisk import demo, ingest, registry, reviews
from creditrisk import store as stores
from creditrisk.categories import classify
from creditrisk.errors import InvalidInput
from creditrisk.settings import Settings
from creditrisk.store import Store


@pytest.fixture(scope="module")
def said() -> list[tuple[float, str]]:
    """What filling `workspace` said of its progress."""
    return []


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, said: list[tuple[float, str]]) -> Iterator[Store]:
    """The smallest demo workspace."""
    folder = tmp_path_factory.mktemp("demo")
    opened = stores.open_in_memory(Settings(data=folder / "data", models=folder / "models"))
    demo.fill(opened, applicants=100, seed=11, progress=lambda fraction, message: said.append((fraction, message)))
    yield opened
    opened.close()


def test_every_statement_reads_back_as_it_was_drawn(settings: Settings) -> None:
    bank = demo.bank(100, seed=2)
    drawn = bank.transactions.groupby("applicant").agg(n=("amount", "size"), total=("amount", "sum"), closing=("balance", "last"))
    papers = list(demo.statements(bank))
    assert len(papers) == len(bank.applications)
    for paper, opening, row in zip(papers, bank.applications["opening"], drawn.itertuples(), strict=True):
        reading = ingest.read(paper.name, paper.content, settings=settings)
        said = (reading.status, reading.reconciliation, reading.n_transactions, reading.sum_amount, reading.opening, reading.closing)
        assert said == ("accepted", "ok", row.n, _money(row.total), _money(opening), _money(row.closing)), paper.name


def test_an_export_of_many_accounts_reads_back_as_it_was_drawn(settings: Settings) -> None:
    bank = demo.bank(50, seed=2)
    rows = bank.transactions
    paper = demo.export(bank)
    reading = ingest.read(paper.name, paper.content, settings=settings)
    assert (paper.applicant_id, reading.status, reading.reconciliation) == (None, "accepted", "ok")
    assert (reading.n_transactions, reading.sum_amount) == (len(rows), _money(rows["amount"].sum()))
    said = [(account, balance.opening, balance.closing) for (account, _), balance in reading.balances.items()]
    closing = rows.groupby("applicant")["balance"].last()
    drawn = zip(bank.applications["applicant_id"], map(_money, bank.applications["opening"]), map(_money, closing), strict=True)
    assert said == list(drawn)


def test_the_dialects_are_four_ways_of_writing_the_same() -> None:
    papers = list(demo.statements(demo.bank(50, seed=2)))
    heads = [paper.content.decode().splitlines()[0] for paper in papers[:4]]
    assert heads[0] == "Date,Description,Amount,Balance"
    assert heads[1].startswith("Account holder;")
    assert heads[2] == "Date,Details,Debit,Credit,Balance"
    assert heads[3].split("\t") == ["Account", "Date", "D/C", "Amount", "Currency", "Balance", "Narrative"]
    assert len({paper.name for paper in papers}) == 50


def test_the_classifier_finds_the_true_categories_and_leaves_a_little_unknown() -> None:
    rows = demo.bank(300, seed=2).transactions
    rows = rows.assign(
        text=rows["text"].astype(str), category=rows["category"].astype(str), direction=np.where(rows["amount"] > 0, "in", "out")
    )
    distinct = rows.groupby(["text", "direction"], as_index=False).agg(amount=("amount", "first"))
    found = classify(distinct.assign(code="", amount=distinct["amount"] / 100))
    joined = rows.merge(distinct[["text", "direction"]].assign(found=found["category"].to_numpy()), on=["text", "direction"])
    known = joined["found"] != "UNKNOWN"
    assert (joined["found"] == joined["category"])[known].mean() > 0.97
    moved = joined["amount"].abs()
    assert 0.005 < moved[~known].sum() / moved.sum() < 0.06


def test_a_filled_workspace_has_everything_to_look_at(workspace: Store) -> None:
    champion = registry.champion(workspace)
    assert champion is not None
    events = registry.events(workspace, champion["model_id"])
    promotion = events[events["status"] == "champion"].iloc[0]
    assert promotion["by_user"] == demo.USER
    assert promotion["reason"].startswith("demo workspace:")
    assert workspace.value("select count(*) from prediction_current") == workspace.value("select count(*) from application") == 100
    assert 0 < workspace.value("select count(*) from outcome_current") < 100
    assert reviews.summary(workspace)["n"] > 5
    assert len(set(reviews.history(workspace)["reviewed_by"])) == len(demo.REVIEWERS)
    assert workspace.value("select count(distinct recommendation) from prediction_current") > 1


def test_progress_goes_from_nothing_to_all(workspace: Store, said: list[tuple[float, str]]) -> None:
    fractions = [fraction for fraction, _ in said]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert said[-1][1] == f"demo workspace ready: {workspace.value('select count(*) from transaction'):,} transactions of 100 applicants"


def test_a_workspace_with_applicants_is_refused(workspace: Store) -> None:
    before = workspace.value("select count(*) from audit")
    with pytest.raises(InvalidInput, match="holds applicants already"):
        demo.fill(workspace, applicants=100)
    assert workspace.value("select count(*) from audit") == before


def test_a_fill_that_is_stopped_keeps_what_it_has_and_says_how_to_go_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "OF_THEIR_OWN", 0)
    monkeypatch.setattr(demo, "CHUNK", 60)

    def stop(share: float, _what: str) -> None:
        if share > 0.25:  # the second export is about to come
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        demo.fill(store, applicants=100, progress=stop)
    assert store.value("select count(*) from statement") == 1
    assert store.value("select count(*) from application") == store.value("select count(distinct applicant_id) from account") == 60
    n = store.value("select count(*) from transaction")
    left = "`features`, `label kmeans`, `train`, `promote best --reason …`, `score --all`"
    said = f"{store.settings.data} holds 60 applicants with {n:,} transactions; to go on with them: {left}; "
    assert demo.reached(store).startswith(said)
    with pytest.raises(InvalidInput, match="`features`, `label kmeans`"):
        demo.fill(store, applicants=100)


def test_a_bank_too_small_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput, match="at least 100 applicants, not 10"):
        demo.fill(store, applicants=10)


def _money(cents: int) -> Decimal:
    return Decimal(int(cents)) / 100


def test_an_unused_workspace_is_furnished_once_and_whole(settings: Settings) -> None:
    (settings.data / ".tmp-demo").mkdir(parents=True)
    (settings.data / ".tmp-demo" / "creditrisk.duckdb").write_text("half a fill that was cut off")
    assert demo.furnish(settings, applicants=100)
    assert not demo.furnish(settings, applicants=100)
    opened = stores.open_workspace(settings)
    champion = registry.champion(opened)
    assert champion is not None
    assert registry.load(opened, champion["model_id"])
    assert opened.value("select count(*) from audit where action = 'head'") == 0, "the head came along"
    assert registry.recover(opened) == {"removed": [], "quarantined": [], "damaged": []}
    opened.close()
    assert {file.name for file in settings.data.iterdir()} == {"creditrisk.duckdb", "audit.head", "app.lock"}
