//! Messages as events of a stream: what the server sends is what the browser reads. Each line of
//! the input is a text of a message, and its first line a username too.

#![no_main]

use std::cell::RefCell;

use app::fuzzing::{StreamEvent, read_frame};
use chat::fuzzing::encode_frames;
use libfuzzer_sys::fuzz_target;
use protocol::{Cursor, Epoch, EventName, Message, MessageContent, RoomId, Time};
use server::fuzzing::{frame_text, multi_room_events, start_in};

/// The bytes of the ID of the room.
const ROOM: [u8; 8] = [1; 8];

fuzz_target!(|text: &str| {
    check_foreign(text);
    let messages = messages(text);
    let epoch = Epoch::new(0xab);
    let frames = encode_frames(epoch, &messages).expect("there is a message");
    assert_eq!((frames.first(), frames.len()), (1, messages.len()));
    assert!(
        frames.messages().eq(messages.iter().cloned()),
        "frames hold their messages"
    );

    let events = read(std::str::from_utf8(frames.bytes()).expect("a stream is UTF-8"));
    check_events(&events, &messages, |id| id.parse().ok());
    let bytes = multi_room_events(&frames, RoomId::from_bytes(ROOM));
    let events = read(std::str::from_utf8(&bytes).unwrap());
    check_events(&events, &messages, |id| {
        match start_in(id, RoomId::from_bytes(ROOM)) {
            protocol::Start::Cursor(cursor) => Some(cursor),
            _ => None,
        }
    });
    for (frame, message) in frames.frames().zip(&messages) {
        assert_eq!(
            &serde_json::from_slice::<Message>(&frame_text(frame)).unwrap(),
            message
        );
    }
    let seen = text.len() as u64 % (messages.len() as u64 + 2);
    let rest = frames.after(seen).map_or(0, |rest| rest.len());
    assert_eq!(
        rest as u64,
        (messages.len() as u64).saturating_sub(seen),
        "after {seen}"
    );
});

fn messages(text: &str) -> Vec<Message> {
    let username = text.split('\n').next().unwrap_or_default();
    let message = |(id, body): (u64, &str)| Message {
        id,
        room: RoomId::from_bytes(ROOM),
        username: username.to_owned(),
        name: None,
        author: None,
        client_id: None,
        sent_at: Time::EPOCH,
        edited_at: None,
        content: Some(MessageContent::text(body.replace('|', "\n"))),
        own: false,
    };
    (1..).zip(text.split('\n')).map(message).collect()
}

fn read(text: &str) -> Vec<StreamEvent> {
    let events = RefCell::new(Vec::new());
    read_frame(text, &|event| events.borrow_mut().push(event));
    events.into_inner()
}

fn check_events(events: &[StreamEvent], sent: &[Message], cursor: impl Fn(&str) -> Option<Cursor>) {
    assert_eq!(events.len(), sent.len(), "one event for each message");
    for (event, message) in events.iter().zip(sent) {
        assert_eq!(event.name, EventName::Message);
        assert_eq!(
            &serde_json::from_str::<Message>(&event.data).unwrap(),
            message
        );
        assert_eq!(cursor(&event.id).map(|cursor| cursor.seq), Some(message.id));
    }
}

/// The events of any frame are read again from the form in which the server writes them.
fn check_foreign(text: &str) {
    for event in read(text) {
        assert!(!event.data.is_empty() && !event.data.contains('\n'));
        let again = read(&event.name.encode(&event.data));
        let expected = StreamEvent {
            id: String::new(),
            ..event
        };
        assert_eq!(again, [expected]);
    }
    if let Ok(message) = serde_json::from_str::<Message>(text) {
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
    }
}
