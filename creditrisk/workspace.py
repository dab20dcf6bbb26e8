"""What a workspace holds and what has happened in it: counts, the scores in force, and the audit in words. Reads only."""

from collections.abc import Collection
from typing import Any

from pandas import DataFrame

from creditrisk.schema import built_in
from creditrisk.store import Store


def of_table(store: Store) -> bool:
    """Say whether applicants are rows of the lender's own table, of which nothing is computed from statements."""
    return store.schema.fingerprint != built_in().fingerprint


def last_write(store: Store, but: Collection[str] = ()) -> int:
    """Return the number of the newest audit row, but for those of some actions: every write ends in one.

    Between two equal answers nothing was stored, or nothing but what those actions store.
    """
    return max(seq for action, seq in list(store.written.items()) if action not in but)


def own_write(store: Store, person: str, but: Collection[str] = ()) -> int:
    """Return the number of the newest of the last few hundred audit rows that is a person's own, but for some actions; 0 for none."""
    return next((seq for seq, action, who in reversed(list(store.recent)) if who == person and action not in but), 0)


def summary(store: Store) -> dict[str, Any]:
    """Return counts by name: applicants, statements, transactions and their span, features, predictions, reviews, labels, models."""
    counts = store.record(
        """with known as (
            select applicant_id from account union select applicant_id from application union select applicant_id from applicant
        )
        select
            (select count(*) from known) as n_applicants,
            (select count(*) from statement) as n_statements,
            (select coalesce(sum(n_new), 0)::bigint from statement) as n_transactions,
            (select min(first_on) from statement_account) as first_on,
            (select max(last_on) from statement_account) as last_on,
            (select coalesce(max_by(n_applicants, snapshot_id), 0) from snapshot where is_whole and days_before = 0) as n_features,
            (select count(*) from prediction_current) as n_scored,
            (select count(*) from prediction) as n_predictions,
            (select count(*) from review_current) as n_reviews,
            (select count(*) from prediction_current where prediction_id not in (select prediction_id from review)) as n_waiting,
            (select count(*) from outcome_current) as n_outcomes,
            (select count(*) from label_set) as n_label_sets,
            (select count(*) from model) as n_models"""
    )
    return counts or {}


def activity(store: Store, limit: int = 12) -> DataFrame:
    """Return what was done last: happened_at, user_name, action, subject, sentence."""
    return store.read(
        """select happened_at, user_name, action, subject,
            case action
                when 'ingest' then 'stored ' || subject
                when 'bank profile' then 'saved the bank profile ' || subject
                when 'features' then 'computed the features of ' || (detail->>'applicants') || ' applicant'
                    || if(detail->>'applicants' = '1', '', 's')
                when 'import' then 'imported the table ' || subject || ': ' || (detail->>'n') || ' applicants'
                when 'apply' then 'recorded ' || (detail->>'n') || ' application' || if(detail->>'n' = '1', '', 's')
                when 'outcomes' then 'recorded ' || (detail->>'n') || ' observed outcome' || if(detail->>'n' = '1', '', 's')
                when 'label' then 'made label set ' || subject
                when 'register' then 'trained ' || subject
                when 'export model' then 'exported ' || subject || ' for another workspace'
                when 'import model' then 'imported ' || subject || ' from another workspace: ' || coalesce(detail->>'reason', '')
                when 'promote' then 'promoted ' || subject || ' to champion: ' || coalesce(detail->>'reason', '')
                when 'challenge' then 'set ' || subject || ' beside the champion: ' || coalesce(detail->>'reason', '')
                when 'learn' then 'let the online challenger learn from ' || subject
                when 'retire' then 'retired ' || subject || ': ' || coalesce(detail->>'reason', '')
                when 'score' then case
                    when detail->>'file' is not null then 'took in a file to score, ' || subject
                    when detail->>'state' is not null then 'saw batch ' || subject || ' ' || (detail->>'state')
                    when regexp_full_match(subject, 'B[0-9]+') then 'kept a part of batch ' || subject
                    else 'made ' || if(detail->>'n' = '1', 'a prediction', subject)
                end
                when 'decide' then case detail->>'how'
                    when 'accept' then 'accepted a recommendation'
                    when 'override' then 'overrode a recommendation: ' || coalesce(detail->>'outcome', '')
                    when 'refer' then 'referred a case'
                    else 'asked an applicant for more'
                end
                when 'claim' then if(detail->>'how' is null, 'took a case in hand', 'let go of a case')
                when 'inspect' then coalesce(detail->>'status', 'inspected') || ' '
                    || if(detail->>'n' = '1' or detail->>'n' is null, 'a verdict', subject)
                when 'review' then case
                    when detail->>'n' is not null then 'judged ' || if(detail->>'n' = '1', 'a prediction', subject)
                    when detail->>'verdict' = 'cannot judge' then 'could not judge a prediction'
                    else 'judged a prediction ' || (detail->>'verdict')
                end || coalesce(' (' || if(detail->>'about' = 'decision', 'recommendation', detail->>'about') || ')', '')
                when 'job' then 'started job ' || subject
                when 'job done' then 'finished job ' || subject
                when 'job stopped' then 'stopped job ' || subject
                when 'job failed' then 'saw job ' || subject || ' fail: ' || coalesce(detail->>'message', '')
                when 'job interrupted' then 'lost job ' || subject || ' when the program ended'
                when 'backup begun' then 'began the backup ' || subject
                when 'backup' then 'made the backup ' || subject
                when 'restore' then 'put the backup ' || subject || ' in place'
                when 'token' then 'made a key to the API for ' || coalesce(detail->>'person', subject)
                when 'revoke' then 'revoked the key ' || subject
                when 'sign in' then 'signed in'
                when 'sign out' then 'signed out'
                when 'end session' then 'ended the session of ' || subject
                when 'correct' then 'corrected a category'
                when 'augment' then 'invented applicants: ' || subject
                when 'seal' then 'took down what is stored, in tables of another shape'
                when 'refused' then 'was refused: ' || coalesce(detail->>'why', '')
                when 'erase' then 'erased a person; their decisions stay as those of ' || subject
                when 'purge' then 'erased ' || subject || ' with whom nothing had happened for long'
                else action || ' ' || subject
            end as sentence
        from audit
        order by seq desc
        limit $limit""",
        limit=limit,
    )


def scores(store: Store, width: int = 20) -> DataFrame:
    """Return how the newest scores of all applicants lie: low (lower edge of a bin `width` points wide; 900 is in the last), band, n."""
    return store.read(
        """select (floor(least(score, 900 - $width) / $width) * $width)::integer as low, band, count(*) as n
        from prediction_current group by all order by low, band""",
        width=width,
    )
