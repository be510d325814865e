-- The sessions that were signed out before their tokens expire. session is the ID in the token; a
-- token of an earlier version has none, and is known by the negative second in which it was issued.
create table revoked_session (
    account    bigint not null,
    session    bigint not null,
    expires_at bigint not null,
    primary key (account, session)
) without rowid;

create index revoked_session_expires_at on revoked_session (expires_at);
