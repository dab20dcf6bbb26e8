-- claim_open: one row per claim that was neither judged nor skipped; whether it has expired, the reader says, who knows the time
create or replace view claim_open as
select * from claim
where claim_id not in (select claim_id from claim_end);
