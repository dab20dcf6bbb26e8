-- description_current: one row per description, and what it is held to be now: as corrected, else as judged last, else as judged first
create or replace view description_current as
with corrected as (
    select correction_description.description_id, arg_max(correction.category, correction_id) as category
    from correction_description
    join correction using (correction_id)
    group by correction_description.description_id
),

judged as (
    select
        description_id,
        arg_max(category, rowid) as category,
        arg_max(confidence, rowid) as confidence,
        arg_max(source, rowid) as source
    from judgement
    group by description_id
)

select
    description.description_id,
    description.text,
    description.code,
    description.direction,
    description.cleaned,
    description.is_direct_debit,
    description.names_savings,
    coalesce(corrected.category, judged.category, description.category) as category,
    case when corrected.category is not null then 1.0 else coalesce(judged.confidence, description.confidence) end as confidence,
    case when corrected.category is not null then 'correction' else coalesce(judged.source, description.source) end as source
from description
left join corrected using (description_id)
left join judged using (description_id);
