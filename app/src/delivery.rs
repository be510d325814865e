//! Sends what is in the outbox, and keeps it across reloads.
//!
//! Promises: each parcel is in the browser's storage before it is on the wire, and leaves it only when the server
//! answered for it or its writer gave it up; no answer means another attempt with the same key, after a pause or when
//! the device is back online; "too many" waits as long as the server said. In the browser only.

use std::sync::Arc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::{Message, NewMessage, RoomId, Time};

use crate::api::{self, Failure};
use crate::browser::{later, listen, spawn};
use crate::clock;
use crate::outbox::{Outbox, Parcel};
use crate::storage;
use crate::wire;

/// The longest pause between two attempts, in seconds.
const LONGEST: u32 = 15;

/// The outbox of one room, at work.
#[derive(Clone, Copy)]
pub struct Delivery {
    room: RoomId,
    outbox: RwSignal<Outbox>,
    pause: RwSignal<Option<Pause>>,
    work: StoredValue<Work, LocalStorage>,
    delivered: StoredValue<Delivered, LocalStorage>,
}

/// Gets each message as the server answered it.
type Delivered = Option<Box<dyn Fn(Message)>>;

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
    sending: bool,
    attempts: u32,
    retry: Option<TimeoutHandle>,
}

impl Delivery {
    /// The outbox of a room, not at work yet.
    pub fn new(room: RoomId) -> Self {
        Self {
            room,
            outbox: RwSignal::new(Outbox::default()),
            pause: RwSignal::new(None),
            work: StoredValue::new_local(Work::default()),
            delivered: StoredValue::new_local(None),
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

    /// Takes up what an earlier visit left, and goes to work. `log` is what the page already shows; `delivered` gets
    /// each message as the server answered it.
    pub fn start(self, log: &[Arc<Message>], delivered: impl Fn(Message) + 'static) {
        self.delivered.set_value(Some(Box::new(delivered)));
        let kept = storage::keys(&self.shelf(""));
        let parcels = kept.iter().filter_map(|key| wire::parse::<Parcel>(&storage::get(key)?));
        self.outbox.update(|outbox| {
            parcels.for_each(|parcel| outbox.put(parcel));
            log.iter().for_each(|message| outbox.arrived(message));
        });
        listen("online", move |_| self.now());
        on_cleanup(move || {
            self.work.try_update_value(|work| work.retry.take().map(|retry| retry.clear()));
        });
        self.send();
    }

    /// Puts a message on its way; `after` is the newest sequence that the page knows.
    pub fn put(self, message: NewMessage, after: u64) {
        let written = clock::now().millis();
        let parcel = Parcel { key: key(), message, after, written, refused: None, seen: None };
        self.keep(&parcel);
        self.outbox.update(|outbox| outbox.put(parcel));
        self.send();
    }

    /// Sends a refused one again.
    pub fn again(self, key: &str) {
        let parcel = self.outbox.try_update(|outbox| outbox.again(key, clock::now().millis()).cloned()).flatten();
        if let Some(parcel) = parcel {
            self.keep(&parcel);
        }
        self.now();
    }

    /// Gives one up.
    pub fn remove(self, key: &str) {
        self.forget(key);
        self.outbox.update(|outbox| drop(outbox.take(key)));
    }

    /// Goes on at once.
    pub fn now(self) {
        self.work.update_value(|work| {
            work.attempts = 0;
            if let Some(retry) = work.retry.take() {
                retry.clear();
            }
        });
        self.pause.set(None);
        self.send();
    }

    fn send(self) {
        let next = self.outbox.with_untracked(|outbox| outbox.next().cloned());
        let (Some(parcel), None) = (next, self.pause.get_untracked()) else { return };
        let busy = self.work.try_update_value(|work| std::mem::replace(&mut work.sending, true)).unwrap_or(true);
        if busy {
            return;
        }
        spawn(async move {
            let answer = api::post(self.room, &parcel.message, &parcel.key).await;
            // The page part may be gone by now. What it kept goes on with the next visit.
            if self.work.try_update_value(|work| work.sending = false).is_some() {
                self.answered(&parcel.key, answer);
                self.send();
            }
        });
    }

    fn answered(self, key: &str, answer: api::Answer<Message>) {
        match answer {
            Ok(message) => {
                self.work.update_value(|work| work.attempts = 0);
                self.forget(key);
                self.delivered.with_value(|delivered| {
                    if let Some(delivered) = delivered {
                        delivered(message);
                    }
                });
                self.outbox.update(|outbox| drop(outbox.take(key)));
            }
            Err(Failure::Refused(problem, wait)) if matches!(problem.status, 429 | 503) => {
                self.rest(wait.unwrap_or(2).max(1), problem.status == 429);
            }
            Err(failure) if failure.status().is_some_and(|status| status < 500) => {
                self.outbox.update(|outbox| outbox.refuse(key, failure.words()));
                if let Some(parcel) = self.outbox.with_untracked(|outbox| outbox.get(key).cloned()) {
                    self.keep(&parcel);
                }
            }
            Err(_) => {
                let attempts = self.work.try_update_value(|work| {
                    work.attempts += 1;
                    work.attempts
                });
                self.rest((1 << attempts.unwrap_or(1).min(4)).min(LONGEST), false);
            }
        }
    }

    fn rest(self, seconds: u32, asked: bool) {
        let pause = Duration::from_secs(seconds.into());
        self.pause.set(Some(Pause { until: clock::now().after(pause), asked }));
        let go_on = move || {
            if self.pause.try_set(None).is_none() {
                self.send();
            }
        };
        let retry = later(pause, go_on);
        self.work.update_value(|work| work.retry = retry);
    }

    fn keep(self, parcel: &Parcel) {
        if let Ok(text) = serde_json::to_string(parcel) {
            storage::set(&self.shelf(&parcel.key), &text);
        }
    }

    fn forget(self, key: &str) {
        storage::set(&self.shelf(key), "");
    }

    /// Each parcel has its own place, so that two tabs on one room never overwrite each other's.
    fn shelf(self, key: &str) -> String {
        format!("outbox/{}/{key}", self.room)
    }
}

/// A key that nobody else will choose: 128 random bits.
fn key() -> String {
    let mut bytes = [0_u8; 16];
    match window().crypto().and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes)) {
        Ok(_) => u128::from_ne_bytes(bytes),
        Err(_) => u128::from((js_sys::Math::random() * 1e18) as u64) << 64 | u128::from(clock::now().millis() as u64),
    }
    .to_string()
}
