//! `webchat archive verify`: checks that an archive is whole.

use std::io::Write;
use std::path::Path;

use chat::CheckedArchive;

/// Checks an archive, and prints what is wrong and what was checked.
///
/// # Errors
/// One line that says how much is wrong, or why the archive cannot be read.
pub fn verify(file: &Path) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    // If the terminal is gone, the exit code still tells the result.
    let mut say = |text: &str| drop(writeln!(output, "{text}"));
    let checked = chat::verify_archive(file, &mut say)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let CheckedArchive {
        messages,
        files,
        file_bytes,
        faults,
    } = checked;
    match faults {
        0 => {
            say(&format!(
                "{} is whole: {messages} messages, {files} files with {file_bytes} bytes",
                file.display()
            ));
            Ok(())
        }
        1 => Err(format!("{} is not whole: 1 fault", file.display())),
        faults => Err(format!("{} is not whole: {faults} faults", file.display())),
    }
}
