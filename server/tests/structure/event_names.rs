//! The names of events and of kinds of change stand in `protocol/src/event.rs` alone.

use protocol::{ChangeKind, EventName};

use crate::source::rust_files;
use crate::{CRATES, assert_none, workspace};

/// The one file that writes the names.
const NAMES: &str = "protocol/src/event.rs";

/// How code would write, compare or list an event by a name of its own.
fn forms(name: &str) -> [String; 6] {
    [
        format!("event: {name}\\n"),
        format!("\"event\":\"{name}\""),
        format!("\"{name}\" =>"),
        format!("\"{name}\" |"),
        format!("== \"{name}\""),
        format!("encode(\"{name}\""),
    ]
}

/// The names of events that no resource and no entry of the audit log shares.
fn distinct_names() -> Vec<&'static str> {
    let shared = [
        EventName::Name,
        EventName::Rooms,
        EventName::Message,
        EventName::Removed,
    ];
    let events = EventName::ALL.into_iter();
    let events = events.filter(|event| !shared.contains(event));
    let kinds = ChangeKind::ALL.into_iter().map(ChangeKind::text);
    events.map(EventName::text).chain(kinds).collect()
}

/// The lines of a file's code, without comments and tests, that name an event themselves.
fn own_names(file: &str, source: &str) -> Vec<String> {
    let forms: Vec<String> = distinct_names().into_iter().flat_map(forms).collect();
    let code = source.split("mod tests {").next().unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .filter(|line| forms.iter().any(|form| line.contains(form.as_str())))
        .map(|line| format!("{file}: {}", line.trim()))
        .collect()
}

#[test]
fn only_the_protocol_writes_the_names_of_events() {
    let root = workspace();
    let mut found = Vec::new();
    for name in CRATES {
        for path in rust_files(&root.join(name).join("src")) {
            let file = path.strip_prefix(&root).unwrap().display().to_string();
            let is_test = file.contains("tests") || file.contains("simulation");
            if file != NAMES && !is_test {
                found.extend(own_names(&file, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert_none(&found);
}

#[test]
fn event_that_is_written_by_hand_is_found() {
    for line in [
        r#"let reset = "event: reset\ndata: {}\n\n";"#,
        r#"    "edit" | "deletion" => change(),"#,
        r#"if name == "signed-out" {"#,
        r#"send(r"{"event":"closing"}")"#,
    ] {
        assert_eq!(own_names("planted.rs", line).len(), 1, "{line}");
    }
    assert!(own_names("planted.rs", r#"// sends "event: reset\n""#).is_empty());
}
