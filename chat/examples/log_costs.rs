//! Measures what the log of a room costs: a post, the file of the database, and reading the last
//! 1,000 messages as a client that resumes does. The arguments are the size of a message in bytes,
//! 1,000 by default, and what it repeats: markup costs more than words.
//!
//! `cargo run --release -p chat --example log_costs 600 '*a* '`
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program to measure"
)]

use std::time::{Duration, Instant};

use chat::{Chat, Config, FollowEvent, Person};
use futures_util::future::join_all;
use protocol::{NewMessage, NewRoom, RoomId, Start};

/// Rooms that are written to in turn.
const ROOMS: usize = 8;

/// Posts that wait at the same time.
const BATCH: usize = 512;

const BATCHES: usize = 80;

const RESUMES: u32 = 300;

#[tokio::main]
async fn main() {
    let size = std::env::args().nth(1);
    let size = size.map_or(1_000, |size| size.parse().unwrap());
    let unit = std::env::args().nth(2);
    let unit = unit.as_deref().unwrap_or("x");
    let text = unit.repeat(size / unit.len());
    let dir = tempfile::tempdir().unwrap();
    let chat = Chat::open(Config::new(dir.path())).await.unwrap();
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        let wish = NewRoom::default();
        let room = chat.create_room(&Person::Anonymous, &wish).await;
        rooms.push(room.unwrap().id);
    }
    let started = Instant::now();
    for batch in 0..BATCHES {
        let posts = (0..BATCH)
            .map(|number| post(&chat, rooms[number % ROOMS], &text, batch * BATCH + number));
        join_all(posts).await;
    }
    let posts = BATCHES * BATCH;
    let each = started.elapsed() / u32::try_from(posts).unwrap();
    println!("{posts} posts of {size} bytes: {:.1} µs each", micros(each));
    let started = Instant::now();
    for _ in 0..RESUMES {
        read_last(&chat, rooms[0], 1_000).await;
    }
    let each = started.elapsed() / RESUMES;
    println!("resume of 1,000 messages: {:.0} µs", micros(each));
    chat.close().await;
    let size = std::fs::metadata(dir.path().join("webchat.db"))
        .unwrap()
        .len();
    println!("file: {:.1} MB", size as f64 / 1e6);
}

async fn post(chat: &Chat, room: RoomId, text: &str, number: usize) {
    let message = NewMessage {
        username: "ada".to_owned(),
        body: text.to_owned(),
    };
    let key = format!("9d3a0a4e-6c1b-4f2e-8a57-{number:012}");
    let posted = chat.post_message(
        &Person::Anonymous,
        &room,
        &message,
        Some(key.as_str().into()),
    );
    posted.await.unwrap();
}

/// Reads the last `count` messages as a client does that has been away.
async fn read_last(chat: &Chat, room: RoomId, count: u64) {
    let head = chat
        .find_room(&Person::Anonymous, &room)
        .await
        .unwrap()
        .message_count;
    let start = Start::Seq(head - count);
    let mut follower = chat
        .follow_room(&Person::Anonymous, &room, start)
        .await
        .unwrap();
    let mut left = count;
    while left > 0 {
        if let FollowEvent::Messages(frames) = follower.next().await.unwrap() {
            left -= frames.len() as u64;
        }
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
