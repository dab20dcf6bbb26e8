-- changed: one row per applicant of whom a movement was corrected, judged anew or paired since: when last
with description_changed as (
    select description_id, judged_at as changed_at from judgement where judged_at > $since
    union all
    select correction_description.description_id, correction.corrected_at
    from correction_description
    join correction using (correction_id)
    where correction.corrected_at > $since
),

movement_changed as (
    select transaction_id, corrected_at as changed_at from correction where corrected_at > $since and scope = 'movement'
    union all
    select out_id, paired_at from pair where paired_at > $since
    union all
    select in_id, paired_at from pair where paired_at > $since
),

touched as (
    select transaction.account_id, description_changed.changed_at
    from transaction
    join description_changed using (description_id)
    union all
    select transaction.account_id, movement_changed.changed_at
    from transaction
    join movement_changed using (transaction_id)
)

select account.applicant_id, max(touched.changed_at) as changed_at
from touched
join account using (account_id)
where list_contains($ids::varchar[], account.applicant_id)
group by account.applicant_id
