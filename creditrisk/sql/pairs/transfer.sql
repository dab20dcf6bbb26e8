-- transfer: one row per two opposite movements between accounts of one applicant, at most 4 days apart, that say so
with sibling as (
    from here where has_sibling
),

holder as (
    select applicant_id, string_split(trim(regexp_replace(strip_accents(upper(name)), '[^A-Z]+', ' ', 'g')), ' ') as words
    from application
    where applicant_id in (select applicant_id from sibling) and name is not null
    qualify row_number() over (partition by applicant_id order by applied_on desc) = 1
),

side as (
    select
        transaction.transaction_id,
        transaction.account_id,
        transaction.booked_on,
        transaction.amount,
        sibling.purse,
        own.category as corrected,
        said.says_transfer,
        said.says_own,
        said.party,
        len(holder.words) > 1 and list_has_all(string_split(said.cleaned, ' '), holder.words) as names_holder,
        regexp_replace(upper(said.text), '[^A-Z0-9]', '', 'g') as letters,
        -- a year is the end of many a number, and no evidence by itself
        list_filter(
            regexp_extract_all(said.text, '[0-9]{4,}'), lambda tail: said.says_transfer or not regexp_full_match(tail, '(19|20)[0-9]{2}')
        ) as tails,
        regexp_replace(upper(sibling.number), '[^A-Z0-9]', '', 'g') as number
    from transaction
    join sibling using (account_id)
    join said using (description_id)
    left join own using (transaction_id)
    left join holder on holder.applicant_id = sibling.applicant_id
    where coalesce(own.category, 'TRF_OWN_IN') in ('TRF_OWN_IN', 'TRF_OWN_OUT')
),

moved as (
    select
        came.transaction_id as in_id,
        went.transaction_id as out_id,
        coalesce(went.corrected, came.corrected) is not null as is_said,
        length(came.number) >= 6 and contains(went.letters, came.number)
        or len(list_filter(went.tails, lambda tail: ends_with(came.number, tail))) > 0 as names_in,
        length(went.number) >= 6 and contains(came.letters, went.number)
        or len(list_filter(came.tails, lambda tail: ends_with(went.number, tail))) > 0 as names_out,
        came.names_holder and (went.names_holder or went.says_transfer) or went.names_holder and came.says_transfer as names_holder,
        came.says_transfer
        and went.says_transfer
        and (
            came.party = went.party
            or came.says_own and went.says_own
            or came.party = '' and went.says_own
            or went.party = '' and came.says_own
        ) as says_transfer,
        case when came.party = went.party then came.party else '' end as party,
        came.number as in_number,
        went.number as out_number,
        came.booked_on - went.booked_on as days
    from side as came
    join side as went
        on went.purse = came.purse
        and went.amount = -came.amount
        and went.account_id <> came.account_id
        and went.booked_on between came.booked_on - 4 and came.booked_on
    where came.amount > 0
)

select
    in_id,
    out_id,
    3 as place,
    'own transfer' as kind,
    case
        when is_said then 'somebody said of one of the two that it is an own transfer'
        when names_in then 'the text of the money out names the other account (…' || right(in_number, 4) || ')'
        when names_out then 'the text of the money in names the other account (…' || right(out_number, 4) || ')'
        when names_holder then 'the texts name the account holder'
        when party <> '' then 'both texts say that it is a transfer and name the same party (' || party || ')'
        else 'both texts say that it is a transfer between own accounts'
    end
    || case days when 0 then ', on one day' when 1 then ', a day later' else ', ' || days || ' days later' end as evidence
from moved
where is_said or names_in or names_out or names_holder or says_transfer
