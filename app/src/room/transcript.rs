//! The messages on the page as a text file.
//!
//! # Guarantees
//! Each message once and in order, with times in the visitor's time zone, and in lines that no name
//! and no text can imitate.

use std::fmt::Write;
use std::sync::Arc;

use js_sys::Array;
use leptos::prelude::document;
use protocol::{Message, Time, transcript_lines};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, Url};

use crate::time::local_time::LocalTime;

/// The messages as text, one on a line, under a title.
pub fn transcript(
    title: &str,
    messages: &[Arc<Message>],
    local_time: impl Fn(Time) -> LocalTime,
) -> String {
    let mut text = format!("{title}\n");
    let mut day = None;
    for message in messages {
        let at = local_time(message.sent_at);
        if day.replace(at.day()) != Some(at.day()) {
            let _ = write!(text, "\n{}\n\n", at.date());
        }
        let named = Message {
            username: author_of(message),
            ..Message::clone(message)
        };
        text += &transcript_lines(&at.iso_hours(), &named);
    }
    text
}

/// The author of a message: an account with its display name and its username.
fn author_of(message: &Message) -> String {
    match &message.name {
        Some(name) if *name != message.username => format!("{name} ({})", message.username),
        _ => message.username.clone(),
    }
}

/// Downloads a text as a file. In the browser only.
pub fn save_file(name: &str, text: &str) -> Option<()> {
    let blob = Blob::new_with_str_sequence(&Array::of1(&JsValue::from_str(text))).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = document().create_element("a").ok()?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.set_rel("external");
    link.click();
    Url::revoke_object_url(&url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn transcript_has_a_line_for_each_message_under_its_day() {
        let message = |id, username: &str, body: &str, at: &str| {
            Arc::new(Message {
                username: username.into(),
                content: Some(protocol::MessageContent::text(body)),
                sent_at: at.parse().unwrap(),
                ..fixtures::message(id)
            })
        };
        let messages = [
            message(1, "ada", "hello\nthere", "2026-11-19T23:59:00.000Z"),
            message(2, "ben", "hi", "2026-11-20T00:01:00.000Z"),
        ];
        assert_eq!(
            transcript("Tea", &messages, |time| LocalTime::new(time, 0)),
            "Tea\n\nThursday, 19 November 2026\n\n23:59 ada: hello\n    there\n\nFriday, 20 November 2026\n\n00:01 ben: hi\n"
        );
    }
}
