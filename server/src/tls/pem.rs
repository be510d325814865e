//! Reads the PEM files that flags name.

use std::path::Path;

/// Reads a file.
///
/// # Errors
/// One line with the flag, the file and the reason.
pub(crate) async fn read_file(flag: &str, file: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(file)
        .await
        .map_err(|error| format!("cannot read {flag} {}: {error}", file.display()))
}
