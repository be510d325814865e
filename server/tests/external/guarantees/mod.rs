//! The tests that `docs/guarantees.md` and `docs/threats.md` name exist, and their runners run them.
//!
//! # Guarantees
//! - Each row of the list names at least one test.
//! - Each named test is in its runner's own list, and is neither ignored nor skipped there.

mod browser_tests;
mod rust_tests;

use std::fs;
use std::path::{Path, PathBuf};

pub use browser_tests::{every_guarantee_names_browser_tests_that_run, find_missing_playwright};
pub use rust_tests::{every_guarantee_names_rust_tests_that_run, find_missing_test_binaries};

/// A row of the list.
struct Guarantee {
    promise: String,
    tests: Vec<NamedTest>,
}

/// A test as a row names it: `file: name`.
struct NamedTest {
    file: String,
    name: String,
}

/// What a runner does with a test.
enum TestState {
    Runs,
    Ignored,
    Missing,
}

impl NamedTest {
    fn parse(span: &str) -> Option<Self> {
        let (file, name) = span.split_once(": ")?;
        Some(Self {
            file: file.to_owned(),
            name: name.to_owned(),
        })
    }

    fn is_in_browser(&self) -> bool {
        self.file.starts_with("end2end/")
    }
}

fn repository() -> PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().unwrap().to_owned()
}

/// Reads the rows of the tables of both lists, without their heads.
fn read_guarantees() -> Vec<Guarantee> {
    let read = |page| fs::read_to_string(repository().join("docs").join(page)).unwrap();
    let text = ["guarantees.md", "threats.md"].map(read).join("\n");
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("| ---"));
    let rows = (0..lines.len()).filter(|&row| {
        lines[row].starts_with("| ") && !is_rule(lines.get(row)) && !is_rule(lines.get(row + 1))
    });
    let guarantees: Vec<Guarantee> = rows.map(|row| parse_row(lines[row])).collect();
    assert!(
        guarantees.len() > 30,
        "only {} guarantees were read",
        guarantees.len()
    );
    guarantees
}

fn parse_row(row: &str) -> Guarantee {
    let mut cells = row.trim_matches('|').splitn(2, " | ");
    let promise = cells.next().unwrap().trim().to_owned();
    let spans = cells.next().unwrap_or_default().split('`');
    let tests: Vec<NamedTest> = spans
        .skip(1)
        .step_by(2)
        .filter_map(NamedTest::parse)
        .collect();
    assert!(!tests.is_empty(), "“{promise}” names no test");
    Guarantee { promise, tests }
}

/// Fails with a sentence for each named test of this kind that does not run.
fn assert_named_tests_run(
    is_of_kind: impl Fn(&NamedTest) -> bool,
    find_state: impl Fn(&NamedTest) -> TestState,
) {
    let mut problems = Vec::new();
    for guarantee in read_guarantees() {
        for test in guarantee.tests.iter().filter(|test| is_of_kind(test)) {
            let problem = match find_state(test) {
                TestState::Runs => continue,
                TestState::Ignored => "is ignored by its runner",
                TestState::Missing => "is not in the list of its runner",
            };
            problems.push(format!(
                "“{}” is not proved: the test “{}” of {} {problem}",
                guarantee.promise, test.name, test.file
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
