//! Random batches, each decided as a whole and compared with a model that takes one request after
//! the other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use proptest::prelude::*;
use protocol::{MessageContent, Role, RoomId, SanctionKind};

use super::steps::{
    ACCOUNT, Action, MUTED, NAMES, PEOPLE, SESSION, Step, USERNAME, any_batches, key_digests,
    room_id,
};
use super::*;
use crate::identity::name_skeleton::NameSkeleton;
use crate::log::entry::Entry;
use crate::store::{AccountSession, ActiveSanction, NameClaim};

/// Milliseconds between two batches, and the pause in the strict room.
const TICK: i64 = 1_000;
const PAUSE: i64 = 1_500;

/// The most bytes that the texts of a room may have: a few texts.
const ROOM_BYTES: i64 = 60;

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
enum Effect {
    Posted {
        seq: u64,
        text: Option<String>,
    },
    Repeated {
        seq: u64,
        text: Option<String>,
    },
    Changed {
        seq: u64,
        target: u64,
        text: Option<String>,
    },
    Refused {
        status: u16,
    },
}

impl Effect {
    fn of(outcome: &Outcome) -> Self {
        let appended = match outcome {
            Ok(appended) => appended,
            Err(refusal) => {
                return Self::Refused {
                    status: refusal.status(),
                };
            }
        };
        let text = |message: &Message| message.content.as_ref().map(|content| content.body.clone());
        match &appended.entry {
            Entry::Message(message) if appended.lifetime.is_none() => Self::Repeated {
                seq: message.id,
                text: text(message),
            },
            Entry::Message(message) => Self::Posted {
                seq: message.id,
                text: text(message),
            },
            Entry::Unknown { .. } => panic!("an unknown entry was appended"),
            Entry::Change(change) => Self::Changed {
                seq: change.id,
                target: change.message.id,
                text: text(&change.message),
            },
        }
    }
}

/// A message of the model; `text` is `None` once it is deleted.
#[derive(Clone, Debug)]
struct ModelMessage {
    author: i64,
    username: String,
    key: Option<u8>,
    /// What it first said.
    first: String,
    text: Option<String>,
}

/// One room of the model.
#[derive(Debug, Default)]
struct ModelRoom {
    /// Whether the room has a slow mode, a muted guest and a moderator.
    is_strict: bool,
    /// The entries; `None` for a change.
    log: Vec<Option<ModelMessage>>,
    names: BTreeMap<i64, &'static str>,
    lobby_names: BTreeSet<&'static str>,
    last_writes: BTreeMap<i64, i64>,
}

impl ModelRoom {
    fn apply(&mut self, step: &Step, now: i64) -> Effect {
        match step.action {
            Action::Post { name, key, .. } => self.post(step, NAMES[name], key, now),
            Action::Edit { seq, .. } => self.change(step, seq, false, now),
            Action::Delete { seq } => self.change(step, seq, true, now),
            Action::Join { name } => self.join_lobby(step, NAMES[name]),
            Action::Leave { name } if self.lobby_names.remove(NAMES[name]) => self.push(step, None),
            Action::Leave { .. } => Effect::Refused { status: 404 },
        }
    }

    fn post(&mut self, step: &Step, name: &'static str, key: Option<u8>, now: i64) -> Effect {
        let person = step.person();
        if self.is_strict && person == MUTED {
            return Effect::Refused { status: 403 };
        }
        let first = step.text().unwrap_or_default();
        if let Some(repeated) = key.and_then(|key| self.find_key(person, key, &first)) {
            return repeated;
        }
        if self.must_wait(person, now) {
            return Effect::Refused { status: 429 };
        }
        if self.is_full_for(0, first.len()) {
            return Effect::Refused { status: 507 };
        }
        if person <= 0 {
            let holder = self.names.iter().find(|(_, held)| look_alike(held, name));
            if name == USERNAME || holder.is_some_and(|(holder, _)| *holder != person) {
                return Effect::Refused { status: 409 };
            }
        }
        if person < 0 {
            self.names.insert(person, name);
        }
        self.record_write(person, now);
        self.push(step, key)
    }

    /// The length of all texts that are not deleted.
    fn text_bytes(&self) -> i64 {
        let texts = self.log.iter().flatten().flat_map(|message| &message.text);
        texts.map(|text| text.len() as i64).sum()
    }

    /// Whether a text in place of another one would make the room too large.
    fn is_full_for(&self, old: usize, new: usize) -> bool {
        new > old && self.text_bytes() + new as i64 - old as i64 > ROOM_BYTES
    }

    fn is_slow_for(&self, person: i64) -> bool {
        self.is_strict && person != ACCOUNT
    }

    fn must_wait(&self, person: i64, now: i64) -> bool {
        let last = self.last_writes.get(&person);
        self.is_slow_for(person) && last.is_some_and(|last| last + PAUSE > now)
    }

    fn record_write(&mut self, person: i64, now: i64) {
        if self.is_slow_for(person) {
            self.last_writes.insert(person, now);
        }
    }

    fn join_lobby(&mut self, step: &Step, name: &'static str) -> Effect {
        if self.lobby_names.iter().any(|taken| look_alike(taken, name)) {
            return Effect::Refused { status: 409 };
        }
        self.lobby_names.insert(name);
        self.push(step, None)
    }

    fn push(&mut self, step: &Step, key: Option<u8>) -> Effect {
        let request = step.request();
        self.log.push(Some(ModelMessage {
            author: request.author,
            username: request.username,
            key,
            first: step.text().unwrap_or_default(),
            text: step.text(),
        }));
        Effect::Posted {
            seq: self.log.len() as u64,
            text: step.text(),
        }
    }

    fn find_key(&self, person: i64, key: u8, text: &str) -> Option<Effect> {
        let has_key = |message: &ModelMessage| message.author == person && message.key == Some(key);
        let index = self
            .log
            .iter()
            .position(|entry| entry.as_ref().is_some_and(has_key))?;
        let earlier = self.log[index].as_ref()?;
        if earlier.text.is_some() && earlier.first != text {
            return Some(Effect::Refused { status: 422 });
        }
        Some(Effect::Repeated {
            seq: index as u64 + 1,
            text: earlier.text.clone(),
        })
    }

    fn change(&mut self, step: &Step, seq: u64, deletes: bool, now: i64) -> Effect {
        let person = step.person();
        let is_moderator = self.is_strict && person == ACCOUNT;
        if self.is_strict && person == MUTED {
            return Effect::Refused { status: 403 };
        }
        let must_wait = !deletes && self.must_wait(person, now);
        let new = step.text().map_or(0, |text| text.len());
        let old = self.log.get(seq as usize - 1).and_then(Option::as_ref);
        let old = old
            .and_then(|message| message.text.as_ref())
            .map_or(0, String::len);
        let is_full = self.is_full_for(old, new);
        let target = self.log.get_mut(seq as usize - 1).and_then(Option::as_mut);
        let Some(target) = target.filter(|target| target.text.is_some()) else {
            return Effect::Refused { status: 404 };
        };
        let is_own = person != 0 && target.author == person;
        let may_delete = deletes && is_moderator;
        if !is_own && !may_delete {
            return Effect::Refused { status: 403 };
        }
        if must_wait {
            return Effect::Refused { status: 429 };
        }
        if is_full {
            return Effect::Refused { status: 507 };
        }
        target.text = step.text();
        if !deletes {
            self.record_write(person, now);
        }
        self.log.push(None);
        Effect::Changed {
            seq: self.log.len() as u64,
            target: seq,
            text: step.text(),
        }
    }

    fn policy_of(&self, person: i64) -> WritePolicy {
        if !self.is_strict {
            return WritePolicy::default();
        }
        WritePolicy {
            slow_mode: PAUSE,
            role: (person == ACCOUNT).then_some(Role::Moderator),
            sanction: (person == MUTED).then_some(ActiveSanction {
                kind: SanctionKind::Mute,
                until: None,
            }),
            last_write: self.last_writes.get(&person).copied(),
            ..WritePolicy::default()
        }
    }

    fn claims(&self) -> Vec<NameClaim> {
        let claims = self.names.iter();
        claims
            .map(|(person, name)| NameClaim::new(*person, name))
            .collect()
    }
}

fn look_alike(one: &str, other: &str) -> bool {
    let claim = NameClaim::new(0, one);
    claim.looks_like(&NameSkeleton::of(other))
}

/// What a store with the rooms of the model would load for a batch.
fn load(rooms: &[ModelRoom], requests: &[WriteRequest], now: i64) -> BatchState {
    let session = AccountSession {
        account: ACCOUNT,
        generation: SESSION,
        id: None,
    };
    let mut state = BatchState {
        now,
        room_bytes: ROOM_BYTES,
        registered: HashSet::from([USERNAME.to_owned()]),
        sessions: HashMap::from([(session, Some("Ada".to_owned()))]),
        ..BatchState::default()
    };
    for (index, room) in rooms.iter().enumerate() {
        load_room(&mut state, room_id(index), room);
    }
    for request in requests {
        if let Command::Edit(seq) | Command::Delete(seq) = request.command {
            let room = request.room;
            state.targets.insert(MessageId { room, seq });
        }
    }
    state
}

fn load_room(state: &mut BatchState, id: RoomId, room: &ModelRoom) {
    let open = OpenRoom {
        number: 1,
        head: room.log.len() as i64,
        message_count: room.log.iter().flatten().count() as i64,
        text_bytes: room.text_bytes(),
        timeout: 3_600_000,
        last_active_at: 0,
        expires_at: 3_600_000,
        has_policy: room.is_strict,
        has_name_claims: !room.names.is_empty(),
        is_changed: false,
        is_minute_changed: false,
    };
    state.rooms.insert(id, RoomState::Open(open));
    state.claims.insert(id, room.claims());
    for person in PEOPLE {
        let person_id = RoomPerson { room: id, person };
        state.policies.insert(person_id, room.policy_of(person));
    }
    let lobby_names = room.lobby_names.iter().map(|name| NameClaim::new(0, name));
    state.lobby_names.insert(id, lobby_names.collect());
    for (seq, message) in (1..).zip(&room.log) {
        if let Some(message) = message {
            load_message(state, MessageId { room: id, seq }, message);
        }
    }
}

fn load_message(state: &mut BatchState, id: MessageId, stored: &ModelMessage) {
    let key = stored.key.map(|key| key_digests(key, &stored.first));
    if let Some(key) = &key {
        let author = RoomPerson {
            room: id.room,
            person: stored.author,
        };
        let client_message = ClientMessageId {
            author,
            sender: key.sender,
            client_id: key.client_id.clone(),
        };
        let earlier = EarlierRequest {
            seq: id.seq,
            content: stored.text.is_some().then_some(key.content),
        };
        state.earlier.insert(client_message, earlier);
    }
    let message = Message {
        id: id.seq,
        room: id.room,
        username: stored.username.clone(),
        name: None,
        author: author_from_row(stored.author),
        client_id: key.map(|key| key.client_id),
        sent_at: Time::from_millis(0),
        edited_at: None,
        content: stored.text.clone().map(MessageContent::text),
        own: false,
    };
    let author = stored.author;
    state.messages.insert(id, StoredMessage { author, message });
}

proptest! {
    #[test]
    fn batch_is_decided_as_its_requests_one_by_one(batches in any_batches()) {
        let mut rooms = [ModelRoom::default(), ModelRoom { is_strict: true, ..ModelRoom::default() }];
        for (now, batch) in (0..).step_by(TICK as usize).zip(batches) {
            let requests: Vec<WriteRequest> = batch.iter().map(Step::request).collect();
            let mut state = load(&rooms, &requests, now);
            let decisions = decide(&mut state, &requests);
            let effects: Vec<Effect> = decisions.outcomes.iter().map(Effect::of).collect();
            let apply = |step: &Step| match rooms.get_mut(step.room) {
                _ if step.is_signed_out() => Effect::Refused { status: 401 },
                Some(room) => room.apply(step, now),
                None => Effect::Refused { status: 404 },
            };
            let expected: Vec<Effect> = batch.iter().map(apply).collect();
            prop_assert_eq!(effects, expected);
            for (index, room) in rooms.iter().enumerate() {
                check_state(&state, room_id(index), room)?;
            }
        }
    }
}

/// Checks that the state after a batch is what the store would load for the next one.
fn check_state(state: &BatchState, id: RoomId, room: &ModelRoom) -> Result<(), TestCaseError> {
    let Some(RoomState::Open(open)) = state.rooms.get(&id) else {
        return Err(TestCaseError::fail("the room is not open"));
    };
    prop_assert_eq!(open.head, room.log.len() as i64);
    prop_assert_eq!(open.message_count, room.log.iter().flatten().count() as i64);
    prop_assert_eq!(open.text_bytes, room.text_bytes());
    let mut claims = state.claims[&id].clone();
    claims.sort_by_key(|claim| claim.person);
    prop_assert_eq!(claims, room.claims());
    let lobby_names = state.lobby_names[&id].iter();
    let lobby_names: BTreeSet<&str> = lobby_names.map(|claim| claim.name.as_str()).collect();
    prop_assert_eq!(&lobby_names, &room.lobby_names);
    Ok(())
}
