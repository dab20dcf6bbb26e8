-- wording: one row per description, and its letters and digits alone: what formats that print the same movement agree on
create or replace view wording as
select
    description_id,
    direction,
    regexp_replace(lower(strip_accents(text)), '[^\p{L}\p{N}]+', '', 'g') as letters
from description;
