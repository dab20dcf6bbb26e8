-- cashflow: one row per applicant: the features of the built-in schema; null where under 60 % of the window was observed
-- Of a balance that means: known on that many days (buffer.n), not only that some account was seen.
select
    coverage.applicant_id,
    coverage.as_of,
    history.history_days,
    case when observed_90d >= 54 then coalesce(activity.active_days, 0) / observed_90d end as active_days_share_90d,
    case when observed_90d >= 54 then coalesce(activity.longest_gap, observed_90d) end as longest_gap_days_90d,
    history.days_since_last_txn,
    case when observed_180d >= 108 then rhythm.income_monthly_median end as income_monthly_median_180d,
    case when observed_180d >= 108 then flow.salary_180d::double * 30.44 / observed_180d end as salary_monthly_mean_180d,
    case when observed_180d >= 108 then rhythm.income_cv end as income_cv_180d,
    case
        when observed_365d >= 219 and observed_90d >= 54
            then (flow.income_90d::double / observed_90d) / (flow.visible_income_365d / observed_365d)
    end as income_trend_90v365d,
    case when observed_180d >= 108 then rhythm.months_without_income end as months_without_income_180d,
    case when least(observed_90d, buffer.n) >= 54 then buffer.mean_90d end as balance_avg_90d,
    case when least(observed_90d, buffer.n) >= 54 then buffer.lowest end as balance_min_90d,
    case when least(observed_90d, buffer.n) >= 54 then buffer.p10 end as balance_p10_90d,
    buffer.last_balance as balance_current_total,
    case
        when least(observed_90d, buffer.n) >= 54
            then buffer.slope_a_day * 30 / (flow.per_income_90d * 30.44 / observed_90d)
    end as balance_trend_90d,
    case when least(observed_90d, buffer.n) >= 54 then buffer.days_negative end as days_negative_90d,
    case when least(observed_90d, buffer.n) >= 54 then buffer.episodes end as negative_episodes_90d,
    case
        when least(observed_90d, buffer.n) >= 54 and flow.outflow_90d > 0
            then buffer.mean_30d / (flow.outflow_90d::double / observed_90d)
    end as liquidity_buffer_days,
    case when observed_180d >= 108 then flow.net_180d::double / flow.per_income_180d end as net_cashflow_to_income_180d,
    case when observed_180d >= 108 then rhythm.months_negative end as months_negative_cashflow_180d,
    case when observed_90d >= 54 then flow.outflow_90d::double / flow.per_income_90d end as outflow_to_income_90d,
    case when observed_90d >= 54 then if(flow.debt_90d = 0, 0, flow.debt_90d::double / flow.per_income_90d) end as debt_service_to_income_90d,
    case when observed_90d >= 54 then coalesce(flow.payday_90d, 0) end as payday_count_90d,
    case when observed_90d >= 54 then coalesce(flow.returned_90d, 0) end as nsf_returned_count_90d,
    case when observed_90d >= 54 then if(flow.penalties_90d = 0, 0, flow.penalties_90d::double / flow.per_income_90d) end as penalty_fees_to_income_90d,
    case when observed_90d >= 54 then if(flow.gambling_90d = 0, 0, flow.gambling_90d::double / flow.per_income_90d) end as gambling_to_income_90d,
    case when flow.moved_90d > 0 then flow.unknown_90d::double / flow.moved_90d::double end as uncategorised_amount_share_90d,
    guard.is_unreconciled::integer as unreconciled_balance_flag,
    observed_365d as observed_days
from coverage
join history using (applicant_id)
left join activity using (applicant_id)
left join flow using (applicant_id)
left join rhythm using (applicant_id)
left join buffer using (applicant_id)
left join guard using (applicant_id)
order by coverage.applicant_id
