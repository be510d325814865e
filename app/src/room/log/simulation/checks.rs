//! What must be true at each step, and in the end.

use super::*;

impl Browser {
    pub(super) fn check(&self, context: &str) {
        for tab in self.tabs.iter().filter(|tab| tab.is_alive()) {
            self.check_log(tab, context);
            self.check_lead(tab, context);
        }
    }

    /// The log has each message once, and everything before the cursor.
    pub(super) fn check_log(&self, tab: &Tab, context: &str) {
        let mut taken = tab.taken.clone();
        taken.sort_unstable();
        taken.dedup();
        let name = &tab.name;
        assert_eq!(taken.len(), tab.taken.len(), "{context}: {name} twice");
        if tab.batch_at.is_some() {
            return;
        }
        let cursor = tab.cursor();
        let messages = tab.log.messages();
        let held = messages.iter().filter(|message| message.id <= cursor);
        assert!(
            held.map(|message| message.id).eq(1..=cursor),
            "{context}: {name} passed a gap before {cursor}"
        );
    }

    /// A tab that leads holds the lock, or has yet to hear that it was taken away; only a tab that
    /// leads has streams.
    pub(super) fn check_lead(&self, tab: &Tab, context: &str) {
        let name = &tab.name;
        if !tab.leader.leads() {
            let is_idle = tab.streams.iter().all(|stream| !stream.is_wanted);
            assert!(is_idle, "{context}: {name} has streams and does not lead");
            return;
        }
        let lock = self.locks.iter().find(|lock| lock.name == LEAD);
        let holder = lock.and_then(|lock| lock.claims.front());
        let holds = holder.map(|claim| claim.id) == tab.lead_claim;
        let will_stop = tab.inbox.iter().any(|input| match input {
            Input::LockLost(claim) => Some(*claim) == tab.lead_claim,
            _ => false,
        });
        assert!(
            holds || will_stop,
            "{context}: {name} leads without the lock"
        );
    }

    pub(super) fn check_end(&self, context: &str, was_lossy: bool) {
        let running = || self.tabs.iter().filter(|tab| tab.is_running());
        let leaders = running().filter(|tab| tab.leader.leads()).count();
        assert_eq!(leaders, 1, "{context}: leaders");
        let mut carried: Vec<usize> = running()
            .flat_map(|tab| &tab.streams)
            .filter_map(|stream| stream.connection.as_ref())
            .flat_map(|connection| &connection.rooms)
            .map(|place| place.room)
            .collect();
        carried.sort_unstable();
        let mut needed: Vec<usize> = running().map(|tab| tab.room).collect();
        needed.sort_unstable();
        needed.dedup();
        if was_lossy || self.hangs_for_good {
            // The message that a tab needs a room no longer may be lost, or was never sent.
            carried.retain(|room| needed.contains(room));
        }
        assert_eq!(carried, needed, "{context}: rooms on streams");
        for tab in running() {
            let name = &tab.name;
            let newest = self.newest[tab.room];
            assert_eq!(tab.cursor(), newest, "{context}: {name} is behind");
            let messages = tab.log.messages().iter().map(|message| message.id);
            assert!(messages.eq(1..=newest), "{context}: {name} misses some");
            let state = tab.shown_state;
            assert_eq!(state, ConnectionState::Live, "{context}: {name}");
        }
    }
}
