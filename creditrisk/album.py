"""A model's explanations: the contributions of every test row as they were kept with it, to look into and as files with pictures.

Nothing here is computed anew but partial dependence: what is shown are the figures that were checked when the model was fitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame, concat, isna

from creditrisk import explain as reasons
from creditrisk import labels, pictures, registry
from creditrisk.errors import InvalidInput, UnknownThing
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Feature, Schema
from creditrisk.store import Store

STEPS, ROWS = 30, 400  # values tried and applicants asked for partial dependence
MOST = 100  # waterfalls and dependence pictures at most
DOTS, SWARMED = 400, 10  # applicants and features of a swarm that a page draws


@dataclass(frozen=True)
class Kept:
    """A model's test rows as they were scored and explained when it was fitted, in one order.

    `scored` has applicant_id, bad, pd, margin (and as_of where there are dates); `values` what was read, `parts` what each feature read
    added to the margin (log-odds), strongest feature first; with `base` they add up to it.
    """

    schema: Schema
    scored: DataFrame
    values: DataFrame
    parts: DataFrame
    base: float

    @property
    def features(self) -> list[Feature]:
        """The features read, strongest first."""
        return [self.schema[str(name)] for name in self.parts]

    @cached_property
    def typical(self) -> dict[str, Any]:
        """The middle of the test rows: the median of numbers, of choices the most frequent."""
        return {feature.name: _middle(feature, self.values[feature.name]) for feature in self.features}

    def place(self, applicant_id: str) -> int:
        """Return where an applicant stands among the rows, the first of several dates; raises UnknownThing."""
        found = np.flatnonzero(self.scored["applicant_id"].to_numpy(str) == applicant_id)
        if not len(found):
            raise UnknownThing("applicant", applicant_id, "Only applicants of the model's test part are explained here.")
        return int(found[0])


def kept(store: Store, model_id: str) -> Kept:
    """Return what was kept of a model's test rows. Raises UnknownThing, and TamperedArtefact for a file that is gone or altered."""
    contributions, declared = registry.table(store, model_id, "contributions"), registry.schema(store, model_id)
    parts = contributions.drop(columns=["applicant_id", "base"])
    order = parts.abs().mean().sort_values(ascending=False, kind="stable").index
    scored, values = registry.table(store, model_id, "test"), tested(store, model_id)
    if not len(scored) == len(parts) == len(values):
        raise InvalidInput(f"{model_id} keeps {len(scored)} test rows and contributions of {len(parts)}: restore its folder from a backup.")
    return Kept(declared, scored, values, parts[order], float(contributions["base"].iloc[0]))


def steps(store: Store, found: Kept, applicant_id: str) -> DataFrame:
    """Return how one test row's risk came about, from everybody's: the columns of `explain.steps`, beside the middle of the test rows."""
    place = found.place(applicant_id)
    values, parts = ({str(name): value for name, value in frame.iloc[place].items()} for frame in (found.values, found.parts))
    return reasons.steps(values, parts, found.schema, found.typical, scale=store.settings.score)


def swarm(found: Kept, most: int = DOTS) -> DataFrame:
    """Return the contributions of the strongest features to some test rows, a dot each.

    Columns: feature, title, said (the value in words), contribution (log-odds), rank (where the value stands among all, 0 to 1; NaN
    for choices and where it is missing), height (-0.4 to 0.4, so that dots of one place lie apart), applicant_id.
    """
    n = len(found.parts)
    rows = np.arange(n) if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))
    who, lines = found.scored["applicant_id"].to_numpy(str)[rows], []
    for feature in found.features[:SWARMED]:
        added, values = found.parts[feature.name].to_numpy(float)[rows], found.values[feature.name]
        rank = pictures.ranks(values)[rows] if feature.is_numeric else np.full(len(rows), np.nan)
        said = [feature.say(None if isna(value) else value) for value in values.iloc[rows]]
        facts = {"feature": feature.name, "title": feature.title, "said": said, "contribution": added, "rank": rank}
        lines.append(DataFrame({**facts, "height": pictures.spread(added), "applicant_id": who}))
    return concat(lines, ignore_index=True) if lines and len(rows) else DataFrame(columns=["title", "contribution"])


def dependence(found: Kept, name: str, most: int = 2_000) -> DataFrame:
    """Return what each value of a feature added to some test rows: value, contribution (log-odds), applicant_id. Raises UnknownThing."""
    if name not in found.parts:
        raise UnknownThing("feature", name, "The model reads others.")
    frame = DataFrame({"value": found.values[name], "contribution": found.parts[name], "applicant_id": found.scored["applicant_id"]})
    return frame if len(frame) <= most else frame.sample(most, random_state=0).sort_index()


def bins(store: Store, model_id: str) -> DataFrame:
    """Return a scorecard's bins with their points on the scale of today (see `explain.card`); raises InvalidInput for another model."""
    return reasons.card(registry.load(store, model_id), store.settings.score)


def _middle(feature: Feature, values: Any) -> Any:
    known = values.dropna()
    if not len(known):
        return None
    return float(known.astype(float).median()) if feature.is_numeric else str(known.mode().iloc[0])


# --- as files --------------------------------------------------------------------------------------------------------


def explain(store: Store, model_id: str, folder: Path, *, plots: int = 3, partials: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Write contributions.parquet and PNG pictures of a model's test rows to `folder`; returns a line per file: kind, file, title.

    Waterfalls show the `plots` riskiest applicants, dependence the `plots` strongest features, partial dependence those asked for.
    Raises UnknownThing, InvalidInput for a feature the model does not read, and TamperedArtefact.
    """
    if not 0 <= plots <= MOST:
        raise InvalidInput(f"Between 0 and {MOST} pictures of a kind are drawn, not {plots}.")
    model = registry.get(store, model_id)
    fitted, contributions = registry.load(store, model_id), registry.table(store, model_id, "contributions")
    read = {feature.name: feature for feature in fitted.features}
    for name in partials:
        if name not in read:
            raise InvalidInput(f"{model_id} does not read {name!r}; it reads {', '.join(read)}.")
    risk = "risk (proxy)" if model["is_proxy"] else "probability of default"
    test, scored = tested(store, model_id), registry.table(store, model_id, "test")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be made: {error.strerror or error}.") from error
    made: list[dict[str, Any]] = []

    def keep(kind: str, name: str, title: str) -> Path:
        made.append({"kind": kind, "file": str(folder / name), "title": title})
        return folder / name

    kept = keep("contributions", "contributions.parquet", f"Contributions of {len(contributions):,} test rows")
    contributions.to_parquet(kept, index=False)
    parts = contributions[list(read)]
    order = list(parts.abs().mean().sort_values(ascending=False, kind="stable").index)
    if plots and len(parts):
        pictures.bars(keep("summary", "summary_bars.png", "Mean size of contributions"), parts, fitted.features, risk)
        pictures.beeswarm(keep("summary", "summary_beeswarm.png", "Contribution of every applicant"), parts, test, fitted.features, risk)
    for number, place in enumerate(np.argsort(-scored["margin"].to_numpy(float), kind="stable")[:plots], 1):
        who, pd = str(scored["applicant_id"].iloc[place]), float(scored["pd"].iloc[place])
        title = f"{who}: {risk} {100 * pd:.1f} %"
        file = keep("waterfall", f"waterfall_{number:03}.png", title)
        row = {str(name): value for name, value in test.iloc[place].items()}
        pictures.waterfall(file, dict(parts.iloc[place]), float(contributions["base"].iloc[place]), row, fitted.features, title=title)
    for number, name in enumerate(order[:plots], 1):
        feature = read[str(name)]
        pictures.dependence(keep("dependence", f"dependence_{number:03}.png", feature.title), parts[name], test[name], feature)
    for number, name in enumerate(partials, 1):
        file = keep("partial dependence", f"partial_{number:03}.png", read[name].title)
        pictures.partial(file, partial(fitted, test, read[name]), read[name], risk)
    return made


def tested(store: Store, model_id: str) -> DataFrame:
    """Return the features of a model's test rows, in the order of its table 'test'."""
    scored = registry.table(store, model_id, "test")
    table = labels.training_set(store, registry.get(store, model_id)["label_set_id"], unlabelled=True)
    keys = [name for name in ("applicant_id", "as_of") if name in scored.columns]
    for frame in (scored, table):
        if "as_of" in keys:
            frame["as_of"] = frame["as_of"].astype("datetime64[s]")
    return scored[keys].merge(table.drop_duplicates(keys), on=keys, how="left", validate="many_to_one")


def partial(fitted: Pipeline, frame: DataFrame, feature: Feature) -> DataFrame:
    """Return the risk of some rows with one feature set to each of several values: value, row (0 …), pd; lowest value first.

    Values of a number are quantiles of the rows', those of a choice all that the rows hold.
    """
    rows = frame.iloc[np.sort(np.random.default_rng(0).permutation(len(frame))[:ROWS])].reset_index(drop=True)
    known = frame[feature.name].dropna()
    if not len(known):
        raise InvalidInput(f"{feature.title} is missing in every test row, so nothing can be said of its values.")
    values = np.unique(np.quantile(known.to_numpy(float), np.linspace(0.01, 0.99, STEPS))) if feature.is_numeric else sorted(set(known))
    lines = [
        DataFrame({"value": value, "row": np.arange(len(rows)), "pd": fitted.prob_default(rows.assign(**{feature.name: value}))})
        for value in values
    ]
    return DataFrame({name: np.concatenate([line[name] for line in lines]) for name in ("value", "row", "pd")})
