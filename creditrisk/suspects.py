"""Labels that are probably wrong: fits which had not seen them are as sure of the other label as they usually are where it is right.

A suspect is shown to people and nothing else: no label is dropped or changed because a model doubts it.
"""

from typing import Any

from pandas import DataFrame

from creditrisk import quality
from creditrisk.store import Store


def found(held: DataFrame) -> DataFrame:
    """Return applicant_id, bad, pd and doubt of the suspects among rows that were held out (applicant_id, bad, pd), worst first.

    Of an applicant with several rows the most doubtful one counts.
    """
    doubt = quality.doubt(held["bad"].to_numpy(float), held["pd"].to_numpy(float))
    rows = held[["applicant_id", "bad", "pd"]].assign(bad=held["bad"].astype(bool), doubt=doubt)
    rows = rows[rows["doubt"] > 0].sort_values(["doubt", "applicant_id"], ascending=[False, True])
    return rows.drop_duplicates("applicant_id").reset_index(drop=True)


def keep(cursor: Any, model_id: str, rows: DataFrame) -> None:
    """Keep a model's suspects inside the transaction that registers it."""
    cursor.register("doubted", rows)
    cursor.execute("insert into suspect by name select $id as model_id, applicant_id, bad, pd, doubt from doubted", {"id": model_id})
    cursor.unregister("doubted")


def ranked(store: Store, model_id: str, limit: int = 100) -> DataFrame:
    """Return a model's suspects, worst first, those whom somebody has judged or whose outcome is known left out.

    Columns: applicant_id, name, label ('bad' or 'good', as learned from), label_source, pd, doubt, prediction_id (of the newest prediction;
    null where there is none).
    """
    return store.read(
        """with applied as (
            select applicant_id, name from application qualify row_number() over (partition by applicant_id order by applied_on desc) = 1
        ), labelled as (
            select applicant_id, max_by(source, snapshot_id) as source from label
            where label_set_id = (select label_set_id from model where model_id = $id) group by applicant_id
        )
        select suspect.applicant_id, applied.name, if(suspect.bad, 'bad', 'good') as label, labelled.source as label_source,
            suspect.pd, suspect.doubt, prediction.prediction_id
        from suspect
        left join applied using (applicant_id)
        left join labelled using (applicant_id)
        left join prediction_current as prediction using (applicant_id)
        where suspect.model_id = $id
            and suspect.applicant_id not in (select applicant_id from verdict)
            and suspect.applicant_id not in (select applicant_id from outcome_current)
        order by suspect.doubt desc, suspect.applicant_id
        limit $limit""",
        id=model_id,
        limit=limit,
    )
