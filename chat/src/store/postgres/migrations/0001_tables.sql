-- The same tables and columns as in SQLite, whose migrations explain them. Texts are compared and
-- sorted by their bytes, and every number is a bigint, because a value is read as the type it has.

create table meta (
    name  text collate "C" primary key,
    value bigint not null
);

create table room (
    id                   bigint primary key,
    name                 text collate "C",
    public               boolean not null,
    requested_timeout_ms bigint,
    timeout_ms           bigint not null,
    created_at           bigint not null,
    last_active_at       bigint not null,
    expires_at           bigint not null,
    due_at               bigint not null,
    head                 bigint not null,
    state                bigint not null,
    access               bigint not null default 0,
    description          text collate "C",
    read_only            boolean not null default false,
    slow_mode_ms         bigint not null default 0,
    message_count        bigint not null default 0,
    number               bigint,
    text_bytes           bigint not null default 0,
    ended_by             bigint not null default 0
) with (fillfactor = 70);

create index room_due on room (state, due_at);
create index room_public on room (last_active_at, id) where public and state = 0;
create unique index room_number on room (number);

create table message (
    key        bigint primary key,
    author     bigint not null,
    kind       bigint not null,
    target     bigint,
    sent_at    bigint not null,
    edited_at  bigint,
    deleted_at bigint,
    client_id  text collate "C",
    sender     bigint,
    content    bigint,
    username   text collate "C" not null,
    body       text collate "C" not null
);

create unique index message_client_id on message ((key >> 32), author, client_id, sender)
where client_id is not null;
create index message_later_kind on message (kind) where kind > 2;

create table room_tombstone (
    room       bigint primary key,
    expires_at bigint not null,
    hidden     boolean not null default false,
    ended_by   bigint not null default 0
);

create index room_tombstone_expires_at on room_tombstone (expires_at);

create table room_tombstone_member (
    room   bigint not null,
    person bigint not null,
    primary key (room, person)
);

create table room_alias (
    name text collate "C" primary key,
    room bigint not null
);

create index room_alias_room on room_alias (room);

create table lobby_name (
    room           bigint not null,
    name           text collate "C" not null,
    since_seq      bigint not null,
    skeleton       text collate "C" not null default '',
    cased_skeleton text collate "C" not null default '',
    primary key (room, name)
);

create index lobby_name_skeleton on lobby_name (room, skeleton, cased_skeleton);
create index lobby_name_cased_skeleton on lobby_name (room, cased_skeleton, skeleton);

create table account (
    id              bigint primary key,
    username        text collate "C" not null unique,
    skeleton        text collate "C" not null unique,
    name            text collate "C" not null,
    password_hash   text collate "C" not null,
    operator        boolean not null,
    generation      bigint not null,
    created_at      bigint not null,
    password_set_at bigint
);

create index account_operator on account (username) where operator;

create table former_username (
    username text collate "C" primary key,
    skeleton text collate "C" not null
);

create index former_username_skeleton on former_username (skeleton);

create table revoked_session (
    account    bigint not null,
    session    bigint not null,
    expires_at bigint not null,
    primary key (account, session)
);

create index revoked_session_expires_at on revoked_session (expires_at);

create table oidc_identity (
    issuer     text collate "C" not null,
    subject    text collate "C" not null,
    account    bigint not null,
    created_at bigint not null,
    primary key (issuer, subject)
);

create unique index oidc_identity_account on oidc_identity (account, issuer);

create table name_claim (
    room           bigint not null,
    skeleton       text collate "C" not null,
    name           text collate "C" not null,
    person         bigint not null,
    cased_skeleton text collate "C" not null default '',
    primary key (room, skeleton)
);

create unique index name_claim_person on name_claim (room, person);
create index name_claim_cased_skeleton on name_claim (room, cased_skeleton, person, name);

create table member (
    room          bigint not null,
    person        bigint not null,
    role          bigint not null,
    joined_at     bigint not null,
    read_seq      bigint not null,
    active_minute bigint not null default 0,
    direct        boolean not null default false,
    primary key (room, person)
);

create index member_activity on member (person, direct, active_minute);
create index member_visible_role on member (room, role desc, joined_at, person) where role >= 2;

create table direct_room (
    low  bigint not null,
    high bigint not null,
    room bigint not null,
    primary key (low, high)
);

create unique index direct_room_room on direct_room (room);

create table room_author (
    account bigint not null,
    room    bigint not null,
    primary key (account, room)
);

create index room_author_room on room_author (room);

create table room_preference (
    person    bigint not null,
    room      bigint not null,
    level     bigint not null default 0,
    listing   bigint not null default 0,
    listed_at bigint not null default 0,
    primary key (person, room)
);

create index room_preference_room on room_preference (room);
create index room_preference_kept on room_preference (person, listed_at) where listing = 1;

create table notification_settings (
    person      bigint primary key,
    pause_until bigint,
    quiet_from  text collate "C",
    quiet_to    text collate "C",
    quiet_zone  text collate "C",
    changed_at  bigint not null
);

create index notification_settings_changed_at on notification_settings (changed_at) where person < 0;

create table invitation (
    code       text collate "C" primary key,
    room       bigint not null,
    role       bigint not null,
    created_at bigint not null,
    expires_at bigint,
    uses_left  bigint
);

create index invitation_room on invitation (room);

create table sanction (
    room   bigint not null,
    person bigint not null,
    kind   bigint not null,
    until  bigint,
    primary key (room, person)
);

create table last_write (
    room       bigint not null,
    person     bigint not null,
    written_at bigint not null,
    primary key (room, person)
);

create table audit_log (
    room   bigint not null,
    seq    bigint not null,
    at     bigint not null,
    actor  text collate "C" not null,
    action text collate "C" not null,
    target text collate "C" not null,
    primary key (room, seq)
);

insert into meta (name, value) values ('last_room_number', 0);

-- The keys that sign the tokens of all nodes. With SQLite the key is a file of the data directory.
create table signing_key (
    name text collate "C" primary key,
    key  text collate "C" not null
);

-- Where the database is, by which a server notices that it was restored elsewhere or goes on from an
-- earlier state. A dump that is restored makes a table with another number (relation).
create table log_position (
    id                bigint primary key,
    system_identifier bigint not null,
    database          bigint not null,
    relation          bigint not null,
    timeline          bigint not null
);

-- How many transactions each server has committed, by which it notices that some are missing. The row
-- of a server that ends in order is deleted.
create table node_commits (
    node     bigint primary key,
    commits  bigint not null,
    timeline bigint not null,
    alive_at bigint not null
) with (fillfactor = 50);

-- What the nodes tell each other. It needs no log of the database: after a crash of the database each
-- node writes it again.

-- The nodes, and when each was last there by the clock of the database.
create unlogged table node (
    id       bigint primary key,
    there_at timestamptz not null
) with (fillfactor = 50);

-- The latest notifications of each node, numbered, for the nodes that they did not reach.
create unlogged table node_ring (
    node   bigint not null,
    number bigint not null,
    at     timestamptz not null,
    text   text collate "C" not null,
    primary key (node, number)
);

-- Who is present in a room by way of which node: names as a JSON array, and how many there are.
create unlogged table node_presence (
    room  bigint not null,
    node  bigint not null,
    names text collate "C" not null,
    count bigint not null,
    primary key (room, node)
);

create index node_presence_node on node_presence (node);

-- Attempts to guess a secret, by a digest of what makes them or what they are for. After a crash of the
-- database they begin again, as they do when a server with a database in a file starts.
create unlogged table attempt (
    subject bigint primary key,
    count   bigint not null,
    last_at timestamptz not null
) with (fillfactor = 50);
