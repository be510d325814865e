//! The list of what is promised names tests that exist.

use std::path::Path;

/// The spans of code in a line of the list, each a file and a test in it.
fn proofs(line: &str) -> Vec<(&str, &str)> {
    line.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|span| span.split_once(": "))
        .collect()
}

#[test]
fn every_promise_is_proved_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let list = std::fs::read_to_string(root.join("docs/guarantees.md")).unwrap();
    let promises = list.lines().filter(|line| {
        line.starts_with("| ") && !line.starts_with("| promise") && !line.starts_with("| -")
    });
    let mut count = 0;
    for promise in promises {
        let proofs = proofs(promise);
        assert!(!proofs.is_empty(), "nothing proves: {promise}");
        for (file, test) in proofs {
            let source = std::fs::read_to_string(root.join(file))
                .unwrap_or_else(|error| panic!("{file}: {error}"));
            let written = match file.ends_with(".rs") {
                true => [format!("fn {test}("), format!("fn {test}<")],
                false => [format!("test(\"{test}\""), format!("test(`{test}`")],
            };
            assert!(
                written.iter().any(|test| source.contains(test)),
                "there is no test “{test}” in {file}"
            );
        }
        count += 1;
    }
    assert!(count > 30, "only {count} promises were read");
}
