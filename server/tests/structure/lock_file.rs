//! Where the crates in the lock files come from.
//!
//! # Guarantees
//! Every crate, on every platform, comes from crates.io or from this repository.

use crate::{assert_none, workspace};

/// The only source of crates outside of the workspace.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The crates of a lock file that come neither from the registry nor from the workspace, each with
/// those that use it.
fn foreign_sources(lock: &str, own: &[&str]) -> Vec<String> {
    let packages: Vec<&str> = lock.split("[[package]]\n").skip(1).collect();
    let field = |package: &str, name: &str| {
        let mut lines = package.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        value.map(|value| value.trim_matches('"').to_owned())
    };
    let uses = |package: &str, name: &str| {
        let mut lines = package
            .lines()
            .map(|line| line.trim_matches([' ', ',', '"']));
        lines.any(|line| line.split(' ').next() == Some(name))
    };
    let mut foreign = Vec::new();
    for package in &packages {
        let name = field(package, "name").unwrap();
        let source = field(package, "source").unwrap_or("a folder".to_owned());
        let is_own = source == "a folder" && own.contains(&name.as_str());
        if source != REGISTRY && !is_own {
            let users = packages.iter().filter(|user| uses(user, &name));
            let users: Vec<String> = users.filter_map(|user| field(user, "name")).collect();
            foreign.push(format!(
                "{name} comes from {source}, for {}",
                users.join(", ")
            ));
        }
    }
    foreign
}

#[test]
fn every_crate_comes_from_the_registry_or_the_workspace() {
    let own = [
        "app", "chat", "frontend", "fuzz", "protocol", "server", "texts",
    ];
    let lock = std::fs::read_to_string(workspace().join("Cargo.lock")).unwrap();
    assert_none(&foreign_sources(&lock, &own));
}

#[test]
fn crate_from_elsewhere_is_named_with_those_that_use_it() {
    let lock = "version = 4\n\n[[package]]\nname = \"server\"\nversion = \"0.1.0\"\ndependencies = [\n \"fork\",\n \"near 1.0.0\",\n]\n\n\
                [[package]]\nname = \"fork\"\nsource = \"git+https://example.org/fork#1\"\n\n\
                [[package]]\nname = \"near\"\nversion = \"1.0.0\"\n";
    let found = foreign_sources(lock, &["server"]);
    let expected = [
        "fork comes from git+https://example.org/fork#1, for server",
        "near comes from a folder, for server",
    ];
    assert_eq!(found, expected);
}
