//! Running other programs to their end.

use std::process::Command;

use crate::Failure;

/// Runs a command to its end. Returns its output.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {why}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
