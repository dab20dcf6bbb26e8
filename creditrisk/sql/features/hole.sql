-- hole: one row per applicant and stretch of more than 31 days between two files, in which nothing was seen
-- It lasts from the day of `from_age` (days before as_of) up to and without that of `to_age`.
with after as (
    select
        who,
        as_of,
        first_on,
        max(last_on) over (partition by who order by first_on rows between unbounded preceding and 1 preceding) as seen_before
    from file
)

select
    who,
    as_of - seen_before - 1 as from_age,
    as_of - first_on as to_age
from after
where first_on - seen_before > 31
