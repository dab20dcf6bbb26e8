"""Invented applicants beside the real ones: as many as asked for, marked for ever, never among those that anything is measured on.

Their figures lie in a table of their own, `invented`, which no reading of applicants touches: profiles, labels' quality, scores and
test parts see real people only. Removing them empties it; the register `synthetic` keeps who was never real.
"""

from dataclasses import dataclass

import numpy as np
from pandas import DataFrame, Series, concat

from creditrisk import copula, features, formula, stability
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store, now, quoted

LEAST = 50  # real applicants below which nothing can be said of how columns go together
MOST = 1_000_000


@dataclass(frozen=True)
class Likeness:
    """How like the real applicants the invented ones are.

    `columns` has a row per feature: name, title, psi, ks (largest distance of the distributions; of choices half the sum of the
    differences), missing_real, missing_invented (shares). `pairs` has a row for every two of them: one, other (titles), real, invented
    (Spearman's rank correlation), the most changed first.
    """

    n_real: int
    n_invented: int
    columns: DataFrame
    pairs: DataFrame

    @property
    def change(self) -> float:
        """The largest change of a rank correlation, whichever way; 0 where there are no two columns."""
        return float((self.pairs["invented"] - self.pairs["real"]).abs().max()) if len(self.pairs) else 0.0

    @property
    def sentence(self) -> str:
        """The measure in words."""
        worst = self.columns.sort_values("ks", kind="stable").iloc[-1]
        of = f" ({self.pairs['one'].iloc[0]} with {self.pairs['other'].iloc[0]})" if len(self.pairs) else ""
        return (
            f"The distribution furthest from the real one is that of {worst['title']} (KS {worst['ks']:.3f}, PSI {worst['psi']:.3f}); "
            f"no rank correlation changed by more than {self.change:.3f}{of}."
        )


def invent(store: Store, to: int, *, user: str, seed: int = 11) -> int:
    """Invent applicants until there are `to` with the real ones of the newest snapshot; returns how many were new.

    Those modelled on an older snapshot are replaced. Raises NothingYet, NotEnoughData and InvalidInput.
    """
    snapshot_id = features.latest_snapshot(store)
    if snapshot_id is None:
        raise NothingYet("There are no applicants to be modelled on: import a table, or compute the features of statements.")
    real = features.table(store, snapshot_id)
    kept = store.value("select count(*) from invented where snapshot_id = $id", id=snapshot_id)
    if len(real) < LEAST:
        raise NotEnoughData(f"{len(real)} real applicants are too few to learn from how columns go together; at least {LEAST} are needed.")
    if not len(real) + kept < to <= MOST:
        raise InvalidInput(f"There are {len(real):,} real and {kept:,} invented applicants; name more than that, {MOST:,} at most.")
    n, at = to - len(real) - int(kept), now()
    made = _drawn(store.schema, real, n, seed + kept)
    first = store.value("select count(*) from synthetic")
    made.insert(0, "applicant_id", [f"synthetic-{number:07d}" for number in range(first + 1, first + n + 1)])
    made.insert(1, "as_of", real["as_of"].iloc[np.random.default_rng(seed + kept).integers(0, len(real), n)].to_numpy())
    names = ", ".join(quoted(str(name)) for name in made.columns)
    with store.write(user, "augment", "applicant", n=n, to=to, seed=seed, snapshot=snapshot_id) as cursor:
        cursor.execute("delete from invented where snapshot_id <> $id", {"id": snapshot_id})
        cursor.register("made", made)
        cursor.execute(f"insert into invented (snapshot_id, {names}) select $id, {names} from made", {"id": snapshot_id})
        cursor.execute(
            "insert into synthetic select applicant_id, $id, $seed, $at, $user from made",
            {"id": snapshot_id, "seed": seed, "at": at, "user": user},
        )
    return n


def remove(store: Store, *, user: str) -> int:
    """Take every invented applicant out again; returns how many there were. The register of who was invented stays."""
    n = count(store)
    if not n:
        raise NothingYet("There is no invented applicant to remove.")
    with store.write(user, "augment", "applicant", removed=n) as cursor:
        cursor.execute("delete from invented")
    return n


def count(store: Store) -> int:
    """Return how many invented applicants are kept."""
    return int(store.value("select count(*) from invented"))


def table(store: Store, *, with_real: bool = False) -> DataFrame:
    """Return the invented applicants: applicant_id, as_of, every feature, is_synthetic; with the real ones they were modelled on first
    where asked for. Raises NothingYet where there are none."""
    names = ", ".join(quoted(feature.name) for feature in store.schema)
    made = store.read(f"select snapshot_id, applicant_id, as_of, {names} from invented order by applicant_id").copy()
    if made.empty:
        raise NothingYet("There is no invented applicant: make some with `augment --to N`.")
    snapshot_id = int(made["snapshot_id"].iloc[0])
    made = made.drop(columns="snapshot_id").assign(is_synthetic=True)
    if not with_real:
        return made
    return concat([features.table(store, snapshot_id).assign(is_synthetic=False), made], ignore_index=True)


def likeness(store: Store) -> Likeness:
    """Measure the invented applicants against the real ones they were modelled on; raises NothingYet where there are none."""
    both = table(store, with_real=True)
    real, made = both[~both["is_synthetic"]], both[both["is_synthetic"]]
    rows = [(f.name, f.title, *_apart(f, real[f.name], made[f.name])) for f in store.schema]
    words = copula.order(real[[f.name for f in store.schema]])
    before, after = (
        copula.correlations(
            DataFrame({f.name: part[f.name] if f.is_numeric else copula.codes(part[f.name], words[f.name]) for f in store.schema})
        )
        for part in (real, made)
    )
    titles = [feature.title for feature in store.schema]
    first, second = np.triu_indices(len(titles), 1)
    pairs = DataFrame({"one": [titles[place] for place in first], "other": [titles[place] for place in second]})
    pairs = pairs.assign(real=before[first, second], invented=after[first, second])
    furthest = np.argsort(-np.abs(pairs["invented"] - pairs["real"]), kind="stable")
    columns = DataFrame(rows, columns=["name", "title", "psi", "ks", "missing_real", "missing_invented"])
    return Likeness(len(real), len(made), columns, pairs.iloc[furthest].reset_index(drop=True))


def _drawn(schema: Schema, real: DataFrame, n: int, seed: int) -> DataFrame:
    """Draw the figures that are stated, then compute those that have a formula."""
    stated = [feature for feature in schema if not feature.formula]
    made = copula.draw(real[[feature.name for feature in stated]], n, seed)
    for feature in schema:
        if feature.formula:
            made[feature.name] = formula.value(feature.formula, {name: made[name] for name in formula.parts(feature.formula)})
    return made[[feature.name for feature in schema]]


def _apart(feature: Feature, real: Series, made: Series) -> tuple[float, float, float, float]:
    """Return PSI, distance, and the shares without a value."""
    gone = float(real.isna().mean()), float(made.isna().mean())
    if feature.is_numeric:
        before, after = (np.sort(part.dropna().to_numpy(np.float64)) for part in (real, made))
        psi = stability.psi(real.to_numpy(np.float64), made.to_numpy(np.float64))
        if not (len(before) and len(after)):
            return psi, float(len(before) != len(after)), *gone
        steps = np.union1d(before, after)
        ranks = [np.searchsorted(part, steps, side="right") / len(part) for part in (before, after)]
        return psi, float(np.abs(ranks[0] - ranks[1]).max()), *gone
    counts = [part.fillna("").value_counts() for part in (real, made)]
    both = counts[0].index.union(counts[1].index)
    shares = [each.reindex(both, fill_value=0) / each.sum() for each in counts]
    return stability.psi_of_counts(shares[0], shares[1]), float((shares[0] - shares[1]).abs().sum() / 2), *gone
