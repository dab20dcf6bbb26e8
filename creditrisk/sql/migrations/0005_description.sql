-- description: one row per distinct text, bank code and direction of money; classified once, joined for ever
create sequence description_seq;
create table description (
    description_id integer primary key default nextval('description_seq'),
    text varchar not null,
    code varchar not null,
    direction varchar not null check (direction in ('in', 'out')),
    cleaned varchar not null,
    category varchar not null,
    confidence double not null,
    source varchar not null,
    unique (text, code, direction)
);
