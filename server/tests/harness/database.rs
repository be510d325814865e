//! The database of a test: a file in its data directory, or a schema of its own in the database that
//! the tests are given in `WEBCHAT_TEST_DATABASE`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

/// The configuration of a chat with this data directory and its database.
pub fn config_of(data_dir: &Path) -> chat::Config {
    chat::Config {
        database: database_of(data_dir),
        ..chat::Config::new(data_dir)
    }
}

/// The URL of the database file in this data directory, for tests of files.
pub fn file_in(data_dir: &Path) -> String {
    format!("sqlite:{}", data_dir.join("webchat.db").display())
}

/// The URL of the database that belongs to this data directory; `None` if it is a file there.
pub fn database_of(data_dir: &Path) -> Option<String> {
    let url = std::env::var("WEBCHAT_TEST_DATABASE").ok()?;
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    let schema = format!("test_{:016x}", hasher.finish());
    let sql = format!("create schema if not exists {schema}");
    let created = Command::new("psql")
        .args([&url, "--quiet", "--command", &sql])
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .status();
    assert!(created.unwrap().success(), "psql cannot create a schema");
    Some(format!("{url}?options=-c%20search_path%3D{schema}"))
}
