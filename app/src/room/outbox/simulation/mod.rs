//! The tabs of one browser in one room, their database and a server, at random and on one clock.
//!
//! The tabs are made of `dispatcher` and `queue`. Tabs open, freeze, hang and die; requests are
//! lost before or after the server has handled them, arrive late, and are refused, also by a
//! firewall; reads and writes of the database take their time, or have no answer.

mod checks;
mod server;
mod stores;
mod tabs;

use std::collections::{BTreeMap, VecDeque};

use protocol::{Message, NewMessage, Problem, Time, client_id};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::api::{Answer, Failure};
use crate::fixtures;
use crate::room::log::message_log::MessageLog;
use crate::room::log::simulation::for_each_seed;
use crate::room::outbox::dispatcher::{Dispatcher, OutboxAction};
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::outbox::queue::Outbox;
use crate::room::outbox::record_store::Records;
use crate::room::outbox::simulation::stores::Stores;

const MOST_TABS: usize = 4;
const STEPS: usize = 600;
/// The text of every message: only its key tells one from the other.
const SAID: &str = "hi";
/// A name that the server refuses.
const TAKEN: &str = "taken";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Running,
    /// Frozen by the browser, after the page could give up its lock.
    Frozen,
    /// Blocked, with its lock.
    Hung,
    Dead,
}

/// What a tab asks of the database, in the order of asking.
enum Request {
    Read { version: u32 },
    Put(PendingMessage),
    Remove(String),
}

/// What waits for a tab's event loop.
enum Input {
    LockHeld,
    OutboxChanged,
    Read {
        version: u32,
        found: Records,
    },
    Stored {
        key: String,
        is_stored: bool,
    },
    Removed,
    Answer {
        key: String,
        answer: Answer<Message>,
    },
    Event(Message),
}

struct Tab {
    life: Life,
    dispatcher: Dispatcher,
    outbox: Outbox,
    log: MessageLog,
    requests: VecDeque<Request>,
    inbox: VecDeque<Input>,
    pause_over_at: Option<i64>,
}

impl Tab {
    fn is_alive(&self) -> bool {
        self.life != Life::Dead
    }

    fn is_running(&self) -> bool {
        self.life == Life::Running
    }
}

/// A request to the server that has not been answered.
struct Post {
    tab: usize,
    pending: PendingMessage,
    /// Whether the tab has given up waiting for the answer.
    is_late: bool,
}

/// What became of a message that was written.
struct Written {
    key: String,
    tab: usize,
    /// Whether it was in the database at any time.
    was_stored: bool,
    /// Whether it was refused at any time: then it is no longer in the order of writing.
    was_refused: bool,
    is_given_up: bool,
}

struct Browser {
    random: SmallRng,
    now: i64,
    /// Whether requests fail.
    is_faulty: bool,
    stores: Stores,
    can_be_silent: bool,
    /// The tabs that hold the lock or wait for it.
    lock: VecDeque<usize>,
    tabs: Vec<Tab>,
    posts: Vec<Post>,
    /// The keys of the messages in the server's log.
    server: Vec<String>,
    written: Vec<Written>,
}

impl Browser {
    fn new(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        Self {
            stores: Stores {
                has_database: random.random_range(0..4) > 0,
                has_local: random.random_range(0..4) > 0,
                ..Stores::default()
            },
            can_be_silent: random.random(),
            random,
            now: 1_000_000,
            is_faulty: true,
            lock: VecDeque::new(),
            tabs: Vec::new(),
            posts: Vec::new(),
            server: Vec::new(),
            written: Vec::new(),
        }
    }

    fn pick(&mut self, fits: impl Fn(&Tab) -> bool) -> Option<usize> {
        let tabs = self.tabs.iter().enumerate();
        let fitting: Vec<usize> = tabs
            .filter(|(_, tab)| fits(tab))
            .map(|(at, _)| at)
            .collect();
        if fitting.is_empty() {
            return None;
        }
        Some(fitting[self.random.random_range(0..fitting.len())])
    }

    fn open_tab(&mut self) {
        let at = self.tabs.len();
        let count = self.server.len();
        self.tabs.push(Tab {
            life: Life::Running,
            dispatcher: Dispatcher::default(),
            outbox: Outbox::default(),
            log: MessageLog::new((0..count).map(|index| self.message(index)).collect()),
            requests: VecDeque::new(),
            inbox: VecDeque::new(),
            pause_over_at: None,
        });
        self.read_database(at);
        self.line_up(at);
    }

    fn line_up(&mut self, at: usize) {
        self.lock.push_back(at);
        if self.lock.len() == 1 {
            self.tabs[at].inbox.push_back(Input::LockHeld);
        }
    }

    fn release(&mut self, at: usize) {
        let was_held = self.lock.front() == Some(&at);
        self.lock.retain(|waiting| *waiting != at);
        if let Some(next) = self.lock.front().filter(|_| was_held) {
            self.tabs[*next].inbox.push_back(Input::LockHeld);
        }
    }

    fn freeze(&mut self, at: usize) {
        self.release(at);
        self.tabs[at].dispatcher.set_turn(false);
        self.tabs[at].life = Life::Frozen;
    }

    fn resume(&mut self, at: usize) {
        let was_frozen = self.tabs[at].life == Life::Frozen;
        self.tabs[at].life = Life::Running;
        if was_frozen {
            self.line_up(at);
        }
    }

    fn kill(&mut self, at: usize) {
        self.tabs[at].life = Life::Dead;
        self.tabs[at].inbox.clear();
        if self.random.random() {
            // A transaction under way may still be completed.
            self.handle_request(at);
        }
        self.tabs[at].requests.clear();
        self.release(at);
    }

    /// One event at random.
    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..40 => {
                if let Some(at) = self.pick(|tab| tab.is_running() && !tab.inbox.is_empty()) {
                    self.handle_next(at);
                }
            }
            40..60 => {
                if let Some(at) = self.pick(|tab| !tab.requests.is_empty()) {
                    self.handle_request(at);
                }
            }
            60..72 if !self.posts.is_empty() => {
                let index = self.random.random_range(0..self.posts.len());
                self.answer_post(index);
            }
            72..80 => self.pass_time(),
            80..88 => self.with_running(Self::write),
            _ => self.disturb(),
        }
    }

    fn with_running(&mut self, act: fn(&mut Self, usize)) {
        if let Some(at) = self.pick(Tab::is_running) {
            act(self, at);
        }
    }

    fn disturb(&mut self) {
        let alive = self.tabs.iter().filter(|tab| tab.is_alive()).count();
        match self.random.random_range(0..11) {
            0 | 1 if alive < MOST_TABS => self.open_tab(),
            2 => {
                if let Some(at) = self.pick(Tab::is_alive) {
                    self.kill(at);
                }
            }
            3 => self.with_running(Self::freeze),
            4 => self.with_running(|browser, at| browser.tabs[at].life = Life::Hung),
            5..7 => {
                if let Some(at) = self.pick(|tab| tab.is_alive() && !tab.is_running()) {
                    self.resume(at);
                }
            }
            7 => self.with_running(|browser, at| browser.answer_refusal(at, false)),
            8 => self.with_running(|browser, at| browser.answer_refusal(at, true)),
            9 if self.can_be_silent => self.silence_database(),
            // Back online.
            _ => self.with_running(|browser, at| {
                let actions = browser.tabs[at].dispatcher.send_now();
                browser.perform(at, actions);
            }),
        }
    }

    /// Goes on to the next end of a pause.
    fn pass_time(&mut self) {
        let running = self.tabs.iter().filter(|tab| tab.is_running());
        let next = running.filter_map(|tab| tab.pause_over_at).min();
        self.now = self.now.max(next.unwrap_or(self.now + 100));
        for at in 0..self.tabs.len() {
            let tab = &mut self.tabs[at];
            if tab.is_running() && tab.pause_over_at.is_some_and(|over| over <= self.now) {
                tab.pause_over_at = None;
                let actions = tab.dispatcher.on_pause_over();
                self.perform(at, actions);
            }
        }
    }

    /// Ends all disturbances, and lets everything happen that is to happen.
    fn calm_down(&mut self) {
        self.is_faulty = false;
        self.stores.is_silent = false;
        if self.tabs.iter().all(|tab| !tab.is_alive()) {
            self.open_tab();
        }
        for at in 0..self.tabs.len() {
            if self.tabs[at].is_alive() && !self.tabs[at].is_running() {
                self.resume(at);
            }
        }
        self.settle();
        for at in 0..self.tabs.len() {
            for _ in 0..self.written.len() {
                if self.tabs[at].is_alive() {
                    self.answer_refusal(at, false);
                    self.settle();
                }
            }
        }
    }

    fn settle(&mut self) {
        // Long enough for every pause.
        let end = self.now + 60_000;
        while self.now < end {
            for at in 0..self.tabs.len() {
                while !self.tabs[at].inbox.is_empty() || !self.tabs[at].requests.is_empty() {
                    self.handle_next(at);
                    self.handle_request(at);
                }
            }
            while !self.posts.is_empty() {
                self.answer_post(0);
            }
            let is_idle = |tab: &Tab| tab.inbox.is_empty() && tab.requests.is_empty();
            if self.tabs.iter().all(is_idle) {
                self.now += 1_000;
                self.pass_time();
            }
        }
    }
}

fn run_outbox(seed: u64) {
    let mut browser = Browser::new(seed);
    browser.open_tab();
    for step in 0..STEPS {
        browser.step();
        browser.check(&format!("seed {seed}, step {step}"));
    }
    browser.calm_down();
    browser.check(&format!("seed {seed}, end"));
    browser.check_end(&format!("seed {seed}"));
}

/// `WEBCHAT_SEEDS=10000` runs more seeds.
#[test]
fn every_pending_message_is_delivered_once_and_in_order_whichever_tab_dies() {
    for_each_seed(200, run_outbox);
}
