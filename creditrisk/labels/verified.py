"""Labels that somebody or something has verified: what really happened, what accepted verdicts say, and both beside proxies.

Of one applicant an outcome outweighs a verdict, and either every proxy.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from pandas import DataFrame, concat

from creditrisk import features, policy, quality
from creditrisk import store as stores
from creditrisk.cohorts import LONGEST, Cohort
from creditrisk.errors import InvalidInput, NotEnoughData, NothingYet
from creditrisk.labels import mass
from creditrisk.labels.mass import PROXY_MASS, Mass
from creditrisk.labels.shelf import (
    MEMBERS,
    PROXIES,
    LabelSet,
    digest,
    get,
    groups_of,
    keep,
    outcomes,
    outcomes_after,
    risk_index,
    rows_of,
    snapshot_of,
)
from creditrisk.quality import Gate, Held
from creditrisk.settings import Policy
from creditrisk.store import Store


def observed(store: Store, *, user: str, rule: int | None = None, snapshot_id: int | None = None) -> LabelSet:
    """Label a snapshot's applicants by what really happened to their loans; those without an outcome are left out.

    `rule` = days past due from which a loan counts as bad, where outcomes say how many; None takes the outcome as recorded.
    An outcome known on or before the day the features end is left out: they could have read it.
    Raises NotEnoughData unless outcomes of both kinds are there.
    """
    snapshot = snapshot_of(store, snapshot_id)
    table = features.table(store, snapshot).assign(snapshot_id=snapshot)
    happened = outcomes(store) if rule is None else _in_arrears(store, rule)
    known = table[["applicant_id", "as_of"]].merge(happened, on="applicant_id")
    early = known["observed_on"].notna() & (known["observed_on"] <= known["as_of"])
    what = f"outcomes are recorded{_left_out(int(early.sum()))}"
    return _verified(store, "observed", table, known[~early], user=user, what=what, about={"rule": rule})


def reviewed(store: Store, *, user: str, snapshot_id: int | None = None) -> LabelSet:
    """Label a snapshot's applicants by the verdicts on labels that an inspector has accepted.

    Raises NothingYet while verdicts are not inspected here, NotEnoughData unless accepted ones of both kinds are there.
    """
    if not store.value("select count(*) from inspection_current where status = 'accepted'"):
        raise NothingYet("Verdicts become labels once somebody has inspected and accepted them; none has been inspected yet.")
    snapshot = snapshot_of(store, snapshot_id)
    table = features.table(store, snapshot).assign(snapshot_id=snapshot)
    said = table[["applicant_id"]].merge(judged(store), on="applicant_id")
    rests = store.record(
        """select count(*) as n_verdicts, count(distinct reviewed_by) as n_reviewers, count(distinct inspected_by) as n_inspectors,
            max(inspected_at) as inspected_until
        from verdict where status = 'accepted' and about = 'label' and verdict in ('correct', 'incorrect')"""
    )
    what = "accepted verdicts on labels say what an applicant is"
    return _verified(store, "review", table, said, user=user, what=what, about={"rests_on": rests})


def combine(store: Store, label_set_ids: Sequence[str], *, user: str, proxy_mass: float = PROXY_MASS) -> LabelSet:
    """Put label sets together, as `together` does. The set passes where every proxy set in it has, and verified labels are enough.

    Raises InvalidInput for fewer than two sets, a set of another schema, or a mass outside its range.
    """
    chosen = [get(store, name) for name in dict.fromkeys(label_set_ids)]
    if len(chosen) < 2:
        raise InvalidInput("Two label sets at least are put together; name each once.")
    doubts = mass.of_all(store, chosen)
    rows = together([rows_of(store, each) for each in chosen], proxy_mass, doubts)
    return keep(store, _combined(chosen, rows, proxy_mass, doubts, user), rows)


def taught(store: Store, label_set_id: str, *, user: str, proxy_mass: float = PROXY_MASS) -> LabelSet:
    """Put a label set together with all that is verified by now of its applicants: outcomes, and verdicts that were accepted.

    A set made so is taken back to the one it was made of first, so that what was rejected since no longer counts; where nothing has
    changed since the last time, that set is returned. Raises NothingYet where nothing is verified, and for a set from elsewhere.
    """
    origin = get(store, label_set_id)
    origin = get(store, origin.report.get("taught_from", label_set_id))
    if origin.is_foreign:
        raise NothingYet(f"The applicants of label set {origin.label_set_id} are in another workspace: nobody here can verify them.")
    table = features.table(store, origin.snapshot_id).assign(snapshot_id=origin.snapshot_id)
    table["risk_index"] = risk_index(table, store.schema)
    known = [_as_members(table, known, source) for source, known in by_source(store, origin.snapshot_id).items()]
    if not sum(map(len, known)):
        raise NothingYet(
            f"Nothing is verified of the applicants of label set {origin.label_set_id} yet: accept verdicts on labels, or record outcomes."
        )
    doubts = mass.doubts(store, origin)
    rows = together([*known, rows_of(store, origin)], proxy_mass, doubts)
    made = _combined([origin], rows, proxy_mass, doubts, user, taught_from=origin.label_set_id)
    before = store.value(
        "select max(label_set_id) from label_set where report->>'taught_from' = $origin and snapshot_id <> 0", origin=origin.label_set_id
    )
    if before is not None and (last := get(store, before)).report["digest"] == digest(rows):
        return last
    return keep(store, made, rows)


def verified(store: Store, label_set_id: str) -> dict[str, tuple[int, int]]:
    """Return how many labels of a set's applicants are verified by now, and how many of them bad, by source."""
    found = by_source(store, get(store, label_set_id).snapshot_id)
    return {source: (len(known), int(known["bad"].sum())) for source, known in found.items()}


def weighing(store: Store, label_set_id: str, proxy_mass: float) -> Mass:
    """Return what the proxies of a set would weigh beside all that is verified by now, as `taught` weighs them."""
    origin = get(store, label_set_id)
    origin = get(store, origin.report.get("taught_from", label_set_id))
    found = [frame["applicant_id"] for frame in by_source(store, origin.snapshot_id).values()]
    return Mass(proxy_mass, len(set().union(*found)), mass.doubts(store, origin))


def together(parts: Sequence[DataFrame], proxy_mass: float, doubts: Sequence[str] = ()) -> DataFrame:
    """Return one label for each applicant and snapshot of several tables of members: a verified one outweighs every proxy.

    What was observed beats what was reviewed; of the same kind the table named first counts. A verified label weighs 1, all proxies
    together what `Mass` makes of `proxy_mass` (0 to 100) and of the checks they fail. Where that is nothing, proxies are no labels.
    Raises InvalidInput for another mass.
    """
    rows = concat([part.assign(place=place) for place, part in enumerate(parts)], ignore_index=True)
    is_proxy, is_known = rows["source"].isin(PROXIES), rows["bad"].notna()
    rank = np.select([rows["source"] == "observed", rows["source"] == "review"], [0, 1], 2)
    rows["order"] = rank * len(parts) + rows["place"].to_numpy(int)
    best = rows[~is_proxy & is_known].groupby("applicant_id")["order"].min()
    settled = rows["applicant_id"].map(best)
    rows = rows.assign(is_known=is_known)[settled.isna() | (rows["order"] == settled)]
    rows = rows.sort_values(["is_known", "order"], ascending=[False, True], kind="stable")
    rows = rows.drop_duplicates(["applicant_id", "snapshot_id"]).sort_values(["applicant_id", "snapshot_id"], ignore_index=True)
    is_proxy = rows["source"].isin(PROXIES)
    n_proxies = int((is_proxy & rows["is_known"]).sum())
    weight = Mass(proxy_mass, int((~is_proxy & rows["is_known"]).sum()), tuple(doubts)).weight
    rows["weight"] = np.where(is_proxy, weight / max(n_proxies, 1), 1.0)
    if not proxy_mass:
        rows["bad"] = rows["bad"].mask(is_proxy)
    return rows[MEMBERS]


def _as_members(table: DataFrame, known: DataFrame, source: str) -> DataFrame:
    """Return verified labels (applicant_id, bad) as members of a set, beside what was known of them then."""
    rows = table[["snapshot_id", "applicant_id", "risk_index"]].merge(known[["applicant_id", "bad"]], on="applicant_id")
    return rows.assign(source=source, segment=None, weight=1.0).astype({"segment": "Int32", "bad": "boolean"})[MEMBERS]


def _combined(sets: Sequence[LabelSet], rows: DataFrame, proxy_mass: float, doubts: tuple[str, ...], user: str, **about: Any) -> LabelSet:
    """Describe labels of several sources before they are kept."""
    sure = rows[~rows["source"].isin(PROXIES) & rows["bad"].notna()]
    gates = quality.of_verified(len(sure), int(sure["bad"].eq(True).sum()), "verified labels are in it")
    gates += _proxies_passed(sets) if proxy_mass else []
    report = {
        **about,
        "sets": [each.label_set_id for each in sets],
        "by_source": rows[rows["bad"].notna()].groupby("source").size().to_dict(),
        "proxy_mass": proxy_mass,
        "proxy_weight": float(rows.loc[rows["source"].isin(PROXIES) & rows["bad"].notna(), "weight"].sum()),
        "proxy_said": Mass(proxy_mass, len(sure), doubts).sentence,
        "n_bad": int(rows["bad"].eq(True).sum()),
        "n_good": int(rows["bad"].eq(False).sum()),
        "gates": gates,
        "cohorts": [cohort for each in sets for cohort in each.report.get("cohorts", [])],
        "shared_columns": sorted({name for each in sets for name in each.report.get("shared_columns", [])}),
    }
    passed, circular = not quality.failed(gates), any(each.circular for each in sets)
    newest_snapshot, share = max(int(rows["snapshot_id"].max()), 0), quality.share(rows["bad"])["share"]
    return LabelSet("", "combined", "combined", newest_snapshot, None, len(rows), share, passed, circular, report, stores.now(), user)


def _proxies_passed(sets: Sequence[LabelSet]) -> list[Gate]:
    proxies = [each for each in sets if each.is_proxy]
    wrong = [each.label_set_id for each in proxies if not each.passed]
    if not proxies:
        return []
    said = f"; these fail: {', '.join(wrong)}" if wrong else ""
    share = 1 - len(wrong) / len(proxies)
    sentence = f"{len(proxies) - len(wrong)} of {len(proxies)} proxy label sets in it pass their own checks{said}; all are asked to."
    return [quality.gate("proxy sets", share, 1.0, not wrong, sentence)]


def by_source(store: Store, snapshot_id: int) -> dict[str, DataFrame]:
    """Return verified labels of a snapshot's applicants by source ('observed', 'review'): applicant_id, bad.

    A verdict on a label says whether the applicant was rightly called bad: by the model's own label where there is one,
    else by the cut-off. Reviewers who cancel each other out give no label.
    """
    here = set(store.read("select applicant_id from applicant where snapshot_id = $id", id=snapshot_id)["applicant_id"])
    after = outcomes_after(store)
    found = {"observed": after.loc[after["snapshot_id"] == snapshot_id, ["applicant_id", "bad"]], "review": judged(store)}
    return {source: frame[frame["applicant_id"].isin(here)].reset_index(drop=True) for source, frame in found.items()}


def _verified(store: Store, source: str, table: DataFrame, known: DataFrame, *, user: str, what: str, about: dict[str, Any]) -> LabelSet:
    """Keep a set of labels that somebody or something has verified: `known` has applicant_id and bad."""
    indexed = table.assign(risk_index=risk_index(table, store.schema))[["snapshot_id", "applicant_id", "risk_index"]]
    rows = indexed.merge(known[["applicant_id", "bad"]], on="applicant_id").assign(source=source, segment=None, weight=1.0)
    n, n_bad = len(rows), int(rows["bad"].sum())
    if n_bad in (0, n):
        kind = "outcome" if source == "observed" else "accepted verdict"
        said = f"no {kind} is recorded for them" if n == 0 else f"all {n} recorded {kind}s are {'bad' if n_bad else 'good'}"
        word = "Observed" if source == "observed" else "Reviewed"
        raise NotEnoughData(f"{word} labels need good and bad {kind}s of the {len(table)} applicants of this snapshot; {said}.")
    gates = quality.of_verified(n, n_bad, what)
    bad = rows["bad"].to_numpy(bool)
    index = Held(bad, rows["risk_index"].to_numpy(float), bad.astype(float)).interval("index")
    snapshot = int(table["snapshot_id"].iloc[0])
    report = {
        **about,
        "gates": gates,
        "n_bad": n_bad,
        "n_good": n - n_bad,
        "shared_columns": [],
        "groups": groups_of(store, rows),
        "cohorts": [Cohort(snapshot, snapshot, None, n).row()],
        "index_auc_vs_observed": index,
    }
    passed = not quality.failed(gates)
    method = "observed" if source == "observed" else "reviewed"
    return keep(store, LabelSet("", method, source, snapshot, None, n, n_bad / n, passed, False, report, stores.now(), user), rows)


def _left_out(n: int) -> str:
    return f" ({n:,} others were known before the features end)" if n else ""


def _in_arrears(store: Store, rule: int) -> DataFrame:
    """Return applicant_id, bad (so many days past due or more) and observed_on of everybody whose arrears are recorded."""
    if not 1 <= rule <= LONGEST:
        raise InvalidInput(f"A loan counts as bad between 1 and {LONGEST:,} days past due, not {rule}.")
    found = store.read(
        """select applicant_id, days_past_due >= $rule as bad, observed_on from arrears
        qualify row_number() over (partition by applicant_id order by recorded_at desc, observed_on desc nulls last, days_past_due desc) = 1
        order by applicant_id""",
        rule=rule,
    )
    if found.empty:
        raise NotEnoughData(
            f"No outcome says how many days a loan is past due, so nobody can be held to {rule} of them: record them with "
            "`outcomes FILE --days-past-due COLUMN`, or take the outcomes as they were recorded."
        )
    return found


def judged(store: Store) -> DataFrame:
    """Return applicant_id and the bad that the verdicts on labels imply which an inspector has accepted."""
    verdicts = store.rows(
        """select verdict.applicant_id, verdict.verdict, verdict.corrected, label.bad, verdict.pd, verdict.policy
        from verdict
        join model using (model_id)
        left join (
            select label_set_id, applicant_id, max_by(bad, snapshot_id) as bad from label group by label_set_id, applicant_id
        ) as label on label.label_set_id = model.label_set_id and label.applicant_id = verdict.applicant_id
        where verdict.about = 'label' and verdict.verdict in ('correct', 'incorrect') and verdict.status = 'accepted'"""
    )
    implied: dict[str, list[bool]] = {}
    for applicant_id, verdict, corrected, labelled, prob_default, rules in verdicts:
        if corrected is not None:
            implied.setdefault(applicant_id, []).append(corrected == "bad")
            continue
        claimed = prob_default >= policy.cutoff(Policy(**json.loads(rules))) if labelled is None else labelled
        implied.setdefault(applicant_id, []).append((verdict == "correct") == claimed)
    settled = {name: sum(said) * 2 > len(said) for name, said in sorted(implied.items()) if sum(said) * 2 != len(said)}
    return DataFrame({"applicant_id": list(settled), "bad": list(settled.values())}).astype({"applicant_id": str, "bad": bool})
