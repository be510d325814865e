//! The marks of a text, and the addresses of its links.

#![no_main]

use chat::fuzzing::read_marks;
use libfuzzer_sys::fuzz_target;
use protocol::{Mark, MarkKind};

fuzz_target!(|body: &str| {
    let marks = read_marks(body);
    let length = body.chars().count();
    assert!(marks.len() < 320, "{}", marks.len());
    let mut open: Vec<&Mark> = Vec::new();
    let mut from = 0;
    for mark in &marks {
        assert!(from <= mark.from && mark.from < mark.to && mark.to <= length);
        from = mark.from;
        open.retain(|outer| outer.to > mark.from);
        assert!(open.len() < 16, "{open:?}");
        for outer in &open {
            assert!(mark.to <= outer.to, "{outer:?} {mark:?}");
            check_inner(outer, mark);
        }
        open.push(mark);
        check_link(body, mark);
    }
});

/// Nothing but the markup of the blocks around it is marked in code, and nothing in what is hidden.
fn check_inner(outer: &Mark, mark: &Mark) {
    let is_code = matches!(outer.kind, MarkKind::Code | MarkKind::CodeBlock);
    assert!(
        !is_code || mark.kind == MarkKind::Syntax,
        "{outer:?} {mark:?}"
    );
    assert_ne!(outer.kind, MarkKind::Syntax, "{mark:?}");
}

fn check_link(body: &str, mark: &Mark) {
    if mark.kind != MarkKind::Link {
        assert!(mark.href.is_none() && mark.host.is_none());
        return;
    }
    let shown: String = body
        .chars()
        .skip(mark.from)
        .take(mark.to - mark.from)
        .collect();
    let is_turned = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(
        !shown.contains(is_turned) && !shown.contains(char::is_whitespace),
        "{shown:?}"
    );
    let address = mark.href.as_deref().unwrap_or(&shown);
    let schemes = ["https://", "http://", "mailto:"];
    let has_one = schemes.iter().any(|scheme| address.starts_with(scheme));
    assert!(has_one, "{address:?}");
    if let Some(host) = &mark.host {
        assert!(
            host.is_ascii() && address.contains(&**host),
            "{address:?} {host:?}"
        );
    }
}
