-- merchant: one row per description of money out and shop that gave something back, by which the shop is known
-- A merchant is known by the words a refund names, of which the purchase may have more: TESCO for TESCO STORES LONDON.
select words.description_id, shop.shop_id, list_contains($spent::varchar[], words.category) as is_spent
from (
    select description_id, category, string_split(party, ' ') as words, unnest(range(1, len(words) + 1)) as n
    from said
    where direction = 'out' and party <> ''
) as words
join shop on shop.party = array_to_string(words.words[1:n], ' ')
where words.category = 'UNKNOWN' or list_contains($spent::varchar[], words.category)
