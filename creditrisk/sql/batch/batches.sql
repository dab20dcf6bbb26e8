-- batches: one row per batch with how far it came, newest first; of $id alone where it is not null
with done as (
    select batch_id, max(last_row) as n_done, sum(n_scored)::integer as n_scored, sum(n_refused)::integer as n_refused,
        max(share) as share
    from batch_part
    where $id is null or batch_id = $id
    group by batch_id
),
last as (
    select batch_id, state, message, happened_at
    from batch_event
    where $id is null or batch_id = $id
    qualify row_number() over (partition by batch_id order by seq desc) = 1
)
select batch_id, file, created_at, created_by, model_id, label_source, is_proxy, baseline, channel, coalesce(state, 'interrupted') as state,
    coalesce(message, 'not begun; it can go on') as message, coalesce(last.happened_at, created_at) as reported_at,
    case when state = 'done' then n_done else n_rows end as n_rows, coalesce(n_done, 0) as n_done,
    coalesce(n_scored, 0) as n_scored, coalesce(n_refused, 0) as n_refused, coalesce(share, 0) as share
from batch
left join done using (batch_id)
left join last using (batch_id)
where $id is null or batch_id = $id
order by batch_id desc;
