//! Tests in Rust, as the built test binaries list them.
//!
//! The binaries of one `cargo test` lie in one folder, and all of them are built before the first
//! is run. A binary that is older than its sources comes from an earlier run and is not used.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

use super::{NamedTest, TestState, assert_named_tests_run, repository};

/// A folder of sources and the test binary that is built from them.
struct TestBinary {
    name: &'static str,
    /// Where the modules of the binary begin.
    folder: &'static str,
}

const BINARIES: [TestBinary; 8] = [
    TestBinary {
        name: "protocol",
        folder: "protocol/src/",
    },
    TestBinary {
        name: "chat",
        folder: "chat/src/",
    },
    TestBinary {
        name: "upgrade",
        folder: "chat/tests/upgrade/",
    },
    TestBinary {
        name: "app",
        folder: "app/src/",
    },
    TestBinary {
        name: "server",
        folder: "server/src/",
    },
    TestBinary {
        name: "it",
        folder: "server/tests/it/",
    },
    TestBinary {
        name: "external",
        folder: "server/tests/external/",
    },
    TestBinary {
        name: "structure",
        folder: "server/tests/structure/",
    },
];

/// The tests of a binary, by their paths.
struct TestList {
    all: HashSet<String>,
    ignored: HashSet<String>,
}

pub fn every_guarantee_names_rust_tests_that_run() {
    let lists: HashMap<&str, TestList> = BINARIES
        .iter()
        .map(|binary| (binary.folder, binary.list_tests()))
        .collect();
    assert_named_tests_run(
        |test| !test.is_in_browser(),
        |test| {
            let mut lists = lists.iter();
            lists
                .find_map(|(folder, list)| Some(list.find(test.file.strip_prefix(folder)?, test)))
                .unwrap_or(TestState::Missing)
        },
    );
}

/// Names the test binaries that this run of cargo has not built.
pub fn find_missing_test_binaries() -> Option<String> {
    let missing: Vec<&str> = BINARIES
        .iter()
        .filter(|binary| binary.find().is_none())
        .map(|binary| binary.name)
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "the tests of {} are not built (cargo test --workspace builds them)",
            missing.join(", ")
        )
    })
}

impl TestBinary {
    /// The newest binary of this name beside the one that runs, unless its sources are newer.
    fn find(&self) -> Option<PathBuf> {
        let current = env::current_exe().unwrap();
        let is_ours = |path: &PathBuf| {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let hash = name
                .strip_prefix(self.name)
                .and_then(|name| name.strip_prefix('-'));
            hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        let binary = files_of(current.parent().unwrap())
            .filter(is_ours)
            .max_by_key(|path| modified(path))?;
        let is_fresh = modified(&binary) >= newest_source(&repository().join(self.folder));
        is_fresh.then_some(binary)
    }

    fn list_tests(&self) -> TestList {
        let binary = self.find().expect("its sources are older");
        TestList {
            all: run_list(&binary, &[]),
            ignored: run_list(&binary, &["--ignored"]),
        }
    }
}

impl TestList {
    /// What the binary does with a test of the file at `path`, which may stand in any module within
    /// that file.
    fn find(&self, path: &str, test: &NamedTest) -> TestState {
        let module = path
            .trim_end_matches(".rs")
            .trim_end_matches("/mod")
            .replace('/', "::");
        let module = match module.as_str() {
            "lib" | "main" => String::new(),
            module => format!("{module}::"),
        };
        let is_same = |listed: &&String| {
            let rest = listed.strip_prefix(&module);
            rest.is_some_and(|rest| rest.rsplit("::").next() == Some(&test.name))
        };
        match self.all.iter().find(is_same) {
            None => TestState::Missing,
            Some(listed) if self.ignored.contains(listed) => TestState::Ignored,
            Some(_) => TestState::Runs,
        }
    }
}

fn run_list(binary: &Path, more: &[&str]) -> HashSet<String> {
    let output = Command::new(binary)
        .args(["--list", "--format", "terse"])
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{binary:?} lists no tests");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect()
}

fn files_of(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path())
}

fn modified(path: &Path) -> SystemTime {
    let metadata = fs::metadata(path).unwrap();
    metadata.modified().unwrap()
}

fn newest_source(folder: &Path) -> SystemTime {
    let times = files_of(folder).map(|path| match path.is_dir() {
        true => newest_source(&path),
        false => modified(&path),
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}
