//! Cursors of one room and of several, and what a follower's request says about its position.

#![no_main]

use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use protocol::{Cursor, RoomId, Start, Time};
use server::fuzzing::{reprint_cursors, start, start_in};

fuzz_target!(|text: &str| {
    check_cursor(text);
    check_room(text);
    check_cursors(text);
    check_request(text);
    if let Ok(time) = text.parse::<Time>() {
        assert_eq!(
            time.to_string().parse(),
            Ok(time),
            "a printed time is read back"
        );
    }
});

fn check_cursor(text: &str) {
    let Ok(cursor) = text.parse::<Cursor>() else {
        assert_eq!(Start::parse_event_id(text), Start::Unknown);
        return;
    };
    assert_eq!(
        cursor.to_string().parse(),
        Ok(cursor),
        "a printed cursor is read back"
    );
    assert_eq!(Start::parse_event_id(text), Start::Cursor(cursor));
    assert_eq!(Start::parse_after(text), Start::Cursor(cursor));
}

fn check_room(text: &str) {
    let room: Result<RoomId, _> = text.parse();
    if let Ok(room) = room {
        assert_eq!(room.to_string(), text, "an ID is written in one way");
        assert_eq!(RoomId::from_bytes(room.bytes()), room);
    }
    if let Some(room) = RoomId::find_in(text) {
        assert_eq!(
            RoomId::find_in(&format!("https://chat.example/rooms/{room}/")),
            Some(room)
        );
        assert!(text.to_ascii_lowercase().contains(&room.to_string()));
    }
}

fn check_cursors(text: &str) {
    let printed = reprint_cursors(text);
    assert_eq!(
        reprint_cursors(&printed),
        printed,
        "printed cursors are read back"
    );
    let parts = printed.split('_').filter(|part| !part.is_empty());
    for (room, cursor) in parts.filter_map(|part| part.split_once('-')) {
        let room = room.parse().unwrap();
        assert_eq!(start_in(text, room), Start::Cursor(cursor.parse().unwrap()));
    }
}

fn check_request(text: &str) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert("last-event-id", value);
        let root = "/".parse().unwrap();
        let expected = if text.is_empty() {
            Start::Seq(0)
        } else {
            Start::parse_event_id(text)
        };
        assert_eq!(start(&headers, &root), Ok(expected));
    }
    let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let uri = format!("/?after={encoded}").parse();
    if let Ok(uri) = uri {
        assert_eq!(start(&HeaderMap::new(), &uri), Ok(Start::parse_after(text)));
    }
}
