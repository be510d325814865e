//! Random requests.

use proptest::prelude::*;
use protocol::{MessageContent, RoomId};

use crate::log::command::{Command, IdempotencyKey, WriteRequest};
use crate::store::{AccountSession, KeyDigests};

/// Two guests, an anonymous author, and an account.
pub(super) const PEOPLE: [i64; 4] = [-1, -2, 0, ACCOUNT];
pub(super) const ACCOUNT: i64 = 7;
/// The generation of the account's valid sessions; its other sessions have ended.
pub(super) const SESSION: i64 = 3;
pub(super) const MUTED: i64 = -2;

/// Names that look alike, one that does not, and the username of the account.
pub(super) const NAMES: [&str; 5] = ["nora", "Nora", "n\u{43e}ra", "bob", USERNAME];
pub(super) const USERNAME: &str = "ada";

#[derive(Clone, Debug)]
pub(super) enum Action {
    Post {
        name: usize,
        key: Option<u8>,
        text: u8,
    },
    Edit {
        seq: u64,
        text: u8,
    },
    Delete {
        seq: u64,
    },
    Join {
        name: usize,
    },
    Leave {
        name: usize,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    person: usize,
    /// The generation of the session, if the person has an account.
    session: i64,
    pub room: usize,
    pub action: Action,
}

pub(super) fn any_action() -> impl Strategy<Value = Action> {
    let key = proptest::option::of(0..2_u8);
    prop_oneof![
        6 => (0..NAMES.len(), key, 0..3_u8)
            .prop_map(|(name, key, text)| Action::Post { name, key, text }),
        2 => (1..12_u64, 0..3_u8).prop_map(|(seq, text)| Action::Edit { seq, text }),
        2 => (1..12_u64).prop_map(|seq| Action::Delete { seq }),
        1 => (0..2_usize).prop_map(|name| Action::Join { name }),
        1 => (0..2_usize).prop_map(|name| Action::Leave { name }),
    ]
}

/// Batches of requests to three rooms, the last of which does not exist.
pub(super) fn any_batches() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = (0..PEOPLE.len(), 2..8_i64, 0..8_usize, any_action()).prop_map(
        |(person, session, room, action)| Step {
            person,
            session: session.clamp(SESSION - 1, SESSION),
            room: room.min(6) / 3,
            action,
        },
    );
    proptest::collection::vec(proptest::collection::vec(step, 1..12), 1..6)
}

pub(super) fn room_id(room: usize) -> RoomId {
    RoomId::from_bytes([room as u8; 8])
}

/// The digests of a key and of the text that was posted with it.
pub(super) fn key_digests(key: u8, text: &str) -> KeyDigests {
    let key = key.to_string();
    IdempotencyKey::from(key.as_str()).digests(0, &MessageContent::text(text), "")
}

impl Step {
    pub fn person(&self) -> i64 {
        PEOPLE[self.person]
    }

    /// Whether the request is one of an account whose session has ended.
    pub fn is_signed_out(&self) -> bool {
        self.request()
            .session
            .is_some_and(|session| session.generation != SESSION)
    }

    pub fn username(&self) -> &'static str {
        match self.action {
            Action::Join { .. } | Action::Leave { .. } => "",
            _ if self.person() == ACCOUNT => USERNAME,
            Action::Post { name, .. } => NAMES[name],
            _ => "an actor",
        }
    }

    pub fn text(&self) -> Option<String> {
        match self.action {
            Action::Post { text, .. } | Action::Edit { text, .. } => Some(format!("text {text}")),
            Action::Join { .. } | Action::Leave { .. } => Some("a line".to_owned()),
            Action::Delete { .. } => None,
        }
    }

    pub fn request(&self) -> WriteRequest {
        let (command, key) = match self.action {
            Action::Post { key, .. } => (Command::Post, key),
            Action::Edit { seq, .. } => (Command::Edit(seq), None),
            Action::Delete { seq } => (Command::Delete(seq), None),
            Action::Join { name } => (Command::JoinLobby(NAMES[name].to_owned()), None),
            Action::Leave { name } => (Command::LeaveLobby(NAMES[name].to_owned()), None),
        };
        WriteRequest {
            room: room_id(self.room),
            author: if self.username().is_empty() {
                0
            } else {
                self.person()
            },
            session: (self.person() == ACCOUNT && !self.username().is_empty()).then_some(
                AccountSession {
                    account: ACCOUNT,
                    generation: self.session,
                    id: None,
                },
            ),
            username: self.username().to_owned(),
            content: self.text().map(MessageContent::text),
            files: Vec::new(),
            alts: Vec::new(),
            key: key.map(|key| key_digests(key, &self.text().unwrap_or_default())),
            command,
        }
    }
}
