//! The entries that another node has appended to logs that are followed here.

use std::collections::HashMap;

use super::listening::Listening;
use crate::Error;
use crate::events::DomainEvent;
use crate::lifetime::Lifetime;
use crate::log::entry::Entry;
use crate::markup::mark_in_place;
use crate::realtime::frame::Frames;
use crate::store::{EntryRange, RANGE_MAX};

/// The new entries of a room.
#[derive(Clone, Copy, Debug)]
struct NewEntries {
    /// The head that the followers of the room know.
    head: u64,
    range: EntryRange,
}

impl NewEntries {
    fn count(&self) -> u64 {
        self.range.last - self.range.after
    }
}

impl Listening {
    /// Passes the new entries of rooms to their followers, read once for all of them. Followers who
    /// miss more than [`RANGE_MAX`] read the store themselves, page by page.
    pub(super) async fn publish_entries(&self, heads: &[DomainEvent]) {
        let wanted = heads.iter().filter_map(|head| self.find_new_entries(head));
        let wanted: Vec<NewEntries> = wanted.collect();
        let mut rest = wanted.as_slice();
        while !rest.is_empty() {
            let (part, others) = rest.split_at(count_of_part(rest));
            if let Err(error) = self.publish_part(part).await {
                tracing::debug!(%error, "each follower reads the new entries by itself");
            }
            rest = others;
        }
    }

    fn find_new_entries(&self, event: &DomainEvent) -> Option<NewEntries> {
        let &DomainEvent::LogAdvanced { room, seq: last } = event else {
            return None;
        };
        let head = self.listeners.hub.find_head(room)?;
        // What the first followers have delivered is not known, but they have mostly seen all.
        let after = if head == 0 {
            last.saturating_sub(1)
        } else {
            head
        };
        let is_short = after < last && last - after <= RANGE_MAX;
        is_short.then_some(NewEntries {
            head,
            range: EntryRange { room, after, last },
        })
    }

    async fn publish_part(&self, part: &[NewEntries]) -> Result<(), Error> {
        let epoch = self.epoch.get();
        let ranges: Vec<EntryRange> = part.iter().map(|new| new.range).collect();
        let mut found: HashMap<_, (Lifetime, Vec<Entry>)> = HashMap::new();
        for new in self.nodes.load_new_entries(&ranges).await? {
            let mut entry = Entry::from_row(new.room, new.row);
            entry.message_mut().map(mark_in_place);
            let (_, entries) = found.entry(new.room).or_insert((new.lifetime, Vec::new()));
            entries.push(entry);
        }
        for NewEntries { head, range } in part {
            if let Some((lifetime, entries)) = found.remove(&range.room)
                && entries
                    .iter()
                    .map(Entry::seq)
                    .eq(range.after + 1..=range.last)
                && let Some(frames) = Frames::encode(epoch, &entries)
            {
                let messages = entries.iter().filter_map(Entry::message);
                let authors = messages.map(|message| message.username.as_str());
                let hub = &self.listeners.hub;
                hub.publish_after(*head, range.room, frames, authors, lifetime);
            }
        }
        Ok(())
    }
}

/// How many of these rooms, at least one, are read together: not more than [`RANGE_MAX`] entries.
fn count_of_part(rest: &[NewEntries]) -> usize {
    let mut entries = 0;
    let rooms = rest.iter().take_while(|new| {
        entries += new.count();
        entries <= RANGE_MAX
    });
    rooms.count().max(1)
}
