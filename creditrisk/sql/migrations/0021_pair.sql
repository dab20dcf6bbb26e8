-- pair: one row per two movements that belong together; a movement belongs to one pair at most
create table pair (
    out_id bigint not null, -- transaction_id of the money that went out
    in_id bigint not null, -- transaction_id of the money that came in
    kind varchar not null check (kind in ('own transfer', 'refund', 'returned item', 'reversed fee')),
    evidence varchar not null, -- why they are held to belong together, in words
    known_on date not null, -- the later of the two days: before it, nobody could know
    paired_at timestamp not null
);
