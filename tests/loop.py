"""What feedback is worth: the review loop played through where the truth is known, printed as a table.

`python -m tests.loop` (or `make loop`) invents a bank, labels it once well and once badly, lets reviewers who are wrong one time in ten
judge the cases that the queue proposes, and learns three ways from what they say. Nothing here weighs a label or judges a proxy:
`labels.together` and `quality.of_clusters` do.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from creditrisk import clusters, demo, features, labels, metrics, pipeline, quality, reviews, synthetic
from creditrisk import store as stores
from creditrisk.algorithms import FITS
from creditrisk.design import encode
from creditrisk.index import risk_index, signed_z
from creditrisk.schema import Schema
from creditrisk.settings import Labels, Policy, Reviews, load

REVIEWS = (0, 30, 60, 120, 240)
WRONG = 0.1  # of what reviewers say
WAYS = ("this loop", "verified only", "plain override")
TEST = 0.35  # of the applicants, whose truth nobody is told and on whom everything is measured
FIRST = 31  # the seed of the first bank; what proxies weigh was settled on banks 11 to 13 and 21 to 23
NOTHING = 0.5  # the AUC of knowing nothing
CUTOFF = float(np.log(Policy.margin / Policy.lgd))  # the log-odds of margin / (margin + lgd)
Ranks = Callable[[DataFrame], NDArray[np.float64]]
HEAD = f"{'proxy':<6}{'reviews':>8}   {'this loop':<21}{'verified only':<21}{'plain override':<21}{'loop − verified':<26}loop − override"


@dataclass(frozen=True)
class World:
    """Applicants with their features (`applicant_id` among them), the truth, and proxy labels by name."""

    table: DataFrame
    bad: NDArray[np.bool_]
    proxies: Mapping[str, NDArray[np.bool_]]
    schema: Schema


def play(world: World, proxy: str, seed: int, counts: Sequence[int] = REVIEWS) -> dict[int, dict[str, float]]:
    """Return the AUC against the truth of each way of learning after so many reviews, on applicants nobody reviewed.

    The cases come from `reviews.draw`, by the model this loop has at the time, so that all three ways learn from the same verdicts.
    """
    random = np.random.default_rng(seed)
    tested = random.random(len(world.table)) < TEST
    pool, truth, test = world.table[~tested].reset_index(drop=True), world.bad[~tested], world.table[tested]
    called = world.proxies[proxy][~tested]
    proxies, doubts = _members(pool, called, "cluster"), fails(world.table, world.proxies[proxy], world.schema)
    waiting = DataFrame({"prediction_id": np.arange(len(pool)).astype(str), "amount": random.lognormal(9, 0.6, len(pool)), "n_verdicts": 0})
    said, margin = np.zeros(len(pool), dtype=bool), np.zeros(len(pool))
    judged: list[int] = []
    found = {}
    for count in counts:
        waiting = waiting.assign(distance=np.abs(margin - CUTOFF), disagrees=called != (margin >= CUTOFF), is_suspect=False)
        while len(judged) < count:
            drawn = reviews.draw(waiting.drop(index=judged), replace(Reviews(), seed=seed), len(judged))
            assert drawn is not None
            judged.append(int(drawn[0]))
            said[judged[-1]] = truth[judged[-1]] ^ (random.random() < WRONG)
        verified = _members(pool.iloc[judged], said[judged], "review")
        usable = [proxies] if judged or not doubts else []  # nobody may promote what learned from failing labels alone
        weighed = {
            "this loop": labels.together([verified, *usable], labels.PROXY_MASS, doubts),
            "verified only": labels.together([verified], 0),
            "plain override": labels.together([verified, proxies], 1).assign(weight=1.0),
        }
        learned = {way: _fitted(pool, rows, world.schema, seed) for way, rows in weighed.items()}
        margin = learned["this loop"](pool) if learned["this loop"] else margin
        found[count] = {way: metrics.auc(world.bad[tested], ranks(test)) if ranks else NOTHING for way, ranks in learned.items()}
    return found


def fails(table: DataFrame, called: NDArray[np.bool_], schema: Schema) -> list[str]:
    """Return the checks that a label fails which anybody can put it to before a single verdict; a rule is found again as it was."""
    used = schema.index_features
    index = risk_index(table, used)
    two = clusters.Clusters(2, np.zeros((2, 0)), called.astype(np.int64), 0.0, float(called.mean()), 0.0, 0.0, 1.0)
    rows = DataFrame({"segment": called.astype(int)}, dtype="Int32")
    return quality.failed(quality.of_clusters(table, rows, replace(two, gap=clusters.gap_of(index, two)), used))


def _members(table: DataFrame, bad: NDArray[np.bool_], source: str) -> DataFrame:
    rows = DataFrame({"snapshot_id": 1, "applicant_id": table["applicant_id"].to_numpy(), "source": source, "bad": bad})
    return rows.assign(segment=None, risk_index=0.0, weight=1.0).astype({"segment": "Int32", "bad": "boolean"})


def _fitted(table: DataFrame, rows: DataFrame, schema: Schema, seed: int) -> Ranks | None:
    """Return what a logistic regression learns from these labels, as trainings fit it; None where they are too few to learn from."""
    known = rows[rows["bad"].notna()]
    if min(known["bad"].sum(), (~known["bad"]).sum()) < 2:
        return None
    frame = table.set_index("applicant_id").loc[known["applicant_id"]].reset_index()
    lesson, read = pipeline.teach("logistic", frame, known["bad"].to_numpy(float), known["weight"], schema, config=pipeline.Fitting(seed))
    estimator = FITS["logistic"](lesson)
    return lambda asked: estimator.raw(encode(asked, read, lesson.columns))  # calibration would change no rank


def table(worlds: Sequence[World], seeds: Sequence[int], counts: Sequence[int] = REVIEWS) -> DataFrame:
    """Play every proxy of every world with every seed; one row per proxy and number of reviews.

    Columns: proxy, reviews, of each way its mean AUC with _low and _high, and of this loop less each other way the mean difference with
    _low and _high: 95 % intervals over the plays, each of which compares the ways on the same verdicts and the same applicants.
    """
    rows = []
    for proxy in worlds[0].proxies:
        plays = [play(world, proxy, seed, counts) for world in worlds for seed in seeds]
        for count in counts:
            areas = {way: np.array([found[count][way] for found in plays]) for way in WAYS}
            line: dict[str, object] = {"proxy": proxy, "reviews": count}
            for way in WAYS:
                line |= _interval(way, areas[way])
            for way in WAYS[1:]:
                line |= _interval(f"less {way}", areas["this loop"] - areas[way])
            rows.append(line)
    return DataFrame(rows)


def _interval(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return {name: values.mean(), f"{name}_low": values.mean() - half, f"{name}_high": values.mean() + half}


def told(found: DataFrame) -> str:
    """Return the table as it is printed."""
    lines = [HEAD]
    for row in found.to_dict("records"):
        cells = [f"{row[way]:.3f} ({row[f'{way}_low']:.3f}–{row[f'{way}_high']:.3f})" for way in WAYS]
        parts = [f"{row[f'less {way}']:+.3f} ({row[f'less {way}_low']:+.3f} … {row[f'less {way}_high']:+.3f})" for way in WAYS[1:]]
        shown = "".join(f"{cell:<21}" for cell in cells)
        lines.append(f"{row['proxy']:<6}{row['reviews']:>8}   {shown}{parts[0]:<26}{parts[1]}".replace("-", "−"))
    return "\n".join(lines)


def bank(applicants: int, seed: int, folder: Path) -> World:
    """Return an invented bank: what was known of everybody before the last quarter, who goes bad, and three labels nobody verified."""
    settings = replace(load(), data=folder / "data", models=folder / "models")
    with closing(stores.open_workspace(settings)) as store:
        summary = demo.fill(store, applicants=applicants, seed=seed)
        members, schema = labels.members(store, summary["label_set_id"]).dropna(subset="bad"), store.schema
        known = features.table(store, int(members["snapshot_id"].iloc[0])).merge(members[["applicant_id", "bad"]], on="applicant_id")
    drawn = synthetic.bank(demo.world(), applicants, seed)
    truth = drawn.truth.set_index("applicant_id")["bad"].loc[known["applicant_id"]].to_numpy(bool)
    proxies = {
        "bad": by_money(known, schema, seed),
        "good": known["nsf_returned_count_365d"].fillna(0).to_numpy() > 0,  # a returned payment within the year
        "best": known["bad"].to_numpy(bool),  # the label of the last quarter, from which the demo bank learns
    }
    return World(known.drop(columns="bad"), truth, proxies, schema)


def by_money(table: DataFrame, schema: Schema, seed: int) -> NDArray[np.bool_]:
    """Return the label of a project that clusters sums of money as they are and calls the group that stands out the risky one."""
    money = [feature for feature in schema.predictors if feature.unit == "money" and table[feature.name].nunique() > 1]
    z = signed_z(table, [replace(feature, risk=1) for feature in money])
    return clusters.scan(z.to_numpy(float), Labels(bootstraps=5, seed=seed), 3)[0].risky


def main(arguments: list[str]) -> int:
    """Print the table: `[applicants [banks [plays]]]`."""
    applicants, banks, plays = (int(word) for word in [*arguments, *("1200", "3", "10")[len(arguments) :]])
    with tempfile.TemporaryDirectory() as folder:
        worlds = [bank(applicants, FIRST + number, Path(folder) / str(number)) for number in range(banks)]
    sizes = " and ".join(f"{len(world.table):,} applicants ({int(world.bad.sum()):,} go bad)" for world in worlds)
    lines = [f"{sizes}; {plays} plays of each; reviewers wrong {100 * WRONG:.0f} % of the time; AUC against the truth, 95 % intervals"]
    for name in worlds[0].proxies:
        area = np.mean([metrics.auc(world.bad, world.proxies[name].astype(float)) for world in worlds])
        wrong = dict.fromkeys(check for world in worlds for check in fails(world.table, world.proxies[name], world.schema))
        lines.append(f"the {name} proxy itself ranks the truth with AUC {area:.3f}; checks it fails: {', '.join(wrong) or 'none'}")
    sys.stdout.write("\n".join([*lines, "", told(table(worlds, range(plays))), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
