//! The broadcast channel between the tabs of one browser. In the browser only.
//!
//! # Guarantees
//! Every message reaches every tab, the sender included, so that no tab needs to know which one
//! leads. Where there is no channel, a tab reaches itself.
//!
//! [Broadcast channels](https://html.spec.whatwg.org/multipage/web-messaging.html#broadcasting-to-other-browsing-contexts)

use std::rc::Rc;

use js_sys::{Array, Reflect};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::connection::sharing::tab_message::TabMessage;

/// The name of the channel, and the prefix of the names of all locks.
pub const CHANNEL_NAME: &str = concat!("webchat/", env!("CARGO_PKG_VERSION"));

/// The channel, open until it is dropped.
pub struct TabChannel {
    channel: Option<BroadcastChannel>,
    on_message: Rc<dyn Fn(TabMessage)>,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl TabChannel {
    /// Opens the channel, to the other tabs if `is_shared`. `on_message` gets every message.
    pub fn open(is_shared: bool, on_message: impl Fn(TabMessage) + 'static) -> Self {
        let on_message: Rc<dyn Fn(TabMessage)> = Rc::new(on_message);
        let handler = on_message.clone();
        let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(message) = read_texts(event.data()).and_then(TabMessage::read) {
                handler(message);
            }
        });
        let channel = is_shared
            .then(|| BroadcastChannel::new(CHANNEL_NAME).ok())
            .flatten();
        if let Some(channel) = &channel {
            channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        }
        Self {
            channel,
            on_message,
            _listener: listener,
        }
    }

    /// Sends a message to every tab, to this one first.
    pub fn send(&self, message: TabMessage) {
        if let Some(channel) = &self.channel {
            let texts: Array = message
                .clone()
                .write()
                .into_iter()
                .map(JsValue::from)
                .collect();
            // An open channel takes texts.
            let _ = channel.post_message(&texts);
        }
        (self.on_message)(message);
    }
}

impl Drop for TabChannel {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.close();
        }
    }
}

/// The texts of an array of texts.
fn read_texts(data: JsValue) -> Option<Vec<String>> {
    let texts = data.dyn_into::<Array>().ok()?;
    texts.iter().map(|text| text.as_string()).collect()
}

/// Whether the browser has broadcast channels.
pub fn is_supported() -> bool {
    Reflect::has(&window(), &"BroadcastChannel".into()).unwrap_or(false)
}
