//! Read markers: the sequence up to which a member has read a room.
//!
//! # Guarantees
//! - One transaction stores all reports that wait, and a report alone waits for no other.
//! - A report is stored only if its caller has a valid session and may find the room then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::{Refusal, RoomId};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::events::DomainEvent;
use crate::identity::caller_transaction::reload_callers;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::{RoomLookup, Store, read_markers, room_access};
use crate::{Chat, Clock, Error, Listeners, Supervisor};

/// The most reports that one transaction stores.
const BATCH_MAX: usize = 256;

impl Chat {
    /// The read marker of the caller; 0 if the caller is not a member.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn load_read_marker(&self, by: &Person, room: &RoomId) -> Result<u64, Error> {
        self.find_room(by, room).await?;
        Ok(self.stored_read_marker(by, room).await?.unwrap_or(0))
    }

    pub(super) async fn stored_read_marker(
        &self,
        by: &Person,
        room: &RoomId,
    ) -> Result<Option<u64>, Error> {
        read_markers::load_read_marker(&self.0.store, *room, by.id()).await
    }

    /// Moves the read marker of the caller forward to a sequence. Does nothing if the caller is not
    /// a member.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn move_read_marker(
        &self,
        by: &Person,
        room: &RoomId,
        seq: u64,
    ) -> Result<(), Error> {
        let found = self.load_room_row(by, *room).await?;
        let seq = seq.min(found.head);
        let stored = self.stored_read_marker(by, room).await?;
        if stored.is_none_or(|stored| stored >= seq) {
            return Ok(());
        }
        let report = Report {
            by: by.clone(),
            room: *room,
            seq,
        };
        self.0.read_markers.advance(report).await
    }
}

/// What a member has read.
#[derive(Debug)]
struct Report {
    by: Person,
    room: RoomId,
    seq: u64,
}

type Answer = Result<(), Error>;

#[derive(Debug)]
struct Waiting {
    report: Report,
    answer: oneshot::Sender<Answer>,
}

/// The reports that wait for the next transaction.
type Queue = Arc<Mutex<mpsc::Receiver<Waiting>>>;

/// Where read markers are moved. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ReadMarkers(mpsc::Sender<Waiting>);

impl ReadMarkers {
    /// Starts the task that moves them, until it is aborted.
    pub fn start(
        store: &Store,
        listeners: &Listeners,
        clock: &Clock,
        supervisor: &Supervisor,
    ) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(BATCH_MAX);
        let queue = Arc::new(Mutex::new(receiver));
        let mover = Mover {
            store: store.clone(),
            listeners: listeners.clone(),
            clock: clock.clone(),
        };
        let run = move || mover.clone().run(queue.clone());
        (Self(sender), supervisor.spawn("read markers", run))
    }

    async fn advance(&self, report: Report) -> Answer {
        let (answer, moved) = oneshot::channel();
        let waiting = Waiting { report, answer };
        self.0.send(waiting).await.map_err(|_| Refusal::Draining)?;
        moved.await.map_err(|_| Error::from(Refusal::Draining))?
    }
}

/// What moves the read markers.
#[derive(Clone, Debug)]
struct Mover {
    store: Store,
    listeners: Listeners,
    clock: Clock,
}

impl Mover {
    async fn run(self, queue: Queue) {
        let mut queue = queue.lock().await;
        let mut batch = Vec::new();
        while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let waiting = std::mem::take(&mut batch).into_iter();
            let (reports, answers): (Vec<_>, Vec<_>) = waiting
                .map(|waiting| (waiting.report, waiting.answer))
                .unzip();
            let moved = match self.move_all(&reports).await {
                Ok(moved) => moved,
                Err(error) => reports.iter().map(|_| Err(error.clone())).collect(),
            };
            for (answer, moved) in answers.into_iter().zip(moved) {
                // A caller that has gone needs no answer.
                let _ = answer.send(moved);
            }
        }
    }

    /// Moves the markers of all callers who may find their rooms, in one transaction.
    async fn move_all(&self, reports: &[Report]) -> Result<Vec<Answer>, Error> {
        let mut tx = self.store.begin().await?;
        let callers: Vec<&Person> = reports.iter().map(|report| &report.by).collect();
        let callers = reload_callers(&mut tx, &callers).await?;
        let now = self.clock.now();
        let lookup = |report: &Report| RoomLookup {
            room: report.room,
            person: report.by.id(),
            now,
        };
        let lookups: Vec<RoomLookup> = reports.iter().map(lookup).collect();
        let found = room_access::find_open_rooms(&mut tx, &lookups).await?;
        let mut answers = Vec::new();
        let mut markers = BTreeMap::new();
        for ((report, by), found) in reports.iter().zip(callers).zip(found) {
            let answer = match (by, found) {
                (Ok(by), Some(found)) => access::admit(found, &by).map(drop),
                (Ok(by), None) => Err(access::refuse(&mut tx, &by, report.room).await?),
                (Err(refusal), _) => Err(refusal),
            };
            if answer.is_ok() {
                let seq: &mut u64 = markers.entry((report.room, report.by.id())).or_default();
                *seq = report.seq.max(*seq);
            }
            answers.push(answer.map_err(Error::from));
        }
        read_markers::advance_read_markers(&mut tx, &markers).await?;
        let people: BTreeSet<i64> = markers.into_keys().map(|(_, person)| person).collect();
        let changed = people
            .into_iter()
            .map(|person| DomainEvent::PersonChanged { person });
        self.listeners.commit(tx, changed).await?;
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use protocol::NewRoom;
    use tokio::task::yield_now;

    use super::*;
    use crate::AccountHolder;
    use crate::testing::{TestChat, new_guest, new_message};

    #[tokio::test]
    async fn reports_that_wait_are_stored_by_one_transaction() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let private = NewRoom {
            private: Some(true),
            ..NewRoom::default()
        };
        let mut members = Vec::new();
        for _ in 0..5 {
            let by = new_guest();
            let room = chat.create_room(&by, &private).await.unwrap().id;
            for body in ["one", "two"] {
                let message = new_message(body);
                let posted = chat.post_message(&by, &room, &message, None).await;
                posted.unwrap();
            }
            members.push((by, room));
        }
        let queue = &chat.0.read_markers.0;
        let report = |by: &Person, room, seq| {
            let (answer, moved) = oneshot::channel();
            let by = by.clone();
            let report = Report { by, room, seq };
            queue.try_send(Waiting { report, answer }).unwrap();
            moved
        };
        let are_taken = async || {
            while queue.capacity() < BATCH_MAX {
                yield_now().await;
            }
        };

        // The first report is alone in its transaction, and the others wait for the next one.
        let before = chat.0.store.begin().await.unwrap();
        let (by, first_room) = &members[0];
        let mut moved = vec![report(by, *first_room, 1)];
        are_taken().await;
        let stranger = report(&new_guest(), *first_room, 1);
        for (by, room) in &members[1..] {
            moved.extend([report(by, *room, 2), report(by, *room, 1)]);
        }
        drop(before);
        let between = chat.0.store.begin().await.unwrap();
        are_taken().await;
        let store = chat.0.store.clone();
        let after = tokio::spawn(async move { store.begin().await.map(drop) });
        yield_now().await;
        drop(between);
        after.await.unwrap().unwrap();
        for (number, (by, room)) in members.iter().enumerate() {
            let read = chat.load_read_marker(by, room).await.unwrap();
            assert_eq!(read, if number == 0 { 1 } else { 2 });
        }
        for moved in moved {
            moved.await.unwrap().unwrap();
        }
        let refused = stranger.await.unwrap();
        assert!(matches!(refused, Err(Error::Refusal(Refusal::NotFound(_)))));
    }

    #[tokio::test]
    async fn report_of_an_ended_session_is_refused_beside_another_one() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let (grace, bob) = (test.register("grace").await, test.register("bob").await);
        let mut rooms = Vec::new();
        for by in [&grace, &bob] {
            let room = chat.create_room(by, &NewRoom::default()).await.unwrap().id;
            test.post(room, "hello").await;
            rooms.push(room);
        }
        let ended = Person::from(AccountHolder {
            generation: 99,
            ..bob.account().unwrap().clone()
        });
        let (of_grace, of_bob) = tokio::join!(
            chat.move_read_marker(&grace, &rooms[0], 1),
            chat.move_read_marker(&ended, &rooms[1], 1)
        );
        of_grace.unwrap();
        assert!(matches!(of_bob, Err(Error::Refusal(Refusal::NotSignedIn))));
        assert_eq!(chat.load_read_marker(&grace, &rooms[0]).await.unwrap(), 1);
        assert_eq!(chat.load_read_marker(&bob, &rooms[1]).await.unwrap(), 0);
    }
}
