//! The commands that work on the database: `backup`, `restore`, `admin grant`, `admin revoke`.

use std::path::Path;

use crate::config::Config;

/// Copies the database to a new file.
///
/// # Errors
/// One line with the reason why there is no backup.
#[tokio::main(flavor = "current_thread")]
pub async fn backup(config: &Config, file: &Path) -> Result<(), String> {
    chat::back_up_database(&config.chat(), file)
        .await
        .map_err(|error| format!("cannot back up to {}: {error}", file.display()))?;
    tracing::info!("backed up to {}", file.display());
    Ok(())
}

/// Replaces the database by a backup.
///
/// # Errors
/// One line with the reason why nothing was restored.
#[tokio::main(flavor = "current_thread")]
pub async fn restore(config: &Config, file: &Path) -> Result<(), String> {
    chat::restore_database(&config.chat(), file)
        .await
        .map_err(|error| format!("cannot restore from {}: {error}", file.display()))?;
    tracing::info!("restored from {}", file.display());
    Ok(())
}

/// Grants the operator role to an account, or revokes it.
///
/// # Errors
/// One line with the account and the reason.
#[tokio::main(flavor = "current_thread")]
pub async fn set_operator(
    config: &Config,
    username: &str,
    is_operator: bool,
) -> Result<(), String> {
    chat::set_operator(&config.chat(), username, is_operator)
        .await
        .map_err(|error| format!("cannot change the operator role of {username}: {error}"))?;
    if is_operator {
        tracing::info!("{username} is now an operator");
    } else {
        tracing::info!("{username} is no longer an operator");
    }
    Ok(())
}
