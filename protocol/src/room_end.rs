//! The reasons why rooms are deleted.

use serde::{Deserialize, Serialize};

/// Why a room was deleted. The numbers are those of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomEnd {
    /// No one wrote in it for too long.
    #[default]
    Inactive = 0,
    /// Its owner closed it.
    ClosedByOwner = 1,
    /// An operator of the server closed it.
    ClosedByOperator = 2,
}

impl RoomEnd {
    /// All reasons.
    pub const ALL: [Self; 3] = [Self::Inactive, Self::ClosedByOwner, Self::ClosedByOperator];
}
