"""What happened to a case, in the order it happened: scored, decided, taken in hand, judged, inspected, learned from, replaced.

Told from the facts themselves, so that nothing is in the story that is not kept, and nothing kept is left out.
"""

from pandas import DataFrame

from creditrisk.errors import UnknownThing
from creditrisk.store import Store, now


def of_case(store: Store, prediction_id: str, *, reader: str | None = None) -> DataFrame:
    """Return the story of one prediction: happened_at, who, kind, what (a sentence that goes on after the name).

    While `reader` has the case in hand they are told nothing that others said of it. Raises UnknownThing for a prediction nobody made.
    """
    found = store.read(STORY, id=prediction_id, reader=None if reader is None else str(reader).strip(), at=now())
    if found.empty:
        raise UnknownThing("prediction", prediction_id)
    return found


STORY = """
with scored as (
    select prediction_id, applicant_id, model_id, score, band, recommendation, scored_at, scored_by
    from prediction where prediction_id = $id
    union all -- one of a batch is called batch_id-row
    select $id, coalesce(applicant_id, $id), model_id, score, band, recommendation, scored_at, created_by
    from batch_score
    join batch using (batch_id)
    join batch_part on batch_part.batch_id = batch_score.batch_id and row between first_row and last_row
    where batch_score.batch_id = split_part($id, '-', 1) and row = try_cast(split_part($id, '-', 2) as integer)
),
in_hand as (
    select bool_or(is_blind) as is_blind from claim_open
    where prediction_id = $id and lower(claimed_by) = lower($reader) and expires_at > $at
    having count(*) > 0
),
told as (
    from review where prediction_id = $id and (not exists (from in_hand) or lower(reviewed_by) = lower($reader))
),
inspected as (
    select inspection.*, told.reviewed_by, told.about
    from inspection join told using (review_id)
    where not exists (from in_hand)
),
taught as (
    select label_set.label_set_id, label_set.created_at, label_set.created_by, label.bad
    from label_set
    join label using (label_set_id)
    join scored using (applicant_id)
    where label.source = 'review' and label.bad is not null
        and label_set.created_at > (select min(inspected_at) from inspected where status = 'accepted')
),
events as (
    select scored_at as happened_at, 1 as place, scored_by as who, 'scored' as kind,
        'scored ' || applicant_id || ' with ' || model_id
        || if((select is_blind from in_hand), '', ': ' || floor(score)::integer || ' points (' || band || '), ' || recommendation) as what
    from scored
    union all
    select claimed_at, 2, claimed_by, 'claimed',
        'took the case in hand' || case slot
            when 'near cut-off' then ', proposed because it lies near the cut-off'
            when 'suspect' then ', proposed because its label is suspect'
            when 'disagreement' then ', proposed because the model and its proxy label disagree'
            when 'exposure' then ', proposed because much money is asked for'
            when 'random' then ', drawn at random'
            when 'second reading' then ' for a second reading'
            when 'chosen' then ', chosen by hand'
            else ' (' || slot || ')'
        end || if(is_blind, ', to be judged before the score is shown', '')
    from claim where prediction_id = $id and (not exists (from in_hand) or lower(claimed_by) = lower($reader))
    union all
    select ended_at, 3, claimed_by, how, if(how = 'skipped', 'passed the case on unjudged', 'gave the case back')
    from claim_end join claim using (claim_id)
    where how <> 'judged' and prediction_id = $id and (not exists (from in_hand) or lower(claimed_by) = lower($reader))
    union all
    select reviewed_at, 4, reviewed_by, 'judged',
        case verdict when 'cannot judge' then 'could not judge the ' || side else 'called the ' || side || ' ' || verdict end
        || coalesce('; right would be ' || corrected, '')
        || case when is_blind then ', without having seen the score' else '' end
        || if(comment = '', '', ': “' || comment || '”')
    from (select *, if(about = 'decision', 'recommendation', about) as side from told)
    union all
    select inspected_at, 5, inspected_by, 'inspected',
        status || ' the verdict of ' || reviewed_by || ' on the ' || if(about = 'decision', 'recommendation', about)
        || ': “' || reason || '”'
    from inspected
    union all
    select decided_at, 5, decided_by, 'decided',
        case outcome when 'approve' then 'approved' when 'decline' then 'declined' when 'refer' then 'referred the case'
            else 'asked for more' end
        || case action when 'accept' then ', as recommended' when 'override' then ', on their own judgement' else '' end
        || if(comment = '', '', ': “' || comment || '”')
    from decision where prediction_id = $id and not exists (from in_hand)
    union all
    select created_at, 6, created_by, 'learned',
        'froze label set ' || label_set_id || ', in which the applicant counts as ' || if(bad, 'bad', 'good') || ' by accepted verdicts'
    from taught
    union all
    select model.created_at, 7, model.created_by, 'retrained', 'trained ' || model_id || ' on label set ' || label_set_id
    from model join taught using (label_set_id)
    union all
    select happened_at, 8, by_user, 'promoted', 'promoted ' || model_id || ', which learned from this case, to champion'
    from model_event join model using (model_id) join taught using (label_set_id)
    where status = 'champion'
    union all
    select prediction.scored_at, 9, prediction.scored_by, 'scored again',
        'scored the applicant again with ' || prediction.model_id || ': ' || floor(prediction.score)::integer || ' points ('
        || prediction.band || ')'
    from prediction join scored using (applicant_id)
    where prediction.scored_at > scored.scored_at and not exists (from in_hand)
)
select happened_at, who, kind, what from events order by happened_at, place, what
"""
