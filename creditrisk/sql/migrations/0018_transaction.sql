-- transaction: a number of its own, in order of arrival, by which corrections and pairs know it
alter table transaction add column transaction_id bigint;
update transaction set transaction_id = rowid + 1;
