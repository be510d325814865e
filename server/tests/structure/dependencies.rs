//! The crates that webchat is built from: their licences and versions.
//!
//! # Guarantees
//! Every crate, also one that only tests use, has a licence that is allowed. No crate is there in
//! two incompatible versions, unless the older one is listed with a reason. What breaks a rule is
//! printed with the crates that bring it in.
//!
//! # Not here
//! Crates that are compiled on other platforms only, where crates come from (`lock_file`), and who
//! maintains them (`docs/dependencies.md`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::Command;

use serde_json::{Value, json};

use crate::licence::is_allowed;
use crate::{assert_none, workspace};

/// Older versions beside a newer one, each group with the reason why it is there.
const OLDER: &[(&str, &[&str])] = &[
    (
        "jsonwebtoken and oauth2 use the earlier generation of RustCrypto",
        &[
            "base16ct 0.2",
            "block-buffer 0.10",
            "const-oid 0.9",
            "cpufeatures 0.2",
            "crypto-bigint 0.5",
            "crypto-common 0.1",
            "curve25519-dalek 4",
            "der 0.7",
            "digest 0.10",
            "ecdsa 0.16",
            "ed25519 2",
            "ed25519-dalek 2",
            "elliptic-curve 0.13",
            "ff 0.13",
            "getrandom 0.2",
            "group 0.13",
            "hkdf 0.12",
            "hmac 0.12",
            "p256 0.13",
            "p384 0.13",
            "pem-rfc7468 0.7",
            "pkcs8 0.10",
            "primeorder 0.13",
            "rand 0.8",
            "rand_chacha 0.3",
            "rand_core 0.6",
            "rfc6979 0.4",
            "sec1 0.7",
            "sha2 0.10",
            "signature 2",
            "spki 0.7",
        ],
    ),
    (
        "axum and tungstenite use it for the handshake of WebSockets",
        &["sha1 0.10"],
    ),
    (
        "governor, leptos and tungstenite use the rand before the present one",
        &["getrandom 0.3", "rand 0.9", "rand_core 0.9"],
    ),
    (
        "serde_with names it as an option that nothing enables; it is not compiled",
        &[
            "hashbrown 0.12",
            "indexmap 1",
            "jiff 0.2",
            "jiff-core 0.1",
            "schemars 0.9",
        ],
    ),
    (
        "dashmap, governor and sqlx use it",
        &["hashbrown 0.14", "hashbrown 0.16"],
    ),
    ("axum, leptos and oauth2 use it", &["base64 0.22"]),
    (
        "leptos and openidconnect have not moved to it yet",
        &["itertools 0.14"],
    ),
    (
        "leptos has not moved to it yet",
        &["convert_case 0.6", "gloo-net 0.6", "gloo-utils 0.2"],
    ),
    (
        "rustls-acme has not moved to it yet",
        &["pem 3", "rcgen 0.13", "yasna 0.5"],
    ),
    ("only tests use it, by rcgen", &["bit-vec 0.9"]),
    ("only tests use it, by proptest", &["quick-error 1"]),
    ("png has not moved to it yet", &["miniz_oxide 0.8"]),
    (
        "macros that run at compile time use it",
        &["syn 2", "synstructure 0.13"],
    ),
    (
        "openidconnect, oauth2 and leptos use it",
        &["thiserror 1", "thiserror-impl 1"],
    ),
];

struct Package {
    name: String,
    version: String,
    licence: Option<String>,
}

/// The crates, and which of them use which.
#[derive(Default)]
struct Graph {
    packages: BTreeMap<String, Package>,
    users: BTreeMap<String, Vec<String>>,
    members: BTreeSet<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

impl Graph {
    /// The crates for this platform. With a complete download cargo needs no network for it.
    fn read() -> Self {
        let arguments = "metadata --locked --format-version 1 --filter-platform host-tuple";
        let output = Command::new(env!("CARGO"))
            .args(arguments.split(' '))
            .current_dir(workspace())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo {arguments}:\n{errors}");
        Self::parse(&serde_json::from_slice(&output.stdout).unwrap())
    }

    fn parse(metadata: &Value) -> Self {
        let mut graph = Self::default();
        for package in array(&metadata["packages"]) {
            let found = Package {
                name: text(&package["name"]),
                version: text(&package["version"]),
                licence: package["license"].as_str().map(str::to_owned),
            };
            graph.packages.insert(text(&package["id"]), found);
        }
        for node in array(&metadata["resolve"]["nodes"]) {
            for used in array(&node["dependencies"]) {
                let users = graph.users.entry(text(used)).or_default();
                users.push(text(&node["id"]));
            }
        }
        let members = array(&metadata["workspace_members"]);
        graph.members = members.iter().map(text).collect();
        graph
    }

    /// The shortest way from a crate of the workspace to this one.
    fn way_to(&self, id: &str) -> String {
        let mut next = VecDeque::from([vec![id]]);
        let mut seen = BTreeSet::from([id]);
        while let Some(way) = next.pop_front() {
            let first = way[0];
            if self.members.contains(first) {
                return self.print(&way);
            }
            for user in self.users.get(first).into_iter().flatten() {
                if seen.insert(user) {
                    next.push_back([&[user.as_str()], &way[..]].concat());
                }
            }
        }
        self.print(&[id])
    }

    fn print(&self, way: &[&str]) -> String {
        let names = way.iter().map(|id| {
            let package = &self.packages[*id];
            format!("{} {}", package.name, package.version)
        });
        names.collect::<Vec<_>>().join(" > ")
    }

    /// The crates whose licence is not allowed.
    fn refused_licences(&self) -> Vec<String> {
        let refused = |(id, package): (&String, &Package)| {
            let licence = package.licence.as_deref().unwrap_or("no licence");
            (!is_allowed(licence)).then(|| format!("{licence}: {}", self.way_to(id)))
        };
        self.packages.iter().filter_map(refused).collect()
    }

    /// The crates beside which a newer, incompatible version is there, by name and version.
    fn older_versions(&self) -> BTreeMap<String, String> {
        let mut by_name: BTreeMap<&str, BTreeMap<[u64; 3], &str>> = BTreeMap::new();
        for (id, package) in &self.packages {
            let versions = by_name.entry(&package.name).or_default();
            versions.insert(compatible_version(&package.version), id);
        }
        let mut older = BTreeMap::new();
        for (name, mut versions) in by_name {
            versions.pop_last();
            for (version, id) in versions {
                older.insert(
                    format!("{name} {}", print_version(version)),
                    self.way_to(id),
                );
            }
        }
        older
    }
}

/// The part of a version that changes with an incompatible one: 1 of 1.2.3, and 0.2 of 0.2.3.
fn compatible_version(version: &str) -> [u64; 3] {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<u64> = numbers
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    match numbers[..] {
        [0, 0, patch] => [0, 0, patch],
        [0, minor, _] => [0, minor, 0],
        [major, ..] => [major, 0, 0],
        [] => panic!("no version: {version}"),
    }
}

fn print_version(version: [u64; 3]) -> String {
    match version {
        [0, 0, patch] => format!("0.0.{patch}"),
        [0, minor, _] => format!("0.{minor}"),
        [major, ..] => major.to_string(),
    }
}

/// What differs between the older versions that are there and those that have a reason.
fn unlisted(graph: &Graph, listed: &[(&str, &[&str])]) -> Vec<String> {
    let found = graph.older_versions();
    let listed: BTreeSet<&str> = listed
        .iter()
        .flat_map(|(_, crates)| *crates)
        .copied()
        .collect();
    let new = found
        .iter()
        .filter(|(name, _)| !listed.contains(name.as_str()));
    let new = new.map(|(name, way)| format!("{name} has no reason: {way}"));
    let gone = listed.iter().filter(|name| !found.contains_key(**name));
    let gone = gone.map(|name| format!("{name} is not there beside a newer one any more"));
    new.chain(gone).collect()
}

#[test]
fn every_crate_has_an_allowed_licence() {
    assert_none(&Graph::read().refused_licences());
}

#[test]
fn older_version_beside_a_newer_one_has_a_reason() {
    assert_none(&unlisted(&Graph::read(), OLDER));
}

/// Three crates of which each uses the next one.
fn planted(packages: [(&str, &str, Option<&str>); 3]) -> Graph {
    let id = |index: usize| format!("{index}");
    let packages_json = packages.iter().enumerate().map(|(index, (name, version, licence))| {
        json!({"id": id(index), "name": name, "version": version, "license": licence})
    });
    let nodes = (0..3).map(|index| {
        let used: Vec<String> = (index + 1..3).take(1).map(id).collect();
        json!({"id": id(index), "dependencies": used})
    });
    Graph::parse(&json!({
        "packages": packages_json.collect::<Vec<_>>(),
        "resolve": {"nodes": nodes.collect::<Vec<_>>()},
        "workspace_members": ["0"],
    }))
}

#[test]
fn forbidden_licence_is_named_with_the_crates_that_bring_it_in() {
    for (licence, printed) in [
        (Some("MIT AND GPL-3.0"), "MIT AND GPL-3.0"),
        (None, "no licence"),
    ] {
        let graph = planted([
            ("server", "0.1.0", Some("MIT")),
            ("between", "1.2.3", Some("MIT/Apache-2.0")),
            ("copyleft", "4.0.0", licence),
        ]);
        let expected = format!("{printed}: server 0.1.0 > between 1.2.3 > copyleft 4.0.0");
        assert_eq!(graph.refused_licences(), [expected]);
    }
}

#[test]
fn second_version_without_a_reason_is_named_with_the_crates_that_bring_it_in() {
    let graph = planted([
        ("server", "0.1.0", None),
        ("rand", "0.10.3", None),
        ("rand", "0.8.6", None),
    ]);
    let found = "rand 0.8 has no reason: server 0.1.0 > rand 0.10.3 > rand 0.8.6";
    assert_eq!(unlisted(&graph, &[]), [found]);
    assert_eq!(unlisted(&graph, &[("reason", &["rand 0.8"])]), [""; 0]);
    let gone = "rand 0.9 is not there beside a newer one any more";
    assert_eq!(
        unlisted(&graph, &[("reason", &["rand 0.8", "rand 0.9"])]),
        [gone]
    );
    // Compatible versions are one: only the last is there.
    let graph = planted([
        ("server", "0.1.0", None),
        ("rand", "1.3.0", None),
        ("rand", "1.2.0", None),
    ]);
    assert_eq!(unlisted(&graph, &[]), [""; 0]);
}
