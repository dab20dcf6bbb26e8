-- found: one row per two movements that may belong together, of which kind and why
select * from (values (0::bigint, 0::bigint, 0, '', '')) as none (in_id, out_id, place, kind, evidence) where false
