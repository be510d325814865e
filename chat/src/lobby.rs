//! The lobby: one shared room of plain text, for people with `curl`.
//!
//! The lobby is a room with an alias that no request can name. It ends when it is quiet, and the
//! next caller gets a new one. Joins and leaves are entries of its log, so all listeners receive
//! them in the same order as the messages.
//!
//! # Guarantees
//! - A caller who joins holds a name until it leaves. No other caller can take it over, or join
//!   under a name that looks like it.
//! - A line says who wrote it: a message is one line, its name has no colon, and no name reads like
//!   the announcement of a join or a leave.

use protocol::characters::{is_colon, is_line_break, isolate_name};
use protocol::{Message, NewMessage, Refusal, Room, RoomId, Start, text};

use crate::identity::name_skeleton::NameSkeleton;
use crate::log::command::Command;
use crate::room::{self, name_claims};
use crate::store::lobby_names;
use crate::{Chat, Error, Follower, Person};

/// The alias of the lobby. It is a control character, so no request can name it.
const ALIAS: &str = "\n";

const NOT_JOINED: Refusal = Refusal::NotInLobby("You are not in the lobby; join it first.");

/// The open lobby.
#[derive(Debug)]
pub struct Lobby {
    chat: Chat,
    room: Room,
}

impl Lobby {
    async fn open(chat: Chat) -> Result<Self, Error> {
        let inner = &chat.0;
        let room =
            room::find_or_create_by_alias(&inner.store, &inner.clock, ALIAS, inner.timeout).await?;
        Ok(Self { chat, room })
    }

    /// The ID of its room.
    pub fn room_id(&self) -> RoomId {
        self.room.id
    }

    /// Claims a name. Returns the line that all listeners receive.
    ///
    /// # Errors
    /// [`Refusal::Taken`] if the name or one that looks like it is taken, [`Refusal::Invalid`] if it breaks a rule,
    /// [`Refusal::Malformed`] if it could forge a line, or a fault.
    pub async fn join(&self, name: &str) -> Result<String, Error> {
        check_forgery(name)?;
        self.chat.require_disk_space()?;
        let store = &self.chat.0.store;
        let name = name_claims::resolve_name(store, &Person::Anonymous, self.room.id, name).await?;
        let line = format!("{name} joined the chat");
        self.announce(line, Command::JoinLobby(name)).await
    }

    /// Posts a message. Returns the line that all listeners receive.
    ///
    /// # Errors
    /// [`Refusal::NotInLobby`] if the name has not joined, [`Refusal::Invalid`] if the message
    /// breaks a rule, [`Refusal::Malformed`] if the name could forge a line, or a fault.
    pub async fn send(&self, name: &str, message: &str) -> Result<String, Error> {
        let name = normalize_name(name);
        check_forgery(&name)?;
        self.load_since(&name).await?;
        let message = NewMessage {
            username: name,
            body: message.to_owned(),
        };
        let posted = self
            .chat
            .post_message(&Person::Anonymous, &self.room.id, &message, None)
            .await?;
        Ok(line(&posted))
    }

    /// Releases a name. Returns the line that all listeners receive.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if the name has not joined, or a fault.
    pub async fn leave(&self, name: &str) -> Result<String, Error> {
        let name = normalize_name(name);
        self.announce(left_line(&name), Command::LeaveLobby(name))
            .await
    }

    /// Listens under a name, from `start` or from where the name joined.
    ///
    /// # Errors
    /// [`Refusal::NotInLobby`] if the name has not joined, or a fault.
    pub async fn listen(&self, name: &str, start: Option<Start>) -> Result<Listener, Error> {
        let name = normalize_name(name);
        let since = self.load_since(&name).await?;
        let start = start.unwrap_or(Start::Seq(since));
        let follow = self
            .chat
            .follow_room(&Person::Anonymous, &self.room.id, start)
            .await?;
        Ok(Listener {
            follow,
            since,
            farewell: left_line(&name),
        })
    }

    /// The sequence after which the messages for a name begin.
    async fn load_since(&self, name: &str) -> Result<u64, Error> {
        let since = lobby_names::load_since(&self.chat.0.store, self.room.id, name).await?;
        Ok(since.ok_or(NOT_JOINED)?)
    }

    async fn announce(&self, line: String, command: Command) -> Result<String, Error> {
        let message = self.chat.announce(&self.room.id, command, line).await?;
        Ok(message.body().to_owned())
    }
}

/// A listener of the lobby.
#[derive(Debug)]
pub struct Listener {
    /// The follower of the lobby's log.
    pub follow: Follower,
    /// The newest sequence when the name joined.
    since: u64,
    /// The line that says that the name has left.
    farewell: String,
}

impl Listener {
    /// Whether this message says that the name has left since it joined. It ends the streams of the
    /// name.
    pub fn ends_with(&self, message: &Message) -> bool {
        message.id > self.since && message.username.is_empty() && message.body() == self.farewell
    }
}

/// A message of the lobby as one line of plain text.
pub fn line(message: &Message) -> String {
    let text = message.body().replace(is_line_break, " ");
    match message.username.as_str() {
        "" => text,
        name => format!("{}: {text}", isolate_name(name)),
    }
}

fn left_line(name: &str) -> String {
    format!("{name} left the chat")
}

/// The name as it is stored when it joins.
fn normalize_name(name: &str) -> String {
    text::parse_username(name).unwrap_or_else(|_| name.trim().to_owned())
}

/// Refuses a name by which one line could be taken for another.
fn check_forgery(name: &str) -> Result<(), Refusal> {
    if name.contains(is_colon) {
        return Err(Refusal::Malformed(
            "A name in the lobby must not contain a colon.".to_owned(),
        ));
    }
    let looks = NameSkeleton::of(name);
    let reads_like = |words: &str| {
        let words = NameSkeleton::of(words).lowercase;
        looks.lowercase.contains(&words) || looks.cased.contains(&words)
    };
    if reads_like("joined the chat") || reads_like("left the chat") {
        return Err(Refusal::Malformed(
            "A name in the lobby must not read like a line of the lobby.".to_owned(),
        ));
    }
    Ok(())
}

impl Chat {
    /// Opens the lobby.
    ///
    /// # Errors
    /// A fault.
    pub async fn open_lobby(&self) -> Result<Lobby, Error> {
        Lobby::open(self.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestChat;
    use crate::{Error, FollowEvent};
    use protocol::Refusal;

    #[tokio::test]
    async fn lobby_name_is_held_until_it_is_released_even_over_a_restart() {
        let mut test = TestChat::new(|_| {}).await;
        assert_eq!(
            test.chat
                .open_lobby()
                .await
                .unwrap()
                .join("C")
                .await
                .unwrap(),
            "C joined the chat"
        );
        test.reopen().await;
        let lobby = test.chat.open_lobby().await.unwrap();
        assert!(matches!(
            lobby.join(" C ").await,
            Err(Error::Refusal(Refusal::Taken(_)))
        ));
        assert_eq!(lobby.send("C", "hi").await.unwrap(), "C: hi");
        assert_eq!(lobby.leave("C").await.unwrap(), "C left the chat");
        assert!(matches!(
            lobby.send("C", "hi").await,
            Err(Error::Refusal(Refusal::NotInLobby(_)))
        ));
        assert!(matches!(
            lobby.leave("C").await,
            Err(Error::Refusal(Refusal::NotFound(_)))
        ));
        assert!(lobby.join("C").await.is_ok());
    }

    #[tokio::test]
    async fn name_that_looks_like_a_taken_one_is_refused_until_that_one_leaves() {
        let mut test = TestChat::new(|_| {}).await;
        let join = async |test: &TestChat, name: &str| {
            let lobby = test.chat.open_lobby().await.unwrap();
            lobby.join(name).await
        };
        join(&test, "Isabel").await.unwrap();
        test.reopen().await;
        for name in ["lsabel", "isabel", "Іsabel", "ISABEL"] {
            let refused = join(&test, name).await;
            let is_taken = matches!(refused, Err(Error::Refusal(Refusal::Taken(_))));
            assert!(is_taken, "{name}");
        }
        let lobby = test.chat.open_lobby().await.unwrap();
        for name in ["lsabel", "isabel"] {
            let refused = lobby.leave(name).await;
            let is_unknown = matches!(refused, Err(Error::Refusal(Refusal::NotFound(_))));
            assert!(is_unknown, "{name}");
        }
        assert!(lobby.send("Isabel", "hi").await.is_ok());
        lobby.leave("Isabel").await.unwrap();
        assert!(lobby.join("lsabel").await.is_ok());
    }

    #[tokio::test]
    async fn message_cannot_forge_a_line_of_another_speaker() {
        let test = TestChat::new(|_| {}).await;
        let lobby = test.chat.open_lobby().await.unwrap();
        lobby.join("C").await.unwrap();
        for (message, line) in [
            ("hi\nada: yes", "C: hi ada: yes"),
            ("hi\u{2028}eve joined the chat", "C: hi eve joined the chat"),
            ("a\r\nb", "C: a b"),
            ("hi\rada: yes", "C: hi ada: yes"),
            ("hi\u{2029}ada: yes", "C: hi ada: yes"),
        ] {
            assert_eq!(lobby.send("C", message).await.unwrap(), line);
        }
    }

    #[tokio::test]
    async fn name_that_could_forge_a_line_is_refused() {
        let test = TestChat::new(|_| {}).await;
        let lobby = test.chat.open_lobby().await.unwrap();
        for name in [
            "ada: yes, eve",
            "ada：yes",
            "ada∶",
            "ada joined the chat",
            "ada JOINED  the chat",
            "ada Ieft the chat",
            "left the chat",
        ] {
            let refused = lobby.join(name).await;
            let is_refused = matches!(refused, Err(Error::Refusal(Refusal::Malformed(_))));
            assert!(is_refused, "{name}");
        }
        assert!(lobby.join("ada who left").await.is_ok());
    }

    #[tokio::test]
    async fn name_in_another_form_is_the_same_name() {
        let test = TestChat::new(|_| {}).await;
        let lobby = test.chat.open_lobby().await.unwrap();
        lobby.join("Zoe\u{301}  B").await.unwrap();
        assert_eq!(lobby.send("Zoé B", "hi").await.unwrap(), "Zoé B: hi");
        assert!(lobby.send("Zoe\u{301} B", "hi").await.is_ok());
        assert!(lobby.leave("Zoe\u{301}  B").await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn concurrent_joins_and_leaves_end_as_the_last_line_says() {
        let test = TestChat::new(|_| {}).await;
        let lobby = std::sync::Arc::new(test.chat.open_lobby().await.unwrap());
        let people = (0..8).map(|n| {
            let lobby = lobby.clone();
            tokio::spawn(async move {
                for round in 0..40 {
                    let done = if (n + round) % 2 == 0 {
                        lobby.join("C").await
                    } else {
                        lobby.leave("C").await
                    };
                    assert!(matches!(
                        done,
                        Ok(_) | Err(Error::Refusal(Refusal::Taken(_) | Refusal::NotFound(_)))
                    ));
                }
            })
        });
        futures_util::future::try_join_all(people).await.unwrap();
        let page = crate::MessagesPage {
            limit: 1_000,
            ..crate::MessagesPage::default()
        };
        let lines = test
            .chat
            .list_messages(&crate::Person::Anonymous, &lobby.room_id(), page)
            .await
            .unwrap();
        let comes: Vec<bool> = lines
            .iter()
            .map(|line| line.body().ends_with("joined the chat"))
            .collect();
        assert!(
            comes[0] && comes.windows(2).all(|two| two[0] != two[1]),
            "{comes:?}"
        );
        assert_eq!(lobby.send("C", "hi").await.is_ok(), comes[comes.len() - 1]);
    }

    #[tokio::test]
    async fn quiet_lobby_ends_and_the_next_caller_gets_a_new_one() {
        let test = TestChat::new(|_| {}).await;
        let lobby = test.chat.open_lobby().await.unwrap();
        lobby.join("C").await.unwrap();
        let mut follow = lobby.listen("C", None).await.unwrap().follow;
        test.config.clock.advance(test.config.timeout);
        while !matches!(follow.next().await.unwrap(), FollowEvent::Closed(_)) {}
        let lobby = test.chat.open_lobby().await.unwrap();
        assert!(lobby.listen("C", None).await.is_err());
        assert!(lobby.join("C").await.is_ok());
    }
}
