-- stream: one row per applicant and recurring stream of the last 365 days: one merchant, one category, one size of amount, one rhythm
-- A stream has three payments and more; with $every, two are shown as well, as early ones.
-- Amounts are of one size where, in order of size, each is at most a tenth (± 5 % about their middle) or 2.00 above the one before;
-- pay, energy, water, telephone and card bills vary by nature: half. Money of one size on one day is one payment.
-- The rhythm is read off the median gap. Due dates stand a period apart, as far from the first payment as payments usually are;
-- one is met by a payment within 5 days of it (within a third of a short period). Those in a hole nobody could see are not expected.
-- Ended: more than a whole period (14 days at least) past the next due date. `missed_180d` are due dates of the last 180 days with no
-- payment up to 7 days later. Ages are days before as_of, so that a date to come is below zero; `unseen` days do not count.
with repeated as (
    select
        row_number() over () as payee,
        payee.who,
        payee.merchant,
        payee.kind,
        payee.is_debit,
        case when varies then 0.5 else 0.1 end as leeway,
        highest - lowest > greatest(lowest * leeway, 2) as is_mixed
    from payee
    join purpose on purpose.number = payee.kind
),

payment as (
    select repeated.payee, repeated.is_mixed, repeated.leeway, booked.age, abs(booked.amount) as amount
    from (
        select who, merchant, event, amount, age
        from booked
        join purpose on purpose.number = booked.event
        where purpose.is_standing or $every::boolean
    ) as booked
    join repeated
        on repeated.who = booked.who and repeated.merchant = booked.merchant and repeated.kind = booked.event
        and repeated.is_debit = (booked.amount < 0)
),

ordered as (
    select *, lag(amount) over (partition by payee order by amount) as smaller from payment where is_mixed
),

sized as (
    select payee, age, amount, 0 as size from payment where not is_mixed
    union all
    select
        payee,
        age,
        amount,
        count(*) filter (where amount - smaller > greatest(smaller * leeway, 2)) over (partition by payee order by amount) as size
    from ordered
),

occurrence as (
    select payee, size, age, sum(amount) as amount, min(amount) as lowest, max(amount) as highest from sized group by all
),

spaced as (
    select *, lag(age) over (partition by payee, size order by age desc) - age as gap from occurrence
),

shape as (
    select
        payee,
        size,
        count(*) as n,
        max(age) as first_age,
        min(age) as last_age,
        quantile_cont(gap, 0.5) as median_gap,
        avg(gap) filter (where gap between 10 and 20) as half_month_gap,
        avg(gap) filter (where gap between 26 and 35) as month_gap,
        quantile_cont(amount::double, 0.5) as amount,
        min(lowest) as lowest,
        max(highest) as highest
    from spaced
    group by payee, size
    having count(*) >= case when $every::boolean then 2 else 3 end
),

rhythm as (
    select
        *,
        case
            when median_gap between 6 and 8 then 'weekly'
            when median_gap between 12.5 and 18 and half_month_gap <= 14.6 then 'biweekly'
            when median_gap between 12.5 and 18 then 'semi-monthly'
            when median_gap between 26 and 35 and month_gap <= 28.7 and n >= 4 then 'four-weekly'
            when median_gap between 26 and 35 then 'monthly'
            when median_gap between 84 and 98 then 'quarterly'
        end as cadence,
        case cadence
            when 'weekly' then 7
            when 'biweekly' then 14
            when 'semi-monthly' then 15.21875
            when 'four-weekly' then 28
            when 'monthly' then 30.4375
            else 91.3125
        end::double as period,
        least(5, floor(period / 3)) as slack
    from shape
    where cadence is not null
),

placed as (
    select
        payee,
        size,
        round((rhythm.first_age - occurrence.age) / period) as due,
        rhythm.first_age - occurrence.age - due * period as late
    from occurrence
    join rhythm using (payee, size)
),

centred as (
    select payee, size, quantile_cont(late, 0.5) as usual, max(due) as last_due from placed group by payee, size
),

dated as (
    select
        rhythm.*,
        repeated.who,
        repeated.merchant,
        repeated.kind,
        repeated.is_debit,
        centred.usual,
        centred.last_due,
        rhythm.first_age - usual as base, -- the age of due date 0; due date k has the age base - k * period
        coverage.unseen
    from rhythm
    join centred using (payee, size)
    join repeated using (payee)
    join coverage using (who)
),

kept as (
    select
        payee,
        size,
        placed.due,
        base - placed.due * period as due_age,
        bool_or(abs(late - usual) <= slack) as is_met,
        bool_or(late - usual <= 7) and due_age <= 180 and due_age - 7 > any_value(unseen) as is_seen
    from placed
    join dated using (payee, size)
    group by payee, size, placed.due, due_age
),

met as (
    select
        payee,
        size,
        count(*) filter (where is_met) as met,
        count(*) filter (where is_met and due_age <= 180) as met_180d,
        count(*) filter (where is_seen) as seen_180d
    from kept
    group by payee, size
),

hidden as (
    select
        payee,
        size,
        sum(greatest(0, ceil((base - to_age) / period) - greatest(0, ceil((base - from_age) / period)))) as hidden,
        sum(greatest(0, ceil((base - to_age) / period) - greatest(0, ceil((base - least(180, from_age)) / period)))) as hidden_180d
    from dated
    join hole using (who)
    group by payee, size
),

stood as (
    select
        dated.*,
        met.* exclude (payee, size),
        base - (last_due + 1) * period as next_age,
        next_age - unseen > greatest(period, 14) + slack as has_ended,
        greatest(last_due + 1, case when not has_ended then ceil((base - slack - unseen) / period) else 0 end) as due_in_all,
        greatest(0, ceil((base - 180) / period)) as due_before_180d,
        coalesce(hidden, 0) as hidden,
        coalesce(hidden_180d, 0) as hidden_180d
    from dated
    join met using (payee, size)
    left join hidden using (payee, size)
)

select
    who,
    merchant,
    kind,
    is_debit,
    size,
    cadence,
    period,
    n,
    first_age,
    last_age,
    next_age,
    unseen,
    median_gap,
    amount,
    lowest,
    highest,
    case when has_ended then 'ended' when n >= 3 then 'mature' else 'early' end as state,
    met,
    greatest(met, due_in_all - hidden) as expected,
    met_180d,
    greatest(met_180d, greatest(0, due_in_all - due_before_180d) - hidden_180d) as expected_180d,
    case
        when not has_ended
            then greatest(0, greatest(0, ceil((base - 7 - unseen) / period) - due_before_180d) - hidden_180d - seen_180d)
    end as missed_180d
from stood
