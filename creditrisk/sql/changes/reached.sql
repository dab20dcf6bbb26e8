-- reached: one row per movement that a correction speaks of, and whether it would change what the movement is shown as
-- One that somebody corrected by itself, or that belongs to a pair, keeps what it is.
select
    transaction_id,
    applicant_id,
    booked_on,
    text,
    amount,
    category,
    category <> $category
    and ($scope = 'movement' or source <> 'pair' and transaction_id not in (select transaction_id from correction_current)) as is_changed
from movement
where direction = $direction
    and (
        $scope = 'movement' and transaction_id = $transaction_id
        or $scope = 'merchant' and cleaned = $words
        or $scope = 'words' and contains(' ' || cleaned || ' ', ' ' || $words || ' ')
    )
