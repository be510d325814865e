//! Tests of the encoding, and of the parts of runs.

use protocol::{Change, MessageContent, RoomId, Time};

use super::*;

pub(crate) fn message(id: u64) -> Entry {
    Message {
        id,
        room: RoomId::from_bytes([1; 8]),
        username: "ada".to_owned(),
        name: None,
        author: None,
        client_id: None,
        sent_at: Time::from_millis(0),
        edited_at: None,
        content: Some(MessageContent::text(format!("line\n{id}"))),
        own: false,
    }
    .into()
}

#[test]
fn frame_is_an_event_with_its_cursor() {
    let frames = Frames::encode(Epoch::new(0xab), &[message(7)]).unwrap();
    assert_eq!(
        frames.bytes(),
        "id: 000000ab.7\ndata: {\"id\":7,\"room\":\"0101010101010101\",\"username\":\"ada\",\
         \"body\":\"line\\n7\",\"sent_at\":\"1970-01-01T00:00:00.000Z\"}\n\n"
    );
    assert!(Frames::encode(Epoch::new(0), &[]).is_none());
}

#[test]
fn frames_decode_to_the_encoded_messages() {
    let all: Vec<Entry> = (5..=8).map(message).collect();
    let frames = Frames::encode(Epoch::new(0), &all)
        .unwrap()
        .after(5)
        .unwrap();
    let read: Vec<Entry> = frames.messages().map(Entry::from).collect();
    assert_eq!(read, all[1..]);
    assert!(frames.frames().map(|frame| frame.cursor.seq).eq(6..=8));
}

#[test]
fn change_is_a_named_event_with_its_cursor() {
    let Entry::Message(message) = message(3) else {
        panic!("no message")
    };
    let message = Message {
        content: None,
        ..message
    };
    let change = Change::new(ChangeKind::Deletion, 7, message);
    let frames = Frames::encode(Epoch::new(0xab), &[Entry::Change(change.clone())]).unwrap();
    let text = String::from_utf8(frames.bytes().to_vec()).unwrap();
    assert!(
        text.starts_with("id: 000000ab.7\nevent: change\ndata: {\"kind\":\"deletion\",\"id\":7,\"room\":\"0101010101010101\",\"target\":3,\"message\":{")
    );
    assert!(!frames.has_messages());
    assert!(text.ends_with("\"deleted\":true}}\n\n"));
    let frame = frames.frames().next().unwrap();
    assert_eq!(
        (frame.change, frame.message()),
        (Some(ChangeKind::Deletion), None)
    );
    assert_eq!(
        serde_json::from_slice::<Change>(&frame.json).unwrap(),
        change
    );
}

#[test]
fn ephemeral_event_has_no_cursor() {
    let event = Ephemeral::encode(EventName::Typing, &["ada"]);
    assert_eq!(event.bytes(), "event: typing\ndata: [\"ada\"]\n\n");
    assert_eq!(
        (event.name(), event.json()),
        (EventName::Typing, Bytes::from("[\"ada\"]"))
    );
}

#[test]
fn joined_runs_equal_one_encoding_of_all_entries() {
    let all: Vec<Entry> = (5..=8).map(message).collect();
    let encode = |messages| Frames::encode(Epoch::new(0), messages).unwrap();
    let joined = encode(&all[..1]).join(&encode(&all[1..]));
    let expected = encode(&all);
    assert_eq!(
        (joined.first(), joined.last(), joined.bytes()),
        (5, 8, expected.bytes())
    );
    assert_eq!(joined.parts, expected.parts);
    assert!(joined.messages().map(Entry::from).eq(all));
}

#[test]
fn run_after_a_sequence_number_has_only_later_messages() {
    let all: Vec<Entry> = (5..=8).map(message).collect();
    let frames = Frames::encode(Epoch::new(0), &all).unwrap();
    for seen in 0..=9 {
        let rest: Vec<&Entry> = all.iter().filter(|entry| entry.seq() > seen).collect();
        let expected = Frames::encode(Epoch::new(0), rest);
        let after = frames.after(seen);
        assert_eq!(
            after.as_ref().map(|f| (f.first(), f.last())),
            expected.as_ref().map(|f| (f.first(), f.last()))
        );
        let parts = |frames: Option<Frames>| frames.map(|f| (f.bytes, f.parts));
        assert_eq!(parts(after), parts(expected));
    }
}
