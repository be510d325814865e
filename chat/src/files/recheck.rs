//! The task that checks the files again that were held back.
//!
//! # Guarantees
//! - A scanner that does not answer is asked about one file, and about the others a minute later.

use std::time::Duration;

use super::check::{Check, HeldBack};
use super::{Files, ObjectKey};
use crate::retries::Retries;
use crate::store::file_rows::{FileRow, FileState};
use crate::store::{Store, files};
use crate::sync::lock;
use crate::{Clock, Error};

/// How long the scanner may take for a file that waits.
const LATER: Duration = Duration::from_secs(300);

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_secs(60);

/// The task.
#[derive(Clone, Debug)]
pub(crate) struct FileRecheck {
    pub files: Files,
    pub store: Store,
    pub clock: Clock,
}

impl FileRecheck {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut retries = Retries::of("publish files that were held back");
        loop {
            retries.note(self.check_all().await);
            self.clock
                .sleep_until(self.clock.now().after(INTERVAL))
                .await;
        }
    }

    /// Checks all files that are held back.
    pub(super) async fn check_all(&self) -> Result<(), Error> {
        let mut waiting = std::mem::take(&mut *lock(&self.files.0.held_back)).into_iter();
        while let Some(file) = waiting.next() {
            let checked = self.check(file).await;
            if !matches!(checked, Ok(Check::Passed)) {
                self.files.hold_back(file);
            }
            if !matches!(checked, Ok(Check::Passed | Check::Waits)) {
                lock(&self.files.0.held_back).extend(waiting);
                return checked.map(drop);
            }
        }
        Ok(())
    }

    /// Checks a file that is held back, and publishes it. A file that is given up has passed, too.
    async fn check(&self, HeldBack { id, drawing }: HeldBack) -> Result<Check, Error> {
        let found = files::find(&mut self.store.reader().await?, id).await?;
        let Some(FileRow {
            state: FileState::Received,
            room,
            file,
            ..
        }) = found
        else {
            return Ok(Check::Passed);
        };
        let (files, store, now) = (&self.files, &self.store, self.clock.now());
        let checked = async {
            let checked = files.check(store, now, &file, LATER).await?;
            if checked == Check::Passed {
                let published = files.publish_checked(store, now, room, file.clone(), drawing);
                published.await?;
                files
                    .store()
                    .delete_pieces(ObjectKey { room, file: id })
                    .await?;
            }
            Ok(checked)
        };
        match checked.await {
            Err(Error::Refusal(_)) => Ok(Check::Passed),
            checked => checked,
        }
    }
}
