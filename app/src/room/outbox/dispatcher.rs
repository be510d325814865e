//! When to send which message of an outbox, and what follows from the answer: the decisions,
//! without a browser.
//!
//! # Guarantees
//! - Only the tab whose turn it is sends, one message at a time, each after it is in the database.
//! - A message without an answer is sent again under the same key, after a growing pause, or after
//!   the pause that an answer asks for.
//! - A message that would be refused again stays with the reason and holds up no other, whether the
//!   server refused it or something on the way.
//! - A message leaves the database only after the server answered for it.
//!
//! # Not here
//! Carrying the actions out (`sender`), the order of the messages (`queue`).

use std::time::Duration;

use protocol::{Message, Time};

use crate::api::{Answer, Failure};
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::outbox::queue::Outbox;

/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE: u32 = 15;

/// Why nothing is sent at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When sending goes on, by `clock::now`.
    pub until: Time,
    /// Whether the server asked for it, after too many requests.
    pub asked: bool,
}

/// What the browser is to do for the outbox, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboxAction {
    /// Pass the delivered message on to the page.
    ShowDelivered(Message),
    /// Check what the visitor may do in the room.
    RecheckAccess,
    /// Remove this message, which has this sequence in the log, from the queue.
    Deliver { key: String, seq: u64 },
    /// Mark this message as refused, and write it to the database.
    Refuse {
        key: String,
        reason: String,
        free_name: Option<String>,
    },
    /// Remove this message from the database.
    Forget(String),
    /// Show this pause, or that there is none.
    ShowPause(Option<Pause>),
    /// Call [`Dispatcher::on_pause_over`] after this time.
    WaitFor(Duration),
    /// Do not call it any more.
    StopWaiting,
    /// Send the next message, if there is one.
    SendNext,
}

/// Decides what is sent.
#[derive(Default)]
pub struct Dispatcher {
    /// Whether this is the tab that sends for all.
    has_turn: bool,
    /// Whether this tab has a message that no other tab can find.
    sends_its_own: bool,
    is_sending: bool,
    pause: Option<Pause>,
    /// How many attempts in a row had no answer.
    failures: u32,
    /// Counts the changes of the database by this tab, so that an older read is noticed.
    version: u32,
}

impl Dispatcher {
    /// This tab sends from now on, or no longer.
    pub fn set_turn(&mut self, has_turn: bool) {
        self.has_turn = has_turn;
    }

    /// The message to send now, if there is one; it counts as being sent until
    /// [`Dispatcher::on_answer`].
    pub fn start_sending(&mut self, outbox: &Outbox) -> Option<PendingMessage> {
        let may_send = self.has_turn || self.sends_its_own;
        if !may_send || self.is_sending || self.pause.is_some() {
            return None;
        }
        let next = outbox.next_to_send().filter(|next| next.kept)?;
        self.is_sending = true;
        Some(next.clone())
    }

    /// Handles the answer for the message with this key.
    pub fn on_answer(
        &mut self,
        key: String,
        answer: Answer<Message>,
        now: Time,
    ) -> Vec<OutboxAction> {
        self.is_sending = false;
        match answer {
            Ok(message) => self.on_delivered(key, message),
            Err(failure) if failure.is_final() => Self::on_refused(key, &failure),
            Err(failure) => {
                self.failures += 1;
                let growing = (1 << self.failures.min(4)).min(LONGEST_PAUSE);
                let seconds = failure.asked_pause().unwrap_or(growing).max(1);
                self.pause_for(seconds, failure.is_rate_limit(), now)
            }
        }
    }

    fn on_delivered(&mut self, key: String, message: Message) -> Vec<OutboxAction> {
        self.failures = 0;
        let seq = message.id;
        vec![
            OutboxAction::ShowDelivered(message),
            OutboxAction::Deliver {
                key: key.clone(),
                seq,
            },
            OutboxAction::Forget(key),
            OutboxAction::SendNext,
        ]
    }

    fn on_refused(key: String, failure: &Failure) -> Vec<OutboxAction> {
        let mut actions = vec![OutboxAction::Refuse {
            key,
            reason: failure.text(),
            free_name: failure.free_name(),
        }];
        if matches!(failure.status(), Some(403 | 404 | 410)) {
            actions.push(OutboxAction::RecheckAccess);
        }
        actions.push(OutboxAction::SendNext);
        actions
    }

    fn pause_for(&mut self, seconds: u32, asked: bool, now: Time) -> Vec<OutboxAction> {
        let length = Duration::from_secs(seconds.into());
        self.pause = Some(Pause {
            until: now.after(length),
            asked,
        });
        vec![
            OutboxAction::ShowPause(self.pause),
            OutboxAction::WaitFor(length),
        ]
    }

    /// The pause is over.
    pub fn on_pause_over(&mut self) -> Vec<OutboxAction> {
        self.pause = None;
        vec![OutboxAction::ShowPause(None), OutboxAction::SendNext]
    }

    /// Ends a pause: the device is back online, or the author asks for it.
    pub fn send_now(&mut self) -> Vec<OutboxAction> {
        self.failures = 0;
        self.pause = None;
        vec![
            OutboxAction::StopWaiting,
            OutboxAction::ShowPause(None),
            OutboxAction::SendNext,
        ]
    }

    /// This tab changes the database, or has changed it: older reads of it no longer count.
    pub fn record_change(&mut self) {
        self.version = self.version.wrapping_add(1);
    }

    /// A message was written to the database, or could not be. Then no other tab will send it.
    pub fn on_stored(&mut self, is_stored: bool) {
        if !is_stored {
            self.sends_its_own = true;
        }
    }

    /// The number to give to [`Dispatcher::is_current`] after a read of the database.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether this tab has changed nothing since a read of the database began.
    pub fn is_current(&self, version: u32) -> bool {
        self.version == version
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NewMessage, Problem};

    use super::*;
    use crate::fixtures;

    const NOW: Time = Time::EPOCH;

    fn pending(key: &str) -> PendingMessage {
        let message = NewMessage {
            username: "ada".to_owned(),
            body: key.to_owned(),
        };
        PendingMessage {
            kept: true,
            ..PendingMessage::new(key.to_owned(), message, 0)
        }
    }

    fn outbox(messages: impl IntoIterator<Item = PendingMessage>) -> Outbox {
        let mut outbox = Outbox::default();
        for message in messages {
            outbox.put(message);
        }
        outbox
    }

    fn dispatcher() -> Dispatcher {
        let mut dispatcher = Dispatcher::default();
        dispatcher.set_turn(true);
        dispatcher
    }

    fn refused(status: u16, wait: Option<u32>) -> Answer<Message> {
        let problem = Problem {
            status,
            detail: "no".to_owned(),
            free: Some("ada2".to_owned()),
            ..Problem::default()
        };
        Err(Failure::Refused(Box::new(problem), wait))
    }

    fn paused(seconds: u64, asked: bool) -> [OutboxAction; 2] {
        let length = Duration::from_secs(seconds);
        let until = NOW.after(length);
        [
            OutboxAction::ShowPause(Some(Pause { until, asked })),
            OutboxAction::WaitFor(length),
        ]
    }

    fn answer(dispatcher: &mut Dispatcher, answer: Answer<Message>) -> Vec<OutboxAction> {
        dispatcher.on_answer("a".to_owned(), answer, NOW)
    }

    #[test]
    fn only_the_tab_with_the_turn_sends_one_message_at_a_time() {
        let outbox = outbox([pending("a"), pending("b")]);
        let mut dispatcher = Dispatcher::default();
        assert_eq!(dispatcher.start_sending(&outbox), None);
        dispatcher.set_turn(true);
        assert_eq!(dispatcher.start_sending(&outbox), Some(pending("a")));
        assert_eq!(dispatcher.start_sending(&outbox), None);
        answer(&mut dispatcher, refused(400, None));
        dispatcher.set_turn(false);
        assert_eq!(dispatcher.start_sending(&outbox), None);
    }

    #[test]
    fn message_that_is_not_in_the_database_yet_holds_up_the_later_ones() {
        let unkept = PendingMessage {
            kept: false,
            ..pending("a")
        };
        let outbox = outbox([unkept, pending("b")]);
        assert_eq!(dispatcher().start_sending(&outbox), None);
    }

    #[test]
    fn refused_message_does_not_hold_up_the_later_ones() {
        let refused = PendingMessage {
            refused: Some("no".to_owned()),
            ..pending("a")
        };
        let outbox = outbox([refused, pending("b")]);
        assert_eq!(dispatcher().start_sending(&outbox), Some(pending("b")));
    }

    #[test]
    fn delivered_message_is_shown_before_it_leaves_the_queue_and_the_database() {
        let key = || "a".to_owned();
        assert_eq!(
            answer(&mut dispatcher(), Ok(fixtures::message(7))),
            [
                OutboxAction::ShowDelivered(fixtures::message(7)),
                OutboxAction::Deliver { key: key(), seq: 7 },
                OutboxAction::Forget(key()),
                OutboxAction::SendNext
            ]
        );
    }

    #[test]
    fn refused_message_stays_with_the_reason() {
        let refusal = OutboxAction::Refuse {
            key: "a".to_owned(),
            reason: "No".to_owned(),
            free_name: Some("ada2".to_owned()),
        };
        let expected = [refusal, OutboxAction::SendNext];
        assert_eq!(answer(&mut dispatcher(), refused(409, None)), expected);
        assert_eq!(answer(&mut dispatcher(), refused(507, None)), expected);
        for status in [403, 404, 410] {
            let actions = answer(&mut dispatcher(), refused(status, None));
            assert_eq!(actions[1], OutboxAction::RecheckAccess);
        }
    }

    #[test]
    fn message_that_a_firewall_refuses_stays_without_doubt_about_the_room() {
        let foreign = Failure::Foreign(403, None);
        let refusal = OutboxAction::Refuse {
            key: "a".to_owned(),
            reason: foreign.text(),
            free_name: None,
        };
        let actions = answer(&mut dispatcher(), Err(foreign));
        assert_eq!(actions, [refusal, OutboxAction::SendNext]);
        for status in [408, 429, 502] {
            let busy = Failure::Foreign(status, Some(7));
            assert_eq!(
                answer(&mut dispatcher(), Err(busy)),
                paused(7, status == 429)
            );
        }
    }

    #[test]
    fn nothing_is_sent_for_as_long_as_the_server_asks() {
        let outbox = outbox([pending("a")]);
        let mut dispatcher = dispatcher();
        let limited = refused(429, Some(30));
        assert_eq!(answer(&mut dispatcher, limited), paused(30, true));
        assert_eq!(dispatcher.start_sending(&outbox), None);
        assert_eq!(
            dispatcher.on_pause_over(),
            [OutboxAction::ShowPause(None), OutboxAction::SendNext]
        );
        assert_eq!(dispatcher.start_sending(&outbox), Some(pending("a")));
        let at_once = refused(503, Some(0));
        assert_eq!(answer(&mut dispatcher, at_once), paused(1, false));
        let full = refused(507, Some(9));
        assert_eq!(answer(&mut dispatcher, full), paused(9, false));
        let unknown = answer(&mut super::tests::dispatcher(), refused(429, None));
        assert_eq!(unknown, paused(2, true));
    }

    #[test]
    fn pauses_without_an_answer_grow_until_one_is_delivered() {
        let mut dispatcher = dispatcher();
        for seconds in [2, 4, 8, 15, 15] {
            let actions = answer(&mut dispatcher, Err(Failure::Unreachable));
            assert_eq!(actions, paused(seconds, false));
        }
        let actions = answer(&mut dispatcher, refused(500, None));
        assert_eq!(actions, paused(15, false), "a fault of the server");
        answer(&mut dispatcher, Ok(fixtures::message(7)));
        assert_eq!(
            answer(&mut dispatcher, refused(408, None)),
            paused(2, false)
        );
    }

    #[test]
    fn device_that_is_back_online_sends_at_once() {
        let outbox = outbox([pending("a")]);
        let mut dispatcher = dispatcher();
        answer(&mut dispatcher, Err(Failure::Unreachable));
        assert_eq!(dispatcher.start_sending(&outbox), None);
        assert_eq!(dispatcher.send_now()[0], OutboxAction::StopWaiting);
        assert_eq!(dispatcher.start_sending(&outbox), Some(pending("a")));
    }

    #[test]
    fn tab_without_a_database_sends_its_own() {
        let mut dispatcher = Dispatcher::default();
        dispatcher.on_stored(true);
        assert_eq!(dispatcher.start_sending(&outbox([pending("a")])), None);
        dispatcher.on_stored(false);
        dispatcher.set_turn(false);
        assert!(dispatcher.start_sending(&outbox([pending("a")])).is_some());
    }

    #[test]
    fn read_of_the_database_is_void_after_a_change() {
        let mut dispatcher = Dispatcher::default();
        let version = dispatcher.version();
        assert!(dispatcher.is_current(version));
        dispatcher.record_change();
        assert!(!dispatcher.is_current(version));
    }
}
