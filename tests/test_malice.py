"""Whatever is brought with malice is taken as what it says or refused in a sentence: no traceback, no row of what was refused."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pandas import DataFrame

from creditrisk import applicants, bundle, feedback, ingest, privacy, registry, reviews, schema, scoring, tables, tabular, tokens
from creditrisk.api import create_api
from creditrisk.batch import keep
from creditrisk.errors import CreditRiskError
from creditrisk.rows import outcomes
from creditrisk.settings import Settings
from creditrisk.store import Store
from tests import hostiles, malice
from tests.rest import TestClient
from tests.test_pages import visit, written  # noqa: F401  (a fixture)

LIMITS = Settings().intake
LEAKS = ("Traceback", "Error(", "object at 0x", 'File "', "\0")
MEMBERS = (bundle.LABELS, *bundle.NEEDED)


def rows_of(store: Store) -> dict[str, int]:
    """How many rows each table has; refusals are on record in the audit."""
    names = [name for (name,) in store.rows("select table_name from duckdb_tables() where schema_name = 'main' order by all")]
    return {name: store.value(f'select count(*) from "{name}"') for name in names if name != "audit"}


def sentence(refused: CreditRiskError) -> str:
    """What is said of a refusal: one that a person can read."""
    said = str(refused)
    assert said, type(refused)
    assert len(said) < 1_000, said[:300]
    assert not [word for word in LEAKS if word in said], said
    return said


def imported(store: Store, name: str, content: bytes) -> tables.Imported:
    given = tables.named([(name, content)])
    joined = tables.join({plain: tabular.read(plain, part, LIMITS) for plain, part in given.items()})
    proposed = tables.wanted(store, joined)
    return tables.save(store, joined, proposed.schema, user="ann", findings=proposed.findings)


def test_the_corpus_is_as_wide_as_it_is_said_to_be() -> None:
    """Files over all formats, tables, bundles, bodies, ids, values, words in forms, names of files, headings: what there is of each."""
    kinds = Counter({
        "statements (csv, ofx, qif, mt940, mt942, camt, json, xlsx, xls, pdf)": sum(1 for _ in hostiles.corpus()),
        "tables of applicants (csv, parquet, xlsx) and batches": sum(1 for _ in malice.tables()),
        "bundles of models": sum(1 for _ in malice.bundles(bundle.MANIFEST, MEMBERS)),
        "headings as SQL and markup": len(malice.HEADINGS),
        "names of files": len(malice.FILE_NAMES),
        "words in fields, merchants, ids, comments": len(malice.WORDS),
        "bodies of requests": len(malice.BODIES) + len(malice.KINDS),
        "ids in addresses": len(malice.IDS),
        "values of fields of requests": len(malice.VALUES),
    })  # fmt: skip
    for kind, n in kinds.most_common():
        print(f"{n:5}  {kind}")
    print(f"{kinds.total():5}  in all")
    assert kinds.total() >= 600
    assert sum(n for kind, n in kinds.items() if kind.startswith(("statements", "tables", "bundles"))) >= 150
    assert min(kinds.values()) >= 12
    formats = {Path(name).suffix.lstrip(".") for name in hostiles.SOUND} | {name.rpartition(".")[2] for name, _ in malice.tables()}
    assert formats >= {"csv", "ofx", "ofx2", "qif", "mt940", "mt942", "052", "053", "054", "json", "xlsx", "xls", "pdf", "parquet"}


# --- files ------------------------------------------------------------------------------------------------------------------


def test_tables_that_are_none_are_refused_and_leave_nothing(store: Store) -> None:
    before = rows_of(store)
    for name, content in malice.tables():
        if name == "text.xlsx":
            continue  # what is in a file counts, not what its name says
        with pytest.raises(CreditRiskError) as refused:
            imported(store, name, content)
        assert name in sentence(refused.value)
    assert rows_of(store) == before


def test_the_same_files_are_no_batch_and_leave_no_folder(filled: Store) -> None:
    before = rows_of(filled)
    for name, content in malice.tables():
        with pytest.raises(CreditRiskError) as refused:
            keep.begin(filled, name, content, user="ann", channel="test")
        sentence(refused.value)
    assert rows_of(filled) == before
    assert not [path for path in (filled.settings.data / "batches").glob("*") if path.is_dir()]


def test_they_are_neither_outcomes_nor_verdicts(store: Store) -> None:
    before = rows_of(store)
    for name, content in malice.tables():
        for use in (_as_outcomes, feedback.judge, feedback.inspect):
            try:
                use(store, tabular.read(name, content, LIMITS), user="rita")
            except CreditRiskError as refused:
                sentence(refused)
    assert rows_of(store) == before


def _as_outcomes(store: Store, table: DataFrame, *, user: str) -> None:
    observed, _ = outcomes(table, id_column="applicant_id", bad_column="late")
    applicants.record_outcomes(store, observed, user=user)


def test_verdicts_brought_in_a_table_are_kept_as_words_or_refused_by_row(filled: Store) -> None:
    cases = filled.rows("select prediction_id from prediction_current order by 1 limit $n", n=len(malice.WORDS))
    for (case,), word in zip(cases, malice.WORDS.values(), strict=True):
        for column in ("prediction_id", "verdict", "about", "comment", "corrected"):
            said = {"prediction_id": case, "verdict": "incorrect", "about": "reasons", "comment": "x", "corrected": ""} | {column: word}
            try:
                feedback.judge(filled, DataFrame([said]), user="rita")
            except CreditRiskError as refused:
                sentence(refused)
    kept = {comment for (comment,) in filled.rows("select comment from review where reviewed_by = 'rita'")}
    assert {malice.WORDS["script"], malice.WORDS["formula"], malice.WORDS["link"]} <= kept


def test_bundles_of_foreigners_are_refused_unpacked_and_never_unpickled(store: Store, tmp_path: Path) -> None:
    before = rows_of(store)
    for name, content in malice.bundles(bundle.MANIFEST, MEMBERS):
        file = tmp_path / "given.zip"
        file.write_bytes(content)
        with pytest.raises(CreditRiskError) as refused:
            bundle.receive(store, file, user="bea", reason="to try it")
        assert "given.zip" in sentence(refused.value), name
    assert rows_of(store) == before
    assert [path.name for path in store.models.iterdir()] == []
    assert not [path for path in tmp_path.rglob("*") if path.name in ("evil.py", "b")]


@pytest.mark.parametrize("name", malice.HEADINGS)
def test_a_heading_is_a_name_or_refused_and_never_sql(name: str, store: Store) -> None:
    heading, before = malice.HEADINGS[name], rows_of(store)
    try:
        made = imported(store, "rows.csv", malice.headed(heading))
    except CreditRiskError as refused:
        sentence(refused)
        assert rows_of(store) == before
        return
    assert made.n == 30
    assert rows_of(store).keys() == before.keys()
    assert schema.parse(schema.dump(made.schema)) == made.schema, "what is kept beside a model reads back as it was"
    known = {feature.name for feature in made.schema}
    assert heading in known or name in ("own", "internal"), known
    assert store.value("select value from duckdb_settings() where name = 'enable_external_access'") == "false"


@pytest.mark.parametrize("name", malice.FILE_NAMES)
def test_a_files_name_is_one_line_that_leads_nowhere(name: str, store: Store) -> None:
    given = malice.FILE_NAMES[name]
    (plain,) = tables.named([(given, b"")])
    assert plain == tabular.plain_name(given) == ingest.read(given, malice.SOUND["a.csv"], settings=store.settings).file
    assert plain.isprintable()
    assert 0 < len(plain) <= 200
    assert not {"/", "\\"} & set(plain)
    assert plain not in (".", "..")
    assert imported(store, given, malice.of_rows()).n == 30
    outside = store.settings.data.parent
    assert not [path for path in outside.rglob("*") if path.is_file() and path.suffix in (".csv", ".exe")]


def test_merchants_are_called_what_they_are_called(store: Store) -> None:
    for name, word in malice.WORDS.items():
        text = word.replace('"', '""')
        content = f'Date,Description,Amount,Balance\n2024-01-13,"{text}",-12.50,87.50\n2024-01-14,"B {text}",2000.00,2087.50\n'
        reading = ingest.read(f"{name}.csv", content.encode("utf-8", "surrogatepass"), settings=store.settings)
        if reading.status == "rejected":
            assert reading.problems[0].message.startswith(f"{name}.csv"), name
            continue
        assert reading.n_transactions == 2, name
        (saved,) = ingest.save(store, [reading], user="ana", applicant_id=f"of {name}")
        assert saved.statement_id is not None, name
    kept = {text for (text,) in store.rows("select text from description")}
    assert {malice.WORDS[name] for name in ("script", "link", "latex", "icon", "formula", "sql", "template")} <= kept


# --- the library's own fields -------------------------------------------------------------------------------------------------

Use = Callable[[Store, str], object]
USES: dict[str, Use] = {
    "whose statement": lambda store, word: ingest.save(
        store, [ingest.read("a.csv", malice.SOUND["a.csv"], settings=store.settings)], user="ann", applicant_id=word
    ),
    "an application": lambda store, word: applicants.apply(
        store,
        [{"applicant_id": word, "applied_on": date(2026, 1, 1), "name": word, "amount": 1, "term_months": 1, "purpose": word}],
        user="ann",
    ),
    "a key": lambda store, word: tokens.create(store, word, ["read"], purpose=word, days=1, user="ada"),
    "an applicant": applicants.person,
    "a search": applicants.people,
    "a prediction": scoring.get,
    "a model": registry.get,
    "a person to erase": lambda store, word: privacy.erase(store, word, user="ada", reason="asked for it in writing"),
    "a case to take": lambda store, word: reviews.claim(store, user="rita", prediction_id=word),
    "a user": lambda store, word: reviews.claim(store, user=word),
}


@pytest.mark.parametrize("use", USES)
def test_a_word_is_a_word_in_every_field(use: str, store: Store) -> None:
    names, told = rows_of(store).keys(), list[str]()
    for word in malice.WORDS.values():
        try:
            USES[use](store, word)
        except CreditRiskError as refused:
            told.append(str(refused))
    assert not [said for said in told if len(said) > 60_000 or "Traceback" in said]
    assert rows_of(store).keys() == names


@pytest.mark.parametrize(
    ("amount", "term"),
    [*((amount, 12) for amount in (float("nan"), float("inf"), 0, -1, 1e300)), *((5_000, term) for term in (0, float("nan"), 1e300))],
)
def test_an_application_is_for_a_sum_and_a_time(amount: float, term: float, store: Store) -> None:
    form = {"applicant_id": "A", "applied_on": date(2026, 1, 1), "name": None, "amount": amount, "term_months": term, "purpose": None}
    with pytest.raises(CreditRiskError):
        applicants.apply(store, [form], user="ann")
    assert store.value("select count(*) from application") == 0


# --- requests -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Store, dict[str, Any]]]:
    """The API on the demo bank, and what it says of itself."""
    import shutil
    from dataclasses import replace

    from creditrisk import store as stores
    from creditrisk.settings import load
    from tests.conftest import ROOT

    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(bank, folder, dirs_exist_ok=True)
    opened = stores.open_workspace(replace(load(ROOT / "creditrisk.toml"), data=folder / "data", models=folder / "models"))
    client = TestClient(create_api(lambda: opened), raise_server_exceptions=False)
    yield client, opened, client.get("/openapi.json").json()
    opened.close()


def answered(reply: Any, what: object) -> None:
    """Whatever was asked, the answer is no failure of the program, and a refusal is a sentence."""
    assert reply.status_code < 500, (what, reply.text[:300])
    if reply.status_code >= 400:
        assert reply.headers["content-type"] == "application/problem+json", what
        assert reply.json()["detail"].strip(), what
        assert not [word for word in LEAKS if word in reply.text], what


def routes(described: dict[str, Any], store: Store) -> Iterator[tuple[str, str, dict[str, Any]]]:
    case = store.value("select min(prediction_id) from prediction")
    for path, methods in described["paths"].items():
        for method, said in methods.items():
            yield method.upper(), path.replace("{prediction_id}", case).replace("{claim_id}", "1"), said


def test_no_id_in_an_address_breaks_a_route(served: tuple[TestClient, Store, dict[str, Any]]) -> None:
    client, store, described = served
    for path, methods in described["paths"].items():
        for method in methods if "{" in path else ():
            for name, given in malice.IDS.items():
                body: dict[str, Any] = {} if method == "get" else {"json": {}}
                answered(client.request(method.upper(), given.join(re.split(r"{[^}]*}", path)), **body), (method, path, name))
    for query in ("kind=exe", "format=x", "state=x", "applicant_id=%00", "applicant_id=%ff", "kind=csv&kind=xlsx", "a" * 5_000):
        for method, path, _ in routes(described, store):
            if method == "GET" and "{" not in path:
                answered(client.get(f"{path}?{query}"), (path, query))


def test_no_body_breaks_a_route_and_none_that_is_refused_leaves_a_row(served: tuple[TestClient, Store, dict[str, Any]]) -> None:
    client, store, described = served
    for method, path, _ in routes(described, store):
        if method == "GET" or path.endswith(("/claims", "/train")) or "{" in path:
            continue  # a claim and a training need nothing to be said: {} is an order
        before = rows_of(store)
        for name, body in malice.BODIES.items():
            reply = client.request(method, path, content=body, headers={"Content-Type": malice.JSON, "Idempotency-Key": name})
            answered(reply, (path, name))
            assert reply.status_code >= 400, (path, name)
        for name, kind in malice.KINDS.items():
            for body in (b"", b"{}", b"--x\r\n\r\n", malice.BODIES["noise"]):
                for key in ({}, {"Idempotency-Key": f"{name} {len(body)}"}):
                    reply = client.request(method, path, content=body, headers={**({"Content-Type": kind} if kind else {}), **key})
                    answered(reply, (path, name))
        for header, value in (("X-User", ""), ("X-User", "x" * 200), ("Idempotency-Key", "x" * 300), ("Content-Encoding", "gzip")):
            answered(client.request(method, path, content=b"{}", headers={"Content-Type": malice.JSON, header: value}), (path, header))
        answered(client.request(method, path, content=iter([b"{", b"}"]), headers={"Content-Type": malice.JSON}), (path, "in pieces"))
        assert rows_of(store) == before, path


def test_no_value_of_a_field_breaks_a_route(served: tuple[TestClient, Store, dict[str, Any]]) -> None:
    client, store, described = served
    sound = {
        "decisions": {"action": "override", "outcome": "approve", "comment": "long enough a comment", "reasons": ["because it is so"]},
        "reviews": {"verdict": "incorrect", "about": "reasons", "comment": "x"},
        "inspections": {"review_ids": ["R1"], "status": "accepted", "reason": "x"},
        "corrections": {"scope": "words", "category": "RENT", "words": "x", "direction": "out", "reason": "x", "dry_run": True},
        "train": {"algorithms": ["nobody's"], "label_set_id": "nobody's"},
    }
    n = 0
    for method, path, said in routes(described, store):
        for part in said.get("requestBody", {}).get("content", {}).values():
            if method == "GET" or "$ref" not in part["schema"] or "{" in path:
                continue
            named = described["components"]["schemas"][part["schema"]["$ref"].rpartition("/")[2]]
            if "multipart/form-data" in said["requestBody"]["content"]:
                continue
            for field in named["properties"]:
                for name, value in malice.VALUES.items():
                    body = json.dumps({**sound.get(path.rpartition("/")[2], {}), field: value}).encode()
                    answered(client.request(method, path, content=body, headers={"Content-Type": malice.JSON}), (path, field, name))
                    n += 1
    assert n > 300
    figure = next(feature.name for feature in store.schema if feature.is_numeric)
    for value in malice.VALUES.values():
        for body in ({"features": {figure: value}}, {"features": value}, {"applicant_id": value}, {"applicant_id": "x", "as_of": value}):
            answered(client.post("/v1/score", content=json.dumps(body).encode(), headers={"Content-Type": malice.JSON}), body)
    for word in malice.WORDS.values():
        for body in ({"applicant_id": word}, {"applicant_id": word, "features": {}}, {word: 1}, {"features": {word: 1}}):
            answered(client.post("/v1/score", content=json.dumps(body).encode(), headers={"Content-Type": malice.JSON}), body)


def test_no_file_and_no_name_of_one_breaks_an_upload(served: tuple[TestClient, Store, dict[str, Any]]) -> None:
    client, store, _ = served
    before = rows_of(store)
    for name, content in (
        *malice.tables(),
        *((name, malice.SOUND["a.pdf"]) for name in malice.FILE_NAMES.values() if "\udcff" not in name),
    ):
        reply = client.post("/v1/batches", files={"file": (name, content)})
        answered(reply, name)
        assert reply.status_code >= 400, name
    for name, content in [*hostiles.corpus()][::9]:
        reply = client.post("/v1/statements", files={"files": (name, content)})
        answered(reply, name)
        assert reply.status_code == 422, name
    assert rows_of(store) == before


# --- forms --------------------------------------------------------------------------------------------------------------------


def test_forms_take_words_as_words_or_say_what_is_wrong(written: None) -> None:  # noqa: F811
    words = [word for name, word in malice.WORDS.items() if name not in ("null", "astral")]
    page = visit("access")
    for word in [*words[:12], malice.WORDS["very long"]]:
        for field in page.main.text_input:
            field.set_value(word)
        for button in [each for each in page.main.button if each.label == "Make the key"]:
            button.click()
        page.run()
        assert not page.exception, page.exception[0].stack_trace
    for name, params in (("applicants", {}), ("statements", {}), ("score", {}), ("models", {"view": "promotion"}), ("reviews", {})):
        page = visit(name, **params)
        for word in words:
            for field in [*page.main.text_input, *page.main.text_area][:6]:
                field.set_value(word)
            page.run()
            assert not page.exception, (name, word[:40], page.exception[0].stack_trace)
