//! Messages on their way out: shown at once, sent one after the other, each kept until the server has it.
//!
//! Promises: in order, one on the wire at a time; a message leaves only when the server answered for it or its writer
//! gives it up; whatever arrives first, the answer or the stream, it is never shown twice. Pure: the sending itself
//! and the keeping, which all tabs share, are in `delivery`.

use protocol::{Author, Message, NewMessage, RoomId, Time};
use wasm_bindgen::JsValue;

use crate::browser::json::{FromJson, field, json_object};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMessage {
    /// Its idempotency key.
    pub key: String,
    /// What is sent.
    pub message: NewMessage,
    /// The newest sequence that the page knew when it was written: its own can only be higher.
    pub after: u64,
    /// Its place in the queue: when it was written, in milliseconds.
    pub written: i64,
    /// Why the server will not have it, if so.
    pub refused: Option<String>,
    /// A name like the writer's that nobody has, if the name is why.
    pub free: Option<String>,
    /// The sequence under which it seems to have arrived by the stream, before the answer.
    pub seen: Option<u64>,
    /// Whether it is kept where every tab finds it; only then it may be on the wire.
    pub kept: bool,
}

impl FromJson for PendingMessage {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            key: field(value, "key")?,
            message: field(value, "message")?,
            after: field(value, "after")?,
            written: field(value, "written")?,
            refused: field(value, "refused")?,
            free: field(value, "free")?,
            seen: None,
            kept: true,
        })
    }
}

impl PendingMessage {
    /// The message that it is going to be, as far as that is known.
    pub fn message(&self, room: RoomId, author: Option<Author>) -> Message {
        let NewMessage { username, body } = self.message.clone();
        let sent_at = Time::from_millis(self.written);
        Message {
            id: 0,
            room,
            username,
            author,
            edited_at: None,
            deleted: false,
            body,
            sent_at,
        }
    }

    /// What is kept of it; reading that gives it back.
    pub fn record(&self) -> JsValue {
        let NewMessage { username, body } = &self.message;
        json_object(&[
            ("key", self.key.as_str().into()),
            (
                "message",
                json_object(&[("username", username.into()), ("body", body.into())]),
            ),
            ("after", (self.after as f64).into()),
            ("written", (self.written as f64).into()),
            ("refused", self.refused.as_deref().into()),
            ("free", self.free.as_deref().into()),
        ])
    }
}

/// All messages of one room that are on their way, in the order they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    parcels: Vec<PendingMessage>,
    /// The one that was delivered last, seen under its sequence.
    delivered: Option<PendingMessage>,
}

impl Outbox {
    /// Puts a message in the queue, at the place its time of writing gives it.
    pub fn put(&mut self, parcel: PendingMessage) {
        if self.parcels.iter().all(|held| held.key != parcel.key) {
            let place = self
                .parcels
                .partition_point(|held| (held.written, &held.key) <= (parcel.written, &parcel.key));
            self.parcels.insert(place, parcel);
        }
    }

    /// Makes it what is kept, by whichever tab; what is not kept yet stays as it is.
    pub fn merge(&mut self, kept: Vec<PendingMessage>) {
        let before = std::mem::take(&mut self.parcels);
        before
            .iter()
            .filter(|parcel| !parcel.kept)
            .for_each(|parcel| self.put(parcel.clone()));
        kept.into_iter().for_each(|parcel| self.put(parcel));
        for parcel in before.into_iter().filter(|parcel| parcel.seen.is_some()) {
            match self.parcels.iter_mut().find(|held| held.key == parcel.key) {
                Some(held) => held.seen = parcel.seen,
                // Another tab had the answer.
                None => self.delivered = Some(parcel),
            }
        }
    }

    /// A parcel is kept from now on.
    pub fn keep(&mut self, key: &str) {
        self.parcels
            .iter_mut()
            .filter(|parcel| parcel.key == key)
            .for_each(|parcel| parcel.kept = true);
    }

    /// When the last one was written, in milliseconds.
    pub fn latest(&self) -> i64 {
        self.parcels.last().map_or(0, |parcel| parcel.written)
    }

    /// The one to send next.
    pub fn next(&self) -> Option<&PendingMessage> {
        self.parcels.iter().find(|parcel| parcel.refused.is_none())
    }

    /// Those to show below the log.
    pub fn shown(&self) -> impl Iterator<Item = &PendingMessage> {
        self.parcels.iter().filter(|parcel| parcel.seen.is_none())
    }

    /// How many still wait for the server.
    pub fn waiting(&self) -> usize {
        self.shown()
            .filter(|parcel| parcel.refused.is_none())
            .count()
    }

    /// The parcel with this key.
    pub fn get(&self, key: &str) -> Option<&PendingMessage> {
        self.parcels.iter().find(|parcel| parcel.key == key)
    }

    /// The parcel that became the message of this sequence, among those on their way and the one delivered last.
    pub fn was(&self, seq: u64) -> Option<&PendingMessage> {
        self.parcels
            .iter()
            .chain(&self.delivered)
            .find(|parcel| parcel.seen == Some(seq))
    }

    /// Takes one out that was delivered, under this sequence; gives back the next one, which can only arrive later.
    pub fn deliver(&mut self, key: &str, seq: u64) -> Option<PendingMessage> {
        let parcel = self.take(key)?;
        self.delivered = Some(PendingMessage {
            seen: Some(seq),
            ..parcel
        });
        let next = self
            .parcels
            .iter_mut()
            .find(|parcel| parcel.refused.is_none())?;
        next.after = next.after.max(seq);
        Some(next.clone())
    }

    /// The log is another one from now on, up to this sequence.
    pub fn begin_anew(&mut self, newest: u64) {
        self.delivered = None;
        self.parcels
            .iter_mut()
            .for_each(|parcel| parcel.after = parcel.after.min(newest));
    }

    /// Takes one out that is given up.
    pub fn take(&mut self, key: &str) -> Option<PendingMessage> {
        let place = self.parcels.iter().position(|parcel| parcel.key == key)?;
        Some(self.parcels.remove(place))
    }

    /// A message came by the stream. The first parcel that could be it stops being shown; the answer will tell for
    /// sure. Only what may have been on the wire can have arrived, and only after what was delivered before.
    pub fn arrived(&mut self, message: &Message) {
        let delivered = self.delivered.as_ref().and_then(|parcel| parcel.seen);
        let known = self.was(message.id).is_some() || delivered >= Some(message.id);
        // The answer for one that was seen may be on its way to another tab, which goes on already.
        let next = self
            .parcels
            .iter_mut()
            .find(|parcel| parcel.refused.is_none() && parcel.seen.is_none());
        let Some(parcel) = next else { return };
        let alike =
            parcel.message.username == message.username && parcel.message.body == message.body;
        if !known && alike && message.id > parcel.after {
            parcel.seen = Some(message.id);
        }
    }

    /// The server will not have it: it is shown again, with the reason, and with the name that is `free` instead of
    /// the writer's.
    pub fn refuse(&mut self, key: &str, reason: String, free: Option<String>) {
        if let Some(parcel) = self.parcels.iter_mut().find(|parcel| parcel.key == key) {
            (parcel.refused, parcel.free) = (Some(reason), free);
            parcel.seen = None;
        }
    }

    /// Sends a refused one again, now as the latest, and under another name if there is one.
    pub fn again(&mut self, key: &str, name: Option<String>, now: i64) -> Option<&PendingMessage> {
        let mut parcel = self.take(key)?;
        (parcel.refused, parcel.free, parcel.kept) = (None, None, false);
        if let Some(name) = name {
            parcel.message.username = name;
        }
        parcel.written = now.max(self.latest() + 1);
        self.put(parcel);
        self.get(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn parcel(key: &str, body: &str) -> PendingMessage {
        let message = NewMessage {
            username: "ada".into(),
            body: body.into(),
        };
        PendingMessage {
            key: key.into(),
            message,
            after: 4,
            written: 0,
            refused: None,
            free: None,
            seen: None,
            kept: true,
        }
    }

    fn message(id: u64, body: &str) -> Message {
        Message {
            body: body.into(),
            ..fixtures::message(id)
        }
    }

    fn outbox(parcels: &[(&str, &str)]) -> Outbox {
        let mut outbox = Outbox::default();
        for (key, body) in parcels {
            outbox.put(parcel(key, body));
        }
        outbox
    }

    fn shown(outbox: &Outbox) -> Vec<&str> {
        outbox.shown().map(|parcel| parcel.key.as_str()).collect()
    }

    #[test]
    fn they_leave_in_the_order_they_were_written() {
        let mut outbox = outbox(&[("a", "1"), ("b", "2")]);
        assert_eq!(outbox.next().unwrap().key, "a");
        outbox.take("a");
        assert_eq!(outbox.next().unwrap().key, "b");
        outbox.put(PendingMessage {
            written: -1,
            ..parcel("c", "0")
        });
        assert_eq!(
            outbox.next().unwrap().key,
            "c",
            "one that was kept from an earlier visit goes first"
        );
        outbox.put(parcel("b", "2"));
        assert_eq!(
            shown(&outbox),
            ["c", "b"],
            "the same key is the same message"
        );
    }

    #[test]
    fn other_tabs_put_and_take() {
        let mut outbox = outbox(&[("a", "1"), ("b", "2")]);
        outbox.put(PendingMessage {
            written: 3,
            kept: false,
            ..parcel("c", "3")
        });
        outbox.arrived(&message(5, "1"));
        outbox.merge(vec![
            PendingMessage {
                written: 7,
                ..parcel("d", "4")
            },
            parcel("a", "1"),
        ]);
        assert_eq!(
            shown(&outbox),
            ["c", "d"],
            "what has been seen stays hidden, what is not kept yet stays"
        );
        assert_eq!(
            (outbox.latest(), outbox.next().unwrap().key.as_str()),
            (7, "a")
        );
        outbox.keep("c");
        outbox.merge(Vec::new());
        assert_eq!(
            (outbox.parcels.len(), outbox.was(5).unwrap().key.as_str()),
            (0, "a")
        );
    }

    #[test]
    fn what_was_delivered_is_known_by_where_it_stood() {
        let mut outbox = outbox(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(outbox.was(5), None);
        outbox.arrived(&message(5, "1"));
        assert_eq!(outbox.was(5).unwrap().key, "a");
        outbox.deliver("a", 5);
        outbox.deliver("b", 7);
        assert_eq!(
            (outbox.was(6), outbox.was(7).unwrap().key.as_str()),
            (None, "b")
        );
        outbox.take("c");
        assert_eq!(
            outbox.was(7).unwrap().key,
            "b",
            "what is given up was not delivered"
        );
    }

    #[test]
    fn two_tabs_that_wrote_at_once_have_one_order() {
        let (a, b) = (
            outbox(&[("a", "1"), ("b", "2")]),
            outbox(&[("b", "2"), ("a", "1")]),
        );
        assert_eq!(shown(&a), shown(&b));
    }

    #[test]
    fn what_the_stream_brings_first_is_not_shown_twice() {
        let mut outbox = outbox(&[("a", "hi"), ("b", "hi")]);
        outbox.arrived(&message(5, "hi"));
        assert_eq!(shown(&outbox), ["b"]);
        outbox.arrived(&message(5, "hi"));
        assert_eq!(
            shown(&outbox),
            ["b"],
            "a repeated arrival hides no second one"
        );
        outbox.deliver("a", 5);
        outbox.arrived(&message(5, "hi"));
        assert_eq!(shown(&outbox), ["b"], "nor once the answer is there");
        outbox.arrived(&message(6, "hi"));
        assert_eq!(shown(&outbox), [""; 0]);
    }

    #[test]
    fn whoever_did_not_see_the_first_does_not_take_it_for_the_second() {
        let mut sending = outbox(&[("a", "hi"), ("b", "hi"), ("c", "hi")]);
        let next = sending.deliver("a", 5).unwrap();
        // Another tab, or this one after a reload, has only what is kept.
        let mut other = Outbox::default();
        other.merge(vec![next, parcel("c", "hi")]);
        other.arrived(&message(5, "hi"));
        assert_eq!(shown(&other), ["b", "c"]);
        other.arrived(&message(6, "hi"));
        assert_eq!(shown(&other), ["c"]);
        assert_eq!(sending.deliver("c", 7).unwrap().key, "b");
        assert_eq!(sending.deliver("b", 8), None);
    }

    #[test]
    fn one_after_the_other_is_seen_although_the_answers_are_told_later() {
        let mut outbox = outbox(&[("a", "1"), ("b", "2")]);
        outbox.arrived(&message(5, "1"));
        outbox.arrived(&message(6, "2"));
        assert_eq!(
            (shown(&outbox).len(), outbox.was(6).unwrap().key.as_str()),
            (0, "b")
        );
    }

    #[test]
    fn in_another_log_sequences_begin_anew() {
        let mut outbox = outbox(&[("a", "hi"), ("b", "hi")]);
        outbox.deliver("a", 5);
        outbox.begin_anew(2);
        outbox.arrived(&message(3, "hi"));
        assert_eq!(shown(&outbox), [""; 0]);
    }

    #[test]
    fn only_what_can_be_it_counts_as_arrived() {
        let mut outbox = outbox(&[("a", "hi"), ("b", "yo")]);
        outbox.arrived(&message(4, "hi"));
        outbox.arrived(&message(5, "other"));
        outbox.arrived(&message(6, "yo"));
        assert_eq!(shown(&outbox), ["a", "b"]);
    }

    #[test]
    fn a_refused_one_stays_and_holds_nobody_up() {
        let mut outbox = outbox(&[("a", "1"), ("b", "2")]);
        outbox.arrived(&message(5, "1"));
        outbox.refuse("a", "no".into(), Some("ada2".into()));
        assert_eq!(shown(&outbox), ["a", "b"]);
        assert_eq!(outbox.next().unwrap().key, "b");
        assert_eq!(outbox.waiting(), 1);
        assert_eq!(outbox.get("a").unwrap().free.as_deref(), Some("ada2"));
        let again = outbox.again("a", Some("ada2".into()), 9).unwrap();
        assert_eq!(
            (
                again.refused.as_ref(),
                again.free.as_ref(),
                again.message.username.as_str()
            ),
            (None, None, "ada2")
        );
        assert_eq!(shown(&outbox), ["b", "a"]);
    }
}
