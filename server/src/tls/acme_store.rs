//! The files of ACME: the account's key, and the newest certificate with its key.
//!
//! # Guarantees
//! A file is readable by its owner only, and complete or absent: a crash leaves no partial file. A
//! file belongs to one authority, contact and set of domains, because its name is a digest of them.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use protocol::hexadecimal;
use rustls_acme::{AccountCache, CertCache};
use sha2::{Digest, Sha256};

use crate::config::types::AcmeSettings;

/// How many bytes of a digest are in a file's name.
const DIGEST_BYTES: usize = 8;

/// The files of one account and one certificate.
#[derive(Clone, Debug)]
pub(super) struct AcmeStore {
    account_file: PathBuf,
    cert_file: PathBuf,
    /// The newest certificate with its key, also if it could not be written to the disk.
    newest: Arc<Mutex<Option<Vec<u8>>>>,
}

impl AcmeStore {
    /// Creates the folder of these settings, if it does not exist.
    ///
    /// # Errors
    /// One line with the folder and the reason.
    pub fn open(settings: &AcmeSettings) -> Result<Self, String> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&settings.dir)
            .map_err(|error| format!("cannot create {}: {error}", settings.dir.display()))?;
        let directory = std::iter::once(&settings.directory);
        let account = digest(directory.clone().chain(&settings.contact));
        let cert = digest(directory.chain(&settings.domains));
        Ok(Self {
            account_file: settings.dir.join(format!("account-{account}.key")),
            cert_file: settings.dir.join(format!("certificate-{cert}.pem")),
            newest: Arc::default(),
        })
    }

    pub fn cert_file(&self) -> &Path {
        &self.cert_file
    }

    fn newest(&self) -> MutexGuard<'_, Option<Vec<u8>>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A digest of these texts, in hexadecimal.
fn digest<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    let digest = texts.fold(Sha256::new(), |digest, text| {
        digest.chain_update(text).chain_update([0])
    });
    hexadecimal(&digest.finalize()[..DIGEST_BYTES])
}

#[async_trait]
impl CertCache for AcmeStore {
    type EC = io::Error;

    async fn load_cert(&self, _: &[String], _: &str) -> io::Result<Option<Vec<u8>>> {
        let newest = self.newest().clone();
        if newest.is_some() {
            Ok(newest)
        } else {
            read_if_exists(&self.cert_file).await
        }
    }

    async fn store_cert(&self, _: &[String], _: &str, pem: &[u8]) -> io::Result<()> {
        *self.newest() = Some(pem.to_owned());
        write_private_file(&self.cert_file, pem).await
    }
}

#[async_trait]
impl AccountCache for AcmeStore {
    type EA = io::Error;

    async fn load_account(&self, _: &[String], _: &str) -> io::Result<Option<Vec<u8>>> {
        read_if_exists(&self.account_file).await
    }

    async fn store_account(&self, _: &[String], _: &str, key: &[u8]) -> io::Result<()> {
        write_private_file(&self.account_file, key).await
    }
}

async fn read_if_exists(file: &Path) -> io::Result<Option<Vec<u8>>> {
    match tokio::fs::read(file).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a temporary file that only its owner can read, and renames it.
async fn write_private_file(file: &Path, content: &[u8]) -> io::Result<()> {
    let target = file.to_owned();
    let content = content.to_owned();
    let write = move || {
        let temporary = target.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(&content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &target)
    };
    tokio::task::spawn_blocking(write).await?
}
