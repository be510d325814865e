//! The key file of the data directory, with which a server signs tokens.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::data_dir::sync_parent;
use crate::Error;

/// The name of the file in the data directory.
const NAME: &str = "jwt.key";

/// Reads the key file of a data directory, which is created if it does not exist.
pub(crate) fn load_or_create_key(data_dir: &Path) -> Result<String, Error> {
    match find_key(data_dir)? {
        Some(key) => Ok(key),
        None => create_key(data_dir),
    }
}

/// The key of a data directory, if it has one.
pub(crate) fn find_key(data_dir: &Path) -> Result<Option<String>, Error> {
    let path = data_dir.join(NAME);
    match std::fs::read(&path) {
        Ok(key) if key.len() >= 32 => Ok(Some(String::from_utf8(key).map_err(Error::fault)?)),
        Ok(_) => Err(Error::fault(format!(
            "{} is too short to be a key",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn create_key(data_dir: &Path) -> Result<String, Error> {
    let mut key = String::new();
    for _ in 0..4 {
        key += &format!("{:016x}", getrandom::u64()?);
    }
    write_key(data_dir, &key)?;
    Ok(key)
}

/// Writes a key beside its place, and renames it when it is durable.
pub(crate) fn write_key(data_dir: &Path, key: &str) -> Result<(), Error> {
    let path = data_dir.join(NAME);
    let temporary = path.with_extension("new");
    let mut file: File = private_file_options().open(&temporary)?;
    file.write_all(key.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, &path)?;
    sync_parent(&path)
}

/// Options that create a file which only its owner may read.
fn private_file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
