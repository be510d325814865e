//! The recipes of docs/operating.md, which tests follow word by word but for names, ports and files.

use std::path::Path;

/// The code block in this language that begins with these words.
///
/// # Errors
/// There is no such block.
pub fn read(language: &str, begin: &str) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let missing = || format!("docs/operating.md has no {language} block with {begin:?}");
    let (_, rest) = text
        .split_once(&format!("\n```{language}\n{begin}"))
        .ok_or_else(missing)?;
    let (block, _) = rest.split_once("\n```\n").ok_or_else(missing)?;
    Ok(format!("{begin}{block}\n"))
}

/// Replaces words of a recipe.
///
/// # Errors
/// One of the words is not in it.
pub fn adapt(mut recipe: String, changes: &[(&str, String)]) -> Result<String, String> {
    for (words, others) in changes {
        if !recipe.contains(words) {
            return Err(format!("{words:?} is not in {recipe}"));
        }
        recipe = recipe.replace(words, others);
    }
    Ok(recipe)
}
