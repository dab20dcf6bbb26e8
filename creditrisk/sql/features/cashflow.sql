-- cashflow: one row per applicant: the features of the built-in schema; null where under 60 % of the window was observed
-- `days_90d` is how many of the last 90 days were observed, null where too few, and what it divides or guards is null with it;
-- of a balance it means: known on that many days (buffer.n_90d), not only that some account was seen. Nobody with no income has
-- a ratio to it, unless there is nothing to compare; money that came back never makes a share less than 0.
with uses as (
    select
        usage.who,
        bool_or(is_primary) as is_primary,
        bool_or(is_savings) as has_savings,
        sum(latest.balance)::double as savings_balance
    from usage
    left join (
        select account_id, arg_max(balance, booked_on) as balance from known group by account_id
    ) as latest on latest.account_id = usage.account_id and is_savings
    group by usage.who
)

select
    cohort.applicant_id,
    coverage.as_of,
    activity.history_days as history_days,
    activity.active_90d / days_90d as active_days_share_90d,
    activity.active_365d / days_365d as active_days_share_365d,
    case when days_90d is not null then if(activity.active_90d > 0, activity.longest_gap_90d, days_90d) end as longest_gap_days_90d,
    activity.last_age as days_since_last_txn,
    case when days_90d is not null then coalesce(uses.is_primary, false)::integer end as is_primary_account_90d,
    if(uses.has_savings, 1, null) as has_savings_account,
    case when days_90d is not null then rhythm.income_monthly_median_90d end as income_monthly_median_90d,
    case when days_180d is not null then rhythm.income_monthly_median_180d end as income_monthly_median_180d,
    case when days_365d is not null then rhythm.income_monthly_median_365d end as income_monthly_median_365d,
    coalesce(flow.salary_90d, 0)::double * 30.44 / days_90d as salary_monthly_mean_90d,
    coalesce(flow.salary_180d, 0)::double * 30.44 / days_180d as salary_monthly_mean_180d,
    coalesce(flow.salary_365d, 0)::double * 30.44 / days_365d as salary_monthly_mean_365d,
    case when days_180d is not null then rhythm.income_cv_180d end as income_cv_180d,
    case when days_365d is not null then rhythm.income_cv_365d end as income_cv_365d,
    (flow.income_90d::double / days_90d) / (flow.visible_income_365d / days_365d) as income_trend_90v365d,
    case when days_180d is not null then coalesce(recurring.n_income, 0) end as income_source_count_180d,
    case
        when days_180d is not null
            then recurring.pay_met_180d::double / nullif(recurring.pay_expected_180d, 0)::double
    end as salary_regularity_180d,
    case
        when days_365d is not null
            then recurring.pay_met_365d::double / nullif(recurring.pay_expected_365d, 0)::double
    end as salary_regularity_365d,
    recurring.since_pay as days_since_last_salary_ratio,
    case when days_180d is not null then rhythm.without_180d end as months_without_income_180d,
    case when days_365d is not null then rhythm.without_365d end as months_without_income_365d,
    null::double as income_observed_to_declared_90d,
    case
        when days_90d is not null and flow.income_90d > 0
            then flow.benefits_90d::double / flow.income_90d::double
    end as benefits_share_90d,
    case
        when days_365d is not null and flow.income_365d > 0
            then flow.benefits_365d::double / flow.income_365d::double
    end as benefits_share_365d,
    case
        when days_180d is not null and flow.inflow_180d > 0
            then greatest(0, flow.cash_in_180d)::double / flow.inflow_180d::double
    end as cash_deposit_share_180d,
    case when days_30d is not null and buffer.n_30d >= 18 then buffer.mean_30d end as balance_avg_30d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.mean_90d end as balance_avg_90d,
    case when days_180d is not null and buffer.n_180d >= 108 then buffer.mean_180d end as balance_avg_180d,
    case when days_365d is not null and buffer.n_365d >= 219 then buffer.mean_365d end as balance_avg_365d,
    case when days_30d is not null and buffer.n_30d >= 18 then buffer.lowest_30d end as balance_min_30d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.lowest_90d end as balance_min_90d,
    case when days_30d is not null and buffer.n_30d >= 18 then buffer.p10_30d end as balance_p10_30d,
    case when days_60d is not null and buffer.n_60d >= 36 then buffer.p10_60d end as balance_p10_60d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.p10_90d end as balance_p10_90d,
    buffer.last_balance as balance_current_total,
    uses.savings_balance as savings_balance_total,
    case
        when days_90d is not null and buffer.n_90d >= 54
            then buffer.slope_a_day_90d * 30 / (per_income_90d * 30.44 / days_90d)
    end as balance_trend_90d,
    case
        when days_180d is not null and buffer.n_180d >= 108
            then buffer.slope_a_day_180d * 30 / (per_income_180d * 30.44 / days_180d)
    end as balance_trend_180d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.cv_90d end as balance_cv_90d,
    case when days_30d is not null and buffer.n_30d >= 18 then buffer.negative_30d end as days_negative_30d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.negative_90d end as days_negative_90d,
    case when days_180d is not null and buffer.n_180d >= 108 then buffer.negative_180d end as days_negative_180d,
    case when days_365d is not null and buffer.n_365d >= 219 then buffer.negative_365d end as days_negative_365d,
    case when days_365d is not null and buffer.n_365d >= 219 then coalesce(buffer.negative_age, 365) end as days_since_last_negative_365d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.episodes_90d end as negative_episodes_90d,
    case when days_365d is not null and buffer.n_365d >= 219 then buffer.episodes_365d end as negative_episodes_365d,
    case when days_90d is not null and buffer.n_90d >= 54 then buffer.below_90d end as days_below_buffer_90d,
    case
        when days_90d is not null and buffer.n_90d >= 54 and flow.outflow_90d > 0
            then buffer.mean_30d / (flow.outflow_90d::double / days_90d)
    end as liquidity_buffer_days,
    case when days_90d is not null then flow.net_90d::double / per_income_90d end as net_cashflow_to_income_90d,
    case when days_180d is not null then flow.net_180d::double / per_income_180d end as net_cashflow_to_income_180d,
    case when days_365d is not null then flow.net_365d::double / per_income_365d end as net_cashflow_to_income_365d,
    case when days_180d is not null then rhythm.negative_180d end as months_negative_cashflow_180d,
    case when days_365d is not null then rhythm.negative_365d end as months_negative_cashflow_365d,
    case
        when days_90d is not null
            then case when flow.outflow_90d <= 0 then 0 else flow.outflow_90d::double / per_income_90d end
    end as outflow_to_income_90d,
    case
        when days_180d is not null
            then case when flow.outflow_180d <= 0 then 0 else flow.outflow_180d::double / per_income_180d end
    end as outflow_to_income_180d,
    case
        when days_365d is not null
            then case when flow.outflow_365d <= 0 then 0 else flow.outflow_365d::double / per_income_365d end
    end as outflow_to_income_365d,
    case when days_90d is not null then if(flow.saved_90d = 0, 0, flow.saved_90d::double / per_income_90d) end as savings_rate_90d,
    case when days_365d is not null then if(flow.saved_365d = 0, 0, flow.saved_365d::double / per_income_365d) end as savings_rate_365d,
    case
        when days_90d is not null
            then case when flow.essential_90d <= 0 then 0 else flow.essential_90d::double / per_income_90d end
    end as essential_to_income_90d,
    case
        when days_180d is not null
            then case when flow.essential_180d <= 0 then 0 else flow.essential_180d::double / per_income_180d end
    end as essential_to_income_180d,
    case
        when days_90d is not null
            then (flow.income_90d - greatest(0, flow.essential_90d) - greatest(0, flow.debt_90d))::double
                / nullif(flow.income_90d, 0)::double
    end as disposable_to_income_90d,
    case
        when days_180d is not null
            then (flow.income_180d - greatest(0, flow.essential_180d) - greatest(0, flow.debt_180d))::double
                / nullif(flow.income_180d, 0)::double
    end as disposable_to_income_180d,
    case
        when days_90d is not null
            then case when flow.discretionary_90d <= 0 then 0 else flow.discretionary_90d::double / per_income_90d end
    end as discretionary_to_income_90d,
    case
        when days_180d is not null
            then case when flow.discretionary_180d <= 0 then 0 else flow.discretionary_180d::double / per_income_180d end
    end as discretionary_to_income_180d,
    case
        when days_90d is not null
            then case when flow.home_90d <= 0 then 0 else flow.home_90d::double / per_income_90d end
    end as rent_to_income_90d,
    case
        when days_180d is not null
            then case when flow.home_180d <= 0 then 0 else flow.home_180d::double / per_income_180d end
    end as rent_to_income_180d,
    case
        when days_180d is not null
            then recurring.home_met_180d::double / nullif(recurring.home_expected_180d, 0)::double
    end as housing_on_time_share_180d,
    case
        when days_365d is not null
            then recurring.home_met_365d::double / nullif(recurring.home_expected_365d, 0)::double
    end as housing_on_time_share_365d,
    case
        when days_180d is not null
            then recurring.bills_180d::double / 1000000 / nullif(recurring.n_bills_180d, 0)
    end as recurring_bill_regularity_180d,
    case
        when days_365d is not null
            then recurring.bills_365d::double / 1000000 / nullif(recurring.n_bills_365d, 0)
    end as recurring_bill_regularity_365d,
    case
        when days_90d is not null
            then case when flow.debt_90d <= 0 then 0 else flow.debt_90d::double / per_income_90d end
    end as debt_service_to_income_90d,
    case
        when days_180d is not null
            then case when flow.debt_180d <= 0 then 0 else flow.debt_180d::double / per_income_180d end
    end as debt_service_to_income_180d,
    case
        when days_365d is not null
            then case when flow.debt_365d <= 0 then 0 else flow.debt_365d::double / per_income_365d end
    end as debt_service_to_income_365d,
    case when days_90d is not null then coalesce(lender.active_90d, 0) end as active_lender_count_90d,
    case when days_365d is not null then coalesce(lender.active_365d, 0) end as active_lender_count_365d,
    case when days_90d is not null and observed_180d - observed_90d >= 54 then coalesce(lender.new_90d, 0) end as new_lender_count_90d,
    case when days_30d is not null then coalesce(flow.n_loans_in_30d, 0) end as loan_in_count_30d,
    case when days_90d is not null then coalesce(flow.n_loans_in_90d, 0) end as loan_in_count_90d,
    case when days_365d is not null then coalesce(flow.n_loans_in_365d, 0) end as loan_in_count_365d,
    case
        when days_90d is not null
            then case when flow.loans_in_90d <= 0 then 0 else flow.loans_in_90d::double / per_income_90d end
    end as loan_in_to_income_90d,
    case
        when days_365d is not null
            then case when flow.loans_in_365d <= 0 then 0 else flow.loans_in_365d::double / per_income_365d end
    end as loan_in_to_income_365d,
    case when days_90d is not null then coalesce(flow.n_payday_90d, 0) end as payday_count_90d,
    case when days_365d is not null then coalesce(flow.n_payday_365d, 0) end as payday_count_365d,
    case when days_90d is not null then coalesce(flow.n_ewa_90d, 0) end as ewa_count_90d,
    case
        when days_90d is not null
            then case when flow.bnpl_90d <= 0 then 0 else flow.bnpl_90d::double / per_income_90d end
    end as bnpl_to_income_90d,
    case
        when days_365d is not null
            then case when flow.bnpl_365d <= 0 then 0 else flow.bnpl_365d::double / per_income_365d end
    end as bnpl_to_income_365d,
    case when days_180d is not null then coalesce(recurring.missed_180d, 0) end as expected_loan_payment_missed_180d,
    case when days_365d is not null then coalesce(flow.n_collection_365d, 0) end as debt_collection_count_365d,
    case when days_30d is not null then coalesce(flow.n_returned_30d, 0) end as nsf_returned_count_30d,
    case when days_60d is not null then coalesce(flow.n_returned_60d, 0) end as nsf_returned_count_60d,
    case when days_90d is not null then coalesce(flow.n_returned_90d, 0) end as nsf_returned_count_90d,
    case when days_180d is not null then coalesce(flow.n_returned_180d, 0) end as nsf_returned_count_180d,
    case when days_365d is not null then coalesce(flow.n_returned_365d, 0) end as nsf_returned_count_365d,
    case when days_365d is not null then coalesce(flow.last_returned_age, 365) end as days_since_last_nsf_365d,
    case
        when days_180d is not null
            then case
                when flow.n_returned_item_180d = 0 then 0
                when flow.n_direct_180d > 0 then least(1, flow.n_returned_item_180d::double / flow.n_direct_180d::double)
            end
    end as returned_dd_share_180d,
    case
        when days_90d is not null
            then case when flow.overdraft_fees_90d <= 0 then 0 else flow.overdraft_fees_90d::double / per_income_90d end
    end as overdraft_fee_to_income_90d,
    case
        when days_365d is not null
            then case when flow.overdraft_fees_365d <= 0 then 0 else flow.overdraft_fees_365d::double / per_income_365d end
    end as overdraft_fee_to_income_365d,
    case
        when days_90d is not null
            then case when flow.penalties_90d <= 0 then 0 else flow.penalties_90d::double / per_income_90d end
    end as penalty_fees_to_income_90d,
    case when days_180d is not null then coalesce(flow.n_late_180d, 0) end as late_fee_count_180d,
    case when days_365d is not null then coalesce(flow.n_late_365d, 0) end as late_fee_count_365d,
    case
        when days_30d is not null
            then case when flow.gambling_30d <= 0 then 0 else flow.gambling_30d::double / per_income_30d end
    end as gambling_to_income_30d,
    case
        when days_90d is not null
            then case when flow.gambling_90d <= 0 then 0 else flow.gambling_90d::double / per_income_90d end
    end as gambling_to_income_90d,
    case
        when days_180d is not null
            then case when flow.gambling_180d <= 0 then 0 else flow.gambling_180d::double / per_income_180d end
    end as gambling_to_income_180d,
    case
        when days_365d is not null
            then case when flow.gambling_365d <= 0 then 0 else flow.gambling_365d::double / per_income_365d end
    end as gambling_to_income_365d,
    case when days_90d is not null then coalesce(flow.gambling_days_90d, 0) end as gambling_active_days_90d,
    case
        when days_90d is not null and flow.outflow_90d > 0
            then least(1, greatest(0, flow.cash_out_90d)::double / flow.outflow_90d::double)
    end as cash_withdrawal_share_90d,
    case
        when days_180d is not null and flow.outflow_180d > 0
            then least(1, greatest(0, flow.cash_out_180d)::double / flow.outflow_180d::double)
    end as cash_withdrawal_share_180d,
    case when flow.moved_90d > 0 then flow.unknown_90d::double / flow.moved_90d::double end as uncategorised_amount_share_90d,
    coverage.is_unreconciled::integer as unreconciled_balance_flag,
    (observed_365d < 90)::integer as history_short_flag,
    observed_365d as observed_days
from coverage
join cohort using (who)
join activity using (who)
left join uses using (who)
left join flow using (who)
left join rhythm using (who)
left join buffer using (who)
left join recurring using (who)
left join lender using (who)
order by cohort.applicant_id
