-- Who somebody is at a provider of sign-in, and whose account that is here: one identity an account at each provider. An
-- account whose password is empty has none, and nobody signs in to it by one.
create table identity (
    issuer     text not null,
    subject    text not null,
    account    bigint not null,
    created_at bigint not null,
    primary key (issuer, subject)
) without rowid;

create unique index identity_account on identity (account, issuer);
