"""What the ML-ready table holds, column by column: how values lie, what is missing, how outcomes go with them; and its export.

Everything is read off one snapshot. Rates come with the number of outcomes behind them and an interval; without outcomes there are none.
"""

from dataclasses import asdict
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series, factorize

from creditrisk import cells, features, metrics, policy, rows, schema
from creditrisk.errors import InvalidInput
from creditrisk.schema import Feature, Schema
from creditrisk.store import CONFIG, Store, now

Numbers = NDArray[Any]
BINS = 10
FEW = 12  # up to so many different numbers have a bin each
MISSING = "not known"
TOGETHER = 0.1  # rank correlations below say nothing worth a line
RANKED = 20_000  # applicants whose ranks are compared at most
TWINS = "the same figures twice"
PERFORMANCE_DAYS = 365  # a loan younger than this may still go bad: its silence is no good outcome


def columns(store: Store, snapshot_id: int | None = None) -> DataFrame:
    """Return one row per declared feature: name, title, type, role, unit, n, missing (share), distinct, codes (those that
    mean a missing value), lowest, typical, highest (as said), outside (values beyond what is declared), iv and auc (against outcomes; NaN
    without any), n_outcomes.

    `typical` is the median of numbers and the most frequent choice. Raises NothingYet without features.
    """
    table = features.table(store, snapshot_id)
    bad = _outcomes(store, table, snapshot_id)
    return DataFrame([_about(feature, table[feature.name], bad) for feature in store.schema])


def bins(store: Store, name: str, snapshot_id: int | None = None) -> DataFrame:
    """Return one feature's values in bins, in order, `not known` last: bin, low, high, n, share, n_outcomes, n_bad, bad_rate, rate_low,
    rate_high (95 %, Wilson), woe. Numbers lie in [low, high); choices and single numbers have low = high = NaN or the number.

    Raises UnknownThing for a feature nobody declared.
    """
    feature = store.schema[name]
    table = features.table(store, snapshot_id)
    return _binned(feature, table[name], _outcomes(store, table, snapshot_id))


def members(store: Store, name: str, bin: str, snapshot_id: int | None = None, limit: int = 500) -> DataFrame:
    """Return the applicants whose value of a feature lies in a bin (as `bins` calls it): applicant_id, as_of, every feature."""
    feature = store.schema[name]
    table = features.table(store, snapshot_id)
    place, edges = _placed(feature, table[name])
    names = [*edges, MISSING]
    if bin not in names:
        raise InvalidInput(f"{feature.title} has no bin {bin!r}; it has {', '.join(names)}.")
    chosen: DataFrame = table[place == names.index(bin)].head(limit).reset_index(drop=True)
    return chosen


def doubts(store: Store, snapshot_id: int | None = None) -> DataFrame:
    """Return what somebody should look at, one row each: doubt (its name for `doubtful`), what (in words), n (applicants); none is empty.

    Applicants who have every figure of another one, and values beyond what the schema allows.
    """
    table = features.table(store, snapshot_id)
    found = [(TWINS, "every figure is that of another applicant, under another id", int(_twins(store.schema, table).notna().sum()))]
    for feature in store.schema:
        what = f"{feature.title} is beyond what the schema allows ({_may_be(feature)})"
        found.append((feature.name, what, int(_beyond(feature, table[feature.name]).sum())))
    return DataFrame([row for row in found if row[2]], columns=["doubt", "what", "n"])


def doubtful(store: Store, doubt: str, snapshot_id: int | None = None, limit: int = 500) -> DataFrame:
    """Return the applicants of one doubt: twin (the same number for those alike; only of twins), applicant_id, as_of, every feature."""
    table = features.table(store, snapshot_id)
    if doubt != TWINS:
        chosen: DataFrame = table[_beyond(store.schema[doubt], table[doubt])].head(limit).reset_index(drop=True)
        return chosen
    group = _twins(store.schema, table)
    known = group.notna()
    found = table[known].assign(twin=group[known].astype(int), n=group[known].map(group.value_counts()))
    found = found.sort_values(["n", "twin"], ascending=[False, True], kind="stable").head(limit)
    found.insert(0, "twin", found.pop("twin").factorize()[0] + 1)
    return found.drop(columns="n").reset_index(drop=True)


def _twins(known: Schema, table: DataFrame) -> Series:
    """Return a number for each applicant that those with the very same figures share, NaN for all others and for who has no figure."""
    names = [feature.name for feature in known]
    left = np.flatnonzero(table[names].notna().any(axis=1))
    group = np.zeros(len(left), np.int64)
    for name in names:  # who is alone in what was looked at so far is nobody's twin: few are left after some figures
        codes, different = table[name].iloc[left].factorize(use_na_sentinel=False)
        _, group, n = np.unique(group * len(different) + codes, return_inverse=True, return_counts=True)
        left, group = left[n[group] > 1], group[n[group] > 1]
    return Series(factorize(group)[0], index=table.index[left], dtype=float).reindex(table.index)


def maturity(store: Store, snapshot_id: int | None = None) -> DataFrame:
    """Return how far outcomes have come, by the half-year of the day the figures describe (one row `no day` where none is stated).

    Columns: cohort, n, n_outcomes, n_bad, n_early (outcomes known already on that day, which count nowhere), n_young (without an
    outcome, and the day less than `PERFORMANCE_DAYS` ago), n_open (without one, long enough ago), bad_rate, rate_low, rate_high
    (95 %, Wilson), days (median from the day to the outcome).
    """
    chosen = features.latest_snapshot(store) if snapshot_id is None else snapshot_id
    found = store.read(
        """select
            case when applicant.as_of is null then 'no day'
                else year(applicant.as_of) || if(month(applicant.as_of) <= 6, ' H1', ' H2') end as cohort,
            count(*)::integer as n,
            count(usable.observed_bad)::integer as n_outcomes,
            count(*) filter (where usable.observed_bad)::integer as n_bad,
            count(*) filter (where stated.observed_bad is not null and usable.observed_bad is null)::integer as n_early,
            count(*) filter (where stated.observed_bad is null and applicant.as_of > $today::date - $days)::integer as n_young,
            count(*) filter (where stated.observed_bad is null)::integer - n_young as n_open,
            median(date_diff('day', applicant.as_of, usable.observed_on)) as days
        from applicant
        left join outcome_current as stated using (applicant_id)
        left join outcome_of_snapshot as usable on usable.applicant_id = applicant.applicant_id and usable.snapshot_id = $id
        where applicant.snapshot_id = $id
        group by cohort
        order by cohort""",
        id=chosen,
        today=now().date(),
        days=PERFORMANCE_DAYS,
    )
    ends = [metrics.wilson(k, n) for k, n in zip(found["n_bad"], found["n_outcomes"], strict=True)]
    rate = found["n_bad"] / found["n_outcomes"].where(found["n_outcomes"] > 0)
    return found.assign(bad_rate=rate, rate_low=[low for low, _ in ends], rate_high=[high for _, high in ends])


def related(store: Store, snapshot_id: int | None = None, most: int = 30) -> DataFrame:
    """Return the strongest rank correlations between numeric features of different concepts: one, other, correlation (Spearman,
    `TOGETHER` at least), n; strongest first. Of two concepts the strongest pair stands for all, for windows of one figure say nothing.

    Of more than `RANKED` applicants as many are drawn, the same at every call: a correlation is then off by 0.014 at most, 19 times in 20.
    """
    table = features.table(store, snapshot_id)
    if len(table) > RANKED:
        table = table.sample(RANKED, random_state=len(table))
    names = [feature.name for feature in store.schema if feature.is_numeric and table[feature.name].nunique() > 1]
    ranks = table[names].rank().to_numpy(np.float64)
    known = np.isfinite(ranks)
    found = DataFrame(ranks, columns=names).corr(min_periods=30).to_numpy()
    concepts = [store.schema[name].concept or name for name in names]
    above = zip(*np.nonzero(np.triu(np.isfinite(found), 1)), strict=True)
    apart = (pair for pair in above if concepts[pair[0]] != concepts[pair[1]] and abs(found[pair]) >= TOGETHER)
    ordered = sorted(apart, key=lambda pair: -abs(found[pair]))
    first = {frozenset((concepts[i], concepts[j])): (i, j) for i, j in reversed(ordered)}
    strongest = sorted(first.values(), key=lambda pair: -abs(found[pair]))[:most]
    pairs = [(names[i], names[j], float(found[i, j]), int((known[:, i] & known[:, j]).sum())) for i, j in strongest]
    return DataFrame(pairs, columns=["one", "other", "correlation", "n"])


def describe(store: Store) -> DataFrame:
    """Return the data dictionary: every key of every declared feature as the schema has it, lists as text."""
    declared = [{key: _text(value) for key, value in asdict(feature).items()} for feature in store.schema]
    return DataFrame(declared)


def template(store: Store) -> DataFrame:
    """Return a table to fill in for scoring: applicant_id, as_of and every column a model or the policy reads, with one example row.

    The example is the workspace's typical applicant where there are any, else the least of what is allowed; what is unknown is empty.
    """
    held = features.latest_snapshot(store)
    table = features.table(store, held) if held is not None else None
    examples = {name: _example(store.schema[name], None if table is None else table[name]) for name in _to_give(store)}
    return DataFrame([{"applicant_id": "example", "as_of": None, **examples}])


def allowed(store: Store) -> DataFrame:
    """Return what may stand in each column of the template: column, title, what (in words), unit, empty (codes that mean it), meaning."""
    first = [
        ("applicant_id", "Applicant", "a name of your own; left empty, the score is kept under its own number", "", "", ""),
        ("as_of", "As of", "the day the figures describe, like 2026-01-31; may stay empty", "", "", ""),
    ]
    named = [store.schema[name] for name in _to_give(store)]
    said = [(f.name, f.title, _may_be(f), f.unit, ", ".join(f.missing), f.meaning) for f in named]
    return DataFrame([*first, *said], columns=["column", "title", "what", "unit", "empty", "meaning"])


def _to_give(store: Store) -> list[str]:
    """Return the columns that a score with a recommendation needs, in declared order."""
    wanted = {*rows.needed(store.schema), *(feature.name for feature in policy.read(store.settings.policy, store.schema))}
    return [feature.name for feature in store.schema if feature.name in wanted]


def as_csv(frame: DataFrame) -> bytes:
    """Return a table as a CSV file that a spreadsheet shows and does not calculate."""
    return cells.harmless(frame).to_csv(index=False).encode("utf-8-sig")


def write_template(store: Store, target: Path) -> Path:
    """Write the template to a .csv, and what is allowed to FILE.columns.csv beside it, whose path is returned."""
    beside = target.with_suffix(".columns.csv")
    for frame, file in ((template(store), target), (allowed(store), beside)):
        part = file.with_name(f".{file.name}.part")
        part.write_bytes(as_csv(frame))
        part.replace(file)
    return beside


def card(store: Store, applicant_id: str) -> DataFrame:
    """Return one applicant's newest row in words: title, value, role, meaning; no rows where they have none."""
    row = features.one(store, applicant_id) or {}
    said = [(feature.title, feature.say(row.get(feature.name)), feature.role, feature.meaning) for feature in store.schema if row]
    return DataFrame(said, columns=["title", "value", "role", "meaning"])


def export(store: Store, target: Path, snapshot_id: int | None = None) -> int:
    """Write the ML-ready table to .parquet, .csv or .duckdb, its schema (.toml) and data dictionary (.dictionary.csv) beside it, or inside
    a DuckDB file as tables `applicant`, `dictionary`, `outcome` and `about`. Returns the number of applicants.

    Nothing half-written stays. Raises InvalidInput for another kind of file.
    """
    table = features.table(store, snapshot_id)
    kind = target.suffix.lower()
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    if kind in (".parquet", ".pq"):
        table.to_parquet(part, index=False)
    elif kind == ".csv":
        cells.harmless(table).to_csv(part, index=False)
    elif kind == ".duckdb":
        _into_duckdb(store, table, part)
    else:
        raise InvalidInput(f"{target} should end in .parquet, .csv or .duckdb.")
    part.replace(target)
    if kind != ".duckdb":
        target.with_suffix(".schema.toml").write_text(schema.dump(store.schema), encoding="utf-8")
        cells.harmless(describe(store)).to_csv(target.with_suffix(".dictionary.csv"), index=False)
    return len(table)


def packed(store: Store, kind: str, snapshot_id: int | None = None) -> bytes:
    """Return the export as one file to take away: a DuckDB file as it is, of `.parquet` and `.csv` a zip of all three files."""
    with TemporaryDirectory() as aside:
        target = Path(aside) / f"applicants{kind}"
        export(store, target, snapshot_id)
        if kind == ".duckdb":
            return target.read_bytes()
        made = BytesIO()
        with ZipFile(made, "w", ZIP_DEFLATED) as folder:
            for file in sorted(Path(aside).iterdir()):
                folder.write(file, file.name)
        return made.getvalue()


def _into_duckdb(store: Store, table: DataFrame, part: Path) -> None:
    import duckdb

    about = DataFrame([{"schema": store.schema.name, "fingerprint": store.schema.fingerprint, "written_at": now()}])
    outcomes = store.read("select applicant_id, observed_bad, observed_on from outcome_current order by applicant_id")
    with duckdb.connect(str(part), config=CONFIG) as made:
        made.execute("set enable_external_access = false; set lock_configuration = true")
        for name, frame in {"applicant": table, "dictionary": describe(store), "outcome": outcomes, "about": about}.items():
            made.register("frame", frame)
            made.execute(f"create table {name} as select * from frame")
            made.unregister("frame")


def _example(feature: Feature, column: Series | None) -> object:
    known = None if column is None else column.dropna()
    if known is None or known.empty:
        return feature.choices[0] if feature.choices else max(feature.low or 0, min(0, feature.high or 0))
    if not feature.is_numeric:
        return str(known.mode().iloc[0])
    middle = float(known.median())
    return round(middle) if feature.type in ("integer", "flag") else middle


def _may_be(feature: Feature) -> str:
    """Say what a feature's values may be, as its checks hold it.

    >>> _may_be(Feature("n", "N", "integer", low=0, high=10)), _may_be(Feature("home", "Home", "choice", choices=("own", "rent")))
    ('a whole number from 0 to 10', 'one of: own; rent')
    """
    if feature.type == "choice":
        also = f" (or {', '.join(feature.spellings)}, put right)" if feature.spellings else ""
        return f"one of: {'; '.join(feature.choices)}{also}"
    if feature.type == "flag":
        return "1 for yes, 0 for no"
    low, high = ("" if end is None else f"{end:g}" for end in (feature.low, feature.high))
    span = f" from {low} to {high}" if low and high else f" from {low} on" if low else f" up to {high}" if high else ""
    return f"a {'whole ' if feature.type == 'integer' else ''}number{span}"


def _outcomes(store: Store, table: DataFrame, snapshot_id: int | None) -> Numbers:
    """Return 1 (bad), 0 (good) or NaN for every applicant of a snapshot's table; what was known on the day of the figures is none."""
    chosen = features.latest_snapshot(store) if snapshot_id is None else snapshot_id
    known = store.read("select applicant_id, observed_bad::integer as bad from outcome_of_snapshot where snapshot_id = $id", id=chosen)
    return table[["applicant_id"]].merge(known, on="applicant_id", how="left")["bad"].to_numpy(np.float64, na_value=np.nan)


def _about(feature: Feature, column: Series, bad: Numbers) -> dict[str, Any]:
    known = column.dropna()
    row: dict[str, Any] = {key: getattr(feature, key) for key in ("name", "title", "type", "role", "unit")}
    row |= {"n": len(column), "missing": 1 - len(known) / len(column), "distinct": int(known.nunique()), "outside": 0}
    row["codes"] = ", ".join(feature.missing)
    row |= dict.fromkeys(("lowest", "typical", "highest"), "")
    if len(known):
        if feature.is_numeric:
            ends = {"lowest": known.min(), "typical": known.median(), "highest": known.max()}
            row |= {end: feature.say(float(value)) for end, value in ends.items()}
            row["outside"] = int(_beyond(feature, column).sum())
        else:
            row["typical"] = str(known.mode().iloc[0])
    judged = np.isfinite(bad)
    row |= {"iv": np.nan, "auc": np.nan, "n_outcomes": int(judged.sum())}
    if 0 < np.nansum(bad) < judged.sum():
        found = _binned(feature, column, bad)
        row["iv"] = metrics.woe(found["n_outcomes"] - found["n_bad"], found["n_bad"])[1]
        values = column.map(found.set_index("bin")["woe"]) if not feature.is_numeric else column
        both = judged & values.notna().to_numpy()
        area = metrics.auc(bad[both], values.to_numpy(np.float64, na_value=np.nan)[both])
        row["auc"] = max(area, 1 - area)
    return row


def _beyond(feature: Feature, column: Series) -> Series:
    """Say which values lie beyond the declared bounds, or are no declared choice; a missing one does not."""
    if not feature.is_numeric:
        return column.notna() & ~column.isin(feature.choices)
    low, high = (-np.inf if feature.low is None else feature.low), (np.inf if feature.high is None else feature.high)
    return column.notna() & ((column < low) | (column > high))


def _binned(feature: Feature, column: Series, bad: Numbers) -> DataFrame:
    place, edges = _placed(feature, column)
    names = [*edges, *([MISSING] if (place == len(edges)).any() else [])]
    judged = np.isfinite(bad)
    low, high = ([edges.get(name, (np.nan, np.nan))[end] for name in names] for end in (0, 1))
    n, n_outcomes, n_bad = (np.bincount(place[of], minlength=len(names)) for of in (slice(None), judged, judged & (bad > 0)))
    found = DataFrame({"bin": names, "low": low, "high": high, "n": n, "share": n / max(len(column), 1)})
    found = found.assign(n_outcomes=n_outcomes, n_bad=n_bad)
    found["bad_rate"] = found["n_bad"] / found["n_outcomes"].where(found["n_outcomes"] > 0)
    ends = [metrics.wilson(k, n) for k, n in zip(found["n_bad"], found["n_outcomes"], strict=True)]
    found["rate_low"], found["rate_high"] = [low for low, _ in ends], [high for _, high in ends]
    found["woe"] = metrics.woe(found["n_outcomes"] - found["n_bad"], found["n_bad"])[0] if found["n_outcomes"].any() else np.nan
    return found


def _placed(feature: Feature, column: Series) -> tuple[NDArray[np.intp], dict[str, tuple[float, float]]]:
    """Return the number of every value's bin (how many bins there are, where it is not known), and the bins' bounds by name in order."""
    known = column.notna().to_numpy()
    if not feature.is_numeric:
        texts = column[known].astype(str)
        edges = dict.fromkeys(texts.value_counts().index.tolist(), (np.nan, np.nan))
        return _numbered(known, np.arange(len(edges)), Index(edges).get_indexer(texts)), edges
    values = column.to_numpy(np.float64, na_value=np.nan)[known]
    different = np.unique(values)
    if len(different) <= FEW:
        words = [feature.say(float(value), 3) for value in different]
        place, ends = np.searchsorted(different, values), list(zip(different, different, strict=True))
    else:
        whole = feature.type == "integer"
        cuts = np.quantile(values, np.linspace(0, 1, BINS + 1))
        cuts = np.unique(np.ceil(cuts) if whole else cuts)
        place = np.clip(np.searchsorted(cuts, values, side="right") - 1, 0, len(cuts) - 2)
        last = [*(cuts[1:-1] - 1 if whole else cuts[1:-1]), cuts[-1]]  # of whole numbers the next bin's first is not in this one
        said = [(feature.say(float(low), 2), feature.say(float(high), 2)) for low, high in zip(cuts, last, strict=False)]
        words = [low if low == high else f"{low} to {high}" for low, high in said]
        ends = list(pairwise(cuts))
    edges = {word: (float(low), float(high)) for word, (low, high) in zip(words, ends, strict=False)}
    return _numbered(known, np.array([list(edges).index(word) for word in words], np.intp), place), edges


def _numbered(known: NDArray[np.bool_], order: NDArray[np.intp], place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return bins for every value: those of the known ones, in the order of the bins' names, behind all of them for the others."""
    found = np.full(len(known), order.max() + 1 if len(order) else 0, np.intp)
    found[known] = order[place]
    return found


def _text(value: object) -> object:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {item}" for key, item in value.items())
    return value
