//! The parts of an address: the room, what the address names inside a room, the code of an
//! invitation.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path, RawPathParams};
use axum::http::request::Parts;
use protocol::{Refusal, RoomId};
use texts::refusal;

use crate::error::Error;

/// The room in an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomPath(pub RoomId);

impl RoomPath {
    /// The room in an address that may name more inside it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the address has no valid room.
    pub async fn from_first_part(parts: &mut Parts) -> Result<RoomId, Refusal> {
        let path = parts.extract::<RawPathParams>().await.ok();
        let id = path.as_ref().and_then(|path| path.iter().next());
        let id = id.and_then(|(_, id)| id.parse().ok());
        id.ok_or(Refusal::NotFound(refusal::NO_ROOM))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RoomPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let path = parts.extract::<Path<String>>().await.ok();
        let id = path.and_then(|Path(id)| id.parse().ok());
        Ok(Self(id.ok_or(Refusal::NotFound(refusal::NO_ROOM))?))
    }
}

/// The room in an address, and what the address names inside it: a person, a message, or the code
/// of an invitation.
#[derive(Clone, Debug)]
pub(crate) struct InsideRoom(pub RoomId, pub String);

impl<S: Send + Sync> FromRequestParts<S> for InsideRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let path = parts.extract::<Path<(String, String)>>().await.ok();
        let inside = path.and_then(|Path((id, name))| Some(Self(id.parse().ok()?, name)));
        Ok(inside.ok_or(Refusal::NotFound(refusal::NO_ROOM))?)
    }
}

/// The code of an invitation in an address.
pub(crate) struct InvitationCode(pub String);

impl<S: Send + Sync> FromRequestParts<S> for InvitationCode {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let path = parts.extract::<Path<String>>().await;
        let Path(code) = path.map_err(|_| Refusal::NotFound(refusal::NO_INVITATION))?;
        Ok(Self(code))
    }
}
