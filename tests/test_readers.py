"""Each look at people's data is somebody's: who may not look is refused, in a sentence and on record, whatever they ask the library."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import creditrisk
from creditrisk import jobs, workspace
from creditrisk.errors import NotAllowed
from creditrisk.people import Person
from creditrisk.store import Store
from tests.conftest import ROOT
from tests.test_secrecy import FACES, calls

NOBODY = Person("eve", [])
RITA = Person("rita", ["reviewer"])
PLAIN = {"str": "A1", "str | None": None, "int": 1, "float": 0.5, "bool": True, "date": date(2026, 1, 31), "bytes": b"", "Path": Path("x")}
PLAIN |= {"Sequence[str]": ["A1"], "list[str]": ["A1"], "Mapping[str, str]": {}, "datetime | None": None, "int | None": 1}
GIVEN: dict[str, dict[str, Any]] = {  # where the words have to be some of those there are
    "comparison.compare": {"other": "M0002"},
    "retraining.changed": {"before": "M0002"},
    "registry.table": {"name": "test"},
    "dictionary.bins": {"name": "history_days"},
    "dictionary.members": {"name": "history_days"},
    "inspections.decide": {"status": "accepted", "reason": "seen"},
    "registry.rollback": {"reason": "the newer one is worse on outcomes"},
    "labels.shelf.snapshot_of": {"snapshot_id": None},
    "tranche.record": {"prediction_id": "B0001-1"},
    **{f"corrections.{name}": {"scope": "words", "category": "RENT", "words": "rent"} for name in ("affected", "correct", "preview")},
}
OF_NOBODY = {  # what they answer, or do, is of the program, the schema or a word, and of no person
    **dict.fromkeys(
        ("batch.keep.active", "batch.keep.require_idle", "batch.keep.shut_down", "jobs.shut_down"), "what runs in this process"
    ),
    **dict.fromkeys(("dictionary.describe", "dictionary.allowed", "dictionary.write_template"), "what the schema declares"),
    **dict.fromkeys(("labels.shelf.protected_features", "workspace.of_table"), "what the schema declares"),
    "integrity.mark_for_wiping": "a file that says: wipe at the next start",
    "registry.hindrance": "says why a model cannot score, and says the refusal itself",
    "tracking.record": "asks first whether a tracking server is set",
    "standing.meant": "a model's name, completed",
    "vault.folder": "a path",
    **dict.fromkeys(("workspace.last_write", "workspace.own_write"), "a number"),
    "blinding.require": "asked of no applicant, it looks at nothing",
    "training.finish": "reads the folder of a job that ended, and stores under the name of who started it",
}
LIBRARY = sorted((ROOT / "creditrisk").rglob("*.py"))


def questions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function of the library that is handed the workspace."""
    for module in pkgutil.walk_packages(creditrisk.__path__, "creditrisk."):
        if module.name == "creditrisk.__main__":
            continue
        room = importlib.import_module(module.name)
        for name, function in vars(room).items():
            is_ours = inspect.isfunction(function) and function.__module__ == module.name and not name.startswith("_")
            if is_ours and "store" in inspect.signature(function).parameters:
                yield f"{module.name.removeprefix('creditrisk.')}.{name}", function


def plain(name: str, function: Callable[..., Any]) -> dict[str, Any] | None:
    """What to ask it with, in eve's name; None where it takes a thing that one gets only by asking for it before."""
    said: dict[str, Any] = {}
    for each in inspect.signature(function).parameters.values():
        told = each.annotation if isinstance(each.annotation, str) else getattr(each.annotation, "__name__", str(each.annotation))
        told = str(each.annotation).replace("collections.abc.", "").replace("typing.", "") if told in ("Sequence", "list") else told
        if each.name == "store":
            continue
        if each.name in ("user", "reader"):
            said[each.name] = NOBODY
        elif each.name in GIVEN.get(name, {}):
            said[each.name] = GIVEN[name][each.name]
        elif each.kind is inspect.Parameter.VAR_POSITIONAL:
            said["*"] = ["A1"] if "str" in told else []
        elif each.default is inspect.Parameter.empty:
            if told not in PLAIN:
                return None
            said[each.name] = PLAIN[told]
    return said


def ask(function: Callable[..., Any], **said: Any) -> object:
    """Ask, and go through what is only handed out bit by bit."""
    several = said.pop("*", None)
    ahead = list(said) if several is not None else []  # what stands before the several is given by place, too
    found = function(*(said.pop(name) for name in ahead), *(several or ()), **said)
    if inspect.isgenerator(found):
        return list(found)
    return found


def test_whatever_the_library_is_asked_it_asks_whether_they_may(store: Store) -> None:
    asked = dict(questions())
    tried = {name: said for name, function in asked.items() if (said := plain(name, function)) is not None and name not in OF_NOBODY}
    answered = {}
    for name, said in tried.items():
        try:
            answered[name] = repr(ask(asked[name], store=store.seen_by(NOBODY), **said))
        except NotAllowed as refusal:
            assert "eve has no role here" in str(refusal)  # noqa: PT017  (what is collected are those that did not refuse)
        except Exception as error:  # noqa: BLE001  (whatever else comes of it, it was not asked first)
            answered[name] = repr(error)
    assert answered == {}
    assert len(tried) > 210
    assert set(OF_NOBODY) <= set(asked), "a question that is no longer asked is no exception"


@pytest.mark.parametrize(
    "look",
    [
        lambda store: store.read("select * from application"),
        lambda store: store.rows("select * from application"),
        lambda store: store.value("select count(*) from application"),
        lambda store: store.record("select * from application"),
        lambda store: store.records("select * from application"),
        lambda store: store.lasting("champion", frozenset({"promote"}), lambda: "M0001"),
        lambda store: store.models,
        lambda store: store.copy_to("copy"),
        lambda store: store.append("insert into job_event select * from job_event"),
        lambda store: store.reading().__enter__(),
        lambda store: store.rehearsal().__enter__(),
        lambda store: store.write("ada", "score", "P1").__enter__(),
        lambda store: store.seen_by("eve").value("select 1"),
    ],
)
def test_whichever_way_somebody_looks_a_refusal_is_a_sentence_and_on_record(store: Store, look: Callable[[Store], Any]) -> None:
    object.__setattr__(store.settings.people, "roles", {"ada": ("admin",)})
    store.lasting("champion", frozenset({"promote"}), lambda: "M0001")  # that it is known already opens it to nobody
    with pytest.raises(NotAllowed, match="eve has no role here; to see anything here takes a person with the role"):
        look(store.seen_by("eve"))
    told = store.rows("select user_name, detail from audit where action = 'refused'")
    assert [user for user, _ in told] == ["eve"]
    assert '"action": "read"' in told[0][1]


def test_who_may_look_sees_what_there_is_and_a_write_is_known_to_everybody(store: Store) -> None:
    theirs = store.seen_by(RITA)
    with theirs.write(RITA, "score", "P1"):
        pass
    assert theirs.value("select count(*) from audit") == store.value("select count(*) from audit")
    assert workspace.last_write(theirs) == workspace.last_write(store) > 0
    assert theirs.whole is store.whole is store
    assert (theirs.reader, store.reader) == ("rita", "")
    assert jobs.active(theirs.seen_by(Person("rita", ["reviewer"], ["read"]))) is None


def test_a_key_that_scores_looks_only_at_what_scoring_takes(store: Store) -> None:
    till = Person("till", ["analyst"], ["score"])
    assert store.seen_by(till, "score").value("select 1") == 1
    with pytest.raises(NotAllowed, match="takes one of the scope read"):
        store.seen_by(till).value("select 1")


def test_nothing_but_the_store_itself_speaks_to_the_database() -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in [*LIBRARY, *FACES]}
    opens = {name for name, text in texts.items() if "duckdb.connect(" in text}
    assert opens == {"store.py", "dictionary.py"}, "the other writes a table to take away into a file of its own"
    assert all("enable_external_access = false" in texts[name] and "lock_configuration = true" in texts[name] for name in opens)
    assert {name for name, text in texts.items() if re.search(r"\._(connection|cursor)\b", text)} == {"store.py"}


def test_every_face_holds_the_workspace_as_somebody_sees_it() -> None:
    bare = {file.name for file in FACES if calls(file, "opened")}
    assert bare == {"app.py", "__init__.py", "frame.py"}, "`ui.store` and `ui.user` ask who it is; the frame reads a setting"
    assert {file.stem for file in LIBRARY if calls(file, "open_workspace")} == {"terminal", "integrity", "demo"}
    terminal = (ROOT / "creditrisk" / "commands" / "terminal.py").read_text(encoding="utf-8")
    assert terminal.count("yield store") == terminal.count("yield store.seen_by(user)") == 1
