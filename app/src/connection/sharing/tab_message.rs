//! The messages that the tabs of one browser send each other.
//!
//! # Guarantees
//! A message is read as it was written. Only tabs of the same version understand each other.

use protocol::{EventName, Time};

use crate::connection::sharing::stream_event::ConnectionState;

/// What one tab sends to all tabs, itself included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TabMessage {
    /// A tab leads from now on: every tab repeats its subscriptions.
    LeaderStarted,
    /// A tab subscribes to a topic from a cursor onwards.
    Subscribe {
        tab: String,
        topic: String,
        cursor: String,
    },
    /// A tab no longer needs a topic.
    Unsubscribe { tab: String, topic: String },
    /// A tab checks that some tab leads and knows of its topic.
    Ping { topic: String },
    /// A tab was away: the connection may be dead without an error.
    CheckConnection,
    /// The outbox of a room has changed, by the message with this client ID.
    OutboxChanged { topic: String, client_id: String },
    /// What the stream for these topics is doing; the topics are separated by commas.
    State {
        state: ConnectionState,
        topics: String,
    },
    /// An event of the stream. An event about no topic concerns all tabs.
    Event {
        topic: String,
        name: EventName,
        data: String,
        cursor: String,
    },
}

impl TabMessage {
    /// The texts that are sent: the kind, then the fields.
    pub fn write(self) -> Vec<String> {
        match self {
            Self::LeaderStarted => vec!["leader".to_owned()],
            Self::CheckConnection => vec!["check".to_owned()],
            Self::Ping { topic } => vec!["ping".to_owned(), topic],
            Self::OutboxChanged { topic, client_id } => {
                vec!["outbox".to_owned(), topic, client_id]
            }
            Self::Subscribe { tab, topic, cursor } => {
                vec!["subscribe".to_owned(), tab, topic, cursor]
            }
            Self::Unsubscribe { tab, topic } => vec!["unsubscribe".to_owned(), tab, topic],
            Self::State { state, topics } => vec!["state".to_owned(), write_state(state), topics],
            Self::Event {
                topic,
                name,
                data,
                cursor,
            } => vec![
                "event".to_owned(),
                topic,
                name.text().to_owned(),
                data,
                cursor,
            ],
        }
    }

    /// Reads what [`TabMessage::write`] wrote; `None` for anything else.
    pub fn read(texts: Vec<String>) -> Option<Self> {
        let mut texts = texts.into_iter();
        let kind = texts.next()?;
        let mut next = || texts.next();
        Some(match kind.as_str() {
            "leader" => Self::LeaderStarted,
            "check" => Self::CheckConnection,
            "ping" => Self::Ping { topic: next()? },
            "outbox" => Self::OutboxChanged {
                topic: next()?,
                client_id: next()?,
            },
            "subscribe" => Self::Subscribe {
                tab: next()?,
                topic: next()?,
                cursor: next()?,
            },
            "unsubscribe" => Self::Unsubscribe {
                tab: next()?,
                topic: next()?,
            },
            "state" => Self::State {
                state: read_state(&next()?)?,
                topics: next()?,
            },
            "event" => Self::Event {
                topic: next()?,
                name: EventName::parse(&next()?)?,
                data: next()?,
                cursor: next()?,
            },
            _ => return None,
        })
    }
}

fn write_state(state: ConnectionState) -> String {
    match state {
        ConnectionState::Live => "live".to_owned(),
        ConnectionState::Offline => "offline".to_owned(),
        ConnectionState::Waiting(until) => until.millis().to_string(),
        ConnectionState::Connecting | ConnectionState::Ended => "connecting".to_owned(),
    }
}

fn read_state(text: &str) -> Option<ConnectionState> {
    Some(match text {
        "live" => ConnectionState::Live,
        "offline" => ConnectionState::Offline,
        "connecting" => ConnectionState::Connecting,
        until => ConnectionState::Waiting(Time::from_millis(until.parse().ok()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> impl Iterator<Item = TabMessage> {
        let until = ConnectionState::Waiting(Time::from_millis(1_234));
        [
            ConnectionState::Live,
            ConnectionState::Offline,
            ConnectionState::Connecting,
            until,
        ]
        .into_iter()
        .map(|state| TabMessage::State {
            state,
            topics: "a,rooms".to_owned(),
        })
    }

    #[test]
    fn message_is_read_as_it_was_written() {
        let text = str::to_owned;
        let others = [
            TabMessage::LeaderStarted,
            TabMessage::CheckConnection,
            TabMessage::Ping { topic: text("a") },
            TabMessage::OutboxChanged {
                topic: text("a"),
                client_id: text("00ff"),
            },
            TabMessage::Subscribe {
                tab: text("1"),
                topic: text("a"),
                cursor: text("5"),
            },
            TabMessage::Unsubscribe {
                tab: text("1"),
                topic: text("a"),
            },
            TabMessage::Event {
                topic: text("a"),
                name: EventName::Message,
                data: text("{}"),
                cursor: text("0.5"),
            },
        ];
        for message in states().chain(others) {
            assert_eq!(TabMessage::read(message.clone().write()), Some(message));
        }
    }

    #[test]
    fn malformed_message_is_not_read() {
        let malformed: [&[&str]; 5] = [
            &[],
            &["other"],
            &["subscribe", "1"],
            &["state", "x", ""],
            &["event", "a", "of-tomorrow", "{}", "0.5"],
        ];
        for texts in malformed {
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(TabMessage::read(texts), None);
        }
    }
}
