//! Deletes a file for its sender or a moderator.

use protocol::{FileId, Refusal, RoomId};
use texts::refusal;

use crate::identity::person::Person;
use crate::store::file_rows::FileState;
use crate::store::files;
use crate::{Chat, Error};

/// How often a file is looked up that changes meanwhile: it does so once only, when it is attached.
const ATTEMPTS: usize = 3;

impl Chat {
    /// Deletes a file: its bytes go, and the message that has it says so to all followers. A message
    /// that says nothing without the file is deleted. The sender of the file and the moderators of the
    /// room may delete it.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] if the caller is neither, [`Refusal::NotFound`] if there is no such file
    /// for the caller, the refusals of [`Chat::find_room`], or a fault.
    pub async fn delete_file(&self, by: &Person, room: &RoomId, id: FileId) -> Result<(), Error> {
        self.load_room_row(by, *room).await?;
        for _ in 0..ATTEMPTS {
            let found = files::find(&mut self.0.store.reader().await?, id).await?;
            let found = found.filter(|found| found.room == *room);
            let found = found.ok_or(Refusal::NotFound(refusal::NO_FILE))?;
            match (found.state, found.message) {
                (FileState::Attached, Some(seq)) => {
                    return self.remove_attached_file(by, room, seq, id).await;
                }
                (FileState::Received | FileState::Ready, _) if found.person == by.id() => {
                    if self.give_up_file(by, id).await? {
                        return Ok(());
                    }
                }
                _ => break,
            }
        }
        Err(Refusal::NotFound(refusal::NO_FILE).into())
    }

    /// Gives a file up that is in no message. Returns whether it was in none.
    pub(super) async fn give_up_file(&self, by: &Person, id: FileId) -> Result<bool, Error> {
        let mut tx = self.begin_by(by).await?.tx;
        let is_given_up = files::give_up(&mut tx, self.now(), id).await?;
        tx.commit().await?;
        self.0.files.0.wake.notify_one();
        Ok(is_given_up)
    }
}
