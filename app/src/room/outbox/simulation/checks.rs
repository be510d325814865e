//! What must be true at each step, and in the end.

use super::*;

impl Browser {
    /// No message is in the server's log twice, and each tab's are in the order of writing. That
    /// ends when the database does not answer: it may hold messages that were written earlier.
    pub(super) fn check(&self, context: &str) {
        let mut keys = self.server.clone();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), self.server.len(), "{context}: a message twice");
        let tabs = if self.stores.was_silent {
            0
        } else {
            self.tabs.len()
        };
        for at in 0..tabs {
            let in_order = |key: &&String| {
                let mut written = self.written.iter();
                written.any(|known| known.key == **key && known.tab == at && !known.was_refused)
            };
            let keys: Vec<&String> = self.server.iter().filter(in_order).collect();
            assert!(keys.is_sorted(), "{context}: out of order: {keys:?}");
        }
    }

    pub(super) fn check_end(&self, context: &str) {
        for written in &self.written {
            let is_safe = written.was_stored || self.tabs[written.tab].is_alive();
            if is_safe && !written.is_given_up {
                let key = &written.key;
                assert!(self.server.contains(key), "{context}: {key} is lost");
            }
        }
        let Stores {
            database, local, ..
        } = &self.stores;
        assert!(database.is_empty(), "{context}: {database:?}");
        let left = local.values().flatten().count();
        assert_eq!(left, 0, "{context}: {local:?}");
        for tab in self.tabs.iter().filter(|tab| tab.is_alive()) {
            let waiting = tab.outbox.next_to_send();
            assert_eq!(waiting, None, "{context}: still in the outbox");
            assert_eq!(tab.outbox.shown().count(), 0, "{context}: still shown");
        }
    }
}
