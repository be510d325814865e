//! Whether a received file is harmful, if a scanner is asked.
//!
//! # Guarantees
//! - A file that the scanner has not called clean stays received: no one can download it, and no
//!   message can have it. It is checked again, until it is a day old.
//! - A file that is harmful is given up.

use std::time::Duration;

use protocol::{FileId, Refusal, Time};
use texts::refusal;

use super::Files;
use super::scanner::Verdict;
use crate::Error;
use crate::store::file_rows::StoredFile;
use crate::store::{Store, files};
use crate::sync::lock;

/// How long an upload waits for the scanner. After that the file is checked without it.
pub(super) const IN_UPLOAD: Duration = Duration::from_secs(20);

/// Whether a preview is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawing {
    Now,
    /// A crash has interrupted the way of the file, and it may have been the drawing.
    Never,
}

/// A received file that was not checked yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldBack {
    pub id: FileId,
    /// Whether its preview is drawn once it has passed.
    pub drawing: Drawing,
}

/// Whether a file may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Passed,
    /// It is not known yet.
    Waits,
    /// It is not known yet, and that of other files will not be known either.
    ScannerAway,
}

impl Files {
    /// Asks the scanner about a received file.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] if the file is harmful, and is given up, or a fault.
    pub(super) async fn check(
        &self,
        store: &Store,
        now: Time,
        received: &StoredFile,
        patience: Duration,
    ) -> Result<Check, Error> {
        let Some(scanner) = &self.0.scanner else {
            return Ok(Check::Passed);
        };
        let id = received.id;
        let verdict = scanner.scan(&self.0.staging.path(id), patience).await;
        let (reason, check) = match verdict {
            Verdict::Clean => return Ok(Check::Passed),
            Verdict::Harmful(name) => return self.refuse_harmful(store, now, id, &name).await,
            Verdict::Unchecked(reason) => (reason, Check::Waits),
            Verdict::Away(reason) => (reason, Check::ScannerAway),
        };
        tracing::warn!(file = %id, %reason, "a file was not checked, and is held back");
        Ok(check)
    }

    /// Gives up a file that is harmful.
    async fn refuse_harmful<T>(
        &self,
        store: &Store,
        now: Time,
        id: FileId,
        found: &str,
    ) -> Result<T, Error> {
        tracing::warn!(file = %id, found, "a harmful file was refused");
        let mut tx = store.begin().await?;
        files::give_up(&mut tx, now, id).await?;
        tx.commit().await?;
        self.0.wake.notify_one();
        let rule = refusal::RULE_HARMLESS.fill([found]);
        Err(Refusal::invalid("file", rule).into())
    }

    /// Whether a scanner is asked.
    pub(super) fn has_scanner(&self) -> bool {
        self.0.scanner.is_some()
    }

    /// Whether a received file waits in this process until it is checked again.
    pub(super) fn is_held_back(&self, id: FileId) -> bool {
        self.has_scanner() && self.0.staging.path(id).exists()
    }

    /// Holds a file back until it is checked again.
    pub(super) fn hold_back(&self, file: HeldBack) {
        lock(&self.0.held_back).push(file);
    }
}
