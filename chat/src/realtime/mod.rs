//! What happens now, told to everybody who listens.

pub(crate) mod follower;
pub(crate) mod frame;
pub(crate) mod hub;
pub(crate) mod overview;
mod presence;
pub(crate) mod public_rooms;
pub(crate) mod publisher;
mod topics;

use protocol::RoomId;

use crate::identity::person::Person;
use crate::room::name_claims;
use crate::{Chat, Error};

impl Chat {
    /// Tells a room that somebody types, for the next six seconds.
    ///
    /// # Errors
    /// [`protocol::Refusal::Invalid`] if the name breaks a rule, [`protocol::Refusal::Taken`] if it is somebody else's, the
    /// refusals of [`Chat::find_room`], or a fault.
    pub async fn notify_typing(
        &self,
        by: &Person,
        room: &RoomId,
        username: &str,
    ) -> Result<(), Error> {
        self.find_room(by, room).await?;
        let username = name_claims::resolve_name(&self.0.store, by, *room, username).await?;
        self.0.hub.types(*room, &username);
        Ok(())
    }
}
