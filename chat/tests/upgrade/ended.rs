//! Rooms that have ended, rooms whose end was interrupted, and the lobby.

use std::path::Path;
use std::time::Duration;

use chat::Error;
use protocol::{Refusal, RoomId};
use serde_json::Value;

use crate::record::{Upgraded, assert_kept};

#[tokio::test]
async fn ended_rooms_are_gone() {
    let upgraded = Upgraded::open().await;
    assert_eq!(upgraded.record.ended_rooms.len(), 3);
    for (called, room) in &upgraded.record.ended_rooms {
        let found = upgraded
            .chat
            .find_room(upgraded.person("ada"), &room.id)
            .await;
        let refused = found.expect_err(called);
        assert!(
            matches!(refused, Error::Refusal(Refusal::Gone(_))),
            "{called}"
        );
    }
}

#[tokio::test]
async fn interrupted_ends_are_completed() {
    let upgraded = Upgraded::open().await;
    let [frozen, archived] = ["frozen", "archived"].map(|name| &upgraded.record.ended_rooms[name]);
    let file = upgraded
        .data_dir()
        .join(format!("archive/{}.jsonl", frozen.id));
    let database = upgraded.data_dir().join("webchat.db");
    let erased = async {
        while has_rows(&database, frozen.id) || has_rows(&database, archived.id) {
            tokio::task::yield_now().await;
        }
    };
    let erased = tokio::time::timeout(Duration::from_secs(20), erased).await;
    erased.expect("both rooms are erased");
    let lines = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [room, messages @ .., trailer] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(room["name"], "Frozen");
    assert_eq!(trailer["count"], messages.len());
    assert_kept("frozen", &frozen.messages, &messages.into());
}

/// Whether a room, or a message of it, is still in the database.
fn has_rows(database: &Path, room: RoomId) -> bool {
    let database = rusqlite::Connection::open(database).unwrap();
    let sql = "select exists (select 1 from room where id = ?1)
               or exists (select 1 from message
                          where key >> 32 not in (select number from room))";
    let id = i64::from_be_bytes(room.bytes());
    database.query_row(sql, [id], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn lobby_names_are_kept() {
    let upgraded = Upgraded::open().await;
    let lobby = upgraded.chat.open_lobby().await.unwrap();
    assert_eq!(lobby.room_id(), upgraded.room("lobby"));
    let taken = lobby.join("C").await.expect_err("C is there");
    assert!(matches!(taken, Error::Refusal(Refusal::Taken(_))));
    assert_eq!(
        lobby.send("C", "still here").await.unwrap(),
        "C: still here"
    );
    assert_eq!(lobby.join("D").await.unwrap(), "D joined the chat");
}
