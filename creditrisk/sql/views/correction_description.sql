-- correction_description: one row per correction of a merchant or of words and description it speaks of
create or replace view correction_description as
select correction.correction_id, description.description_id
from correction
join description
    on correction.scope = 'merchant' and correction.words = description.cleaned and correction.direction = description.direction
union all
select correction.correction_id, description.description_id
from (select * from correction where scope = 'words') as correction
join description
    on correction.direction = description.direction
    and contains(' ' || description.cleaned || ' ', ' ' || correction.words || ' ');
