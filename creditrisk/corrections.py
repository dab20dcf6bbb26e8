"""What people say that movements really were: for one of them, for all of a merchant, or for all with certain words.

A correction is appended and never edited; to take one back is another correction. What was scored before stays as it was.
A preview does what the correction would do, for real, in a transaction of which nothing is left.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pandas import DataFrame

from creditrisk import categories, features, pairs, registry, scoring
from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.people import EVERYONE, Person
from creditrisk.schema import Feature
from creditrisk.scoring import Model, Prediction
from creditrisk.store import Store, now, statement

Scope = Literal["movement", "merchant", "words"]
PREVIEW = Person("preview", EVERYONE)  # acts in rehearsals only, of which nothing is left
FEWEST_LETTERS = 3  # in words that speak of many movements
SHOWN = 5  # examples


@dataclass(frozen=True)
class Correction:
    """A correction that can be made: what it speaks of, in which direction money went, and what it really was."""

    scope: Scope
    category: str
    direction: Literal["in", "out"]
    transaction_id: int | None = None
    words: str | None = None


@dataclass(frozen=True)
class Affected:
    """What a correction would change: counts of movements and applicants, the money moved, and some of the movements.

    `n_kept` movements are spoken of and keep what they are: corrected by themselves, or one of a pair.
    `examples` has the columns transaction_id, applicant_id, booked_on, text, amount, category.
    """

    correction: Correction
    category_before: str
    n_movements: int
    n_applicants: int
    n_kept: int
    amount: float
    examples: DataFrame
    most_of: str | None  # the applicant with most of the movements that would change


@dataclass(frozen=True)
class Change:
    """A feature that would have another value: as numbers and in words."""

    feature: str
    title: str
    before: Any
    after: Any
    said_before: str
    said_after: str


@dataclass(frozen=True)
class Preview:
    """What a correction would do to one applicant; no scores without a champion that reads the present features."""

    applicant_id: str
    affected: Affected
    changes: list[Change]
    n_learned: int  # other descriptions of theirs that the model would take for something else
    before: Prediction | None
    after: Prediction | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the command line and REST."""
        return {
            "applicant_id": self.applicant_id,
            **to_json(self.affected),
            "n_learned": self.n_learned,
            "features": [asdict(change) for change in self.changes],
            "before": _brief(self.before),
            "after": _brief(self.after),
        }


@dataclass(frozen=True)
class Corrected:
    """What a correction did; `n_learned` descriptions nobody spoke of are now taken for something else."""

    correction_id: int
    affected: Affected
    n_learned: int


def affected(
    store: Store, *, scope: str, category: str, transaction_id: int | None = None, words: str | None = None, direction: str | None = None
) -> Affected:
    """Return what a correction would change, of the whole workspace; raises what `correct` raises."""
    asked = _checked(store, scope=scope, category=category, transaction_id=transaction_id, words=words, direction=direction)
    given = {**asdict(asked), "most": SHOWN}
    reached = f"with reached as ({statement('changes', 'reached')})"
    counts = store.record(
        f"""{reached}, most as (
            select applicant_id from reached where is_changed group by applicant_id order by count(*) desc, applicant_id limit 1
        )
        select count(*) as n, count(*) filter (where is_changed) as n_movements,
            count(distinct applicant_id) filter (where is_changed) as n_applicants,
            coalesce(sum(abs(amount)) filter (where is_changed), 0)::double as amount,
            mode(category order by category) as category_before, (from most) as most_of
        from reached where $most > 0""",
        **given,
    )
    if counts is None or not counts["n"]:
        raise InvalidInput(f"No movement {'in' if asked.direction == 'in' else 'out'} is described as {asked.words!r}: nothing to correct.")
    examples = store.read(
        f"""{reached}
        select transaction_id, applicant_id, booked_on, text, amount::double as amount, category
        from reached where is_changed
        order by booked_on desc, transaction_id desc
        limit $most""",
        **given,
    )
    n = counts.pop("n")
    return Affected(correction=asked, examples=examples, n_kept=n - counts["n_movements"], **counts)


def correct(
    store: Store,
    *,
    user: str,
    scope: str,
    category: str,
    reason: str = "",
    transaction_id: int | None = None,
    words: str | None = None,
    direction: str | None = None,
) -> Corrected:
    """Record what movements really were, find their pairs anew, and let the model learn from it.

    `scope` movement needs `transaction_id`; merchant a whole description, or a movement that has it; words some words in a row.
    `direction` is that of the movement, or of all there are. Raises InvalidInput for a category that does not exist or does not
    fit the direction, for words too short, and where nothing would change; UnknownThing for a movement or words nobody has.
    """
    return _apply(store, affected(store, scope=scope, category=category, transaction_id=transaction_id, words=words, direction=direction),
                  user=user, reason=reason)  # fmt: skip


def preview(
    store: Store,
    applicant_id: str,
    *,
    scope: str,
    category: str,
    transaction_id: int | None = None,
    words: str | None = None,
    direction: str | None = None,
    using: Model | None = None,
) -> Preview:
    """Return which features and which score of an applicant would move; nothing is stored, nothing audited.

    Both sides are computed from the same rows as of the same day by the champion (`using`, where it is loaded already).
    """
    asked = affected(store, scope=scope, category=category, transaction_id=transaction_id, words=words, direction=direction)
    row = registry.champion(store)
    champion = using or (scoring.model(store) if row and scoring.fits(store, row) else None)
    with store.rehearsal() as trial:
        before, scored = _look(trial, applicant_id, champion)
        done = _apply(trial, asked, user=PREVIEW, reason="", only=applicant_id)
        after, scored_after = _look(trial, applicant_id, champion)
    changes = [
        _change(feature, before[feature.name], after[feature.name])
        for feature in store.schema
        if not _same(before[feature.name], after[feature.name])
    ]
    return Preview(applicant_id, asked, changes, done.n_learned, scored, scored_after)


def history(store: Store, applicant_id: str | None = None) -> DataFrame:
    """Return corrections, newest first: all of them, or those that speak of an applicant's movements.

    Columns: correction_id, corrected_at, corrected_by, scope, transaction_id, what (the words or the movement's text), booked_on,
    amount, direction, category_before, category, reason, n_movements, n_applicants (of that applicant, where one is named).
    """
    return store.read(statement("changes", "history"), applicant_id=applicant_id)


def movement(store: Store, transaction_id: int) -> dict[str, Any]:
    """Return one movement with what it is held to be and why: the columns of the view `movement`; raises UnknownThing."""
    found = store.record("from movement where transaction_id = $id", id=transaction_id)
    if found is None:
        raise UnknownThing("movement", str(transaction_id), "The numbers stand with the movements of a statement.")
    return found


def last_said(store: Store, transaction_id: int) -> dict[str, Any] | None:
    """Return the correction by which a movement is what it is, None where nobody said anything of it: the columns of `correction`."""
    return store.record(
        """select correction.*
        from correction
        join movement on movement.transaction_id = $id and movement.direction = correction.direction
        where correction.transaction_id = $id
            or correction.scope = 'merchant' and movement.cleaned = correction.words
            or correction.scope = 'words' and contains(' ' || movement.cleaned || ' ', ' ' || correction.words || ' ')
        order by correction.transaction_id is null, correction_id desc
        limit 1""",
        id=transaction_id,
    )


def choices(direction: str) -> list[categories.Category]:
    """Return the categories that money going this way can have, group by group in declared order."""
    found = [kind for kind in categories.taxonomy().values() if kind.direction in (direction, "both")]
    groups = list(dict.fromkeys(kind.group for kind in found))
    return sorted(found, key=lambda kind: groups.index(kind.group))


def to_json(found: Affected) -> dict[str, Any]:
    """Return the counts and examples of what would change, or did, in plain values."""
    kept = {name: getattr(found, name) for name in ("category_before", "n_movements", "n_applicants", "n_kept", "amount")}
    examples = found.examples.assign(booked_on=found.examples["booked_on"].astype(str))
    return {**asdict(found.correction), **kept, "examples": examples.to_dict("records")}


# ---- what is asked ------------------------------------------------------------------------------------------------------


def _checked(
    store: Store, *, scope: str, category: str, transaction_id: int | None, words: str | None, direction: str | None
) -> Correction:
    if scope not in get_args(Scope):
        raise InvalidInput(f"A correction speaks of one of {', '.join(get_args(Scope))}, not of {scope!r}.")
    kind = categories.taxonomy().get(category)
    if kind is None:
        raise InvalidInput(f"There is no category {category!r}; `categories.toml` has them all, from INC_SALARY to UNKNOWN.")
    if direction not in (None, "in", "out"):
        raise InvalidInput(f"Money goes in or out, not {direction!r}.")
    own = movement(store, transaction_id) if transaction_id is not None else None
    if scope == "movement" and own is None:
        raise InvalidInput("To correct one movement, say which: give its number.")
    if own is not None and direction not in (None, own["direction"]):
        raise InvalidInput(f"Movement {transaction_id} is money {own['direction']}, not {direction}.")
    said = None if scope == "movement" else _words(scope, words, own)
    way = direction or (own["direction"] if own else _only_way(store, scope, str(said)))
    if kind.direction not in (way, "both"):
        raise InvalidInput(f"{category} ({kind.meaning.lower()}) is money {kind.direction}; what is to be corrected is money {way}.")
    return Correction(scope, category, way, transaction_id if scope == "movement" else None, said)  # type: ignore[arg-type]


def _words(scope: str, words: str | None, own: dict[str, Any] | None) -> str:
    """Return the words as cleaned descriptions have them: a merchant's of the movement, where it is given by one."""
    said = str(own["cleaned"]) if own is not None and not words else categories.clean(words or "")
    if not said and scope == "merchant":
        raise InvalidInput(
            "Nothing is left of this description once numbers and dates are taken away, so it names nobody: correct the movement alone."
        )
    if sum(letter.isalpha() for letter in said) < FEWEST_LETTERS:
        raise InvalidInput(f"{words or said!r} has fewer than {FEWEST_LETTERS} letters and would match by chance: give more of the words.")
    return said


def _only_way(store: Store, scope: str, words: str) -> str:
    ways = store.rows(
        """select distinct direction from description
        where $scope = 'merchant' and cleaned = $words or $scope = 'words' and contains(' ' || cleaned || ' ', ' ' || $words || ' ')""",
        scope=scope,
        words=words,
    )
    if not ways:
        raise UnknownThing("description", words, "Write it as it stands in the statements; numbers and dates are left out.")
    if len(ways) > 1:
        raise InvalidInput(f"Money went both in and out as {words!r}: say which is meant, in or out.")
    return str(ways[0][0])


# ---- what is done -------------------------------------------------------------------------------------------------------


def _apply(store: Store, asked: Affected, *, user: str, reason: str, only: str | None = None) -> Corrected:
    """Append the correction and what follows from it; `only` an applicant's part of what follows, where only that is looked at."""
    said, at = asked.correction, now()
    if not asked.n_movements:
        kept = " or are set by themselves or by a pair" if asked.n_kept and said.scope != "movement" else ""
        raise InvalidInput(f"Nothing would change: these movements are {said.category} already{kept}.")
    subject = f"movement {said.transaction_id}" if said.scope == "movement" else str(said.words)
    with store.write(user, "correct", subject, **asdict(said), before=asked.category_before, n=asked.n_movements) as cursor:
        touched = _applicants(cursor, said, only)
        made = cursor.execute(
            """insert into correction
                (scope, transaction_id, words, direction, category, category_before, reason, corrected_at, corrected_by)
            values ($scope, $transaction_id, $words, $direction, $category, $before, $reason, $at, $user)
            returning correction_id""",
            {**asdict(said), "before": asked.category_before, "reason": reason.strip() or None, "at": at, "user": user.strip()},
        ).fetchall()
        learned = _learn(cursor, user, at, only) if said.scope != "movement" else []
        touched |= _applicants_of(cursor, learned, only)
        pairs.find(cursor, sorted(touched))
    return Corrected(int(made[0][0]), asked, len(learned))


def _applicants(cursor: Any, said: Correction, only: str | None) -> set[str]:
    reached = statement("changes", "reached")
    found = cursor.execute(
        f"select distinct applicant_id from ({reached}) where $only is null or applicant_id = $only", {**asdict(said), "only": only}
    ).fetchall()
    return {name for (name,) in found}


def _applicants_of(cursor: Any, description_ids: Sequence[int], only: str | None) -> set[str]:
    if not description_ids:
        return set()
    found = cursor.execute(
        """select distinct applicant_id from transaction join account using (account_id)
        where list_contains($ids::integer[], description_id) and ($only is null or applicant_id = $only)""",
        {"ids": list(description_ids), "only": only},
    ).fetchall()
    return {name for (name,) in found}


def _learn(cursor: Any, user: str, at: datetime, only: str | None) -> list[int]:
    """Judge anew what no rule and nobody decided; append what is now taken for something else and return its descriptions."""
    asked = cursor.execute(
        """select description_id, any_value(held.text) as text, any_value(held.code) as code, any_value(held.direction) as direction,
            any_value(held.category) as category, max(transaction.amount)::double as amount
        from transaction
        join (from description_current where source in ('none', 'model')) as held using (description_id)
        where $only is null or transaction.account_id in (select account_id from account where applicant_id = $only)
        group by description_id
        order by description_id""",
        {"only": only},
    ).df()
    if asked.empty:
        return []
    lessons = cursor.execute("select text, direction, category from lesson order by correction_id desc").df()
    judge: Callable[..., DataFrame] = categories.classify
    judged = judge(asked[["text", "code", "direction", "amount"]], lessons)
    changed = judged["category"].ne(asked["category"])
    if not changed.any():
        return []
    learned = judged.loc[changed, ["category", "confidence", "source"]].assign(description_id=asked["description_id"])
    cursor.register("learned", learned)
    cursor.execute(
        """insert into judgement (description_id, category, confidence, source, judged_at, judged_by)
        select description_id, category, confidence, source, $at, $user from learned order by description_id""",
        {"at": at, "user": user.strip()},
    )
    cursor.unregister("learned")
    return [int(number) for number in learned["description_id"]]


# ---- what would be ------------------------------------------------------------------------------------------------------


def _look(store: Store, applicant_id: str, champion: Model | None) -> tuple[dict[str, Any], Prediction | None]:
    """Compute an applicant's features as the next score would, and that score where there is a champion."""
    features.build(store, user=PREVIEW, applicant_ids=[applicant_id])
    row = features.one(store, applicant_id) or {}
    if champion is None:
        return row, None
    (scored,) = scoring.score_applicants(store, [applicant_id], user=PREVIEW, channel="preview", keep=False, using=champion)
    return row, scored


def _change(feature: Feature, before: Any, after: Any) -> Change:
    return Change(feature.name, feature.title, before, after, *feature.contrast(before, after))


def _same(before: Any, after: Any) -> bool:
    return bool(before == after or (before != before and after != after))  # noqa: PLR0124  (NaN differs from itself)


def _brief(made: Prediction | None) -> dict[str, Any] | None:
    names = ("pd", "score", "band", "recommendation", "model_id", "is_proxy")
    return None if made is None else {name: getattr(made, name) for name in names}
