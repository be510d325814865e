//! The room and the file in an address.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use protocol::{FileId, Refusal, RoomId};
use texts::refusal;

use crate::error::Error;

/// The room and the file in an address. What the address says of the file's name does not matter: the
/// name is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilePath {
    /// The room.
    pub room: RoomId,
    /// The file.
    pub file: FileId,
}

impl<S: Send + Sync> FromRequestParts<S> for FilePath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let path = parts.extract::<RawPathParams>().await.ok();
        let mut values = path.iter().flat_map(|path| path.iter());
        let room = values.next().and_then(|(_, id)| id.parse().ok());
        let file = values.next().and_then(|(_, id)| id.parse().ok());
        let room = room.ok_or(Refusal::NotFound(refusal::NO_ROOM))?;
        let file = file.ok_or(Refusal::NotFound(refusal::NO_FILE))?;
        Ok(Self { room, file })
    }
}
