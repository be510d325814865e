//! The rooms of two accounts, or of one account for its own notes.
//!
//! # Guarantees
//! - A pair of accounts has one direct room.

use protocol::{Account, DirectChat, RoomId};

use super::members::newest_rooms;
use super::messages::{NEWEST_KEY, UNREAD_KEYS};
use sqlx::AssertSqlSafe;

use crate::Error;
use crate::store::rows::{
    AccountPair, MESSAGE_COLUMNS, MessageRow, count, key, level_from_row, room_id,
};
use crate::store::sql::{FromRow, Row, query, query_as};
use crate::store::{Reader, Store, WriteTransaction};

/// How many characters of a newest message are read.
const EXCERPT: usize = 200;

/// The open direct room of two accounts.
pub(crate) async fn find_direct_room(
    from: &mut impl Reader,
    pair: AccountPair,
) -> Result<Option<RoomId>, Error> {
    let sql = "select direct_room.room from direct_room join room on room.id = direct_room.room
               where low = $1 and high = $2 and state = 0";
    let found: Option<i64> = query_as(sql)
        .bind(pair.low)
        .bind(pair.high)
        .fetch_optional(from.connection())
        .await?;
    Ok(found.map(room_id))
}

/// Makes a room the direct room of two accounts.
pub(crate) async fn set_direct_room(
    tx: &mut WriteTransaction,
    pair: AccountPair,
    room: RoomId,
) -> Result<(), Error> {
    let sql = "insert into direct_room (low, high, room) values ($1, $2, $3)
               on conflict (low, high) do update set room = excluded.room";
    query(sql)
        .bind(pair.low)
        .bind(pair.high)
        .bind(key(room))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The other account of a direct room; `None` if that account was deleted.
pub(crate) async fn load_other_account(
    store: &Store,
    room: RoomId,
    account: i64,
) -> Result<Option<Account>, Error> {
    let sql = "select name, username from direct_room
               join account on account.id = case low when $2 then high else low end
               where room = $1 and $2 in (low, high)";
    let found: Option<(String, String)> = query_as(sql)
        .bind(key(room))
        .bind(account)
        .fetch_optional(store.read())
        .await?;
    Ok(found.map(|(name, username)| Account { name, username }))
}

/// The direct chats of an account that have entries, the most recently active first, at most
/// `limit`, each with the beginning of its newest message and the number of unread messages.
pub(crate) async fn list_conversations(
    store: &Store,
    account: i64,
    limit: usize,
) -> Result<Vec<DirectChat>, Error> {
    const OPEN: &str = "from member join room on room.id = member.room
             join direct_room on direct_room.room = room.id
             join account on account.id = case low when $1 then high else low end
           where person = $1 and direct = true and state = 0 and head > 0";
    let newest = newest_rooms(OPEN, "$2");
    let excerpt = format!("substr(shown.body, 1, {EXCERPT}) as body");
    let columns = MESSAGE_COLUMNS.replace("shown.body", &excerpt);
    let sql = AssertSqlSafe(format!(
        "{newest},
         chat as (
           select room.id as chat_room, account.username as other_username,
             account.name as other_name, room.last_active_at as chat_active_at,
             (select count(*) from ({UNREAD_KEYS}) as unread_message) as unread, {NEWEST_KEY} as newest_key
           from newest join room on room.id = newest_room
             join member on member.room = room.id and person = $1
             join direct_room on direct_room.room = room.id
             join account on account.id = case low when $1 then high else low end)
         select other_username, other_name, chat_room, chat_room as room, unread, {columns},
           (select level from room_preference where person = $1 and room = chat_room) as level
         from chat left join message as shown on shown.key = newest_key
         order by chat_active_at desc, chat_room desc"
    ));
    let rows = query(sql)
        .bind(account)
        .bind(count(limit))
        .fetch_all(store.read())
        .await?;
    rows.iter().map(|row| Ok(chat_from_row(row)?)).collect()
}

fn chat_from_row(row: &Row) -> sqlx::Result<DirectChat> {
    let has_message = row.try_get::<Option<i64>, _>("seq")?.is_some();
    let last = has_message.then(|| MessageRow::from_row(row)).transpose()?;
    Ok(DirectChat {
        username: row.try_get("other_username")?,
        name: row.try_get("other_name")?,
        room: room_id(row.try_get("chat_room")?),
        unread: row.try_get::<i64, _>("unread")?.unsigned_abs(),
        last: last.map(|row| row.0),
        level: level_from_row(row.try_get("level")?),
    })
}
