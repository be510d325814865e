//! Sends the messages of an outbox, and keeps them across reloads and crashes. In the browser only.
//!
//! # Guarantees
//! - Each message is stored in the browser before it is sent. It is removed only when the server
//!   answered for it or its author gave it up.
//! - Of all tabs in a room one sends, in the order of writing, and all show what waits.
//! - Where a browser keeps nothing, each tab sends its own messages.
//!
//! # Not here
//! The decisions (`dispatcher`), the order of the messages (`queue`), where they are stored
//! (`record_store`).

use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use protocol::{Message, NewMessage, RoomId, client_id};

use crate::api;
use crate::browser::dom::{on_unmount, on_window_event, run_after, spawn_task};
use crate::browser::indexed_db;
use crate::browser::web_lock::WebLock;
use crate::connection::tab_feed::TabFeed;
use crate::reactive::BrowserCell;
use crate::room::log::message_log::MessageLog;
use crate::room::outbox::dispatcher::{Dispatcher, OutboxAction, Pause};
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::outbox::queue::Outbox;
use crate::room::outbox::record_store::{self, Records};
use crate::time::clock;

/// How often a database that does not answer is read.
const REREAD_INTERVAL: Duration = Duration::from_secs(5);

/// The outbox of one room, at work.
#[derive(Clone, Copy)]
pub struct OutboxSender {
    room: RoomId,
    /// The messages that the page already shows.
    log: RwSignal<MessageLog>,
    /// Reaches the other tabs.
    feed: TabFeed,
    outbox: RwSignal<Outbox>,
    pause: RwSignal<Option<Pause>>,
    inner: BrowserCell<Inner>,
}

#[derive(Default)]
struct Inner {
    dispatcher: Dispatcher,
    /// Gets each message as the server answered it, and `None` if access must be checked.
    on_answer: Option<Rc<dyn Fn(Option<Message>)>>,
    timer: Option<TimeoutHandle>,
    is_rereading: bool,
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
            inner: BrowserCell::new(Inner::default()),
        }
    }

    /// The messages that wait.
    pub fn outbox(self) -> RwSignal<Outbox> {
        self.outbox
    }

    /// Why nothing is sent at the moment, if so.
    pub fn pause(self) -> Option<Pause> {
        self.pause.get()
    }

    /// Takes up what an earlier visit left, and starts sending. `on_answer` gets each message as
    /// the server answered it, and `None` when the server refuses the author.
    pub fn start(self, on_answer: impl Fn(Option<Message>) + 'static) {
        self.inner
            .with(|inner| inner.on_answer = Some(Rc::new(on_answer)));
        on_window_event("online", move |_| self.send_now());
        on_unmount(move || self.stop_waiting());
        self.read_database();
        let set_turn = move |has_turn| {
            self.inner
                .with(|inner| inner.dispatcher.set_turn(has_turn))
                .unwrap_or_default()
        };
        let on_held = move || {
            set_turn(true);
            self.read_database();
        };
        let lock = self.feed.lock(&self.record_key(""));
        WebLock::keep_requesting(lock, on_held, move || set_turn(false));
    }

    /// Reads what is in the database, from any tab, and sends.
    pub fn read_database(self) {
        spawn_task(async move {
            while let Some(version) = self.inner.with(|inner| inner.dispatcher.version()) {
                let records = record_store::get_all(&self.record_key("")).await;
                let is_current = self
                    .inner
                    .with(|inner| inner.dispatcher.is_current(version));
                if is_current == Some(true) {
                    self.merge(records);
                    return self.send_next();
                }
            }
        });
    }

    fn merge(self, records: Records) {
        let before = self.outbox.get_untracked();
        let mut outbox = before.clone();
        outbox.merge(records.messages, records.is_complete);
        self.reread_if_silent();
        self.log.with_untracked(|log| {
            for message in log.messages() {
                outbox.record_arrival(message);
            }
        });
        self.mark_own(&outbox);
        if outbox != before {
            self.outbox.set(outbox);
        }
    }

    /// While the database does not answer, reads it again from time to time: it may have messages of
    /// an earlier visit.
    fn reread_if_silent(self) {
        let is_waiting = |inner: &mut Inner| std::mem::replace(&mut inner.is_rereading, true);
        if indexed_db::is_silent() && self.inner.with(is_waiting) == Some(false) {
            run_after(REREAD_INTERVAL, move || {
                if self
                    .inner
                    .with(|inner| inner.is_rereading = false)
                    .is_some()
                {
                    self.read_database();
                }
            });
        }
    }

    /// Marks messages of the outbox that were in the log before it was read: they are the
    /// visitor's own.
    fn mark_own(self, outbox: &Outbox) {
        let is_unmarked = |log: &MessageLog, seq| log.find(seq).is_some_and(|held| !held.own);
        let unmarked: Vec<u64> = self.log.with_untracked(|log| {
            let arrived = outbox.arrived();
            arrived.filter(|seq| is_unmarked(log, *seq)).collect()
        });
        if !unmarked.is_empty() {
            self.log
                .update(|log| unmarked.into_iter().for_each(|seq| log.mark_own(seq)));
        }
    }

    /// Puts a message in the outbox.
    pub fn put(self, message: NewMessage) {
        // Later than the one before: the records keep this order.
        let latest = self.outbox.with_untracked(Outbox::latest);
        let written = clock::now().millis().max(latest + 1);
        let pending = PendingMessage::new(random_key(), message, written);
        self.outbox.update(|outbox| outbox.put(pending.clone()));
        self.store(pending);
    }

    /// Sends a refused message again, under another name if one is given.
    pub fn retry(self, key: &str, name: Option<String>) {
        let now = clock::now().millis();
        let retried = self
            .outbox
            .try_update(|outbox| outbox.retry(key, name, now));
        self.store_if_any(retried.flatten());
        self.send_now();
    }

    /// Gives a message up.
    pub fn remove(self, key: &str) {
        self.outbox.update(|outbox| drop(outbox.remove(key)));
        self.forget(key);
    }

    /// Sends at once, also during a pause.
    fn send_now(self) {
        self.run(Dispatcher::send_now);
    }

    fn run(self, decide: impl FnOnce(&mut Dispatcher) -> Vec<OutboxAction>) {
        let actions = self.inner.with(|inner| decide(&mut inner.dispatcher));
        self.perform_all(actions.unwrap_or_default());
    }

    fn perform_all(self, actions: Vec<OutboxAction>) {
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(self, action: OutboxAction) {
        match action {
            OutboxAction::ShowDelivered(message) => self.report(Some(message)),
            OutboxAction::RecheckAccess => self.report(None),
            OutboxAction::Deliver { key, seq } => {
                let deliver = |outbox: &mut Outbox| outbox.deliver(&key, seq);
                self.outbox.try_update(deliver).unwrap_or_default();
            }
            OutboxAction::Refuse {
                key,
                reason,
                free_name,
            } => {
                let refuse = |outbox: &mut Outbox| outbox.refuse(&key, reason, free_name);
                let refused = self.outbox.try_update(refuse);
                self.store_if_any(refused.flatten());
            }
            OutboxAction::Forget(key) => self.forget(&key),
            OutboxAction::ShowPause(pause) => self.pause.set(pause),
            OutboxAction::WaitFor(length) => self.wait(length),
            OutboxAction::StopWaiting => self.stop_waiting(),
            OutboxAction::SendNext => self.send_next(),
        }
    }

    fn report(self, message: Option<Message>) {
        if let Some(Some(on_answer)) = self.inner.with(|inner| inner.on_answer.clone()) {
            on_answer(message);
        }
    }

    fn wait(self, length: Duration) {
        let timer = run_after(length, move || self.run(Dispatcher::on_pause_over));
        self.inner.with(|inner| inner.timer = timer);
    }

    fn stop_waiting(self) {
        let timer = self.inner.with(|inner| inner.timer.take()).flatten();
        if let Some(timer) = timer {
            timer.clear();
        }
    }

    /// Removes the messages that were refused although they are in the log.
    pub fn forget_arrived(self) {
        while let Some((key, seq)) = self.outbox.with_untracked(Outbox::find_arrived_refused) {
            self.outbox.update(|outbox| outbox.deliver(&key, seq));
            self.forget(&key);
        }
    }

    fn send_next(self) {
        self.forget_arrived();
        let next = self.outbox.with_untracked(|outbox| {
            self.inner
                .with(|inner| inner.dispatcher.start_sending(outbox))
        });
        if let Some(pending) = next.flatten() {
            spawn_task(self.send(pending));
        }
    }

    async fn send(self, pending: PendingMessage) {
        let key = pending.key;
        let answer = api::post_message(self.room, &pending.message, &key).await;
        let is_delivered = answer.is_ok();
        let now = clock::now();
        let actions = self
            .inner
            .with(|inner| inner.dispatcher.on_answer(key.clone(), answer, now));
        match actions {
            Some(actions) => self.perform_all(actions),
            // The page has left the room. The next visit sends the other messages.
            None if is_delivered => self.forget(&key),
            None => {}
        }
    }

    fn store_if_any(self, pending: Option<PendingMessage>) {
        if let Some(pending) = pending {
            self.store(pending);
        }
    }

    /// Stores a message, then sends it if it is its turn.
    fn store(self, pending: PendingMessage) {
        self.record_change();
        let storing = record_store::put(self.record_key(&pending.key), pending.record());
        spawn_task(async move {
            let is_stored = storing.await;
            self.inner
                .with(|inner| inner.dispatcher.on_stored(is_stored));
            if self.record_change() {
                self.outbox
                    .update(|outbox| outbox.mark_kept(&pending.key, is_stored));
                self.send_next();
            }
            self.announce_change(pending.client_id);
        });
    }

    fn forget(self, key: &str) {
        self.record_change();
        let forgetting = record_store::remove(self.record_key(key));
        let client_id = client_id(key);
        spawn_task(async move {
            forgetting.await;
            self.record_change();
            self.announce_change(client_id);
        });
    }

    /// Tells all tabs that a message was stored or removed. A tab may read the database only after
    /// the removal, so each announcement names the message.
    fn announce_change(self, client_id: String) {
        self.feed
            .announce_outbox_change(self.room.to_string(), client_id);
    }

    /// Makes older reads of the database void; returns whether the page is still in the room.
    fn record_change(self) -> bool {
        self.inner
            .with(|inner| inner.dispatcher.record_change())
            .is_some()
    }

    /// The database key of a message. Each has its own, so that two tabs never overwrite each
    /// other's.
    fn record_key(self, key: &str) -> String {
        format!("{}/{key}", self.room)
    }
}

/// A key that no other client will choose: 128 random bits.
fn random_key() -> String {
    let mut bytes = [0_u8; 16];
    let filled = window()
        .crypto()
        .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes));
    let key = match filled {
        Ok(_) => u128::from_ne_bytes(bytes),
        Err(_) => {
            let high = u128::from((js_sys::Math::random() * 1e18) as u64);
            high << 64 | u128::from(clock::now().millis() as u64)
        }
    };
    key.to_string()
}
