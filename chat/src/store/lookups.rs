//! Lookups that many callers make at once, for example after a restart of the server.
//!
//! While one statement runs, further lookups gather for the next one, which answers them all. A
//! lookup alone waits for no other.
//!
//! # Guarantees
//! - A lookup finds everything that was committed before it began.
//! - The number of lookups that wait is bounded; further callers wait for a place.
//!
//! # Not here
//! - The statements: `room_access` and `accounts`.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{AccountRow, AccountSession, FoundRoom, Reader, RoomLookup, Store};
use super::{accounts, room_access};
use crate::{Error, Supervisor};

/// The most lookups that one statement answers.
const BATCH_MAX: usize = 256;

/// A row that can be looked up by many callers at once.
pub(crate) trait LookupKey: Copy + Send + Sync + 'static {
    type Row: Send + 'static;

    /// The row of each key, in the order of the keys; `None` where there is none.
    fn find_rows(
        from: &mut impl Reader,
        keys: &[Self],
    ) -> impl Future<Output = Result<Vec<Option<Self::Row>>, Error>> + Send;
}

impl LookupKey for RoomLookup {
    type Row = FoundRoom;

    async fn find_rows(
        from: &mut impl Reader,
        keys: &[Self],
    ) -> Result<Vec<Option<FoundRoom>>, Error> {
        room_access::find_open_rooms(from, keys).await
    }
}

impl LookupKey for AccountSession {
    type Row = AccountRow;

    async fn find_rows(
        from: &mut impl Reader,
        keys: &[Self],
    ) -> Result<Vec<Option<AccountRow>>, Error> {
        accounts::load_accounts(from, keys).await
    }
}

#[derive(Debug)]
struct Waiting<K: LookupKey> {
    key: K,
    answer: oneshot::Sender<Result<Option<K::Row>, Error>>,
}

/// Where callers look rows up. It is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lookups<K: LookupKey>(mpsc::Sender<Waiting<K>>);

/// The lookups that wait. Lookups fail once it is dropped.
type Queue<K> = Arc<Mutex<mpsc::Receiver<Waiting<K>>>>;

impl<K: LookupKey> Lookups<K> {
    /// Starts the task that answers the lookups, until it is aborted.
    pub fn start(
        name: &'static str,
        store: &Store,
        supervisor: &Supervisor,
    ) -> (Self, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(BATCH_MAX);
        let queue = Arc::new(Mutex::new(receiver));
        let store = store.clone();
        let task = supervisor.spawn(name, move || answer_all(queue.clone(), store.clone()));
        (Self(sender), task)
    }

    /// The row of this key; `None` if there is none.
    pub async fn find(&self, key: K) -> Result<Option<K::Row>, Error> {
        let (answer, found) = oneshot::channel();
        let waiting = Waiting { key, answer };
        self.0.send(waiting).await.map_err(|_| closed())?;
        found.await.map_err(|_| closed())?
    }
}

/// Answers lookups until all [`Lookups`] are dropped.
async fn answer_all<K: LookupKey>(queue: Queue<K>, store: Store) {
    let mut queue = queue.lock().await;
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        answer(&store, std::mem::take(&mut batch)).await;
    }
}

async fn answer<K: LookupKey>(store: &Store, batch: Vec<Waiting<K>>) {
    let keys: Vec<K> = batch.iter().map(|waiting| waiting.key).collect();
    // A caller that has gone needs no answer, so a failure to send is none.
    match find_rows(store, &keys).await {
        Ok(rows) => {
            for (waiting, row) in batch.into_iter().zip(rows) {
                let _ = waiting.answer.send(Ok(row));
            }
        }
        Err(error) => {
            for waiting in batch {
                let _ = waiting.answer.send(Err(error.clone()));
            }
        }
    }
}

async fn find_rows<K: LookupKey>(store: &Store, keys: &[K]) -> Result<Vec<Option<K::Row>>, Error> {
    K::find_rows(&mut store.reader().await?, keys).await
}

fn closed() -> Error {
    Error::fault("the lookups have ended")
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use protocol::{Refusal, RoomId};

    use super::*;
    use crate::testing::TestChat;
    use crate::{Chat, Person};

    async fn is_found(chat: &Chat, room: RoomId) -> bool {
        chat.find_room(&Person::Anonymous, &room).await.is_ok()
    }

    #[tokio::test]
    async fn each_of_many_lookups_finds_its_own_row() {
        let test = TestChat::new(|_| {}).await;
        let mut rooms = Vec::new();
        for _ in 0..7 {
            rooms.push(test.create_room().await);
        }
        let missing: RoomId = "0123456789abcdef".parse().unwrap();
        let wanted = (0..3 * BATCH_MAX).map(|i| *rooms.get(i % 8).unwrap_or(&missing));
        join_all(wanted.map(async |room| {
            let found = test.chat.find_room(&Person::Anonymous, &room).await;
            match found {
                Ok(found) => assert_eq!(found.id, room),
                Err(error) => {
                    let is_not_found = matches!(error, Error::Refusal(Refusal::NotFound(_)));
                    assert!(room == missing && is_not_found, "{room}: {error}");
                }
            }
        }))
        .await;
    }

    #[tokio::test]
    async fn failed_lookup_answers_its_caller_and_the_next_one_works() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.config.faults.arm(1, 0);
        assert!(!is_found(&test.chat, room).await);
        test.config.faults.arm(0, 0);
        assert!(is_found(&test.chat, room).await);
    }

    #[tokio::test]
    async fn lookup_fails_once_the_chat_is_closed() {
        let test = TestChat::new(|_| {}).await;
        let room = test.create_room().await;
        test.chat.close().await;
        assert!(!is_found(&test.chat, room).await);
    }
}
