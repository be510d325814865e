//! Helpers that the tests share.

use std::path::Path;

use protocol::{Message, NewMessage, NewRoom, RoomId};

use crate::identity::person::GuestId;
use crate::{Chat, Config, Person};

/// A chat in its own directory, which a test can close and open again.
pub(crate) struct TestChat {
    pub config: Config,
    pub chat: Chat,
    _dir: tempfile::TempDir,
}

impl TestChat {
    pub async fn new(change: impl FnOnce(&mut Config)) -> Self {
        Self::inside(&std::env::temp_dir(), change).await
    }

    /// A chat whose directory is inside of `place`.
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

    pub async fn create_room(&self) -> RoomId {
        self.chat
            .create_room(&Person::Anonymous, &NewRoom::default())
            .await
            .unwrap()
            .id
    }

    /// Registers an account with this username.
    pub async fn register(&self, username: &str) -> Person {
        let (name, password) = (username.to_uppercase(), "secret".to_owned());
        let wish = protocol::NewAccount {
            name,
            username: username.to_owned(),
            password,
        };
        self.chat
            .register_account(&wish, None)
            .await
            .unwrap()
            .account
            .into()
    }

    pub async fn post(&self, room: RoomId, body: &str) -> Message {
        self.chat
            .post_message(&Person::Anonymous, &room, &new_message(body), None)
            .await
            .unwrap()
    }
}

/// A guest with a new key.
pub(crate) fn new_guest() -> Person {
    Person::Guest(GuestId::new().unwrap())
}

pub(crate) fn new_message(body: &str) -> NewMessage {
    NewMessage {
        username: "ada".to_owned(),
        body: body.to_owned(),
    }
}
