-- sought: one row per description of money in that may give something back
select description_id
from said
where direction = 'in'
    and (
        is_returned
        or gives_back
        or category = 'UNKNOWN' and party in (select party from said where direction = 'out' and list_contains($spent::varchar[], category))
        or names_fee and cleaned in (select cleaned from said where direction = 'out' and category like 'FEE\_%' escape '\')
    )
