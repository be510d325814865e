//! Whose turn an upload is: of all requests to it that this process has, one acts.
//!
//! # Guarantees
//! - A newer request does not wait for a connection that is dead: it ends what the older one receives.
//! - A request that would go on from a wrong byte disturbs no other.
//! - Uploads without requests take no memory.
//!
//! # Not here
//! - Requests to other nodes: of two pieces with the same start, the file store takes one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use protocol::FileId;
use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

use crate::sync::lock;

/// The turns of all uploads. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::files) struct Turns(Arc<Mutex<HashMap<FileId, Requests>>>);

/// The requests to an upload.
#[derive(Debug, Default)]
struct Requests {
    count: usize,
    /// Held by the request whose turn it is.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Ends what the newest request receives.
    newest: CancellationToken,
    /// Up to which byte the request has received whose turn it is, while it receives.
    position: Option<u64>,
}

/// The turn of a request, which ends when it is dropped.
#[derive(Debug)]
pub(in crate::files) struct Turn {
    turns: Turns,
    id: FileId,
    superseded: CancellationToken,
    /// `None` while it waits.
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn of a request, and ends what older ones receive.
    pub async fn take(&self, id: FileId) -> Turn {
        let superseded = CancellationToken::new();
        let free = {
            let mut all = lock(&self.0);
            let requests = all.entry(id).or_default();
            requests.count += 1;
            std::mem::replace(&mut requests.newest, superseded.clone()).cancel();
            requests.turn.clone()
        };
        // It counts as a request until it is dropped, also while it waits.
        let mut turn = Turn {
            turns: self.clone(),
            id,
            superseded,
            held: None,
        };
        turn.held = Some(free.lock_owned().await);
        turn
    }

    /// Waits for the turn of a request that goes on from a byte. Returns `None`, and ends nothing, if
    /// an older one receives and is at another byte.
    pub async fn take_at(&self, id: FileId, offset: u64) -> Option<Turn> {
        let position = lock(&self.0)
            .get(&id)
            .and_then(|requests| requests.position);
        if position.is_some_and(|position| position != offset) {
            return None;
        }
        Some(self.take(id).await)
    }
}

impl Turn {
    /// Waits until a newer request wants the turn.
    pub async fn superseded(&self) {
        self.superseded.cancelled().await;
    }

    /// Notes up to which byte the request has received.
    pub fn set_position(&self, position: u64) {
        if let Some(requests) = lock(&self.turns.0).get_mut(&self.id) {
            requests.position = Some(position);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = lock(&self.turns.0);
        let Some(requests) = all.get_mut(&self.id) else {
            return;
        };
        requests.count -= 1;
        if self.held.is_some() {
            requests.position = None;
        }
        if requests.count == 0 {
            all.remove(&self.id);
        }
    }
}
