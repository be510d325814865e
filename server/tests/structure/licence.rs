//! Which licences of crates are allowed.
//!
//! # Guarantees
//! Of a choice of licences one must be allowed, and of several licences at once all of them.

/// The licences under which webchat, which is MIT, may use a crate. All of them allow any use in
/// return for the notice of the licence.
const LICENCES: [&str; 11] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "NCSA",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression leaves a choice of allowed licences. Old crates write `/` for `OR`.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    is_any_allowed(&mut words)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn is_any_allowed(words: &mut Words<'_>) -> bool {
    let mut allowed = are_all_allowed(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= are_all_allowed(words);
    }
    allowed
}

fn are_all_allowed(words: &mut Words<'_>) -> bool {
    let mut allowed = is_one_allowed(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= is_one_allowed(words);
    }
    allowed
}

fn is_one_allowed(words: &mut Words<'_>) -> bool {
    let licence = words.next().unwrap_or_default();
    if licence == "(" {
        let allowed = is_any_allowed(words);
        return words.next() == Some(")") && allowed;
    }
    // An exception allows more than the licence itself.
    if words.next_if_eq(&"WITH").is_some() {
        words.next();
    }
    LICENCES.contains(&licence)
}

#[test]
fn expression_is_allowed_if_one_choice_is() {
    for allowed in [
        "MIT",
        "GPL-2.0 OR MIT",
        "Unlicense/MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
    ] {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0",
        "(MIT OR Apache-2.0) AND AGPL-3.0",
        "GPL-2.0 WITH Classpath-exception-2.0",
    ] {
        assert!(!is_allowed(refused), "{refused}");
    }
}
