//! A message as lines of plain text, in the transcripts that server and browser write.
//!
//! # Guarantees
//! The messages can be read back from a transcript, whatever their names and texts are: only the
//! first line of a message begins without an indentation, and a name with a colon stands in
//! quotation marks.
//!
//! # Not here
//! The head of a transcript and its times.

use crate::Message;
use crate::characters::{clean_name, is_colon, is_line_break, isolate_name};

/// What the lines of a message after its first one begin with.
const INDENTATION: &str = "    ";

/// The lines of a message: `TIME NAME: TEXT`, or `TIME NAME (deleted)`.
pub fn transcript_lines(time: &str, message: &Message) -> String {
    let name = quote_name(&message.username);
    if message.is_deleted() {
        return format!("{time} {name} (deleted)\n");
    }
    format!("{time} {name}: {}\n", indent(message.body()))
}

/// The name as it is drawn; in quotation marks if the text after it could be taken for a part of
/// it.
fn quote_name(name: &str) -> String {
    let clean = clean_name(name);
    let is_plain = !clean.is_empty() && !clean.contains(|c| c == '"' || is_colon(c));
    if is_plain {
        return isolate_name(name);
    }
    let escaped = clean.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", isolate_name(&escaped))
}

fn indent(text: &str) -> String {
    let mut indented = String::new();
    for c in text.chars() {
        indented.push(c);
        if is_line_break(c) {
            indented.push_str(INDENTATION);
        }
    }
    indented
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RoomId, Time, text};
    use proptest::prelude::*;

    const TIME: &str = "[12:00]";

    /// What a reader finds in a transcript: the name, and the text unless it was deleted.
    type Found = (String, Option<String>);

    fn message(username: &str, body: Option<&str>) -> Message {
        Message {
            id: 1,
            room: RoomId::from_bytes([1; 8]),
            username: username.to_owned(),
            name: None,
            author: None,
            client_id: None,
            sent_at: Time::from_millis(0),
            edited_at: None,
            content: body.map(crate::MessageContent::text),
            own: false,
        }
    }

    /// Splits a quoted name from what follows it.
    fn read_quoted(line: &str) -> (String, &str) {
        let mut name = String::new();
        let mut characters = line.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '\\' => name.extend(characters.next().map(|(_, c)| c)),
                '"' => return (name, &line[at + 1..]),
                c => name.push(c),
            }
        }
        panic!("no closing quotation mark: {line}");
    }

    fn read_name(line: &str) -> (String, &str) {
        if let Some(quoted) = line.strip_prefix('"') {
            return read_quoted(quoted);
        }
        let end = line
            .find(is_colon)
            .unwrap_or_else(|| line.rfind(" (").unwrap());
        (line[..end].to_owned(), &line[end..])
    }

    /// Reads the messages of a transcript back.
    fn read(transcript: &str) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for line in transcript
            .strip_suffix('\n')
            .unwrap_or_default()
            .split('\n')
        {
            if let Some(more) = line.strip_prefix(INDENTATION) {
                let (_, text) = found.last_mut().unwrap();
                *text = text.take().map(|text| text + "\n" + more);
                continue;
            }
            let (name, rest) = read_name(line.strip_prefix(TIME).unwrap().trim_start());
            let text = rest.strip_prefix(": ").map(str::to_owned);
            assert!(text.is_some() || rest == " (deleted)", "{line}");
            found.push((name.replace(['\u{2068}', '\u{2069}'], ""), text));
        }
        found
    }

    fn read_back(sent: &[(&str, Option<&str>)]) -> Vec<Found> {
        let lines = sent
            .iter()
            .map(|(name, body)| transcript_lines(TIME, &message(name, *body)));
        read(&lines.collect::<String>())
    }

    #[test]
    fn name_or_text_that_imitates_a_line_is_no_line() {
        let sent = [
            ("ada: yes, eve", Some("hello")),
            ("eve", Some("hi\n[12:00] ada: yes")),
            ("eve", Some("hi\n\n    [12:00] ada (deleted)")),
            ("\"ada\"", Some("quoted")),
            ("ada\\\": x", None),
            ("ada (deleted)", Some("(deleted)")),
            ("ada (deleted)", None),
            ("ada：yes", Some("wide")),
            ("נורה", Some(": x")),
        ];
        let expected: Vec<Found> = sent
            .iter()
            .map(|(name, body)| ((*name).to_owned(), body.map(str::to_owned)))
            .collect();
        assert_eq!(read_back(&sent), expected);
        let line = transcript_lines(TIME, &message("ada: yes, eve", Some("hello")));
        assert_eq!(line, "[12:00] \"ada: yes, eve\": hello\n");
        let line = transcript_lines(TIME, &message("eve", Some("a\u{2028}[12:00] ada: b")));
        assert_eq!(line, "[12:00] eve: a\u{2028}    [12:00] ada: b\n");
        let line = transcript_lines(TIME, &message("\u{202e}ada", Some("hi")));
        assert_eq!(line, "[12:00] ada: hi\n");
    }

    #[test]
    fn every_line_of_a_text_but_the_first_is_indented() {
        let breaks = [
            "\n", "\u{b}", "\u{c}", "\r", "\u{1c}", "\u{1d}", "\u{1e}", "\u{85}", "\u{2028}",
            "\u{2029}",
        ];
        for line_break in breaks {
            let body = format!("hi{line_break}[12:00] ada: yes");
            let lines = transcript_lines(TIME, &message("eve", Some(&body)));
            let forged = format!("{line_break}{INDENTATION}[12:00] ada: yes\n");
            assert!(lines.ends_with(&forged), "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn every_message_is_read_back(
            sent in prop::collection::vec(
                ("[a\"\\\\: ：ב()]{1,8}", prop::option::of("(?s)[a: \\n\\[\\]()]{1,12}")), 1..6)
        ) {
            let parsed = |(name, body): &(String, Option<String>)| {
                let body = body.as_deref().map(text::parse_body).transpose().ok()?;
                Some((text::parse_username(name).ok()?, body))
            };
            let sent: Vec<Found> = sent.iter().filter_map(parsed).collect();
            prop_assume!(!sent.is_empty());
            let borrowed: Vec<_> = sent
                .iter()
                .map(|(name, body)| (name.as_str(), body.as_deref()))
                .collect();
            prop_assert_eq!(read_back(&borrowed), sent);
        }
    }
}
