//! The Web Locks of the browser.

use super::*;

impl Browser {
    pub(super) fn line_up(&mut self, at: usize) {
        let own = self.request_lock(at, &format!("lock of {}", self.tabs[at].name));
        self.tabs[at].own_claim = Some(own);
        let lead = self.request_lock(at, LEAD);
        self.tabs[at].lead_claim = Some(lead);
    }

    pub(super) fn lock(&mut self, name: &str) -> &mut Lock {
        if self.locks.iter().all(|lock| lock.name != name) {
            self.locks.push(Lock {
                name: name.to_owned(),
                claims: VecDeque::new(),
            });
        }
        let lock = self.locks.iter_mut().find(|lock| lock.name == name);
        lock.unwrap()
    }

    pub(super) fn request_lock(&mut self, tab: usize, name: &str) -> u64 {
        let id = self.new_id();
        let claims = &mut self.lock(name).claims;
        claims.push_back(Claim { id, tab });
        if claims.len() == 1 {
            self.tabs[tab].inbox.push_back(Input::LockHeld(id));
        }
        id
    }

    /// Ends a claim, whether it holds the lock or waits for it.
    pub(super) fn release(&mut self, claim: u64) {
        for lock in &mut self.locks {
            let Some(place) = lock.claims.iter().position(|known| known.id == claim) else {
                continue;
            };
            lock.claims.remove(place);
            if let Some(next) = lock.claims.front().filter(|_| place == 0) {
                self.tabs[next.tab]
                    .inbox
                    .push_back(Input::LockHeld(next.id));
            }
        }
    }

    pub(super) fn steal_lead(&mut self, at: usize) {
        let id = self.new_id();
        let own = self.tabs[at].lead_claim.replace(id);
        let claims = &mut self.lock(LEAD).claims;
        if let Some(holder) = claims.pop_front() {
            self.tabs[holder.tab]
                .inbox
                .push_back(Input::LockLost(holder.id));
        }
        let claims = &mut self.lock(LEAD).claims;
        claims.push_front(Claim { id, tab: at });
        self.tabs[at].inbox.push_back(Input::LockHeld(id));
        if let Some(own) = own {
            self.release(own);
        }
    }

    pub(super) fn give_up_lead(&mut self, at: usize) {
        if let Some(claim) = self.tabs[at].lead_claim.take() {
            self.release(claim);
            let actions = self.tabs[at].leader.stop();
            self.perform_leader(at, actions);
        }
    }

    pub(super) fn give_up_own(&mut self, at: usize) {
        if let Some(claim) = self.tabs[at].own_claim.take() {
            self.release(claim);
            let actions = self.tabs[at].subscriber.set_present(false);
            self.perform_subscriber(at, actions);
        }
    }

    pub(super) fn on_lock_held(&mut self, at: usize, claim: u64) {
        let tab = &mut self.tabs[at];
        if tab.lead_claim == Some(claim) {
            let actions = tab.leader.start();
            self.perform_leader(at, actions);
        } else if tab.own_claim == Some(claim) {
            let actions = tab.subscriber.set_present(true);
            self.perform_subscriber(at, actions);
        } else if let Some(ended) = tab.watched.iter().find(|watched| watched.claim == claim) {
            let actions = tab.leader.on_tab_ended(&ended.name);
            self.perform_leader(at, actions);
        }
    }

    pub(super) fn on_lock_lost(&mut self, at: usize, claim: u64) {
        if self.tabs[at].lead_claim == Some(claim) {
            self.give_up_lead(at);
            let lead = self.request_lock(at, LEAD);
            self.tabs[at].lead_claim = Some(lead);
        }
    }
}
