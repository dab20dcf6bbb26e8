-- rfm: one row per applicant with money moved in the $days before $as_of, in the $direction asked for ('in', 'out', 'both')
-- Recency counts days since the last movement, frequency movements, monetary adds amounts without their sign.
select
    applicant_id,
    $as_of::date as as_of,
    ($as_of::date - max(booked_on))::integer as recency_days,
    count(*)::integer as frequency,
    sum(abs(amount))::double as monetary
from moved
where
    booked_on < $as_of::date
    and booked_on >= $as_of::date - $days::integer
    and ($direction = 'both' or amount <> 0)
    and ($direction = 'both' or (amount > 0) = ($direction = 'in'))
group by applicant_id
order by applicant_id
