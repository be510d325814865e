//! Tests of presence and typing on several nodes.

use std::time::Duration;

use protocol::RoomId;

use super::tests::{follow, open_another, open_nodes};
use crate::store::sql::{query, query_as};
use crate::sync::lock;
use crate::testing::{TestChat, soon, soon_true};
use crate::{FollowEvent, Follower, Person};

/// A follower whose name is present.
async fn join(node: &TestChat, room: RoomId, name: &str) -> Follower {
    let follower = follow(&node.chat, &Person::Anonymous, room).await;
    follower.with_username(Some(name)).await.unwrap()
}

/// Waits for an ephemeral event with this part, while time passes for the presence of a node.
async fn wait_for_event(node: &TestChat, follower: &mut Follower, part: &str) {
    let events = async {
        loop {
            match tokio::time::timeout(Duration::from_millis(5), follower.next()).await {
                Ok(event) => {
                    if let FollowEvent::Ephemeral(event) = event.unwrap()
                        && String::from_utf8_lossy(&event.json()).contains(part)
                    {
                        return;
                    }
                }
                Err(_) => node.config.clock.advance(Duration::from_millis(500)),
            }
        }
    };
    soon(part, events).await;
}

/// Waits for exactly these names.
async fn wait_for_names(node: &TestChat, follower: &mut Follower, names: &[&str]) {
    let list = serde_json::to_string(names).unwrap();
    let state = format!("\"here\":{list},\"count\":{}", names.len());
    wait_for_event(node, follower, &state).await;
}

#[tokio::test]
async fn person_is_present_on_all_nodes_and_counts_once() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let ada = join(&one, room, "ada").await;
    let mut here = follow(&one.chat, &Person::Anonymous, room).await;
    let mut there = follow(&other.chat, &Person::Anonymous, room).await;
    wait_for_names(&one, &mut there, &["ada"]).await;
    wait_for_names(&one, &mut here, &["ada"]).await;
    let ada_there = join(&other, room, "ada").await;
    let bob = join(&other, room, "bob").await;
    wait_for_names(&other, &mut here, &["ada", "bob"]).await;
    wait_for_names(&other, &mut there, &["ada", "bob"]).await;
    drop((ada, bob));
    wait_for_names(&other, &mut here, &["ada"]).await;
    wait_for_names(&other, &mut there, &["ada"]).await;
    let mut late = join(&one, room, "grace").await;
    wait_for_names(&one, &mut late, &["ada", "grace"]).await;
    drop(ada_there);
    wait_for_names(&other, &mut late, &["grace"]).await;
    wait_for_names(&other, &mut there, &["grace"]).await;
}

#[tokio::test]
async fn name_that_types_is_shown_on_another_node_until_its_message() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let mut there = follow(&other.chat, &Person::Anonymous, room).await;
    let typing = one.chat.notify_typing(&Person::Anonymous, &room, "ada");
    typing.await.unwrap();
    // On the other node time does not pass faster than it is, so the name does not end by itself.
    wait_for_event(&one, &mut there, "\"usernames\":[\"ada\"]").await;
    one.post(room, "what ada has typed").await;
    wait_for_event(&one, &mut there, "\"usernames\":[]").await;
}

#[tokio::test]
async fn people_of_a_node_that_ends_are_gone_when_its_lease_ends() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let third = open_another(&one).await.unwrap();
    let room = one.create_room().await;
    let mut there = join(&other, room, "witness").await;
    wait_for_names(&other, &mut there, &["witness"]).await;
    let _ada = join(&one, room, "ada").await;
    wait_for_names(&one, &mut there, &["ada", "witness"]).await;
    let _bob = join(&third, room, "bob").await;
    wait_for_names(&third, &mut there, &["ada", "bob", "witness"]).await;
    let killed = lock(&one.chat.0.tasks).take().unwrap();
    killed.background.iter().for_each(|task| task.abort());
    third.chat.close().await;
    wait_for_names(&other, &mut there, &["witness"]).await;
    // What they have left is removed.
    for table in ["node", "node_presence"] {
        soon_true(table, async || count_rows(&other, table).await <= 1).await;
    }
}

#[tokio::test]
async fn presence_that_the_database_has_lost_is_written_again() {
    let Some((one, other)) = open_nodes().await else {
        return;
    };
    let room = one.create_room().await;
    let _ada = join(&one, room, "ada").await;
    let mut there = follow(&other.chat, &Person::Anonymous, room).await;
    wait_for_names(&one, &mut there, &["ada"]).await;
    let mut tx = one.chat.0.store.begin().await.unwrap();
    query("truncate node, node_presence, node_ring")
        .execute(tx.connection())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let is_written = async || count_rows(&other, "node_presence").await > 0;
    soon_true("who is present", is_written).await;
    let _bob = join(&one, room, "bob").await;
    wait_for_names(&one, &mut there, &["ada", "bob"]).await;
}

async fn count_rows(node: &TestChat, table: &'static str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    let count = query_as(sql).fetch_one(node.chat.0.store.read());
    count.await.unwrap()
}
