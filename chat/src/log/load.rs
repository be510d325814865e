//! Loads the state that a batch of write requests is decided by, and applies the decisions.
//!
//! # Guarantees
//! - Each row is read once for a batch, and only if a request of the batch refers to it: a post by
//!   a known guest to a room without rules reads the row of the room alone.

use std::collections::HashSet;
use std::collections::hash_map::Entry as MapEntry;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::{Role, RoomId};

use crate::identity::name_skeleton::NameSkeleton;
use crate::log::batch_state::{
    BatchState, ClientMessageId, EarlierRequest, MessageId, RoomPerson, RoomState,
};
use crate::log::command::{Command, WriteRequest};
use crate::log::decide::{Decisions, Outcome};
use crate::log::entry::Entry;
use crate::log::wanted::wanted_rows;
use crate::store::disk_space::DiskSpace;
use crate::store::{EarlierMessage, LogTransaction, NameClaim, OpenRoom, RowChange, Store};
use crate::{Config, Error};

/// How many answers of each kind to remember.
const REMEMBERED: usize = 10_000;

/// Counts the registrations of accounts, each of which takes a name.
pub(crate) type RegistrationCounter = Arc<AtomicU64>;

/// Counts the choices by which rooms are no longer kept.
pub(crate) type UnlistingCounter = Arc<AtomicU64>;

/// What the writer remembers of earlier batches.
#[derive(Clone, Debug)]
pub(crate) struct WriterMemory {
    /// The most bytes that the texts of a room may have.
    room_bytes: i64,
    /// Whether others write to the database too, so that nothing can be remembered.
    is_shared: bool,
    disk: DiskSpace,
    registrations: RegistrationCounter,
    /// The count of registrations that the names were looked up after.
    as_of: u64,
    unlistings: UnlistingCounter,
    /// The count of unlistings that the authors were noted after.
    authors_as_of: u64,
    /// Names that look like the username of no account.
    unregistered_names: HashSet<String>,
    /// The rooms that people are known to have written in and to keep.
    room_authors: HashSet<RoomPerson>,
}

impl WriterMemory {
    pub fn new(
        config: &Config,
        store: &Store,
        disk: DiskSpace,
        registrations: RegistrationCounter,
        unlistings: UnlistingCounter,
    ) -> Self {
        Self {
            disk,
            is_shared: store.is_shared(),
            room_bytes: i64::try_from(config.room_messages).unwrap_or(i64::MAX),
            registrations,
            as_of: 0,
            unlistings,
            authors_as_of: 0,
            unregistered_names: HashSet::new(),
            room_authors: HashSet::new(),
        }
    }

    /// Forgets the names after a registration, the authors after one of them has hidden or left a
    /// room, and whatever has become too much.
    fn refresh(&mut self) {
        if self.is_shared {
            self.unregistered_names.clear();
            self.room_authors.clear();
            return;
        }
        let registrations = self.registrations.load(Ordering::Acquire);
        if self.as_of != registrations {
            self.as_of = registrations;
            self.unregistered_names.clear();
        }
        if self.unregistered_names.len() >= REMEMBERED {
            self.unregistered_names.clear();
        }
        let unlistings = self.unlistings.load(Ordering::Acquire);
        if self.authors_as_of != unlistings || self.room_authors.len() >= REMEMBERED {
            self.authors_as_of = unlistings;
            self.room_authors.clear();
        }
    }

    /// Notes that the author of a committed message has written in its room.
    pub fn note_author(&mut self, request: &WriteRequest) {
        if request.author != 0 {
            self.room_authors.insert(RoomPerson::author_of(request));
        }
    }
}

/// Loads what the requests refer to. Deadlines are checked at `now`; readers see `wall_time`.
pub(crate) fn load_state<'a>(
    tx: &mut dyn LogTransaction,
    memory: &mut WriterMemory,
    now: i64,
    wall_time: i64,
    requests: impl Iterator<Item = &'a WriteRequest> + Clone,
) -> Result<BatchState, Error> {
    memory.refresh();
    tx.prefetch(now, &|| wanted_rows(requests.clone()))?;
    let state = BatchState {
        now,
        wall_time,
        room_bytes: memory.room_bytes,
        is_disk_full: !memory.disk.is_enough(),
        ..BatchState::default()
    };
    let mut loader = Loader { tx, memory, state };
    for request in requests {
        loader.load(request)?;
    }
    Ok(loader.state)
}

struct Loader<'a> {
    tx: &'a dyn LogTransaction,
    memory: &'a mut WriterMemory,
    state: BatchState,
}

impl Loader<'_> {
    fn load(&mut self, request: &WriteRequest) -> Result<(), Error> {
        self.load_session(request)?;
        let RoomState::Open(room) = self.load_room(request.room)? else {
            return self.load_end(request);
        };
        match &request.command {
            Command::Post => self.load_post(request, room),
            Command::Edit(seq) | Command::Delete(seq) | Command::RemoveFile(seq, _) => {
                self.load_target(request, room, *seq)
            }
            Command::JoinLobby(name) | Command::LeaveLobby(name) => {
                self.load_lobby_name(request.room, name)
            }
        }
    }

    fn load_room(&mut self, id: RoomId) -> Result<RoomState, Error> {
        if let Some(loaded) = self.state.rooms.get(&id) {
            return Ok(*loaded);
        }
        let room = match self.tx.find_open_room(id, self.state.now)? {
            Some(room) => RoomState::Open(room),
            None => RoomState::NotOpen,
        };
        self.state.rooms.insert(id, room);
        Ok(room)
    }

    fn load_end(&mut self, request: &WriteRequest) -> Result<(), Error> {
        let author = RoomPerson::author_of(request);
        if let MapEntry::Vacant(vacant) = self.state.ended.entry(author) {
            vacant.insert(self.tx.find_end(author.room, author.person)?);
        }
        Ok(())
    }

    fn load_post(&mut self, request: &WriteRequest, room: OpenRoom) -> Result<(), Error> {
        if room.has_policy {
            self.load_policy(request)?;
        }
        self.load_earlier_message(request, room)?;
        self.load_files(request)?;
        if request.author > 0 {
            Ok(())
        } else {
            self.load_name(request, room)
        }
    }

    fn load_files(&mut self, request: &WriteRequest) -> Result<(), Error> {
        for id in &request.files {
            if let MapEntry::Vacant(vacant) = self.state.files.entry(*id)
                && let Some(found) = self.tx.find_file(*id)?
            {
                vacant.insert(found);
            }
        }
        Ok(())
    }

    fn load_policy(&mut self, request: &WriteRequest) -> Result<(), Error> {
        let author = RoomPerson::author_of(request);
        if let MapEntry::Vacant(vacant) = self.state.policies.entry(author) {
            let policy = self
                .tx
                .load_policy(author.room, author.person, self.state.now)?;
            vacant.insert(policy);
        }
        Ok(())
    }

    fn load_earlier_message(
        &mut self,
        request: &WriteRequest,
        room: OpenRoom,
    ) -> Result<(), Error> {
        let (Some(id), Some(key)) = (ClientMessageId::of(request), &request.key) else {
            return Ok(());
        };
        if self.state.earlier.contains_key(&id) {
            return Ok(());
        }
        let Some(earlier) =
            self.tx
                .find_by_key(room.number, request.room, id.author.person, key)?
        else {
            return Ok(());
        };
        let message = MessageId {
            room: request.room,
            seq: earlier.stored.message.id,
        };
        let EarlierMessage { stored, content } = earlier;
        let seq = message.seq;
        self.state
            .earlier
            .insert(id, EarlierRequest { seq, content });
        self.state.messages.insert(message, stored);
        Ok(())
    }

    fn load_session(&mut self, request: &WriteRequest) -> Result<(), Error> {
        if let Some(session) = request.session
            && let MapEntry::Vacant(vacant) = self.state.sessions.entry(session)
        {
            vacant.insert(self.tx.find_name_of_session(session)?);
        }
        Ok(())
    }

    /// Loads whose the name of a guest or of an anonymous author is. In a room without claims a
    /// known name costs no query.
    fn load_name(&mut self, request: &WriteRequest, room: OpenRoom) -> Result<(), Error> {
        let name = &request.username;
        let is_known = self.memory.unregistered_names.contains(name);
        if is_known && !room.has_name_claims {
            return Ok(());
        }
        let NameSkeleton { lowercase, cased } = NameSkeleton::of(name);
        if !is_known && self.tx.is_name_registered(&lowercase, &cased)? {
            self.state.registered.insert(name.clone());
        } else {
            self.memory.unregistered_names.insert(name.clone());
        }
        if room.has_name_claims {
            let found = self.tx.load_claims(request.room, &lowercase, &cased)?;
            add_claims(self.state.claims.entry(request.room).or_default(), found);
        }
        Ok(())
    }

    fn load_target(
        &mut self,
        request: &WriteRequest,
        room: OpenRoom,
        seq: u64,
    ) -> Result<(), Error> {
        self.load_policy(request)?;
        let id = MessageId {
            room: request.room,
            seq,
        };
        if self.state.targets.insert(id)
            && let Some(stored) = self.tx.find_message(id.room, room.number, seq)?
        {
            self.state.messages.insert(id, stored);
        }
        Ok(())
    }

    fn load_lobby_name(&mut self, room: RoomId, name: &str) -> Result<(), Error> {
        let NameSkeleton { lowercase, cased } = NameSkeleton::of(name);
        let found = self.tx.load_lobby_names(room, &lowercase, &cased)?;
        add_claims(self.state.lobby_names.entry(room).or_default(), found);
        Ok(())
    }
}

/// Adds the claims that are not loaded yet.
fn add_claims(claims: &mut Vec<NameClaim>, found: Vec<NameClaim>) {
    for claim in found {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
}

/// Stores what was decided about the requests.
pub(crate) fn apply_decisions<'a>(
    tx: &mut dyn LogTransaction,
    memory: &WriterMemory,
    state: &BatchState,
    requests: impl Iterator<Item = &'a WriteRequest>,
    decisions: &Decisions,
) -> Result<(), Error> {
    for (request, outcome) in requests.zip(&decisions.outcomes) {
        apply_outcome(tx, memory, state, request, outcome)?;
    }
    for change in &decisions.row_changes {
        tx.change_row(state.now, change)?;
    }
    for (id, room) in &state.rooms {
        if let RoomState::Open(room) = room
            && room.is_changed
        {
            tx.save_room(*id, room)?;
        }
    }
    Ok(())
}

/// Inserts the entry of a granted request, unless an earlier request has appended it.
fn apply_outcome(
    tx: &mut dyn LogTransaction,
    memory: &WriterMemory,
    state: &BatchState,
    request: &WriteRequest,
    outcome: &Outcome,
) -> Result<(), Error> {
    let (Ok(appended), Some(RoomState::Open(room))) = (outcome, state.rooms.get(&request.room))
    else {
        return Ok(());
    };
    if appended.lifetime.is_none() {
        return Ok(());
    }
    match &appended.entry {
        Entry::Message(message) => {
            tx.insert_message(room.number, request.author, request.key.as_ref(), message)?;
            let author = RoomPerson::author_of(request);
            if author.person != 0 && !memory.room_authors.contains(&author) {
                note_new_author(tx, author, state.now)?;
            }
            Ok(())
        }
        Entry::Unknown { .. } => Ok(()),
        Entry::Change(change) => {
            tx.insert_change(room.number, request.author, state.wall_time, change)
        }
    }
}

/// Stores that a person has written in a room, which is among their own from then on.
fn note_new_author(
    tx: &mut dyn LogTransaction,
    RoomPerson { room, person }: RoomPerson,
    now: i64,
) -> Result<(), Error> {
    if person > 0 {
        tx.insert_room_author(room, person)?;
    }
    tx.keep_room(room, person, now)
}

/// The rooms in which a guest whose role everyone sees has claimed a name by these changes.
pub(crate) fn find_renamed_moderators(
    tx: &dyn LogTransaction,
    changes: &[RowChange],
) -> Result<Vec<RoomId>, Error> {
    let mut rooms = Vec::new();
    for change in changes {
        if let RowChange::ClaimName { room, claim } = change
            && tx.load_role(*room, claim.person)? >= Some(Role::Moderator)
        {
            rooms.push(*room);
        }
    }
    Ok(rooms)
}
