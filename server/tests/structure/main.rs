//! The structure of the code: which parts may know which, and how long a file may be.
//!
//! # Guarantees
//! No import cycle between the entries of any folder of a crate; a database only in `chat/src/store`;
//! no HTTP in `chat`; no `chat` in `app`; the names of events in `protocol` alone; crates with allowed
//! licences, in one version, from the registry. What breaks a rule is printed with the line that does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dependencies;
mod event_names;
mod graph;
mod licence;
mod lock_file;
mod source;
mod styles;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::graph::cycles;
use crate::source::{Crate, rust_files};

const CRATES: [&str; 5] = ["texts", "protocol", "chat", "app", "server"];

/// The most lines of a source file that needs no reason.
const LONGEST: usize = 400;

/// Longer files, each with the reason why it is not divided.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "chat/src/identity/account.rs",
        "350 lines are its tests, and each method documents its refusals",
    ),
    (
        "chat/src/identity/oidc_identity.rs",
        "330 lines are its tests",
    ),
    (
        "app/src/room/log/simulation/mod.rs",
        "one model of all tabs, whose steps share its state",
    ),
    ("server/src/respond/assets.rs", "190 lines are its tests"),
    (
        "server/tests/it/moderation/permissions.rs",
        "the permission table with a line for each operation",
    ),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn read(name: &str) -> Crate {
    Crate::read(&workspace().join(name).join("src"))
}

/// The files of a crate that name one of these other crates.
fn files_that_name(name: &str, others: &[&str]) -> Vec<String> {
    let names_one = |roots: &BTreeSet<String>| others.iter().any(|other| roots.contains(*other));
    let modules = read(name).modules.into_values();
    modules
        .filter(|module| names_one(&module.roots))
        .map(|module| module.file)
        .collect()
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_crate_has_an_import_cycle() {
    let found: Vec<String> = CRATES
        .iter()
        .flat_map(|name| cycles(name, &read(name)))
        .collect();
    assert_none(&found);
}

#[test]
fn only_the_store_names_a_database() {
    let databases = ["sqlx", "rusqlite"];
    let mut outside = files_that_name("chat", &databases);
    outside.retain(|file| !file.starts_with("store/"));
    assert_none(&outside);
    for name in ["protocol", "app", "server"] {
        assert_none(&files_that_name(name, &databases));
    }
}

#[test]
fn chat_names_no_http() {
    let http = [
        "axum",
        "http",
        "hyper",
        "hyper_util",
        "reqwest",
        "tower",
        "tower_http",
    ];
    assert_none(&files_that_name("chat", &http));
}

#[test]
fn app_does_not_name_chat() {
    assert_none(&files_that_name("app", &["chat"]));
}

#[test]
fn long_files_have_a_reason() {
    let root = workspace();
    let long: Vec<String> = [&CRATES[..], &["frontend"]]
        .concat()
        .iter()
        .flat_map(|name| rust_files(&root.join(name)))
        .filter(|file| std::fs::read_to_string(file).unwrap().lines().count() > LONGEST)
        .map(|file| file.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    let listed = |file: &String| LONG_FILES.iter().any(|(name, _)| name == file);
    let unlisted: Vec<String> = long.iter().filter(|file| !listed(file)).cloned().collect();
    assert!(
        unlisted.is_empty(),
        "more than {LONGEST} lines:\n{}",
        unlisted.join("\n")
    );
    for (name, _) in LONG_FILES {
        assert!(
            long.iter().any(|file| file == name),
            "{name} is not long any more"
        );
    }
}

/// A crate of these files.
fn planted(files: &[(&str, &str)]) -> Crate {
    let mut krate = Crate::default();
    for (name, source) in files {
        krate.add(name, source);
    }
    krate
}

#[test]
fn cycle_between_folders_is_named_with_its_imports() {
    let krate = planted(&[
        ("lib.rs", "mod room; mod log;"),
        ("room/mod.rs", "mod access; pub use access::Access;"),
        (
            "room/access.rs",
            "use crate::log::{entry::Entry, writer}; pub struct Access;",
        ),
        ("log/mod.rs", "pub mod entry; pub mod writer;"),
        ("log/entry.rs", "pub struct Entry;"),
        (
            "log/writer.rs",
            "fn write() { println!(\"{:?}\", crate::room::Access) }",
        ),
    ]);
    let found = cycles("chat", &krate);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("room/access.rs imports crate::log::"),
        "{found:?}"
    );
    assert!(
        found[0].contains("log/writer.rs imports crate::room::Access"),
        "{found:?}"
    );
}

#[test]
fn tests_parents_and_children_make_no_cycle() {
    let krate = planted(&[
        ("lib.rs", "mod room; mod log; pub struct Chat;"),
        ("room/mod.rs", "mod access; use crate::Chat;"),
        (
            "room/access.rs",
            "use super::settings; #[cfg(test)] mod tests { use crate::log::Entry; }",
        ),
        ("log/mod.rs", "use crate::room::access; use crate::Chat;"),
    ]);
    assert_eq!(cycles("chat", &krate), Vec::<String>::new());
}
