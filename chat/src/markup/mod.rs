//! The small markup of messages: reads a text and returns what its parts are, as marks.
//!
//! It knows code, `**strong**`, `*emphasis*` and `_emphasis_`, `~~strike~~`, quotes (`> `), lists (`- `
//! and `1. `), addresses and mentions. Everything else is text: what people type without meaning
//! markup (`snake_case`, `2 * 3`, `>_<`) stays as it is.
//!
//! # Guarantees
//! - The text is never changed, and nothing is stored: the marks follow from the text alone.
//! - Marks are inside the text, in order and nested. There are at most about [`MARKS_MAX`]; the text
//!   after the last one is plain.
//! - The work is linear in the length of the text.
//! - Inside code, nothing else is marked.
//! - The address of a link is `http`, `https` or `mailto`, and has no direction controls.
//!
//! # Not here
//! Drawing (crate `app`), and whether a mentioned person exists: the page knows who is in the room.

mod blocks;
mod boundaries;
mod emphasis;
mod host;
mod inline;
mod links;
mod mentions;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use protocol::{Mark, MarkKind, Message, MessageContent};

use self::blocks::Line;

/// The number of marks after which no further markup is read. It bounds how much larger than its
/// text a message can be on the wire.
const MARKS_MAX: usize = 300;

/// The content that is this text, with its marks.
pub(crate) fn marked_content(body: String) -> MessageContent {
    let marks = read_marks(&body);
    MessageContent {
        body,
        marks,
        files: Vec::new(),
    }
}

/// Marks a message from the store, which has no marks.
pub(crate) fn mark_in_place(message: &mut Message) {
    if let Some(content) = &mut message.content {
        content.marks = read_marks(&content.body);
    }
}

/// Whether a text mentions the account with this username.
pub(crate) fn mentions(body: &str, username: &str) -> bool {
    let is_meant = |mark: &Mark| {
        let name = mark.username.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(username))
    };
    read_marks(body).iter().any(is_meant)
}

/// Reads the marks of a text.
pub(crate) fn read_marks(body: &str) -> Vec<Mark> {
    let mut marks = Marks {
        body,
        found: Vec::new(),
    };
    blocks::read(&mut marks, &Line::all_of(body), 0);
    marks.finish()
}

/// The marks that were found so far. Their positions are in bytes until the end.
struct Marks<'a> {
    body: &'a str,
    found: Vec<Mark>,
}

impl Marks<'_> {
    fn push(&mut self, kind: MarkKind, from: usize, to: usize) {
        self.found.push(Mark::new(kind, from, to));
    }

    /// How many marks may follow.
    fn capacity(&self) -> usize {
        MARKS_MAX.saturating_sub(self.found.len())
    }

    /// The marks in order, with positions in characters.
    fn finish(mut self) -> Vec<Mark> {
        self.found.sort_by_key(|mark| (mark.from, Reverse(mark.to)));
        if !self.found.is_empty() && !self.body.is_ascii() {
            let characters = count_characters(self.body);
            for mark in &mut self.found {
                mark.from = characters[mark.from];
                mark.to = characters[mark.to];
            }
        }
        self.found
    }
}

/// For each byte of a text and for its end, how many characters begin before it.
fn count_characters(text: &str) -> Vec<usize> {
    let mut counts = vec![0; text.len() + 1];
    for (count, (at, c)) in text.char_indices().enumerate() {
        counts[at + c.len_utf8()] = count + 1;
    }
    counts
}

/// Counts a step of the work, in tests.
fn count_work(steps: usize) {
    #[cfg(test)]
    tests::WORK.with(|work| work.set(work.get() + steps));
    #[cfg(not(test))]
    let _ = steps;
}
