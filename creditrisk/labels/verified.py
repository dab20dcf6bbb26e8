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
from creditrisk.labels.shelf import PROXIES, LabelSet, get, groups_of, keep, outcomes, outcomes_after, risk_index, rows_of, snapshot_of
from creditrisk.quality import Gate, Held
from creditrisk.settings import Policy
from creditrisk.store import Store

PROXY_MASS = 10.0  # verified labels that all proxy labels of a combined set weigh together


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
    said = table[["applicant_id"]].merge(_reviewed(store), on="applicant_id")
    rests = store.record(
        """select count(*) as n_verdicts, count(distinct reviewed_by) as n_reviewers, count(distinct inspected_by) as n_inspectors,
            max(inspected_at) as inspected_until
        from verdict where status = 'accepted' and about = 'label' and verdict in ('correct', 'incorrect')"""
    )
    what = "accepted verdicts on labels say what an applicant is"
    return _verified(store, "review", table, said, user=user, what=what, about={"rests_on": rests})


def combine(store: Store, label_set_ids: Sequence[str], *, user: str, proxy_mass: float = PROXY_MASS) -> LabelSet:
    """Put label sets together: an observed label beats a reviewed one, a verified one every proxy of the same applicant.

    Verified labels weigh 1 each, all proxy labels together `proxy_mass` (0 to 100). Of several proxies for one applicant and
    snapshot the set named first counts. The set passes where every proxy set in it has, and verified labels are enough.
    Raises InvalidInput for fewer than two sets, a set of another schema, or a mass outside its range.
    """
    chosen = [get(store, name) for name in dict.fromkeys(label_set_ids)]
    if len(chosen) < 2:
        raise InvalidInput("Two label sets at least are put together; name each once.")
    if not 0 <= proxy_mass <= 100:
        raise InvalidInput(f"All proxy labels together weigh between 0 and 100 verified ones, not {proxy_mass:g}.")
    ranked = sorted(chosen, key=lambda each: {"observed": 0, "review": 1}.get(each.source, 2))
    rows = concat([rows_of(store, each).assign(order=place) for place, each in enumerate(ranked)], ignore_index=True)
    rows = rows.assign(is_proxy=rows["source"].isin(PROXIES), is_known=rows["bad"].notna())
    best = rows.loc[~rows["is_proxy"] & rows["is_known"], ["applicant_id", "order"]].groupby("applicant_id")["order"].min()
    settled = rows["applicant_id"].map(best)
    rows = rows[settled.isna() | (rows["order"] == settled)].sort_values(["is_known", "order"], ascending=[False, True], kind="stable")
    rows = rows.drop_duplicates(["applicant_id", "snapshot_id"]).sort_values(["applicant_id", "snapshot_id"], ignore_index=True)
    proxies = rows["is_proxy"] & rows["bad"].notna()
    rows["weight"] = np.where(rows["is_proxy"], proxy_mass / max(int(proxies.sum()), 1), 1.0)
    by_source = rows[rows["bad"].notna()].groupby("source").size().to_dict()
    sure = rows[~rows["is_proxy"] & rows["bad"].notna()]
    gates = quality.of_verified(len(sure), int(sure["bad"].eq(True).sum()), "verified labels are in it") + _proxies_passed(ranked)
    report = {
        "sets": [each.label_set_id for each in chosen],
        "by_source": by_source,
        "proxy_mass": proxy_mass,
        "gates": gates,
        "cohorts": [cohort for each in ranked for cohort in each.report.get("cohorts", [])],
        "shared_columns": sorted({name for each in ranked for name in each.report.get("shared_columns", [])}),
    }
    passed = not quality.failed(gates)
    circular = any(each.circular for each in ranked)
    newest_snapshot = max(int(rows["snapshot_id"].max()), 0)
    share = quality.share(rows["bad"])["share"]
    made = LabelSet("", "combined", "combined", newest_snapshot, None, len(rows), share, passed, circular, report, stores.now(), user)
    return keep(store, made, rows)


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
    found = {"observed": after.loc[after["snapshot_id"] == snapshot_id, ["applicant_id", "bad"]], "review": _reviewed(store)}
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


def _reviewed(store: Store) -> DataFrame:
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
    return DataFrame({"applicant_id": list(settled), "bad": list(settled.values())})
