//! What tests share.

use std::path::Path;

use protocol::{Message, NewMessage, NewRoom, RoomId};

use crate::identity::person::GuestId;
use crate::{Chat, Config, Person};

/// A chat in a directory of its own, that tests can close and open again.
pub(crate) struct House {
    pub config: Config,
    pub chat: Chat,
    _dir: tempfile::TempDir,
}

impl House {
    pub async fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::inside(&std::env::temp_dir(), change).await
    }

    /// A house whose data are somewhere in `place`.
    pub async fn inside(place: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir_in(place).unwrap();
        let mut config = Config::new(dir.path());
        change(&mut config);
        let chat = Chat::open(config.clone()).await.unwrap();
        Self {
            config,
            chat,
            _dir: dir,
        }
    }

    pub async fn reopen(&mut self) {
        self.chat.close().await;
        self.chat = Chat::open(self.config.clone()).await.unwrap();
    }

    pub async fn room(&self) -> RoomId {
        self.chat
            .create_room(&Person::Anyone, &NewRoom::default())
            .await
            .unwrap()
            .id
    }

    /// Somebody with an account.
    pub async fn member(&self, username: &str) -> Person {
        let (name, password) = (username.to_uppercase(), "secret".to_owned());
        let wish = protocol::NewAccount {
            name,
            username: username.to_owned(),
            password,
        };
        self.chat.register(&wish).await.unwrap().member.into()
    }

    pub async fn say(&self, room: RoomId, body: &str) -> Message {
        self.chat
            .post(&Person::Anyone, &room, &says(body), None)
            .await
            .unwrap()
    }
}

/// A guest whom nobody has met.
pub(crate) fn guest() -> Person {
    Person::Guest(GuestId::new().unwrap())
}

pub(crate) fn says(body: &str) -> NewMessage {
    NewMessage {
        username: "ada".to_owned(),
        body: body.to_owned(),
    }
}
