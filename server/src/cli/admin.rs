//! The commands for operators: `backup`, `restore`, `admin grant`, `admin revoke`.

use std::path::Path;

use crate::config::Config;

/// Copies the database to a new file.
///
/// # Errors
/// A line that names why there is no backup.
#[tokio::main(flavor = "current_thread")]
pub async fn backup(config: &Config, file: &Path) -> Result<(), String> {
    chat::back_up_database(&config.chat(), file)
        .await
        .map_err(|error| format!("cannot back up: {error}"))?;
    tracing::info!("backed up to {}", file.display());
    Ok(())
}

/// Replaces the database by a backup.
///
/// # Errors
/// A line that names why nothing was restored.
#[tokio::main(flavor = "current_thread")]
pub async fn restore(config: &Config, file: &Path) -> Result<(), String> {
    chat::restore_database(&config.chat(), file)
        .await
        .map_err(|error| format!("cannot restore: {error}"))?;
    tracing::info!("restored from {}", file.display());
    Ok(())
}

/// Makes an account an operator, or takes that back.
///
/// # Errors
/// A line that names the account and the reason.
#[tokio::main(flavor = "current_thread")]
pub async fn set_operator(config: &Config, username: &str, operator: bool) -> Result<(), String> {
    let granted = chat::set_operator(&config.chat(), username, operator).await;
    granted.map_err(|error| format!("cannot change {username}: {error}"))?;
    tracing::info!(
        "{username} is {}",
        if operator {
            "an operator"
        } else {
            "no operator"
        }
    );
    Ok(())
}
