//! The database of the browser, which may not answer, and `localStorage`, which takes its place; as
//! `record_store` uses them.

use super::*;

#[derive(Default)]
pub(super) struct Stores {
    pub(super) has_database: bool,
    pub(super) has_local: bool,
    /// Whether the database does not answer at present.
    pub(super) is_silent: bool,
    pub(super) was_silent: bool,
    pub(super) database: BTreeMap<String, PendingMessage>,
    /// `None` for a record that is to be removed from the database.
    pub(super) local: BTreeMap<String, Option<PendingMessage>>,
}

impl Stores {
    fn answers(&self) -> bool {
        self.has_database && !self.is_silent
    }
}

impl Browser {
    pub(super) fn silence_database(&mut self) {
        let is_silent = self.random.random_range(0..3) == 0;
        self.stores.is_silent = is_silent;
        self.stores.was_silent |= is_silent;
    }

    pub(super) fn read_stores(&mut self) -> Records {
        let is_complete = self.stores.answers();
        let mut messages = if is_complete {
            self.stores.database.clone()
        } else {
            BTreeMap::new()
        };
        for (key, entry) in self.stores.local.clone() {
            if entry.is_none() && is_complete {
                self.remove_record(&key);
            }
            messages.remove(&key);
            messages.extend(entry.map(|message| (key, message)));
        }
        Records {
            messages: messages.into_values().collect(),
            is_complete,
        }
    }

    pub(super) fn put_record(&mut self, pending: PendingMessage) -> bool {
        let key = pending.key.clone();
        let is_local = !self.stores.answers();
        let record = PendingMessage {
            seen: None,
            kept: true,
            is_local,
            ..pending
        };
        if !is_local {
            self.stores.database.insert(key.clone(), record);
            self.stores.local.remove(&key);
        } else if self.stores.has_local {
            self.stores.local.insert(key.clone(), Some(record));
        }
        let is_stored = !is_local || self.stores.has_local;
        let written = self.written.iter_mut().find(|known| known.key == key);
        written.unwrap().was_stored |= is_stored;
        is_stored
    }

    pub(super) fn remove_record(&mut self, key: &str) {
        let answers = self.stores.answers();
        let stores = &mut self.stores;
        let was_local = stores
            .local
            .remove(key)
            .is_some_and(|entry| entry.is_some());
        if answers {
            stores.database.remove(key);
        } else if !was_local && stores.has_local {
            stores.local.insert(key.to_owned(), None);
        }
    }
}
