//! Texts and passwords: the rules of `protocol::text` and the transcript of a message.

#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::characters::{is_line_break, shows_nothing};
use protocol::text::{
    BODY_MAX, PASSWORD_MAX, normalize_password, parse_body, parse_password, trim_body,
};
use protocol::{Message, MessageContent, RoomId, Time, client_id, nfc, transcript_lines};

fuzz_target!(|text: &str| {
    let trimmed = trim_body(text);
    assert_eq!(
        trim_body(trimmed),
        trimmed,
        "trimming twice changes nothing"
    );
    assert!(text.contains(trimmed));
    if let Ok(body) = parse_body(text) {
        check_body(&body);
    }
    check_password(text);
    check_transcript(text);
    assert_eq!(nfc(&nfc(text)), nfc(text));
    assert!(client_id(text).len() == 32);
});

fn check_body(body: &str) {
    assert_eq!(
        parse_body(body).as_deref(),
        Ok(body),
        "a stored text is accepted again"
    );
    assert!((1..=BODY_MAX).contains(&body.chars().count()));
    assert!(!shows_nothing(body));
    assert!(!body.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
    assert_eq!(body.trim_end(), body);
}

fn check_password(text: &str) {
    let normal = normalize_password(text);
    assert_eq!(normalize_password(&normal), normal);
    if let Ok(password) = parse_password(text, 6) {
        assert_eq!(password, normal);
        assert_eq!(
            parse_password(&password, 6).as_deref(),
            Ok(password.as_str())
        );
        assert!((6..=PASSWORD_MAX).contains(&password.chars().count()));
        assert!(!password.contains(char::is_control));
    }
}

/// Only the first line of a message begins without an indentation, whatever its name and text are.
fn check_transcript(text: &str) {
    let (username, body) = text.split_once('\n').unwrap_or((text, text));
    let message = Message {
        id: 1,
        room: RoomId::from_bytes([1; 8]),
        username: username.to_owned(),
        name: None,
        author: None,
        client_id: None,
        sent_at: Time::EPOCH,
        edited_at: None,
        content: Some(MessageContent::text(body)),
        own: false,
    };
    let lines = transcript_lines("[12:00]", &message);
    let lines = lines.strip_suffix('\n').expect("a message ends its line");
    let mut lines = lines.split(is_line_break);
    assert!(
        lines
            .next()
            .is_some_and(|first| first.starts_with("[12:00] "))
    );
    assert!(lines.all(|line| line.starts_with("    ")), "{text:?}");
}
