//! A place in a room's log: the address of a message, and where the reader was.
//!
//! # Guarantees
//! - A message has the address `#m` with its sequence number, however old it is.
//! - The entry of the browser's history keeps where the reader was, so that going back, forward and
//!   reloading lead there. At the end of the log it keeps nothing. In the browser only.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::{HtmlElement, ScrollLogicalPosition};

use crate::browser::dom::element_by_id;
use crate::room::ids::{LOG, message_id, message_seq};
use crate::room::viewport::keyboard_nav::focus_message;
use crate::room::viewport::scroll::{find_anchor, scroll_into_view};

/// The attribute of the message that the address names.
const ADDRESSED: &str = "data-addressed";

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The sequence number of a message.
    pub seq: u64,
    /// How far its top is below the top of the window, in pixels; `None` for a message that the
    /// address names, which is shown in the middle and marked.
    pub top: Option<i32>,
}

impl Place {
    /// Where the reader was at this entry of the history, or else the message in the address.
    pub fn of_address() -> Option<Self> {
        let state = window().history().and_then(|history| history.state());
        let stored = state.ok().and_then(|state| state.as_string());
        let addressed = || {
            let seq = addressed_seq()?;
            Some(Self { seq, top: None })
        };
        stored.as_deref().and_then(Self::parse).or_else(addressed)
    }

    fn parse(text: &str) -> Option<Self> {
        let (seq, top) = text.split_once(' ')?;
        Some(Self {
            seq: seq.parse().ok()?,
            top: Some(top.parse().ok()?),
        })
    }
}

/// The sequence number of the message in the address.
fn addressed_seq() -> Option<u64> {
    let hash = window().location().hash().ok()?;
    Some(message_seq(hash.strip_prefix('#')?)?.max(1))
}

/// Stores the place in the history, or that the reader is at the end of the log.
pub fn store(scroller: Option<HtmlElement>) {
    let place = scroller.and_then(|scroller| {
        let anchor = find_anchor(&scroller)?;
        let seq = message_seq(&anchor.message.id())?;
        Some(format!("{seq} {}", anchor.top as i32).into())
    });
    if let Ok(history) = window().history() {
        // Browsers refuse it when it is called too often; the next call stores the place.
        let _ = history.replace_state(&place.unwrap_or(JsValue::NULL), "");
    }
}

/// Scrolls to the place.
pub fn show(place: Place) {
    let Some(message) = element_by_id::<HtmlElement>(&message_id(place.seq)) else {
        return;
    };
    match place.top {
        Some(top) => {
            scroll_to(&message, top);
            let addressed = addressed_seq().and_then(|seq| element_by_id(&message_id(seq)));
            addressed.iter().for_each(mark);
        }
        None => {
            mark(&message);
            scroll_into_view(&message, ScrollLogicalPosition::Center);
            focus_message(place.seq);
        }
    }
}

fn scroll_to(message: &HtmlElement, top: i32) {
    if let Some(scroller) = element_by_id::<HtmlElement>(LOG) {
        let moved = message.get_bounding_client_rect().top() as i32 - top;
        scroller.set_scroll_top(scroller.scroll_top() + moved);
    }
}

/// Marks the message that the address names.
fn mark(message: &HtmlElement) {
    let marked = document().query_selector(&format!("[{ADDRESSED}]"));
    if let Ok(Some(before)) = marked {
        let _ = before.remove_attribute(ADDRESSED);
    }
    // Setting an attribute does not fail.
    let _ = message.set_attribute(ADDRESSED, "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_place_is_read_and_anything_else_is_none() {
        let place = |seq, top| {
            Some(Place {
                seq,
                top: Some(top),
            })
        };
        assert_eq!(Place::parse("12 -40"), place(12, -40));
        for other in ["", "12", "12 x", "x 12", "-1 2", "12 3 4"] {
            assert_eq!(Place::parse(other), None, "{other}");
        }
        assert_eq!(message_seq(&message_id(7)), Some(7));
        for other in ["", "m", "7", "mx", "message"] {
            assert_eq!(message_seq(other), None, "{other}");
        }
    }
}
