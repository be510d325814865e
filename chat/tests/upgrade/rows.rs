//! The rows of the old file, and the same rows under the names that they have now.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use crate::record::{Upgraded, fixture};

/// Where the rows of a table are now.
struct Table {
    /// Its name in the first schema, and the columns that are compared.
    old: Columns,
    /// Its name now, and the same columns in the same order.
    new: Columns,
    /// The column that names the room, whose end takes the row along.
    room: Option<&'static str>,
}

/// The messages with the columns that their key is made of.
const MESSAGES: &str = "(select room.id as room, key & 4294967295 as seq, username, body, sent_at,
    author, kind, target & 4294967295 as target, edited_at, deleted_at, client_id
    from message join room on room.number = key >> 32)";

struct Columns {
    table: &'static str,
    names: &'static str,
}

/// The tables of the first schema. A room's `due_at` is left out, because a start moves it on.
const TABLES: [Table; 15] = [
    table(
        columns("meta", "name, value"),
        // The start adds the ID of the instance, and the number of the newest room.
        columns("meta where name = 'epoch'", "name, value"),
        None,
    ),
    table(
        columns(
            "room",
            "id, name, public, asked_ms, timeout_ms, created_at, last_active_at, expires_at, \
         head, state, access, description, read_only, slow_ms, messages",
        ),
        columns(
            "room",
            "id, name, public, requested_timeout_ms, timeout_ms, created_at, last_active_at, \
         expires_at, head, state, access, description, read_only, slow_mode_ms, message_count",
        ),
        Some("id"),
    ),
    table(
        columns(
            "message",
            "room, seq, username, body, sent_at, author, kind, target, edited_at",
        ),
        columns(
            MESSAGES,
            "room, seq, username, body, sent_at, author, kind, target, edited_at",
        ),
        Some("room"),
    ),
    table(
        columns("gone", "room, until"),
        columns("room_tombstone", "room, expires_at"),
        Some("room"),
    ),
    table(
        columns("named", "name, room"),
        columns("room_alias", "name, room"),
        Some("room"),
    ),
    table(
        columns("member", "room, name, since"),
        columns("lobby_name", "room, name, since_seq"),
        Some("room"),
    ),
    table(
        columns(
            "account",
            "id, username, skeleton, name, password, operator, generation, created_at",
        ),
        columns(
            "account",
            "id, username, skeleton, name, password_hash, operator, generation, created_at",
        ),
        None,
    ),
    table(
        columns("holder", "room, skeleton, name, person, written"),
        columns("name_claim", "room, skeleton, name, person, cased_skeleton"),
        Some("room"),
    ),
    table(
        columns("membership", "room, person, role, since, seen"),
        columns("member", "room, person, role, joined_at, read_seq"),
        Some("room"),
    ),
    table(
        columns("direct", "low, high, room"),
        columns("direct_room", "low, high, room"),
        Some("room"),
    ),
    table(
        columns(
            "invitation",
            "code, room, role, created_at, expires_at, uses_left",
        ),
        columns(
            "invitation",
            "code, room, role, created_at, expires_at, uses_left",
        ),
        Some("room"),
    ),
    table(
        columns("sanction", "room, person, kind, until"),
        columns("sanction", "room, person, kind, until"),
        Some("room"),
    ),
    table(
        columns("pace", "room, person, at"),
        columns("last_write", "room, person, written_at"),
        Some("room"),
    ),
    table(
        columns("audit", "room, seq, at, actor, deed, whom"),
        columns("audit_log", "room, seq, at, actor, action, target"),
        Some("room"),
    ),
    table(
        columns("identity", "issuer, subject, account, created_at"),
        columns("oidc_identity", "issuer, subject, account, created_at"),
        None,
    ),
];

/// One row at least of the old file meets each of these conditions.
const KINDS: [(&str, &str); 54] = [
    ("room", "state = 0"),
    ("room", "state = 1 and messages > 0"),
    ("room", "state = 2"),
    ("room", "access = 0 and public"),
    ("room", "access = 0 and not public"),
    ("room", "access = 1"),
    ("room", "access = 2"),
    ("room", "name is null"),
    ("room", "name is not null"),
    ("room", "description is not null"),
    ("room", "read_only"),
    ("room", "slow_ms > 0"),
    ("room", "asked_ms is null"),
    ("room", "state = 0 and asked_ms is not null"),
    ("room", "head = 0"),
    ("room", "head > messages"),
    ("message", "kind = 0 and author = 0 and username <> ''"),
    ("message", "kind = 0 and author = 0 and username = ''"),
    ("message", "kind = 0 and author > 0"),
    (
        "message",
        "kind = 0 and author > 0 and author not in (select id from account)",
    ),
    ("message", "kind = 0 and author < 0"),
    ("message", "kind = 0 and body = ''"),
    ("message", "kind = 0 and edited_at is not null"),
    ("message", "kind = 0 and key is not null"),
    ("message", "kind = 1 and target is not null"),
    ("message", "kind = 2 and target is not null"),
    (
        "message",
        "room in (select id from room where state = 2) and kind = 0",
    ),
    ("gone", "room not in (select id from room)"),
    ("gone", "room in (select id from room where state = 2)"),
    ("named", "name = char(10)"),
    ("named", "name <> char(10)"),
    ("member", "since = 0"),
    ("member", "since > 0"),
    ("account", "password = ''"),
    ("account", "password <> '' and generation = 0"),
    ("account", "generation > 0"),
    ("account", "operator"),
    ("holder", "skeleton <> written"),
    ("membership", "role = 0"),
    ("membership", "role = 1"),
    ("membership", "role = 2"),
    ("membership", "role = 3"),
    ("membership", "seen > 0 and person > 0"),
    ("membership", "seen > 0 and person < 0"),
    ("direct", "low < high"),
    ("direct", "low = high"),
    (
        "direct",
        "low not in (select id from account) or high not in (select id from account)",
    ),
    ("invitation", "expires_at is not null and uses_left > 1"),
    ("invitation", "expires_at is null and uses_left is null"),
    ("invitation", "uses_left = 0"),
    ("sanction", "kind = 0 and until is null"),
    ("sanction", "kind = 0 and until is not null"),
    ("sanction", "kind = 1 and until is null"),
    ("sanction", "kind = 1 and until is not null"),
];

const fn table(old: Columns, new: Columns, room: Option<&'static str>) -> Table {
    Table { old, new, room }
}

const fn columns(table: &'static str, names: &'static str) -> Columns {
    Columns { table, names }
}

type Rows = Vec<Vec<Value>>;

/// Opens a file that nobody writes, without making another one beside it.
fn open(file: &Path) -> Connection {
    let address = format!("file:{}?immutable=1", file.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(address, flags).unwrap()
}

/// The first column of what a query selects.
fn texts(database: &Connection, sql: &str) -> Vec<String> {
    let mut select = database.prepare(sql).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The rows of a table but for those of rooms that have ended, in an order of their own.
fn rows(database: &Connection, columns: &Columns, room: Option<&str>, ended: &str) -> Rows {
    let Columns { table, names } = columns;
    let kept = room.map_or_else(String::new, |room| format!("where {room} not in ({ended})"));
    let sql = format!("select {names} from {table} {kept} order by {names}");
    let mut select = database.prepare(&sql).unwrap();
    let width = select.column_count();
    let rows = select
        .query_map([], |row| (0..width).map(|column| row.get(column)).collect())
        .unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn old_file_has_rows_of_every_kind() {
    let old = open(&fixture("v0_1.db"));
    for (table, condition) in KINDS {
        let sql = format!("select exists (select 1 from {table} where {condition})");
        let exists: bool = old.query_row(&sql, [], |row| row.get(0)).unwrap();
        assert!(exists, "no {table} where {condition}");
    }
}

#[tokio::test]
async fn every_row_is_found_under_the_name_that_its_table_has_now() {
    let old = open(&fixture("v0_1.db"));
    let names = texts(
        &old,
        "select name from sqlite_master where type = 'table' and name <> '_sqlx_migrations'",
    );
    let known = TABLES.iter().map(|table| table.old.table.to_owned());
    assert_eq!(
        BTreeSet::from_iter(names),
        BTreeSet::from_iter(known),
        "each old table is compared"
    );
    let ended = texts(&old, "select cast(id as text) from room where state <> 0").join(", ");
    let upgraded = Upgraded::open().await;
    upgraded.chat.close().await;
    let new = open(&upgraded.data_dir().join("webchat.db"));
    for Table {
        old: then,
        new: now,
        room,
    } in &TABLES
    {
        let names = format!("{} in {}", then.table, now.table);
        let then = rows(&old, then, *room, &ended);
        let now = rows(&new, now, *room, &ended);
        assert!(!then.is_empty(), "{names}: no rows");
        assert_eq!(then.len(), now.len(), "{names}: number of rows");
        for (then, now) in then.iter().zip(&now) {
            assert_eq!(then, now, "{names}: a row");
        }
    }
}

#[tokio::test]
async fn deleted_messages_and_idempotency_keys_are_kept_in_other_columns() {
    let old = open(&fixture("v0_1.db"));
    let upgraded = Upgraded::open().await;
    upgraded.chat.close().await;
    let new = open(&upgraded.data_dir().join("webchat.db"));
    let open_rooms = "room in (select id from room where state = 0)";
    let deleted_then = format!(
        "select printf('%d.%d %d', message.room, message.seq, deletion.sent_at) from message
         join message as deletion on deletion.room = message.room
           and deletion.target = message.seq and deletion.kind = 2
         where message.kind = 0 and message.body = '' and message.{open_rooms} order by 1"
    );
    let deleted_now = format!(
        "select printf('%d.%d %d', room, seq, deleted_at) from {MESSAGES}
         where deleted_at is not null and {open_rooms} order by 1"
    );
    let deleted = texts(&new, &deleted_now);
    assert_eq!(deleted, texts(&old, &deleted_then));
    assert!(!deleted.is_empty());
    let keys = texts(
        &old,
        &format!("select key from message where key is not null and {open_rooms}"),
    );
    let mut expected: Vec<String> = keys.iter().map(|key| protocol::client_id(key)).collect();
    expected.sort();
    let client_ids =
        format!("select client_id from {MESSAGES} where client_id is not null order by 1");
    assert_eq!(texts(&new, &client_ids), expected);
    assert!(!expected.is_empty());
    let left = texts(&new, "select idempotency_key from old_idempotency_key");
    assert!(left.is_empty(), "{left:?}");
}
