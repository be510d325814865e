//! Sends what is in the outbox, and keeps it across reloads and crashes.
//!
//! Promises: each parcel is in the browser's database before it is on the wire, and leaves it only when the server
//! answered for it or its writer gave it up; of all tabs in a room one sends, in the order of writing, and all show what
//! is on its way; no answer means another attempt with the same key, after a pause or when the device is back online;
//! "too many" waits as long as the server said. Where a browser keeps nothing, each tab sends its own. In the browser only.

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::{Message, NewMessage, RoomId, Time};

use crate::api::{self, Failure};
use crate::browser::dom::{on_unmount, on_window_event, run_after, spawn_task};
use crate::browser::web_lock::WebLock;
use crate::browser::{indexed_db, json};
use crate::connection::tab_feed::TabFeed;
use crate::reactive::BrowserCell;
use crate::room::log::message_log::MessageLog;
use crate::room::outbox::queue::{Outbox, PendingMessage};
use crate::time::clock;

/// The longest pause between two attempts, in seconds.
const LONGEST: u32 = 15;

/// The outbox of one room, at work.
#[derive(Clone, Copy)]
pub struct OutboxSender {
    room: RoomId,
    /// What the page already shows.
    log: RwSignal<MessageLog>,
    /// The way to the other tabs.
    feed: TabFeed,
    outbox: RwSignal<Outbox>,
    pause: RwSignal<Option<Pause>>,
    work: BrowserCell<Work>,
}

/// Why nothing is being sent at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When sending goes on, by this machine's clock.
    pub until: Time,
    /// Whether the server asked for it, as it was too much at once.
    pub asked: bool,
}

#[derive(Default)]
struct Work {
    /// Gets each message as the server answered it.
    heard: Option<Rc<dyn Fn(Option<Message>)>>,
    /// Whether this is the tab that sends.
    sends: bool,
    sending: bool,
    /// Counts what this tab changes in what is kept, so that an older reading of it is noticed.
    changes: u32,
    attempts: u32,
    retry: Option<TimeoutHandle>,
}

impl OutboxSender {
    /// The outbox of a room, not at work yet.
    pub fn new(room: RoomId, log: RwSignal<MessageLog>, feed: TabFeed) -> Self {
        Self {
            room,
            log,
            feed,
            outbox: RwSignal::new(Outbox::default()),
            pause: RwSignal::new(None),
            work: BrowserCell::new(Work::default()),
        }
    }

    /// What is on its way.
    pub fn outbox(self) -> RwSignal<Outbox> {
        self.outbox
    }

    /// Why nothing is being sent at the moment, if so.
    pub fn pause(self) -> Option<Pause> {
        self.pause.get()
    }

    /// Takes up what an earlier visit left, and goes to work. `heard` gets each message as the server answered it,
    /// and nothing when the room takes none.
    pub fn start(self, heard: impl Fn(Option<Message>) + 'static) {
        self.work.with(|work| work.heard = Some(Rc::new(heard)));
        on_window_event("online", move |_| self.now());
        on_unmount(move || {
            self.work
                .with(|work| work.retry.take().map(|retry| retry.clear()));
        });
        self.look();
        let sends = move |sends| self.work.with(|work| work.sends = sends);
        let mine = move || {
            sends(true);
            self.look();
        };
        WebLock::keep_requesting(self.feed.lock(&self.shelf("")), mine, move || {
            sends(false).unwrap_or_default()
        });
    }

    /// Looks what is kept, by whichever tab, and goes on.
    pub fn look(self) {
        spawn_task(async move {
            while let Some(before) = self.work.with(|work| work.changes) {
                let Some(kept) = indexed_db::get_all(&self.shelf("")).await else {
                    return;
                };
                if self.work.with(|work| work.changes == before) == Some(true) {
                    self.show(kept.iter().filter_map(|text| json::parse(text)).collect());
                    return self.send();
                }
            }
        });
    }

    fn show(self, kept: Vec<PendingMessage>) {
        let before = self.outbox.get_untracked();
        let mut outbox = before.clone();
        outbox.merge(kept);
        self.log.with_untracked(|log| {
            log.messages()
                .iter()
                .for_each(|message| outbox.arrived(message))
        });
        if outbox != before {
            self.outbox.set(outbox);
        }
    }

    /// Puts a message on its way; `after` is the newest sequence that the page knows.
    pub fn put(self, message: NewMessage, after: u64) {
        // Later than the one before, so that their order is kept with them.
        let latest = self.outbox.with_untracked(Outbox::latest);
        let written = clock::now().millis().max(latest + 1);
        let parcel = PendingMessage {
            key: key(),
            message,
            after,
            written,
            refused: None,
            free: None,
            seen: None,
            kept: false,
        };
        self.outbox.update(|outbox| outbox.put(parcel.clone()));
        self.keep(parcel);
    }

    /// Sends a refused one again, under another name if there is one.
    pub fn again(self, key: &str, name: Option<String>) {
        let again = |outbox: &mut Outbox| outbox.again(key, name, clock::now().millis()).cloned();
        let parcel = self.outbox.try_update(again).flatten();
        if let Some(parcel) = parcel {
            self.keep(parcel);
        }
        self.now();
    }

    /// Gives one up.
    pub fn remove(self, key: &str) {
        self.outbox.update(|outbox| drop(outbox.take(key)));
        self.forget(key);
    }

    /// Goes on at once.
    pub fn now(self) {
        self.work.with(|work| {
            work.attempts = 0;
            if let Some(retry) = work.retry.take() {
                retry.clear();
            }
        });
        self.pause.set(None);
        self.send();
    }

    fn send(self) {
        let next = self
            .outbox
            .with_untracked(|outbox| outbox.next().filter(|parcel| parcel.kept).cloned());
        let (Some(parcel), None) = (next, self.pause.get_untracked()) else {
            return;
        };
        let free = self
            .work
            .with(|work| work.sends && !std::mem::replace(&mut work.sending, work.sends));
        if free != Some(true) {
            return;
        }
        spawn_task(async move {
            let answer = api::post_message(self.room, &parcel.message, &parcel.key).await;
            let is_delivered = answer.is_ok();
            // The page part may be gone by now. What it kept goes on with the next visit.
            let is_here = self.work.with(|work| work.sending = false).is_some();
            if is_here {
                self.answered(&parcel.key, answer);
            }
            if is_delivered {
                self.forget(&parcel.key);
            }
            if is_here {
                self.send();
            }
        });
    }

    fn answered(self, key: &str, answer: api::Answer<Message>) {
        match answer {
            Ok(message) => {
                self.work.with(|work| work.attempts = 0);
                let seq = message.id;
                self.tell(Some(message));
                // Kept before this one is forgotten: no tab finds the next one and takes this one's message for it.
                if let Some(next) = self
                    .outbox
                    .try_update(|outbox| outbox.deliver(key, seq))
                    .flatten()
                {
                    self.keep(next);
                }
            }
            Err(Failure::Refused(problem, wait)) if matches!(problem.status, 429 | 503) => {
                self.rest(wait.unwrap_or(2).max(1), problem.status == 429);
            }
            Err(failure) if failure.status().is_some_and(|status| status < 500) => {
                self.outbox
                    .update(|outbox| outbox.refuse(key, failure.text(), failure.free_name()));
                if let Some(parcel) = self
                    .outbox
                    .with_untracked(|outbox| outbox.get(key).cloned())
                {
                    self.keep(parcel);
                }
                if matches!(failure.status(), Some(403 | 404 | 410)) {
                    self.tell(None);
                }
            }
            Err(_) => {
                let attempts = self.work.with(|work| {
                    work.attempts += 1;
                    work.attempts
                });
                self.rest((1 << attempts.unwrap_or(1).min(4)).min(LONGEST), false);
            }
        }
    }

    fn tell(self, heard: Option<Message>) {
        if let Some(Some(hears)) = self.work.with(|work| work.heard.clone()) {
            hears(heard);
        }
    }

    fn rest(self, seconds: u32, asked: bool) {
        let pause = Duration::from_secs(seconds.into());
        self.pause.set(Some(Pause {
            until: clock::now().after(pause),
            asked,
        }));
        let go_on = move || {
            if self.pause.try_set(None).is_none() {
                self.send();
            }
        };
        let retry = run_after(pause, go_on);
        self.work.with(|work| work.retry = retry);
    }

    fn keep(self, parcel: PendingMessage) {
        let text = json::to_json(&parcel.record());
        self.changing();
        let keeping = indexed_db::put(self.shelf(&parcel.key), text);
        spawn_task(async move {
            if keeping.await.is_none() {
                // Nobody else will know of it.
                self.work.with(|work| work.sends = true);
            }
            if self.changing() {
                self.outbox.update(|outbox| outbox.keep(&parcel.key));
                self.send();
            }
            self.feed.changed(self.room.to_string());
        });
    }

    fn forget(self, key: &str) {
        self.changing();
        let forgetting = indexed_db::remove(self.shelf(key));
        spawn_task(async move {
            forgetting.await;
            self.changing();
            self.feed.changed(self.room.to_string());
        });
    }

    /// Makes older readings of what is kept void; says whether the page part is still there.
    fn changing(self) -> bool {
        self.work
            .with(|work| work.changes = work.changes.wrapping_add(1))
            .is_some()
    }

    /// Each parcel has its own place, so that two tabs on one room never overwrite each other's.
    fn shelf(self, key: &str) -> String {
        format!("{}/{key}", self.room)
    }
}

/// A key that nobody else will choose: 128 random bits.
fn key() -> String {
    let mut bytes = [0_u8; 16];
    match window()
        .crypto()
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes))
    {
        Ok(_) => u128::from_ne_bytes(bytes),
        Err(_) => {
            u128::from((js_sys::Math::random() * 1e18) as u64) << 64
                | u128::from(clock::now().millis() as u64)
        }
    }
    .to_string()
}
