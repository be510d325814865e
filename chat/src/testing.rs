//! Helpers that the tests share.

use std::path::Path;
use std::time::Duration;

use protocol::{Message, NewMessage, NewRoom, RoomId};

use crate::faults::Faults;
use crate::identity::person::GuestId;
use crate::store::sql::query;
use crate::store::{DatabaseLocation, Store};
use crate::{Chat, Config, Person};

/// How long a test waits for another node, at most: far longer than it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what another node does. The test fails if that does not come.
pub(crate) async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, coming).await {
        Ok(came) => came,
        Err(_) => panic!("not within {PATIENCE:?}: {what}"),
    }
}

/// Waits until a check that is made again and again says yes.
pub(crate) async fn soon_true(what: &str, check: impl AsyncFn() -> bool) {
    let checks = async {
        while !check().await {
            tokio::task::yield_now().await;
        }
    };
    soon(what, checks).await;
}

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

    /// A chat whose database is a file, whatever database the tests are given.
    pub async fn in_file(change: impl FnOnce(&mut Config)) -> Self {
        Self::new(|config| {
            config.database = None;
            change(config);
        })
        .await
    }

    /// A chat whose directory is inside of `place`.
    pub async fn inside(place: &Path, change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir_in(place).unwrap();
        let mut config = Config::new(dir.path());
        config.database = new_database(&config.faults);
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

    /// Executes statements on the closed database, and opens it again.
    pub async fn reopen_after(&mut self, statements: &'static [&'static str]) {
        self.chat.close().await;
        let store = self.open_store().await;
        let mut tx = store.begin().await.unwrap();
        for sql in statements {
            query(*sql).execute(tx.connection()).await.unwrap();
        }
        tx.commit().await.unwrap();
        store.close().await;
        self.reopen().await;
    }

    /// The database, without a chat.
    pub async fn open_store(&self) -> Store {
        Store::open(&DatabaseLocation::of(&self.config).unwrap())
            .await
            .unwrap()
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

/// The database of a test: a file in its directory, or a schema of its own in the database that the
/// tests are given.
pub(crate) fn new_database(faults: &Faults) -> Option<String> {
    let url = std::env::var("WEBCHAT_TEST_DATABASE").ok()?;
    let schema = format!("test_{:016x}", rand::random::<u64>());
    let created = std::process::Command::new("psql")
        .args([
            &url,
            "--quiet",
            "--command",
            &format!("create schema {schema}"),
        ])
        .status();
    assert!(created.unwrap().success(), "psql cannot create a schema");
    let (start, rest) = url.split_once('@')?;
    let (server, name) = rest.split_once('/')?;
    let port = faults.happen_between(server.to_owned());
    Some(format!(
        "{start}@127.0.0.1:{port}/{name}?options=-c%20search_path%3D{schema}"
    ))
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
