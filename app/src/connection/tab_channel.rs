//! What the tabs of one browser tell each other about what they share: the connection, and what waits to be sent.
//!
//! Promises: every word reaches every tab, the one that says it included, so that nobody needs to know who leads. Where
//! there is no channel, a tab hears itself. Only tabs of the same version understand each other. In the browser only.
//! ([Broadcast channels](https://html.spec.whatwg.org/multipage/web-messaging.html#broadcasting-to-other-browsing-contexts))

use std::rc::Rc;

use js_sys::{Array, Reflect};
use leptos::prelude::window;
use protocol::Time;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::browser::json::FromJson;
use crate::connection::event_stream::ConnectionState;

/// The name of the channel, and the beginning of the names of all locks.
pub const CHANNEL_NAME: &str = concat!("webchat/", env!("CARGO_PKG_VERSION"));

/// What one tab tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TabMessage {
    /// Whoever leads now asks what everybody needs.
    Hail,
    /// A tab needs to hear of a topic from a cursor onwards.
    Need {
        tab: String,
        topic: String,
        cursor: String,
    },
    /// A tab no longer needs to hear of a topic.
    Enough { tab: String, topic: String },
    /// A tab makes sure that somebody still leads and knows of its topic.
    Ping { topic: String },
    /// A tab was away: the connection may be dead without anybody having been told.
    Check,
    /// What waits to be sent in a room has changed.
    Changed { topic: String },
    /// What the connection for these topics is doing.
    State {
        state: ConnectionState,
        topics: String,
    },
    /// Something came by the connection.
    Heard {
        topic: String,
        name: String,
        data: String,
        cursor: String,
    },
}

impl TabMessage {
    fn write(self) -> Vec<String> {
        match self {
            Self::Hail => vec!["hail".to_owned()],
            Self::Check => vec!["check".to_owned()],
            Self::Ping { topic } => vec!["ping".to_owned(), topic],
            Self::Changed { topic } => vec!["changed".to_owned(), topic],
            Self::Need { tab, topic, cursor } => vec!["need".to_owned(), tab, topic, cursor],
            Self::Enough { tab, topic } => vec!["enough".to_owned(), tab, topic],
            Self::State { state, topics } => vec!["state".to_owned(), write(state), topics],
            Self::Heard {
                topic,
                name,
                data,
                cursor,
            } => vec!["heard".to_owned(), topic, name, data, cursor],
        }
    }

    fn read(texts: Vec<String>) -> Option<Self> {
        let mut texts = texts.into_iter();
        let kind = texts.next()?;
        let mut next = || texts.next();
        Some(match kind.as_str() {
            "hail" => Self::Hail,
            "check" => Self::Check,
            "ping" => Self::Ping { topic: next()? },
            "changed" => Self::Changed { topic: next()? },
            "need" => Self::Need {
                tab: next()?,
                topic: next()?,
                cursor: next()?,
            },
            "enough" => Self::Enough {
                tab: next()?,
                topic: next()?,
            },
            "state" => Self::State {
                state: read(&next()?)?,
                topics: next()?,
            },
            "heard" => Self::Heard {
                topic: next()?,
                name: next()?,
                data: next()?,
                cursor: next()?,
            },
            _ => return None,
        })
    }
}

fn write(state: ConnectionState) -> String {
    match state {
        ConnectionState::Live => "live".to_owned(),
        ConnectionState::Offline => "offline".to_owned(),
        ConnectionState::Waiting(until) => until.millis().to_string(),
        ConnectionState::Connecting | ConnectionState::Ended => "connecting".to_owned(),
    }
}

fn read(text: &str) -> Option<ConnectionState> {
    Some(match text {
        "live" => ConnectionState::Live,
        "offline" => ConnectionState::Offline,
        "connecting" => ConnectionState::Connecting,
        until => ConnectionState::Waiting(Time::from_millis(until.parse().ok()?)),
    })
}

/// The channel, open until it is dropped.
pub struct TabChannel {
    channel: Option<BroadcastChannel>,
    take: Rc<dyn Fn(TabMessage)>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl TabChannel {
    /// Opens it, with the other tabs if there is a way to them; `take` gets every word.
    pub fn open(with_others: bool, take: impl Fn(TabMessage) + 'static) -> Self {
        let take: Rc<dyn Fn(TabMessage)> = Rc::new(take);
        let taken = take.clone();
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let texts: Option<Vec<String>> = FromJson::read(&event.data());
            texts
                .and_then(TabMessage::read)
                .into_iter()
                .for_each(|word| taken(word));
        });
        let channel = with_others
            .then(|| BroadcastChannel::new(CHANNEL_NAME).ok())
            .flatten();
        channel
            .iter()
            .for_each(|channel| channel.set_onmessage(Some(heard.as_ref().unchecked_ref())));
        Self {
            channel,
            take,
            _heard: heard,
        }
    }

    /// Tells every tab, this one first.
    pub fn say(&self, word: TabMessage) {
        if let Some(channel) = &self.channel {
            let texts: Array = word
                .clone()
                .write()
                .into_iter()
                .map(JsValue::from)
                .collect();
            // A channel that is open takes texts.
            let _ = channel.post_message(&texts);
        }
        (self.take)(word);
    }
}

impl Drop for TabChannel {
    fn drop(&mut self) {
        self.channel.iter().for_each(BroadcastChannel::close);
    }
}

/// Whether there is a way to the other tabs.
pub fn is_supported() -> bool {
    Reflect::has(&window(), &"BroadcastChannel".into()).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        let text = str::to_owned;
        let until = ConnectionState::Waiting(Time::from_millis(1_234));
        let states = [
            ConnectionState::Live,
            ConnectionState::Offline,
            ConnectionState::Connecting,
            until,
        ];
        let words = states
            .map(|state| TabMessage::State {
                state,
                topics: text("a,rooms"),
            })
            .into_iter()
            .chain([
                TabMessage::Hail,
                TabMessage::Check,
                TabMessage::Ping { topic: text("a") },
                TabMessage::Changed { topic: text("a") },
                TabMessage::Need {
                    tab: text("1"),
                    topic: text("a"),
                    cursor: text("5"),
                },
                TabMessage::Enough {
                    tab: text("1"),
                    topic: text("a"),
                },
                TabMessage::Heard {
                    topic: text("a"),
                    name: text("message"),
                    data: text("{}"),
                    cursor: text("0.5"),
                },
            ]);
        for word in words {
            assert_eq!(TabMessage::read(word.clone().write()), Some(word));
        }
        for wrong in [
            vec![],
            vec!["other"],
            vec!["need", "1"],
            vec!["state", "x", ""],
        ] {
            assert_eq!(
                TabMessage::read(wrong.into_iter().map(text).collect()),
                None
            );
        }
    }
}
