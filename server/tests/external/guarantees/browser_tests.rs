//! Tests in a browser, as Playwright lists them.

use std::process::Command;

use serde_json::Value;

use super::{NamedTest, TestState, assert_named_tests_run, repository};
use crate::find_missing_program;

/// A test of Playwright's list.
struct ListedTest {
    /// The file below `end2end/tests/`.
    file: String,
    title: String,
    is_skipped: bool,
}

pub fn every_guarantee_names_browser_tests_that_run() {
    let listed = list_tests();
    assert_named_tests_run(NamedTest::is_in_browser, |test| find(test, &listed));
}

/// Says what is missing for Playwright to list its tests.
pub fn find_missing_playwright() -> Option<String> {
    let program = repository().join("end2end/node_modules/.bin/playwright");
    let missing = "Playwright is not installed (make test installs it)";
    find_missing_program("node").or((!program.exists()).then(|| missing.to_owned()))
}

fn find(test: &NamedTest, listed: &[ListedTest]) -> TestState {
    let same: Vec<&ListedTest> = listed
        .iter()
        .filter(|listed| test.file.strip_prefix("end2end/tests/") == Some(&listed.file))
        .filter(|listed| matches_template(&test.name, &listed.title))
        .collect();
    if same.is_empty() {
        TestState::Missing
    } else if same.iter().any(|listed| listed.is_skipped) {
        TestState::Ignored
    } else {
        TestState::Runs
    }
}

/// Whether a title is one that this template literal makes: `back ${where}` makes `back from
/// sleep`.
fn matches_template(template: &str, title: &str) -> bool {
    let mut parts = template.split("${");
    let begin = parts.next().unwrap_or_default();
    let Some(mut rest) = title.strip_prefix(begin) else {
        return false;
    };
    let literals: Vec<&str> = parts
        .filter_map(|part| Some(part.split_once('}')?.1))
        .collect();
    let Some((end, middle)) = literals.split_last() else {
        return rest.is_empty();
    };
    for literal in middle {
        let Some((_, after)) = rest.split_once(literal) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(end)
}

fn list_tests() -> Vec<ListedTest> {
    let folder = repository().join("end2end");
    let output = Command::new("node")
        .arg("node_modules/.bin/playwright")
        .args(["test", "--list", "--reporter=json"])
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "Playwright lists no tests: {error}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut tests = Vec::new();
    for suite in items(&report, "suites") {
        collect_tests(suite, &mut tests);
    }
    tests
}

fn collect_tests(suite: &Value, tests: &mut Vec<ListedTest>) {
    for spec in items(suite, "specs") {
        tests.push(ListedTest {
            file: spec["file"].as_str().unwrap().to_owned(),
            title: spec["title"].as_str().unwrap().to_owned(),
            is_skipped: items(spec, "tests").iter().any(is_skipped),
        });
    }
    for inner in items(suite, "suites") {
        collect_tests(inner, tests);
    }
}

fn is_skipped(test: &Value) -> bool {
    let is_mark = |mark: &Value| matches!(mark["type"].as_str(), Some("skip" | "fixme"));
    test["expectedStatus"] == "skipped" || items(test, "annotations").iter().any(is_mark)
}

fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}
