//! The eraser: takes frozen rooms to their end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use crate::lifecycle::archive;
use crate::realtime::hub::Hub;
use crate::realtime::public_rooms::PublicRooms;
use crate::room::Lifetime;
use crate::store::{RoomRow, Store, rooms};
use crate::{Clock, Error};

/// Rooms taken to their end at once.
const LEAVING_AT_ONCE: usize = 4;

#[derive(Debug)]
pub(crate) struct Eraser {
    pub store: Store,
    pub hub: Hub,
    pub clock: Clock,
    pub public_rooms: PublicRooms,
    /// Where archives go; `None` if none are wanted.
    pub archives: Option<PathBuf>,
    /// Says that there are rooms to take to their end.
    pub frozen: Arc<Notify>,
}

impl Eraser {
    pub async fn run(self) {
        loop {
            match rooms::load_ending_rooms(&self.store, 64).await {
                Ok(rooms) if rooms.is_empty() => self.frozen.notified().await,
                Ok(rooms) => {
                    let finish = |(room, archived)| self.finish(room, archived);
                    stream::iter(rooms)
                        .for_each_concurrent(LEAVING_AT_ONCE, finish)
                        .await;
                }
                Err(error) => {
                    tracing::error!(%error, "cannot look for rooms on their way out");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Takes one room to its end, or opens it again if it cannot be archived.
    async fn finish(&self, stored: RoomRow, archived: bool) {
        let id = stored.room.id;
        let was_public = stored.room.public;
        if !archived && let Err(error) = self.archive(&stored).await {
            tracing::error!(room = %id, %error, "cannot archive a room; it stays open and is tried again");
            let retry = stored
                .timeout
                .clamp(Duration::from_secs(1), Duration::from_secs(60));
            let lifetime = Lifetime {
                end: self.clock.now().after(retry),
                timeout: stored.timeout,
            };
            if let Err(error) = rooms::reopen(&self.store, id, lifetime.end, || {
                self.hub.set_lifetime(id, lifetime)
            })
            .await
            {
                tracing::error!(room = %id, %error, "cannot open a room again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return;
        }
        match rooms::erase(&self.store, id, self.clock.now()).await {
            Ok(()) => {
                tracing::info!(room = %id, messages = stored.room.message_count, "room closed");
                self.hub.close(id);
                if was_public {
                    self.public_rooms.changed();
                }
            }
            Err(error) => {
                tracing::error!(room = %id, %error, "cannot erase a room; it is tried again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    async fn archive(&self, stored: &RoomRow) -> Result<(), Error> {
        match &self.archives {
            Some(dir) => archive::write(&self.store, dir, stored.clone()).await,
            None => Ok(()),
        }
    }
}
