//! The style sheets follow the direction of the language: no property names the left or the right.

use std::path::{Path, PathBuf};

use super::{assert_none, workspace};

fn style_sheets(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                style_sheets(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Whether a declaration says where left and right are, and not where a line starts and ends.
fn is_physical(declaration: &str) -> bool {
    let declared = declaration.trim().strip_suffix(';');
    let Some((property, value)) = declared.and_then(|declared| declared.split_once(':')) else {
        return false;
    };
    let names_side = |text: &str| {
        text.split(['-', ' '])
            .any(|word| matches!(word, "left" | "right"))
    };
    let sides: Vec<&str> = value.split_whitespace().collect();
    let is_uneven = matches!(property, "inset" | "margin" | "padding")
        && matches!(sides[..], [_, right, _, left] if right != left);
    let is_aligned = matches!(property, "text-align" | "float" | "clear") && names_side(value);
    (names_side(property) && !property.starts_with("--")) || is_aligned || is_uneven
}

#[test]
fn declaration_that_names_a_side_is_found() {
    for physical in [
        "margin-left: 4px;",
        "right: 0;",
        "text-align: left;",
        "border-right-color: red;",
        "inset: 0 auto 0 0;",
        "padding: 1px 2px 3px 4px;",
    ] {
        assert!(is_physical(physical), "{physical}");
    }
    for logical in [
        "margin-inline-start: 4px;",
        "inset: 0 4px 1px 4px;",
        "text-align: end;",
        ".time-left:hover,",
    ] {
        assert!(!is_physical(logical), "{logical}");
    }
}

#[test]
fn styles_follow_the_direction_of_the_language() {
    let mut found = Vec::new();
    for path in style_sheets(&workspace().join("style")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| is_physical(line));
        found.extend(
            lines.map(|(number, line)| format!("{}:{}: {line}", path.display(), number + 1)),
        );
    }
    assert_none(&found);
}
