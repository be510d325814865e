//! What a batch of write requests refers to.

use protocol::RoomId;

use crate::identity::name_skeleton::NameSkeleton;
use crate::log::batch_state::RoomPerson;
use crate::log::command::{Command, WriteRequest};
use crate::store::{WantedName, WantedRows};

/// What the requests refer to.
pub(super) fn wanted_rows<'a>(requests: impl Iterator<Item = &'a WriteRequest>) -> WantedRows {
    let mut wanted = WantedRows::default();
    for request in requests {
        let RoomPerson { room, person } = RoomPerson::author_of(request);
        wanted.authors.insert((room, person));
        wanted.sessions.extend(request.session);
        if let Some(key) = &request.key {
            wanted.keys.push((room, person, key.clone()));
        }
        wanted.files.extend(&request.files);
        match &request.command {
            Command::Post if person <= 0 => {
                wanted.names.insert(wanted_name(room, &request.username));
            }
            Command::Post => {}
            Command::Edit(seq) | Command::Delete(seq) | Command::RemoveFile(seq, _) => {
                wanted.targets.insert((room, *seq));
            }
            Command::JoinLobby(name) | Command::LeaveLobby(name) => {
                wanted.lobby_names.insert(wanted_name(room, name));
            }
        }
    }
    wanted
}

fn wanted_name(room: RoomId, name: &str) -> WantedName {
    let NameSkeleton { lowercase, cased } = NameSkeleton::of(name);
    WantedName {
        room,
        lowercase,
        cased,
    }
}
