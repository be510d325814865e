//! Names of people and rooms: the rules, their cleaned form and their skeletons.

#![no_main]

use chat::fuzzing::name_skeletons;
use libfuzzer_sys::fuzz_target;
use protocol::characters::{clean_name, is_line_break, isolate_name};
use protocol::text::{
    ACCOUNT_NAME_MAX, ACCOUNT_NAME_MIN, DESCRIPTION_MAX, PERSON_NAME_MAX, ROOM_NAME_MAX,
    USERNAME_MAX, parse_account_name, parse_description, parse_person_name, parse_room_alias,
    parse_room_name, parse_username,
};
use protocol::{Refusal, nfc};

type Parse = fn(&str) -> Result<String, Refusal>;

const RULES: [(Parse, usize); 5] = [
    (parse_username, USERNAME_MAX),
    (parse_room_name, ROOM_NAME_MAX),
    (parse_room_alias, ROOM_NAME_MAX),
    (parse_description, DESCRIPTION_MAX),
    (parse_person_name, PERSON_NAME_MAX),
];

fuzz_target!(|text: &str| {
    for (parse, max) in RULES {
        if let Ok(name) = parse(text) {
            assert_eq!(
                parse(&name).as_ref(),
                Ok(&name),
                "a stored name is accepted again"
            );
            check_name(&name, max);
        }
    }
    if let Ok(name) = parse_account_name(text) {
        assert_eq!(parse_account_name(&name).as_ref(), Ok(&name));
        assert!((ACCOUNT_NAME_MIN..=ACCOUNT_NAME_MAX).contains(&name.len()) && name.is_ascii());
        assert_eq!(
            parse_username(&name).as_ref(),
            Ok(&name),
            "an account can write"
        );
    }
    check_cleaned(text);
    let skeletons = name_skeletons(text);
    assert_eq!(name_skeletons(text), skeletons);
});

fn check_name(name: &str, max: usize) {
    assert!((1..=max).contains(&name.chars().count()), "{name:?}");
    assert_eq!(name.trim(), name);
    assert_eq!(nfc(name), name);
    assert!(!name.contains(char::is_control) && !name.contains(is_line_break));
    assert!(!name.contains("  "));
    assert_eq!(
        clean_name(name),
        name,
        "a name that is accepted needs no cleaning"
    );
    // A name can be written on the line of another text, so case and spaces do not tell it apart.
    let [lowercase, _] = name_skeletons(name);
    assert_eq!(name_skeletons(&format!(" {name} "))[0], lowercase);
}

fn check_cleaned(text: &str) {
    let clean = clean_name(text);
    assert_eq!(clean_name(&clean), clean, "cleaning twice changes nothing");
    assert!(!clean.contains(char::is_control) && !clean.contains(is_line_break));
    let isolated = isolate_name(text);
    let inside = isolated.trim_matches(['\u{2068}', '\u{2069}']);
    assert_eq!(inside, clean, "isolating changes nothing inside");
}
