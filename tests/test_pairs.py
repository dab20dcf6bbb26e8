"""Movements that belong together: what is paired and on what evidence, what is not, and that the order of arrival is no matter."""

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from creditrisk import ingest, pairs
from creditrisk import store as stores
from creditrisk.settings import Settings
from creditrisk.store import Store

Row = tuple[str, str, str]  # day, text, amount
Pair = tuple[str, str, str, str]  # kind, text of the money out, text of the money in, day of the money in


def file(account: str, *rows: Row, currency: str = "EUR", name: str = "") -> ingest.Reading:
    """Read a statement of one account, a line for each row."""
    lines = [f"{account},2025-{day},{text},{amount},{currency}" for day, text, amount in rows]
    content = "\n".join(["Account,Date,Description,Amount,Currency", *lines]) + "\n"
    reading = ingest.read(name or f"{account}.csv", content.encode(), settings=Settings())
    assert reading.status != "rejected", reading.problems
    return reading


def save(store: Store, *files: ingest.Reading, applicant_id: str = "ann") -> None:
    """Store files one after another, as they arrive."""
    for one in files:
        ingest.save(store, [one], user="tester", applicant_id=applicant_id)


def found(store: Store) -> list[Pair]:
    """Return what was paired, by its texts."""
    return store.rows(
        """select pair.kind, went.text, came.text, strftime(came.booked_on, '%m-%d')
        from pair
        join movement as went on went.transaction_id = out_id
        join movement as came on came.transaction_id = in_id
        order by came.booked_on, went.text, came.text"""
    )


def kinds(store: Store) -> list[str]:
    return [kind for kind, *_ in found(store)]


def evidence(store: Store) -> str:
    return str(store.value("select evidence from pair"))


# ---- own transfers ------------------------------------------------------------------------------------------------------

GIRO, SAVER = "DE02120300000000202051", "DE02500105170137075030"


@pytest.mark.parametrize(
    ("out", "back", "said"),
    [
        (f"Dauerauftrag {SAVER}", "Eingang", "names the other account (…5030)"),
        ("Dauerauftrag DE02 5001 0517 0137 0750 30", "Eingang", "names the other account (…5030)"),
        ("ONLINE PAYMENT TO X7075030", "CREDIT", "names the other account"),
        ("PAYMENT", "CREDIT FROM 202051", "the money in names the other account (…2051)"),
        ("TRANSFER TO SAVINGS", "TRANSFER FROM CHECKING", "both texts say"),
        ("Übertrag Tagesgeld", "Übertrag Girokonto", "both texts say"),
        ("TRANSFER ANN EXAMPLE", "TRANSFER ANN EXAMPLE", "name the same party (ANN EXAMPLE)"),
        ("TRANSFER TO BOB", "TRANSFER FROM BOB", "both texts say that it is a transfer and name the same party (BOB)"),
    ],
)
def test_an_own_transfer_is_paired_on_what_the_texts_say(store: Store, out: str, back: str, said: str) -> None:
    save(store, file(GIRO, ("03-03", out, "-250.00")), file(SAVER, ("03-05", back, "250.00")))
    assert kinds(store) == ["own transfer"]
    assert said in evidence(store)
    assert evidence(store).endswith("2 days later")
    assert store.rows("select category, source from movement order by amount") == [("TRF_OWN_OUT", "pair"), ("TRF_OWN_IN", "pair")]


@pytest.mark.parametrize(
    ("out", "back", "days", "amount"),
    [
        ("RENT", "SALARY", 1, "250.00"),  # amount and day alone say nothing
        ("TRANSFER TO JOHN SMITH", "TRANSFER FROM MARY JONES", 1, "250.00"),
        ("TRANSFER TO SAVINGS", "TRANSFER FROM MARY JONES", 1, "250.00"),
        ("outgoing transfer to another bank", "incoming transfer from another bank", 1, "250.00"),
        ("TRANSFER TO SAVINGS", "TRANSFER FROM CHECKING", 5, "250.00"),
        ("TRANSFER TO SAVINGS", "TRANSFER FROM CHECKING", -1, "250.00"),
        ("TRANSFER TO SAVINGS", "TRANSFER FROM CHECKING", 1, "250.01"),
        (f"PAYMENT TO {GIRO}", "CREDIT", 1, "250.00"),  # names itself
    ],
)
def test_what_does_not_say_so_is_no_own_transfer(store: Store, out: str, back: str, days: int, amount: str) -> None:
    save(store, file(GIRO, ("03-03", out, "-250.00")), file(SAVER, (f"03-{3 + days:02}", back, amount)))
    assert found(store) == []


@pytest.mark.parametrize(("out", "times"), [("BAKERY MAY 2026", 0), ("TRANSFER TO 2026", 1), ("CARD BILL 8026", 1)])
def test_a_year_is_not_taken_for_the_end_of_an_account_number(store: Store, out: str, times: int) -> None:
    other = "45158026" if "8026" in out else "45152026"
    save(store, file("71350001", ("03-03", out, "-250.00")), file(other, ("03-04", "WAGES", "250.00")))
    assert len(found(store)) == times


def test_accounts_of_other_people_or_currencies_are_no_own_accounts(store: Store) -> None:
    save(store, file(GIRO, ("03-03", "TRANSFER TO SAVINGS", "-250.00")))
    save(store, file(SAVER, ("03-03", "TRANSFER FROM CHECKING", "250.00")), applicant_id="bob")
    save(store, file(SAVER, ("03-03", "TRANSFER FROM CHECKING", "250.00"), currency="USD", name="usd.csv"))
    assert found(store) == []


def test_the_name_of_the_applicant_is_evidence(store: Store) -> None:
    with store.write("tester", "apply", "ann") as cursor:
        cursor.execute("insert into application values ('ann', '2025-06-01', 'Ànn Example', 1, 1, '', now()::timestamp, 'tester')")
    save(store, file(GIRO, ("03-03", "PAYMENT MS ANN EXAMPLE", "-250.00")), file(SAVER, ("03-04", "CREDIT EXAMPLE ANN", "250.00")))
    assert evidence(store) == "the texts name the account holder, a day later"


@pytest.mark.parametrize("at_once", [1, 3, 1_000])
def test_how_many_are_looked_at_together_is_no_matter(store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(pairs, "AT_ONCE", at_once)
    for name in ("ann", "bob", "cid"):
        bought = file(f"{name}1", ("03-01", f"{name} STORES", "-20.00"), ("03-02", "TRANSFER TO SAVINGS", "-50.00"))
        back = file(f"{name}2", ("03-02", "TRANSFER FROM CHECKING", "50.00"), ("03-09", f"REFUND {name} STORES", "20.00"))
        save(store, bought, back, applicant_id=name)
    with store.write("tester", "again", "pairs") as cursor:
        cursor.execute("delete from pair")
        pairs.find(cursor, ["ann", "bob", "cid"])
    assert kinds(store) == ["own transfer"] * 3 + ["refund"] * 3


def test_the_nearest_day_comes_first_and_each_movement_is_paired_once(store: Store) -> None:
    out = [("03-03", "TRANSFER TO SAVINGS A", "-50.00"), ("03-05", "TRANSFER TO SAVINGS B", "-50.00")]
    back = [("03-05", "TRANSFER FROM CHECKING C", "50.00"), ("03-06", "TRANSFER FROM CHECKING D", "50.00")]
    save(store, file(GIRO, *out), file(SAVER, *back))
    assert found(store) == [
        ("own transfer", "TRANSFER TO SAVINGS B", "TRANSFER FROM CHECKING C", "03-05"),
        ("own transfer", "TRANSFER TO SAVINGS A", "TRANSFER FROM CHECKING D", "03-06"),
    ]


# ---- what comes back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "back", "days", "amount", "expected"),
    [
        ("CARD PAYMENT ZALANDO", "REFUND ZALANDO", 20, "40.00", ["refund"]),
        ("CARD PAYMENT TESCO STORES LONDON", "TESCO REFUND", 90, "100.00", ["refund"]),
        ("CARD PAYMENT ZALANDO", "REFUND ZALANDO", 91, "40.00", []),
        ("CARD PAYMENT ZALANDO", "REFUND ZALANDO", 20, "100.01", []),
        ("CARD PAYMENT ZALANDO", "REFUND AMAZON", 20, "40.00", []),
        ("JOHN SMITH", "JOHN SMITH", 2, "40.00", []),  # somebody pays back: that is no shop
        ("DIRECT DEBIT ACME ENERGY", "RETURNED DIRECT DEBIT ACME ENERGY", 10, "100.00", ["returned item"]),
        ("DIRECT DEBIT ACME ENERGY", "UNPAID ITEM", 3, "100.00", ["returned item"]),
        ("DIRECT DEBIT ACME ENERGY", "RETURNED DIRECT DEBIT ACME ENERGY", 11, "100.00", []),
        ("DIRECT DEBIT ACME ENERGY", "RETURNED DIRECT DEBIT OTHER WATER", 3, "100.00", []),
        ("DIRECT DEBIT ACME ENERGY", "RETURNED DIRECT DEBIT ACME ENERGY", 3, "99.00", []),
        ("OVERDRAFT FEE", "OVERDRAFT FEE REVERSAL", 30, "100.00", ["reversed fee"]),
        ("OVERDRAFT FEE", "REFUND OF CHARGES", 3, "100.00", ["reversed fee"]),
        ("OVERDRAFT FEE", "REFUND OF CHARGES", 31, "100.00", []),
        ("OVERDRAFT FEE", "REFUND OF CHARGES", 3, "50.00", []),
        ("OVERDRAFT FEE", "REFUND ZALANDO", 3, "100.00", []),
    ],
)
def test_what_comes_back_is_paired_with_what_it_was_for(
    store: Store, out: str, back: str, days: int, amount: str, expected: list[str]
) -> None:
    later = store.value("select strftime('2025-02-01'::date + $days::integer, '%m-%d')", days=days)
    save(store, file(GIRO, ("02-01", out, "-100.00"), (later, back, amount)))
    assert kinds(store) == expected


def test_a_whole_refund_finds_its_purchase_before_a_nearer_larger_one(store: Store) -> None:
    bought = [("02-01", "CARD PAYMENT ZALANDO HERE", "-40.00"), ("02-20", "CARD PAYMENT ZALANDO THERE", "-90.00")]
    save(store, file(GIRO, *bought, ("02-25", "REFUND ZALANDO", "40.00")))
    assert found(store) == [("refund", "CARD PAYMENT ZALANDO HERE", "REFUND ZALANDO", "02-25")]
    assert evidence(store) == "the whole amount came back from the same merchant (ZALANDO) after 24 days"


def test_a_reversal_by_code_is_a_returned_item_and_one_of_a_card_a_refund(store: Store) -> None:
    mt940 = (
        ":20:START\n:25:12345678/0000202051\n:28C:1/1\n:60F:C250301EUR1000,00\n"
        ":61:2503030303D50,00NDDTNONREF\n:86:ACME ENERGY\n:61:2503050305RD50,00NDDTNONREF\n:86:ACME ENERGY\n"
        ":62F:C250305EUR1000,00\n-\n"
    )
    reading = ingest.read("a.sta", mt940.encode(), settings=Settings())
    assert reading.rows["code"].to_pylist()[1].endswith("RVSL"), reading.problems
    save(store, reading)
    assert kinds(store) == ["returned item"]


# ---- what follows from it -----------------------------------------------------------------------------------------------


def test_a_movement_corrected_by_itself_keeps_its_category_and_leaves_its_pair(store: Store) -> None:
    save(store, file(GIRO, ("03-03", "TRANSFER TO SAVINGS", "-250.00")), file(SAVER, ("03-05", "TRANSFER FROM CHECKING", "250.00")))
    out = store.value("select transaction_id from transaction where amount < 0")
    with store.write("tester", "correct", "x") as cursor:
        cursor.execute(
            """insert into correction (scope, transaction_id, direction, category, category_before, corrected_at, corrected_by)
            values ('movement', $id, 'out', 'RENT', 'TRF_OWN_OUT', now()::timestamp, 'tester')""",
            {"id": out},
        )
        pairs.find(cursor, ["ann"])
    assert found(store) == []
    assert store.value("select category from movement where amount < 0") == "RENT"


def test_somebodys_word_is_evidence_too(store: Store) -> None:
    save(store, file(GIRO, ("03-03", "PAYMENT", "-250.00")), file(SAVER, ("03-05", "CREDIT", "250.00")))
    assert found(store) == []
    with store.write("tester", "correct", "x") as cursor:
        cursor.execute(
            """insert into correction (scope, transaction_id, direction, category, category_before, corrected_at, corrected_by)
            select
                'movement', transaction_id, 'out', 'TRF_OWN_OUT', 'UNKNOWN', now()::timestamp, 'tester' from transaction where amount < 0"""
        )
        pairs.find(cursor, ["ann"])
    assert kinds(store) == ["own transfer"]
    assert "somebody said" in evidence(store)


def test_money_that_came_back_is_shown_as_a_refund(store: Store) -> None:
    save(store, file(GIRO, ("06-07", "CARD PAYMENT ZALANDO", "-100.00"), ("06-20", "REFUND ZALANDO", "100.00")))
    assert store.value("select category from movement where text = 'REFUND ZALANDO'") == "REFUND"
    assert store.rows("select category from leg order by category nulls last") == [("REFUND",), (None,)]


def test_what_came_back_from_somewhere_unknown_is_a_refund_too(store: Store) -> None:
    save(store, file(GIRO, ("06-07", "ZZYZX", "-100.00"), ("06-20", "REFUND ZZYZX", "100.00")))
    assert store.rows("select category from leg where category is not null") == [("REFUND",)]


def test_a_pair_is_known_from_the_later_of_its_days(store: Store) -> None:
    save(store, file(GIRO, ("03-03", "TRANSFER TO SAVINGS", "-250.00")), file(SAVER, ("03-05", "TRANSFER FROM CHECKING", "250.00")))
    assert str(store.value("select known_on from pair")) == "2025-03-05"


def test_the_same_file_again_leaves_the_pairs_as_they_were(store: Store) -> None:
    one, two = file(GIRO, ("03-03", "TRANSFER TO SAVINGS", "-9.00")), file(SAVER, ("03-05", "TRANSFER FROM CHECKING", "9.00"))
    save(store, one, two)
    before = store.rows("from pair")
    save(store, one, two, file("DE11", ("03-20", "CARD PAYMENT SHOP", "-3.00")))
    assert store.rows("from pair") == before


# ---- in whatever order --------------------------------------------------------------------------------------------------

TEXTS = [
    "TRANSFER TO SAVINGS",
    "TRANSFER FROM CHECKING",
    "REFUND ZALANDO",
    "CARD PAYMENT ZALANDO",
    "OVERDRAFT FEE",
    "RETURNED DIRECT DEBIT",
]


def test_the_pairs_are_the_same_in_whatever_order_files_arrive(tmp_path: Path) -> None:
    files = [
        file("A-1111", ("03-03", "TRANSFER TO SAVINGS", "-50.00"), ("03-05", "TRANSFER TO SAVINGS", "-50.00")),
        file("B-2222", ("03-06", "TRANSFER FROM CHECKING", "50.00")),
        file("C-3333", ("03-05", "TRANSFER FROM CHECKING", "50.00"), ("03-04", "TRANSFER FROM CHECKING", "50.00")),
        file("D-4444", ("03-01", "CARD PAYMENT ZALANDO", "-50.00"), ("03-07", "REFUND ZALANDO", "50.00")),
    ]
    every = []
    for order in permutations(files):
        store = stores.open_in_memory(Settings(data=tmp_path, models=tmp_path / "m"))
        save(store, *order)
        every.append(
            store.rows(
                """select kind, went.account, went.booked_on, came.account, came.booked_on from pair
                join movement as went on went.transaction_id = out_id join movement as came on came.transaction_id = in_id order by all"""
            )
        )
        store.close()
    assert len(every[0]) == 3
    assert every == [every[0]] * len(every)


@run(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.integers(1, 12), st.sampled_from(TEXTS), st.sampled_from(["50.00", "-50.00", "-70.00"])),
        min_size=2,
        max_size=12,
    ),
    st.integers(2, 12),
)
def test_what_is_known_on_a_day_stays_true_when_later_days_come(rows: list[tuple[str, int, str, str]], until: int) -> None:
    def paired(upto: int) -> list[tuple[object, ...]]:
        store = stores.open_in_memory(Settings(data=Path("unused"), models=Path("/tmp") / "unused-models"))
        for account in "AB":
            lines = [(f"03-{day:02}", text, amount) for name, day, text, amount in rows if name == account and day <= upto]
            if lines:
                save(store, file(f"{account}-98761", *lines))
        made = store.rows(
            """select kind, known_on, went.account, went.booked_on, went.text, went.amount, came.account, came.booked_on, came.text
            from pair join movement as went on went.transaction_id = out_id join movement as came on came.transaction_id = in_id
            where day(known_on) <= $until order by all""",
            until=until,
        )
        ends = store.rows("select out_id from pair union all select in_id from pair")
        assert len(ends) == len(set(ends)), "a movement is in one pair at most"
        store.close()
        return made

    assert paired(until) == paired(31)


# ---- false pairs on real and invented statements ------------------------------------------------------------------------


def test_strangers_put_together_have_hardly_a_pair(shared: Path, store: Store, settings: Settings) -> None:
    content = (shared / "berka" / "trans.asc").read_bytes()
    ingest.save(store, [ingest.read("trans.asc", content, profile="berka", settings=settings)], user="tester")
    assert found(store) == [], "accounts of 1,229 people, none of whom has two"
    with store.write("tester", "merge", "account") as cursor:
        cursor.execute("update account set applicant_id = 'everybody'")
        pairs.find(cursor, ["everybody"])
    assert found(store) == [], "46,997 movements of 1,229 strangers: whatever were paired would be false"


def test_on_the_demo_every_pair_names_one_party(filled: Store) -> None:
    counted = dict(filled.rows("select kind, count(*) from pair group by all"))
    print(f"demo of 150 applicants: {counted}")
    assert set(counted) == {"returned item", "refund"}, "nobody in the demo has two accounts, and no fee is given back"
    returned, unpaired = filled.rows(
        """select count(*) filter (where pair_kind is not null), count(*) filter (where pair_kind is null)
        from movement where category = 'RETURNED_ITEM'"""
    )[0]
    assert returned > 0
    assert returned > 5 * unpaired, "an item is returned days after it was debited"
    stray = filled.value(
        """select count(*) from movement as came join movement as went on went.transaction_id = came.partner_id
        where came.amount > 0 and came.pair_kind = 'refund' and not contains(came.cleaned, split_part(went.cleaned, ' ', 1))"""
    )
    assert stray == 0, "in the demo a refund begins with the shop it is from"
