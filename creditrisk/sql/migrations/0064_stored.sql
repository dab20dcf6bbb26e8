-- stored: one entry of the audit per change says which rows of facts it stored; of rows from before, one entry made now says it of all
select 1;
