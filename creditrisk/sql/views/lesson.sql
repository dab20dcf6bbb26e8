-- lesson: one row per merchant or words that somebody corrected, as said last: what the classifier learns from in this workspace
-- What is said of one movement alone is no lesson: the same words may be something else the next time.
create or replace view lesson as
select words as text, direction, category, correction_id
from correction
where scope <> 'movement'
qualify row_number() over (partition by scope, words, direction order by correction_id desc) = 1 and category <> 'UNKNOWN';
