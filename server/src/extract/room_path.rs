//! Extractors for the parts of an address: the room, what it names inside a room, the code of an invitation.

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use protocol::{Refusal, RoomId};

use crate::error::Error;

/// The room that an address names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomPath(pub RoomId);

impl<S: Send + Sync> FromRequestParts<S> for RoomPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let id = parts
            .extract::<Path<String>>()
            .await
            .ok()
            .and_then(|Path(id)| id.parse().ok());
        Ok(Self(id.ok_or(Refusal::NotFound("room"))?))
    }
}

/// What an address names inside a room: a person, or the code of an invitation.
#[derive(Clone, Debug)]
pub(crate) struct InsideRoom(pub RoomId, pub String);

impl<S: Send + Sync> FromRequestParts<S> for InsideRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let found = parts.extract::<Path<(String, String)>>().await.ok();
        let found = found.and_then(|Path((id, name))| Some(Self(id.parse().ok()?, name)));
        Ok(found.ok_or(Refusal::NotFound("room"))?)
    }
}

/// The code that an address names.
pub(crate) struct InvitationCode(pub String);

impl<S: Send + Sync> FromRequestParts<S> for InvitationCode {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let code = parts.extract::<Path<String>>().await;
        Ok(Self(
            code.map_err(|_| Refusal::NotFound("such invitation"))?.0,
        ))
    }
}
