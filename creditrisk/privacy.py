"""Taking a person out of the workspace: at their wish, or because nothing has happened with them for as long as the settings say.

Gone are who they are, what they handed in, what it said, whatever people wrote on their cases, and elsewhere their name. What was
decided stays with its reasons, under a name that says nothing, and still replays from its own inputs. That it was done is on record.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pandas import DataFrame

from creditrisk import custody, integrity, labels, notary, registry, vault
from creditrisk.errors import UnknownThing
from creditrisk.registry import TABLES
from creditrisk.store import Store, now, quoted

GONE = "(erased)"
RENAMED = (  # tables whose rows stay
    *("application", "outcome", "arrears", "applicant", "label", "prediction", "import_cell"),
    *("batch_score", "lesson_online", "suspect"),
)
DELETED = ("account",)  # tables with an applicant_id whose rows go
INVENTED = ("synthetic", "invented")  # tables of applicants who are nobody
LEAST = 4  # letters that a word must have to be looked for within other texts


@dataclass(frozen=True)
class Order:
    """Who wants people taken out, as what, and why."""

    action: str
    user: str
    reason: str


@dataclass(frozen=True)
class Erased:
    """What was, or would be, taken out."""

    applicants: int
    statements: int
    shared_statements: int  # files with accounts of others too: their own bytes go, the others' movements stay
    transactions: int
    descriptions: int
    predictions: int
    texts: int  # comments, reasons and entries of the audit in which the person was named
    model_tables: int
    batch_files: int  # of batches that were not done yet


def erase(store: Store, applicant_id: str, *, user: str, reason: str, dry_run: bool = False) -> tuple[str, Erased]:
    """Take one person out; returns the name under which their decisions stay, and what is gone; with `dry_run` it is only counted.

    Raises UnknownThing, and InvalidInput without a reason.
    """
    store.require(user, "erase", "an applicant")
    registry.require_reason(reason, "Erasing an applicant")
    known = store.value(f"select 1 from ({KNOWN}) where applicant_id = $id and not starts_with(applicant_id, 'erased-')", id=applicant_id)
    if known is None and applicant_id not in _beside(store):
        raise UnknownThing("applicant", applicant_id, "Whoever was erased before has no name here any more.")
    ((_, pseudonym),) = leaving = [(applicant_id, f"erased-{uuid4().hex[:16]}")]
    return pseudonym, _taken_out(store, leaving, Order("erase", user, reason.strip()), dry_run)


def due(store: Store, today: date | None = None) -> DataFrame:
    """Return with whom nothing has happened for as many months as the settings say: applicant_id, last_at, oldest first."""
    names = _beside(store)
    with store.reading(beside=DataFrame({"applicant_id": [*names], "last_at": [*names.values()]}, dtype=object)) as cursor:
        found: DataFrame = cursor.execute(
            f"""select applicant_id, max(last_at) as last_at
            from (select * from ({LAST}) union all select applicant_id::varchar, last_at::timestamp from beside)
            where not starts_with(applicant_id, 'erased-') and applicant_id not in (select applicant_id from synthetic)
            group by applicant_id having max(last_at) < $today::timestamp - to_months($months) order by 2, 1""",
            {"today": today or now().date(), "months": store.settings.privacy.retention_months},
        ).df()
    return found


def _beside(store: Store) -> dict[str, datetime]:
    """Return who is named in files beside the database, perhaps nowhere else, and when they came last."""
    return {name: at for name, at in vault.named(store).items() if name not in ("", GONE)}


def purge(store: Store, *, user: str, today: date | None = None, dry_run: bool = True) -> Erased:
    """Take out everybody who is due, all or none, or only count them; it is one event of the audit."""
    store.require(user, "purge", "applicants")
    leaving = [(name, f"erased-{uuid4().hex[:16]}") for name in due(store, today)["applicant_id"]]
    if not leaving:
        return Erased(0, 0, 0, 0, 0, 0, 0, 0, 0)
    reason = f"nothing happened with them for {store.settings.privacy.retention_months} months"
    return _taken_out(store, leaving, Order("purge", user, reason), dry_run)


def said(store: Store, pseudonym: str) -> str | None:
    """Return what can no longer be replayed of an erased applicant's decisions, in a sentence; None for anybody else."""
    row = store.record("select * from erasure where pseudonym = $id", id=pseudonym)
    if row is None:
        return None
    return (
        f"The person was erased on {row['erased_at']:%Y-%m-%d} by {row['erased_by']} ({row['reason']}). The figures a decision was made "
        f"from are kept with it and it replays from them; the {row['n_statements']:,} statements behind them are gone, so the figures "
        "themselves can no longer be computed again."
    )


def in_words(gone: Erased) -> str:
    """Say what was, or would be, taken out."""
    counts = {"statement": gone.statements, "transaction": gone.transactions, "description": gone.descriptions}
    parts = [f"{n:,} {what}{'s' * (n != 1)}" for what, n in counts.items()]
    if gone.shared_statements:
        parts.append(f"the bytes of {gone.shared_statements:,} file{'s' * (gone.shared_statements != 1)} with accounts of others too")
    if gone.batch_files:
        parts.append(f"the files of {gone.batch_files:,} batch{'es' * (gone.batch_files != 1)} that are not done")
    return f"{', '.join(parts)} and the name in {gone.texts:,} text{'s' * (gone.texts != 1)}"


def left_behind(store: Store, applicant_id: str) -> list[str]:
    """Return where a person may still be named outside the database, a sentence each, for somebody to look."""
    needle = applicant_id.encode()
    folder = store.settings.data / "test-sets"
    lists = [path for path in sorted(folder.glob("*")) if needle in path.read_bytes()] if folder.is_dir() else []
    found = [f"{path} lists test applicants and names this one: replace it." for path in lists]
    copies = store.rows("select distinct detail->>'folder' from audit where action = 'backup' order by 1")
    found += [f"Backups in {folder} were made before and hold the person: delete them once newer ones suffice." for (folder,) in copies]
    found += [f"{path} is what a `restore` replaced." for path in sorted(store.settings.data.glob("replaced-*"))]
    return found


# --- how ------------------------------------------------------------------------------------------------------------

KNOWN = " union ".join(f"select applicant_id from {name}" for name in ("account", "application", "applicant", "batch_score"))
LAST = """
    select applicant_id, max(happened_at) as last_at
    from (
        select applicant_id, recorded_at as happened_at from application
        union all
        select applicant_id, recorded_at from outcome
        union all
        select applicant_id, recorded_at from arrears
        union all
        select applicant_id, scored_at from prediction
        union all
        select prediction.applicant_id, reviewed_at from review join prediction using (prediction_id)
        union all
        select account.applicant_id, stored_at
        from account join statement_account using (account_id) join statement using (statement_id)
        union all
        select prediction.applicant_id, decided_at from decision join prediction using (prediction_id)
        union all
        select applicant_id, scored_at
        from batch_score join (select batch_id, max(scored_at) as scored_at from batch_part group by batch_id) using (batch_id)
        where applicant_id is not null -- null: the file named nobody
        union all -- rows of a table, and figures of whoever has nothing else
        select applicant_id, min(created_at) from applicant join snapshot using (snapshot_id) group by applicant_id
    )
    group by applicant_id
"""
WORD = r"\p{L}{4,}"  # DuckDB's own letters: what may be a part of a name
STEPS = (  # temporary tables, in order: what belongs to those who leave
    ("its_account", "select account_id from account where applicant_id in (select applicant_id from leaving)"),
    ("its_transaction", "select transaction_id, description_id from transaction where account_id in (from its_account)"),
    ("its_statement", "select distinct statement_id from statement_account where account_id in (from its_account)"),
    (
        "shared_statement",
        """select distinct statement_id from statement_account
        where statement_id in (from its_statement) and account_id not in (from its_account)""",
    ),
    (
        "its_description",
        """select description_id from its_transaction except
        select description_id from transaction where account_id not in (from its_account)""",
    ),
    ("its_lesson", "select distinct correction_id from correction_description where description_id in (from its_description)"),
    (
        "its_prediction",
        """select prediction_id from prediction where applicant_id in (select applicant_id from leaving)
        union all select batch_id || '-' || row from batch_score where applicant_id in (select applicant_id from leaving)""",
    ),
    (
        "its_word",  # said in their statements and in nobody else's, as their name is where no application gives it
        f"""select unnest(regexp_extract_all(text, '{WORD}')) as word from description where description_id in (from its_description)
        except select unnest(regexp_extract_all(text, '{WORD}')) from description where description_id not in (from its_description)""",
    ),
    (
        "its_name",
        """select distinct name as word from application where applicant_id in (select applicant_id from leaving) and name is not null
        union select number from account where account_id in (from its_account)
        union select applicant_id from leaving""",
    ),
    (
        "its_file",
        """select file_name, sha256 from statement
        where statement_id in (from its_statement) and statement_id not in (from shared_statement)""",
    ),
)
TAKEN = (  # in order; what is deleted and what is emptied
    """delete from pair
        where out_id in (select transaction_id from its_transaction) or in_id in (select transaction_id from its_transaction)""",
    "delete from correction where transaction_id in (select transaction_id from its_transaction)",
    "delete from transaction where account_id in (from its_account)",
    "delete from statement_account where account_id in (from its_account)",
    "delete from account where account_id in (from its_account)",
    "delete from statement where statement_id in (from its_statement) and statement_id not in (from shared_statement)",
    """update statement set source = ''::blob,
        n_new = (select count(*) from transaction where transaction.statement_id = statement.statement_id)
    where statement_id in (from shared_statement)""",
    "delete from judgement where description_id in (from its_description)",
    "delete from description where description_id in (from its_description)",
    """delete from correction where correction_id in (from its_lesson)
        and correction_id not in (select correction_id from correction_description)""",
    "update application set name = null, purpose = null where applicant_id in (select applicant_id from leaving)",
    "update import_cell set value = '(erased)' where applicant_id in (select applicant_id from leaving)",
)
TEXTS = (  # where people write, or are quoted: table, its key, its text
    ("review", "review_id", "comment"),
    ("inspection", "inspection_id", "reason"),
    ("correction", "correction_id", "reason"),
    ("model_event", "seq", "reason"),
    ("decision", "decision_id", "comment"),
    ("decision", "decision_id", "reasons"),
    ("decision", "decision_id", "asked"),
    ("batch", "batch_id", "file"),
    ("batch_event", "seq", "message"),
)

WRITTEN = (  # on their cases: free words, which may name anybody, go as a whole
    "update review set comment = $gone where comment <> '' and prediction_id in (from its_prediction)",
    """update inspection set reason = $gone
    where reason <> '' and review_id in (select review_id from review where prediction_id in (from its_prediction))""",
    "update decision set comment = $gone where comment <> '' and prediction_id in (from its_prediction)",
    """update decision set asked = json_array($gone)
    where json_array_length(asked) > 0 and prediction_id in (from its_prediction)""",
)


def _taken_out(store: Store, leaving: Sequence[tuple[str, str]], asked: Order, dry_run: bool) -> Erased:
    """Do it in one transaction, or in one that is rolled back."""
    if dry_run:
        with store.rehearsal() as apart:
            return _done(apart, leaving, asked, None)[0]
    made, anew = _done(store, leaving, asked, store.models)
    vault.settled(anew)
    registry.settled(store)
    integrity.mark_for_wiping(store)
    return made


def _done(store: Store, leaving: Sequence[tuple[str, str]], asked: Order, models: Path | None) -> tuple[Erased, list[Path]]:
    subject = leaving[0][1] if asked.action == "erase" else f"{len(leaving)} applicants"
    gone: dict[str, Any] = {}  # the audit row is written when the block ends, with what was put here by then
    with store.write(asked.user, asked.action, subject, reason=asked.reason, gone=gone) as cursor:
        cursor.register("who_leaves", DataFrame(leaving, columns=["applicant_id", "pseudonym"]))
        for name, query in (("leaving", "from who_leaves"), *STEPS):
            cursor.execute(f"create or replace temporary table {name} as {query}")
        without = _without(cursor)
        redacted, texts = _unnamed(cursor, without)
        files = [number for (number,) in cursor.execute("from shared_statement").fetchall()]
        counts = {name: _n(cursor, name) for name in ("its_statement", "shared_statement", "its_transaction", "its_description")}
        own = cursor.execute(OWN).fetchall()
        for statement in TAKEN:
            cursor.execute(statement)
        for table in RENAMED:
            held = quoted(table)
            cursor.execute(f"update {held} set applicant_id = pseudonym from leaving where {held}.applicant_id = leaving.applicant_id")
        gone |= {"audit": redacted, "files": files, "label_sets": labels.resealed(cursor, [pseudonym for _, pseudonym in leaving])}
        cursor.executemany(
            "insert into erasure values ($pseudonym, $at, $user, $reason, $statements, $transactions, $predictions)",
            [
                {"pseudonym": name, "at": now(), "user": str(asked.user).strip(), "reason": asked.reason}
                | {"statements": statements, "transactions": transactions, "predictions": predictions}
                for name, statements, transactions, predictions in own
            ],
        )
        away, anew = vault.unnamed(store, cursor, without, str(asked.user).strip()) if models else (0, [])
        rewritten = _unnamed_in(models, dict(leaving)) if models else {}  # last: what could fail in the database has not
        gone["model_files"] = {name: registry.files(store, name) | tables for name, tables in rewritten.items()}
        made = Erased(
            applicants=len(leaving),
            statements=counts["its_statement"] - counts["shared_statement"],
            shared_statements=counts["shared_statement"],
            transactions=counts["its_transaction"],
            descriptions=counts["its_description"],
            predictions=sum(n for *_, n in own),
            texts=texts,
            model_tables=sum(map(len, rewritten.values())),
            batch_files=away,
        )
        gone |= asdict(made)
        notary.forget(cursor)
        for name in ("leaving", *(name for name, _ in STEPS)):
            cursor.execute(f"drop table {name}")
    return made, anew


OWN = """
    select
        pseudonym,
        (
            select count(distinct statement_id)
            from statement_account join account using (account_id) where account.applicant_id = it.applicant_id),
        (select count(*) from transaction join account using (account_id) where account.applicant_id = it.applicant_id),
        (select count(*) from prediction where prediction.applicant_id = it.applicant_id)
            + (select count(*) from batch_score where batch_score.applicant_id = it.applicant_id)
    from leaving as it
"""


def _n(cursor: Any, table: str) -> int:
    return int(cursor.execute(f"select count(*) from {table}").fetchall()[0][0])


def _without(cursor: Any) -> vault.Without:
    """Return what takes the names of those who leave out of a text."""
    words = {word for (word,) in cursor.execute("from its_name").fetchall() if word}
    named = _pattern(sorted(words))
    return lambda text: GONE if text in words else named.sub(GONE, text)


def _unnamed(cursor: Any, without: vault.Without) -> tuple[list[int], int]:
    """Take names out of what people wrote and out of the audit; returns the audit rows that were altered, and how many texts in all.

    An altered audit row is known by its hash alone from then on; `check` accepts that because the erasure itself is on record.
    """
    words = [word for (word,) in cursor.execute("from its_name").fetchall()]
    files = cursor.execute("from its_file").fetchall()
    n = sum(cursor.execute(update, {"gone": GONE}).fetchall()[0][0] for update in WRITTEN) + _reasons_without(cursor)
    for table, key, column in TEXTS:
        for number, text in cursor.execute(f"select {key}, {column}::varchar from {table} where {column}::varchar <> ''").fetchall():
            if (rest := without(text)) != text:
                cursor.execute(f"update {table} set {column} = $text where {key} = $key", {"text": rest, "key": number})
                n += 1
    names, digests, redacted = {name for name, _ in files}, [digest for _, digest in files], []
    exact = {*words, *names}
    in_json = re.compile("|".join(re.escape(f'"{word}"') for word in sorted(exact)) or r"(?!)")
    for seq, subject, detail in cursor.execute("select seq, subject, detail::varchar from audit").fetchall():
        speaks = subject in words or any(digest in detail for digest in digests)
        short = GONE if speaks and subject in names else without(subject)
        rest = without(in_json.sub(f'"{GONE}"', detail) if speaks or not digests else detail)
        if (short, rest) != (subject, detail):
            cursor.execute("update audit set subject = $s, detail = $d where seq = $q", {"s": short, "d": rest, "q": seq})
            redacted.append(int(seq))
    return redacted, n + len(redacted)


def _reasons_without(cursor: Any) -> int:
    """Take what only their statements say out of the reasons that people gave for their decisions; returns how many were altered."""
    said = _pattern([word for (word,) in cursor.execute("from its_word").fetchall()])
    given = cursor.execute("select decision_id, reasons::varchar from decision where prediction_id in (from its_prediction)").fetchall()
    altered = [(number, rest) for number, text in given if (rest := said.sub(GONE, text)) != text]
    for number, rest in altered:
        cursor.execute("update decision set reasons = $text where decision_id = $key", {"text": rest, "key": number})
    return len(altered)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """Return what finds any of these words, and the parts of names, as words of their own; short ones are no names."""
    parts = {part for word in words for part in (word, *word.split()) if len(part) >= LEAST}
    longest = sorted(parts, key=lambda part: (-len(part), part))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)" if longest else r"(?!)", re.IGNORECASE)


def _unnamed_in(models: Path, names: dict[str, str]) -> dict[str, dict[str, str]]:
    """Write the tables that are kept with models anew, with the new names, beside the present ones: `registry.settled` replaces these
    once that is on record. Returns by model the digests of its new tables by name."""
    from pyarrow import compute, parquet

    found: dict[str, dict[str, str]] = {}
    for file in sorted(path for name in TABLES for path in models.glob(f"M*/{name}.parquet")):
        kept = parquet.read_table(file)
        column = kept.column_names.index("applicant_id")
        if not compute.any(compute.is_in(kept[column], value_set=_texts(kept[column].type, names))).as_py():
            continue
        renamed = [names.get(name, name) for name in kept[column].to_pylist()]
        part = registry.part_of(file)
        parquet.write_table(kept.set_column(column, "applicant_id", _texts(kept[column].type, renamed)), part)
        custody.sync(part)
        found.setdefault(file.parent.name, {})[file.name] = hashlib.sha256(part.read_bytes()).hexdigest()
    return found


def _texts(kind: Any, names: Any) -> Any:
    import pyarrow as pa

    return pa.array(list(names), kind)
