//! The followers: clients on all transports that connect again from their cursor whenever a connection
//! ends, and end it themselves now and then.

mod long_poll;
mod room_socket;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use protocol::Message;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Failure;
use crate::checker::Checker;
use crate::writers::{describe, new_client};

/// How long a follower waits for the beginning of an answer.
const ANSWER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection may be silent. Streams have a heartbeat at least every 15 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(25);

/// How long a follower stays connected at most.
const LASTING_MAX: Duration = Duration::from_secs(60);

/// The most rooms of one stream.
const ROOMS_MAX: usize = 4;

/// How a follower is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    /// The event stream of a room.
    Events,
    /// The WebSocket of a room.
    RoomSocket,
    /// Several rooms in one event stream.
    Rooms,
    /// Several rooms in one event stream over WebSocket.
    RoomsSocket,
    /// Requests for history that wait.
    LongPoll,
}

/// Among ten followers.
const TRANSPORTS: [Transport; 10] = [
    Transport::Events,
    Transport::RoomSocket,
    Transport::Rooms,
    Transport::Events,
    Transport::LongPoll,
    Transport::RoomsSocket,
    Transport::RoomSocket,
    Transport::Events,
    Transport::Rooms,
    Transport::RoomSocket,
];

pub struct Followers(JoinSet<()>);

/// What a follower knows.
struct Follower {
    number: usize,
    transport: Transport,
    /// The numbers of its rooms, in the order of the IDs.
    rooms: Vec<usize>,
    /// The IDs of all rooms, in order.
    ids: Arc<Vec<String>>,
    url: String,
    http: Client,
    checker: Arc<Checker>,
    /// The `id:` of the last event.
    cursor: Option<String>,
}

impl Followers {
    pub fn start(
        count: usize,
        url: &str,
        ids: &Arc<Vec<String>>,
        checker: &Arc<Checker>,
        random: &mut SmallRng,
    ) -> Result<Self, Failure> {
        let mut running = JoinSet::new();
        let http = new_client(LASTING_MAX)?;
        for number in 0..count {
            let transport = TRANSPORTS[number % TRANSPORTS.len()];
            let has_several = matches!(transport, Transport::Rooms | Transport::RoomsSocket);
            let most = ROOMS_MAX.min(ids.len());
            let rooms_count = if has_several {
                random.random_range(1..=most)
            } else {
                1
            };
            let all: Vec<usize> = (0..ids.len()).collect();
            let rooms = all.sample(random, rooms_count).copied().collect();
            let follower = Follower {
                number,
                transport,
                rooms,
                ids: ids.clone(),
                url: url.to_owned(),
                http: http.clone(),
                checker: checker.clone(),
                cursor: None,
            };
            let name = format!("follower {number} ({transport:?})");
            checker.add_follower(number, name, &follower.rooms);
            running.spawn(follower.run(SmallRng::seed_from_u64(random.random())));
        }
        Ok(Self(running))
    }

    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

impl Follower {
    async fn run(mut self, mut random: SmallRng) {
        // Some join late, and hear the history first.
        let mut pause = random.random_range(0..8_000);
        loop {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let span = random.random_range(Duration::from_secs(3)..LASTING_MAX);
            self.checker.count(|counters| counters.connects += 1);
            self.note(&format!(
                "connects after {:?}, cursor {:?}",
                self.heard(),
                self.cursor
            ));
            match timeout(span, self.follow()).await {
                Err(_) => self.note("leaves by itself"),
                Ok(Ok(())) => self.note("the connection ends"),
                Ok(Err(error)) => {
                    self.note(&describe(&*error));
                    self.checker.count(|counters| counters.broken += 1);
                }
            }
            pause = random.random_range(50..1_500);
        }
    }

    /// Follows until the connection ends.
    async fn follow(&mut self) -> Result<(), Failure> {
        match self.transport {
            Transport::Events | Transport::Rooms => self.follow_stream().await,
            Transport::RoomsSocket => self.follow_stream_socket().await,
            Transport::RoomSocket => self.follow_room_socket().await,
            Transport::LongPoll => self.poll().await,
        }
    }

    fn note(&self, event: &str) {
        self.checker.note(self.number, event);
    }

    fn violation(&self, problem: &str) {
        self.checker.follower_violation(self.number, problem);
    }

    fn heard(&self) -> Vec<u64> {
        let rooms = self.rooms.iter();
        rooms
            .map(|room| self.checker.heard_up_to(self.number, *room))
            .collect()
    }

    /// The path of its only room.
    fn room_path(&self) -> String {
        format!("/rooms/{}", self.ids[self.rooms[0]])
    }

    /// The path of all its rooms in one stream.
    fn rooms_path(&self) -> String {
        let ids: Vec<_> = self
            .rooms
            .iter()
            .map(|room| self.ids[*room].as_str())
            .collect();
        format!("/stream?rooms={}", ids.join(","))
    }

    /// Passes a message on to the checker.
    fn hear(&self, json: &str) {
        match serde_json::from_str(json) {
            Ok(message) => self.hear_message(&message),
            Err(error) => self.violation(&format!("not a message ({error}): {json}")),
        }
    }

    fn hear_message(&self, message: &Message) {
        let id = message.room.to_string();
        match self.ids.iter().position(|known| *known == id) {
            Some(room) => self
                .checker
                .heard(self.number, room, message.id, message.body()),
            None => self.violation(&format!("a message of another room: {id}")),
        }
    }

    /// Handles an event that is no message.
    fn hear_event(&self, name: &str, data: &str) {
        match name {
            "reset" => {
                self.checker.count(|counters| counters.resets += 1);
                self.violation(&format!("a reset: {data}"));
            }
            "change" | "closing" | "closed" | "removed" | "signed-out" => {
                self.violation(&format!("the event {name:?}: {data}"));
            }
            _ => {}
        }
    }

    /// Checks the status of an answer that is no success.
    fn refused(&self, status: u16, body: &str) -> Failure {
        let why = format!("refused with {status}: {body}");
        match status {
            502..=504 => self.failed(&why),
            _ => self.violation(&why),
        }
        why.into()
    }

    /// Notes that a connection could not be made.
    fn failed(&self, why: &str) {
        self.checker
            .request_failed(&format!("follower {}", self.number), why);
    }
}
