//! Opening, freezing and ending tabs, and the event loop of a tab.

use super::*;

impl Browser {
    /// Opens a tab in a room; the server renders it with the newest messages.
    pub(super) fn open_tab(&mut self) {
        let at = self.tabs.len();
        let room = self.random.random_range(0..ROOMS.len());
        let newest = self.newest[room];
        let name = format!("tab{at}");
        let mut subscriber = Subscriber::default();
        subscriber.open(name.clone(), self.now);
        self.tabs.push(Tab {
            leader: Leader::new(name.clone()),
            subscriber,
            name,
            life: Life::Running,
            is_hidden: false,
            inbox: VecDeque::new(),
            streams: Vec::new(),
            lead_claim: None,
            own_claim: None,
            watched: Vec::new(),
            answer_at: None,
            assign_at: None,
            batch_at: None,
            tick_at: self.now + 5_000,
            room,
            part: 0,
            tracker: SequenceTracker::at(newest),
            log: MessageLog::new((1..=newest).map(fixtures::message).collect()),
            taken: Vec::new(),
            shown_state: ConnectionState::Connecting,
        });
        self.line_up(at);
        self.follow_room(at);
    }

    pub(super) fn follow_room(&mut self, at: usize) {
        let topic = ROOMS[self.tabs[at].room].to_owned();
        self.tabs[at].part = self.tabs[at].subscriber.add_part(topic, true);
        let actions = self.tabs[at].subscriber.subscribe_all();
        self.perform_subscriber(at, actions);
    }

    /// Goes to another room without loading a page.
    pub(super) fn change_room(&mut self, at: usize) {
        let part = self.tabs[at].part;
        let actions = self.tabs[at].subscriber.remove_part(part);
        self.perform_subscriber(at, actions);
        let room = self.random.random_range(0..ROOMS.len());
        let newest = self.newest[room];
        let tab = &mut self.tabs[at];
        tab.room = room;
        tab.tracker = SequenceTracker::at(newest);
        tab.log = MessageLog::new((1..=newest).map(fixtures::message).collect());
        tab.taken.clear();
        tab.batch_at = None;
        tab.shown_state = ConnectionState::Connecting;
        self.follow_room(at);
    }

    /// Not while a tab hangs for good: a leader that hangs may hold the lock of the frozen tab,
    /// which then cannot return.
    pub(super) fn freeze(&mut self, at: usize) {
        self.give_up_lead(at);
        self.give_up_own(at);
        self.tabs[at].life = Life::Frozen;
        if self.chance(50) {
            // A page in the back/forward cache gets no messages.
            self.tabs[at].inbox.clear();
        }
    }

    pub(super) fn resume(&mut self, at: usize) {
        let was_frozen = self.tabs[at].life == Life::Frozen;
        self.tabs[at].life = Life::Running;
        if was_frozen {
            self.line_up(at);
        }
    }

    /// The process of a tab ends. The browser releases its locks.
    pub(super) fn kill(&mut self, at: usize) {
        self.tabs[at].life = Life::Dead;
        self.tabs[at].streams.clear();
        self.tabs[at].inbox.clear();
        let held: Vec<u64> = self
            .locks
            .iter()
            .flat_map(|lock| &lock.claims)
            .filter(|claim| claim.tab == at)
            .map(|claim| claim.id)
            .collect();
        for claim in held {
            self.release(claim);
        }
    }

    pub(super) fn handle_next(&mut self, at: usize) {
        let Some(input) = self.tabs[at].inbox.pop_front() else {
            return;
        };
        match input {
            Input::Message(message) => {
                let actions = self.tabs[at].leader.on_message(&message, self.now);
                self.perform_leader(at, actions);
                let actions = self.tabs[at].subscriber.on_message(&message);
                self.perform_subscriber(at, actions);
            }
            Input::LockHeld(claim) => self.on_lock_held(at, claim),
            Input::LockLost(claim) => self.on_lock_lost(at, claim),
            Input::StreamOpened(connected) if self.is_current(at, connected) => {
                self.set_stream_state(at, connected.stream, ConnectionState::Live);
            }
            Input::StreamEvent {
                connected,
                topic,
                event,
            } if self.is_current(at, connected) => {
                let actions = self.tabs[at].leader.on_stream_event(topic, event);
                self.perform_leader(at, actions);
            }
            Input::StreamLost(connected) if self.is_current(at, connected) => {
                self.lose_connection(at, connected.stream);
            }
            Input::NetworkChanged => self.on_network_change(at),
            // Of a connection that was closed since.
            _ => {}
        }
    }

    pub(super) fn is_due(&self, timer: Option<i64>) -> bool {
        timer.is_some_and(|at| at <= self.now)
    }

    pub(super) fn run_timers(&mut self, at: usize) {
        if self.is_due(self.tabs[at].batch_at) {
            self.tabs[at].batch_at = None;
            self.add_batch(at);
        }
        if self.is_due(self.tabs[at].assign_at) {
            self.tabs[at].assign_at = None;
            let actions = self.tabs[at].leader.assign_streams("ada");
            self.perform_leader(at, actions);
        }
        if self.is_due(self.tabs[at].answer_at) {
            self.tabs[at].answer_at = None;
            let is_hidden = self.tabs[at].is_hidden;
            let actions = self.tabs[at].subscriber.on_no_answer(is_hidden);
            self.perform_subscriber(at, actions);
        }
        if self.is_due(Some(self.tabs[at].tick_at)) {
            self.tabs[at].tick_at = self.now + 5_000;
            let is_hidden = self.tabs[at].is_hidden;
            let actions = self.tabs[at].subscriber.on_tick(is_hidden, self.now);
            self.perform_subscriber(at, actions);
        }
        for index in 0..self.tabs[at].streams.len() {
            let stream = &self.tabs[at].streams[index];
            let silent = stream.connection.as_ref().filter(|now| now.is_silent);
            let noticed_at = silent.map(|connection| connection.noticed_at);
            if self.is_due(stream.retry_at) || self.is_due(noticed_at) {
                self.connect(at, index);
            }
        }
    }

    /// Goes on to the next timer of a running tab.
    pub(super) fn pass_time(&mut self) {
        let running = self.tabs.iter().filter(|tab| tab.is_running());
        let next = running.map(Tab::next_timer).min();
        self.now = self.now.max(next.unwrap_or(self.now + 1_000));
        for at in 0..self.tabs.len() {
            if self.tabs[at].is_running() && self.tabs[at].next_timer() <= self.now {
                self.run_timers(at);
            }
        }
    }
}
