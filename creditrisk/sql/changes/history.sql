-- history: one row per correction, newest first, and how many movements (of one applicant, where one is named) it speaks of
with spoken as (
    select correction.correction_id, transaction.transaction_id
    from correction
    join transaction on transaction.transaction_id = correction.transaction_id
    where correction.scope = 'movement'
    union all
    select correction_description.correction_id, transaction.transaction_id
    from correction_description
    join transaction using (description_id)
),

counted as (
    select spoken.correction_id, count(*) as n_movements, count(distinct account.applicant_id) as n_applicants
    from spoken
    join transaction using (transaction_id)
    join account using (account_id)
    where $applicant_id is null or account.applicant_id = $applicant_id
    group by spoken.correction_id
)

select
    correction.correction_id,
    correction.corrected_at,
    correction.corrected_by,
    correction.scope,
    correction.transaction_id,
    coalesce(correction.words, movement.text) as what,
    movement.booked_on,
    movement.amount::double as amount,
    correction.direction,
    correction.category_before,
    correction.category,
    correction.reason,
    counted.n_movements,
    counted.n_applicants
from correction
join counted using (correction_id)
left join movement on movement.transaction_id = correction.transaction_id
order by correction.correction_id desc
