//! What files may count together.

use protocol::{FileSpace, Refusal, RoomId};

use super::FileLimits;
use crate::Error;
use crate::store::files::FileUsage;
use crate::store::{Reader, files};

/// Checks that the files of a room, and those of all rooms, may have so many bytes more.
pub(super) async fn check_usage(
    from: &mut impl Reader,
    limits: FileLimits,
    room: RoomId,
    more: u64,
) -> Result<(), Error> {
    let usage: FileUsage = files::load_usage(from, room).await?;
    if usage.room.saturating_add(more) > limits.room {
        return Err(Refusal::FilesTooLarge(FileSpace::Room, limits.room).into());
    }
    if usage.server.saturating_add(more) > limits.server {
        return Err(Refusal::FilesTooLarge(FileSpace::Server, limits.server).into());
    }
    Ok(())
}
