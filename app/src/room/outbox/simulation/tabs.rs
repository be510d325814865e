//! What `sender` does with the actions of the decisions, and what the author of the messages does.

use super::*;

impl Browser {
    pub(super) fn write(&mut self, at: usize) {
        let key = format!("{:04}", self.written.len());
        let is_taken = self.random.random_range(0..8) == 0;
        let tab = &mut self.tabs[at];
        let message = NewMessage {
            username: if is_taken { TAKEN } else { "ada" }.to_owned(),
            body: SAID.to_owned(),
        };
        let written = self.now.max(tab.outbox.latest() + 1);
        let pending = PendingMessage::new(key.clone(), message, written);
        self.written.push(Written {
            key,
            tab: at,
            was_stored: false,
            was_refused: is_taken,
            is_given_up: false,
        });
        tab.outbox.put(pending.clone());
        self.store(at, pending);
    }

    fn refused_key(&self, at: usize) -> Option<String> {
        let mut shown = self.tabs[at].outbox.shown();
        let refused = shown.find(|pending| pending.refused.is_some())?;
        Some(refused.key.clone())
    }

    /// The author sends a refused message again under another name, or gives it up.
    pub(super) fn answer_refusal(&mut self, at: usize, gives_up: bool) {
        let Some(key) = self.refused_key(at) else {
            return;
        };
        if gives_up {
            let written = self.written.iter_mut().find(|known| known.key == key);
            written.unwrap().is_given_up = true;
            self.tabs[at].outbox.remove(&key);
            return self.forget(at, key);
        }
        let name = Some("ada".to_owned());
        if let Some(pending) = self.tabs[at].outbox.retry(&key, name, self.now) {
            self.store(at, pending);
        }
        let actions = self.tabs[at].dispatcher.send_now();
        self.perform(at, actions);
    }

    pub(super) fn perform(&mut self, at: usize, actions: Vec<OutboxAction>) {
        for action in actions {
            match action {
                OutboxAction::ShowDelivered(message) => drop(self.tabs[at].log.add(vec![message])),
                OutboxAction::Deliver { key, seq } => {
                    self.tabs[at].outbox.deliver(&key, seq);
                }
                OutboxAction::Refuse {
                    key,
                    reason,
                    free_name,
                } => {
                    let outbox = &mut self.tabs[at].outbox;
                    if let Some(refused) = outbox.refuse(&key, reason, free_name) {
                        self.store(at, refused);
                    }
                }
                OutboxAction::Forget(key) => self.forget(at, key),
                OutboxAction::WaitFor(length) => {
                    let length = i64::try_from(length.as_millis()).unwrap();
                    self.tabs[at].pause_over_at = Some(self.now + length);
                }
                OutboxAction::StopWaiting => self.tabs[at].pause_over_at = None,
                OutboxAction::SendNext => self.send_next(at),
                OutboxAction::RecheckAccess | OutboxAction::ShowPause(_) => {}
            }
        }
    }

    pub(super) fn forget_arrived(&mut self, at: usize) {
        while let Some((key, seq)) = self.tabs[at].outbox.find_arrived_refused() {
            self.tabs[at].outbox.deliver(&key, seq);
            self.forget(at, key);
        }
    }

    pub(super) fn send_next(&mut self, at: usize) {
        self.forget_arrived(at);
        let tab = &mut self.tabs[at];
        if let Some(pending) = tab.dispatcher.start_sending(&tab.outbox) {
            assert!(pending.kept, "{} is sent before it is kept", pending.key);
            self.posts.push(Post {
                tab: at,
                pending,
                is_late: false,
            });
        }
    }

    pub(super) fn store(&mut self, at: usize, pending: PendingMessage) {
        self.tabs[at].dispatcher.record_change();
        self.tabs[at].requests.push_back(Request::Put(pending));
    }

    pub(super) fn forget(&mut self, at: usize, key: String) {
        self.tabs[at].dispatcher.record_change();
        self.tabs[at].requests.push_back(Request::Remove(key));
    }

    pub(super) fn read_database(&mut self, at: usize) {
        let version = self.tabs[at].dispatcher.version();
        self.tabs[at].requests.push_back(Request::Read { version });
    }

    pub(super) fn tell_all(&mut self, at: usize) {
        for other in 0..self.tabs.len() {
            if self.tabs[other].is_alive() && other != at {
                self.tabs[other].inbox.push_back(Input::OutboxChanged);
            }
        }
        self.read_database(at);
    }

    pub(super) fn handle_next(&mut self, at: usize) {
        let Some(input) = self.tabs[at].inbox.pop_front() else {
            return;
        };
        match input {
            Input::LockHeld => {
                if self.lock.front() == Some(&at) {
                    self.tabs[at].dispatcher.set_turn(true);
                    self.read_database(at);
                }
            }
            Input::OutboxChanged => self.read_database(at),
            Input::Read { version, found } => self.on_read(at, version, found),
            Input::Stored { key, is_stored } => {
                self.tabs[at].dispatcher.on_stored(is_stored);
                self.tabs[at].dispatcher.record_change();
                self.tabs[at].outbox.mark_kept(&key, is_stored);
                self.send_next(at);
                self.tell_all(at);
            }
            Input::Removed => {
                self.tabs[at].dispatcher.record_change();
                self.tell_all(at);
            }
            Input::Answer { key, answer } => {
                let now = Time::from_millis(self.now);
                let actions = self.tabs[at].dispatcher.on_answer(key, answer, now);
                self.perform(at, actions);
            }
            Input::Event(message) => {
                self.tabs[at].outbox.record_arrival(&message);
                self.tabs[at].log.add(vec![message]);
                self.forget_arrived(at);
            }
        }
    }

    pub(super) fn on_read(&mut self, at: usize, version: u32, found: Records) {
        let tab = &mut self.tabs[at];
        if !tab.dispatcher.is_current(version) {
            return self.read_database(at);
        }
        tab.outbox.merge(found.messages, found.is_complete);
        for message in tab.log.messages() {
            tab.outbox.record_arrival(message);
        }
        self.send_next(at);
    }

    /// The database handles the next request of a tab.
    pub(super) fn handle_request(&mut self, at: usize) {
        let Some(request) = self.tabs[at].requests.pop_front() else {
            return;
        };
        let input = match request {
            Request::Read { version } => Input::Read {
                version,
                found: self.read_stores(),
            },
            Request::Put(pending) => {
                let key = pending.key.clone();
                let is_stored = self.put_record(pending);
                Input::Stored { key, is_stored }
            }
            Request::Remove(key) => {
                self.remove_record(&key);
                Input::Removed
            }
        };
        if self.tabs[at].is_alive() {
            self.tabs[at].inbox.push_back(input);
        }
    }
}
