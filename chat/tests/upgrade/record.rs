//! The data that a release with the first schema left behind, and what that release answered about
//! them. `chat/tests/fixtures/make_v0_1.py` makes both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chat::{Chat, Clock, Config, Person};
use protocol::{RoomId, Time};
use serde::Deserialize;
use serde_json::Value;

/// What the release answered. People are named by username, guests by a name of their own, and the
/// caller without an account and without a key by an empty name.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    /// The moment at which the tests open the file: sanctions are in force, rooms have not expired.
    pub opened_at: Time,
    pub tokens: BTreeMap<String, String>,
    pub revoked_tokens: BTreeMap<String, String>,
    pub accounts: BTreeMap<String, PasswordRecord>,
    pub identity: IdentityRecord,
    pub users: Value,
    pub public_rooms: Value,
    pub overviews: BTreeMap<String, Value>,
    pub chats: BTreeMap<String, Value>,
    pub rooms: BTreeMap<String, RoomRecord>,
    pub ended_rooms: BTreeMap<String, EndedRoom>,
    pub posted: Vec<PostRecord>,
    pub seen: Vec<SeenRecord>,
    pub invitations: BTreeMap<String, InvitationRecord>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PasswordRecord {
    pub username: String,
    pub password: String,
}

/// Who an account is at a provider of sign-in.
#[derive(Debug, Deserialize)]
pub(crate) struct IdentityRecord {
    pub issuer: String,
    pub subject: String,
    pub username: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RoomRecord {
    pub id: RoomId,
    /// The room as each person sees it, or the status of the refusal.
    #[serde(rename = "as")]
    pub seen_as: BTreeMap<String, Value>,
    /// The person with the greatest role, who asked for what follows.
    pub reader: String,
    pub messages: Value,
    pub events: Vec<EventRecord>,
    pub members: Value,
    pub sanctions: Value,
    pub invitations: Value,
    pub audit: Value,
}

/// An event of a room's stream.
#[derive(Debug, Deserialize)]
pub(crate) struct EventRecord {
    /// The cursor after it.
    pub id: String,
    /// The name of a change; a message has none.
    pub event: Option<String>,
    pub data: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EndedRoom {
    pub id: RoomId,
    /// The messages of the room that is to be archived.
    #[serde(default)]
    pub messages: Value,
}

/// A message that was sent with an idempotency key.
#[derive(Debug, Deserialize)]
pub(crate) struct PostRecord {
    #[serde(rename = "as")]
    pub sent_as: String,
    pub room: String,
    pub key: String,
    pub username: String,
    pub body: String,
    pub message: Value,
}

/// How far a member has read a room.
#[derive(Debug, Deserialize)]
pub(crate) struct SeenRecord {
    #[serde(rename = "as")]
    pub read_as: String,
    pub room: String,
    pub seq: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct InvitationRecord {
    pub code: String,
    /// The role and the room's name, or the status of the refusal.
    pub answer: Value,
}

/// A copy of the old data, opened by this version.
#[derive(Debug)]
pub(crate) struct Upgraded {
    pub record: Record,
    pub chat: Chat,
    people: BTreeMap<String, Person>,
    dir: tempfile::TempDir,
}

impl Upgraded {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (file, name) in [("v0_1.db", "webchat.db"), ("v0_1.key", "jwt.key")] {
            std::fs::copy(fixture(file), dir.path().join(name)).unwrap();
        }
        let record = std::fs::read_to_string(fixture("v0_1.json")).unwrap();
        let record: Record = serde_json::from_str(&record).unwrap();
        let clock = Clock::default();
        clock.advance(record.opened_at.since(clock.now()));
        let mut config = Config::new(dir.path());
        config.clock = clock;
        let chat = Chat::open(config).await.unwrap();
        let mut people = BTreeMap::from([(String::new(), Person::Anonymous)]);
        for (who, token) in &record.tokens {
            people.insert(who.clone(), chat.authenticate_token(token).await.unwrap());
        }
        Self {
            record,
            chat,
            people,
            dir,
        }
    }

    /// The person that the record calls `who`.
    pub fn person(&self, who: &str) -> &Person {
        &self.people[who]
    }

    /// The room that the record calls `called`.
    pub fn room(&self, called: &str) -> RoomId {
        self.record.rooms[called].id
    }

    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }
}

/// The path of a file that the script made.
pub(crate) fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(file)
}

/// Fails unless `now` says all that `then` said. An object may have got more fields since.
#[track_caller]
pub(crate) fn assert_kept(case: &str, then: &Value, now: &Value) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (field, then) in then {
                let now = now.get(field).unwrap_or(&Value::Null);
                assert_kept(&format!("{case}, {field}"), then, now);
            }
        }
        (Value::Array(then), Value::Array(now)) => {
            assert_eq!(then.len(), now.len(), "{case}: {then:?} and {now:?}");
            for (number, (then, now)) in then.iter().zip(now).enumerate() {
                assert_kept(&format!("{case}, {number}"), then, now);
            }
        }
        (then, now) => assert_eq!(then, now, "{case}"),
    }
}
