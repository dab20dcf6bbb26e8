-- stream: one row per applicant and recurring stream of the last 365 days: one merchant, one category, one size of amount, one rhythm
-- Amounts are of one size where, in order of size, each is at most a tenth (± 5 % about their middle) or 2.00 above the one before;
-- pay, energy, water, telephone and card bills vary by nature: half. Money of one size on one day is one payment.
-- The rhythm is read off the median gap. Due dates stand a period apart, as far from the first payment as payments usually are;
-- one is met by a payment within 5 days of it (within a third of a short period). Those in a hole nobody could see are not expected.
-- Ended: more than a whole period (14 days at least) past the next due date. `missed_180d` are due dates of the last 180 days with no
-- payment up to 7 days later. Ages are days before as_of, so that a date to come is below zero; `unseen` days do not count.
with payment as (
    select booked.who, booked.merchant, booked.event as kind, booked.amount < 0 as is_debit, booked.age, abs(booked.amount) as amount
    from booked
    join payee
        on payee.who = booked.who and payee.merchant = booked.merchant and payee.kind = booked.event
        and payee.is_debit = (booked.amount < 0)
    where payee.n >= 2
),

ordered as (
    select
        payment.*,
        amount - lag(amount) over (partition by who, merchant, kind, is_debit order by amount)
        > greatest(lag(amount) over (partition by who, merchant, kind, is_debit order by amount) * case when varies then 0.5 else 0.1 end, 2) as is_larger
    from payment
    join purpose on purpose.number = payment.kind
),

sized as (
    select *, count(*) filter (where is_larger) over (partition by who, merchant, kind, is_debit order by amount) as size from ordered
),

occurrence as (
    select who, merchant, kind, is_debit, size, age, sum(amount) as amount, min(amount) as lowest, max(amount) as highest
    from sized
    group by all
),

spaced as (
    select *, lag(age) over (partition by who, merchant, kind, is_debit, size order by age desc) - age as gap from occurrence
),

shape as (
    select
        who,
        merchant,
        kind,
        is_debit,
        size,
        count(*) as n,
        max(age) as first_age,
        min(age) as last_age,
        quantile_cont(gap, 0.5) as median_gap,
        avg(gap) filter (where gap between 10 and 20) as half_month_gap,
        quantile_cont(amount::double, 0.5) as amount,
        min(lowest) as lowest,
        max(highest) as highest
    from spaced
    group by all
    having count(*) >= 2
),

rhythm as (
    select
        *,
        case
            when median_gap between 6 and 8 then 'weekly'
            when median_gap between 12.5 and 18 and half_month_gap <= 14.6 then 'biweekly'
            when median_gap between 12.5 and 18 then 'semi-monthly'
            when median_gap between 26 and 35 then 'monthly'
            when median_gap between 84 and 98 then 'quarterly'
        end as cadence,
        case cadence when 'weekly' then 7 when 'biweekly' then 14 when 'semi-monthly' then 15.21875 when 'monthly' then 30.4375 else 91.3125 end::double
            as period,
        least(5, floor(period / 3)) as slack
    from shape
    where cadence is not null
),

counted as (
    select
        occurrence.age,
        round((rhythm.first_age - occurrence.age) / period) as due,
        rhythm.first_age - occurrence.age - due * period as late,
        rhythm.*
    from occurrence
    join rhythm using (who, merchant, kind, is_debit, size)
),

centred as (
    select *, quantile_cont(late, 0.5) over (partition by who, merchant, kind, is_debit, size) as usual from counted
),

dated as (
    select
        centred.*,
        centred.first_age - usual as base, -- the age of due date 0; due date k has the age base - k * period
        coverage.unseen
    from centred
    join coverage using (who)
),

met as (
    select
        who,
        merchant,
        kind,
        is_debit,
        size,
        any_value(cadence) as cadence,
        any_value(period) as period,
        any_value(slack) as slack,
        any_value(n) as n,
        any_value(first_age) as first_age,
        any_value(last_age) as last_age,
        any_value(median_gap) as median_gap,
        any_value(amount) as amount,
        any_value(lowest) as lowest,
        any_value(highest) as highest,
        any_value(base) as base,
        any_value(unseen) as unseen,
        max(due) as last_due,
        count(distinct due) filter (where abs(late - usual) <= slack) as met,
        count(distinct due) filter (where abs(late - usual) <= slack and base - due * period <= 180) as met_180d,
        count(distinct due) filter (where late - usual <= 7 and base - due * period <= 180 and base - due * period - 7 > unseen) as seen_180d
    from dated
    group by who, merchant, kind, is_debit, size
),

hidden as (
    select
        who,
        merchant,
        kind,
        is_debit,
        size,
        sum(greatest(0, ceil((base - to_age) / period) - greatest(0, ceil((base - from_age) / period)))) as hidden,
        sum(greatest(0, ceil((base - to_age) / period) - greatest(0, ceil((base - least(180, from_age)) / period)))) as hidden_180d
    from met
    join hole using (who)
    group by all
),

stood as (
    select
        met.*,
        base - (last_due + 1) * period as next_age,
        next_age - unseen > greatest(period, 14) + slack as has_ended,
        greatest(last_due + 1, case when not has_ended then ceil((base - slack - unseen) / period) else 0 end) as due_in_all,
        greatest(0, ceil((base - 180) / period)) as due_before_180d,
        coalesce(hidden, 0) as hidden,
        coalesce(hidden_180d, 0) as hidden_180d
    from met
    left join hidden using (who, merchant, kind, is_debit, size)
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
