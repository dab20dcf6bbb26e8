"""A model's explanations as files: the contributions of every test row as they were kept with it, and pictures made of them.

Nothing here is computed anew but partial dependence: the pictures show the figures that were checked when the model was fitted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pandas import DataFrame

from creditrisk import labels, pictures, registry
from creditrisk.errors import InvalidInput
from creditrisk.pipeline import Pipeline
from creditrisk.schema import Feature
from creditrisk.store import Store

STEPS, ROWS = 30, 400  # values tried and applicants asked for partial dependence
MOST = 100  # waterfalls and dependence pictures at most


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
