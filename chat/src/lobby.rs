//! The lobby: one shared room of plain text, for people with `curl`.
//!
//! It is a room like any other, found by a name that nobody can ask for; it ends when it falls quiet and begins anew.
//! Who joins holds a name in it until they leave, so that no name can be taken over. Joining and leaving are lines of the
//! same log, written in the same transaction, so that all hear everything in the same order, and a listener's end is a line
//! like any other.

use protocol::{Message, Refusal, Room, RoomId, Start};

use crate::log::command::Deed;
use crate::room::{self, name_claims};
use crate::store::key;
use crate::{Chat, Error, Follow, Person};

/// A name that no request can carry, because it is a control character.
const NAME: &str = "\n";

const NOT_JOINED: Refusal = Refusal::NotJoined("You are not in the lobby; join it first.");

/// Somebody's place in the lobby.
#[derive(Debug)]
pub struct Lobby {
    chat: Chat,
    room: Room,
}

impl Lobby {
    pub(crate) async fn enter(chat: Chat) -> Result<Self, Error> {
        let inner = &chat.0;
        let room = room::named(&inner.store, &inner.clock, NAME, inner.timeout).await?;
        Ok(Self { chat, room })
    }

    /// The room that it is.
    pub fn room(&self) -> RoomId {
        self.room.id
    }

    /// Takes a name, and gives back the line that everybody hears.
    ///
    /// # Errors
    /// [`Refusal::Taken`] if somebody has it, [`Refusal::Invalid`] if it breaks a rule, or a fault.
    pub async fn join(&self, name: &str) -> Result<String, Error> {
        let name = name_claims::of(&self.chat.0.store, &Person::Anyone, self.room.id, name).await?;
        self.announce(format!("{name} joined the chat"), Deed::Join(name))
            .await
    }

    /// Says something, and gives back the line that everybody hears.
    ///
    /// # Errors
    /// [`Refusal::NotJoined`] if nobody joined under that name, [`Refusal::Invalid`] if the message breaks a rule, or a fault.
    pub async fn send(&self, name: &str, message: &str) -> Result<String, Error> {
        self.since(name).await?;
        let message = protocol::NewMessage {
            username: name.to_owned(),
            body: message.to_owned(),
        };
        Ok(line(
            &self
                .chat
                .post(&Person::Anyone, &self.room.id, &message, None)
                .await?,
        ))
    }

    /// Gives a name back, and gives back the line that everybody hears.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if nobody joined under that name, or a fault.
    pub async fn leave(&self, name: &str) -> Result<String, Error> {
        self.announce(left_line(name), Deed::Leave(name.to_owned()))
            .await
    }

    /// Listens under a name, from where it joined or from `start`.
    ///
    /// # Errors
    /// [`Refusal::NotJoined`] if nobody joined under that name, or a fault.
    pub async fn listen(&self, name: &str, start: Option<Start>) -> Result<Listener, Error> {
        let since = self.since(name).await?;
        let follow = self
            .chat
            .follow(
                &Person::Anyone,
                &self.room.id,
                start.unwrap_or(Start::Seq(since)),
            )
            .await?;
        Ok(Listener {
            follow,
            since,
            farewell: left_line(name),
        })
    }

    /// What somebody who joined has not heard begins after this sequence.
    async fn since(&self, name: &str) -> Result<u64, Error> {
        let sql = "select since_seq from lobby_name where room = $1 and name = $2";
        let since: Option<i64> = sqlx::query_scalar(sql)
            .bind(key(self.room.id))
            .bind(name)
            .fetch_optional(self.chat.0.store.read())
            .await?;
        Ok(since.ok_or(NOT_JOINED)?.unsigned_abs())
    }

    async fn announce(&self, line: String, deed: Deed) -> Result<String, Error> {
        self.chat
            .announce(&self.room.id, deed, line)
            .await
            .map(|message| message.body)
    }
}

/// Somebody who joined and listens.
#[derive(Debug)]
pub struct Listener {
    /// What there is to hear.
    pub follow: Follow,
    /// The newest sequence when they joined.
    since: u64,
    farewell: String,
}

impl Listener {
    /// Whether this message says that they have left, which ends their streams. That they left before they joined does not.
    pub fn ends_with(&self, message: &Message) -> bool {
        message.id > self.since && message.username.is_empty() && message.body == self.farewell
    }
}

/// A message of the lobby as its listeners read it.
pub fn line(message: &Message) -> String {
    match message.username.as_str() {
        "" => message.body.clone(),
        name => format!("{name}: {}", message.body),
    }
}

fn left_line(name: &str) -> String {
    format!("{name} left the chat")
}

impl Chat {
    /// The lobby.
    ///
    /// # Errors
    /// A fault.
    pub async fn lobby(&self) -> Result<Lobby, Error> {
        Lobby::enter(self.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::House;
    use crate::{Error, News};
    use protocol::Refusal;

    #[tokio::test]
    async fn a_name_is_held_until_it_is_given_back_even_over_a_restart() {
        let mut house = House::new(|_| {}).await;
        assert_eq!(
            house.chat.lobby().await.unwrap().join("C").await.unwrap(),
            "C joined the chat"
        );
        house.reopen().await;
        let lobby = house.chat.lobby().await.unwrap();
        assert!(matches!(
            lobby.join(" C ").await,
            Err(Error::Refusal(Refusal::Taken(_)))
        ));
        assert_eq!(lobby.send("C", "hi").await.unwrap(), "C: hi");
        assert_eq!(lobby.leave("C").await.unwrap(), "C left the chat");
        assert!(matches!(
            lobby.send("C", "hi").await,
            Err(Error::Refusal(Refusal::NotJoined(_)))
        ));
        assert!(matches!(
            lobby.leave("C").await,
            Err(Error::Refusal(Refusal::NotFound(_)))
        ));
        assert!(lobby.join("C").await.is_ok());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_comes_and_goes_at_once_is_there_when_the_last_line_says_so() {
        let house = House::new(|_| {}).await;
        let lobby = std::sync::Arc::new(house.chat.lobby().await.unwrap());
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
        let page = crate::Page {
            limit: 1_000,
            ..crate::Page::default()
        };
        let lines = house
            .chat
            .page(&crate::Person::Anyone, &lobby.room(), page)
            .await
            .unwrap();
        let comes: Vec<bool> = lines
            .iter()
            .map(|line| line.body.ends_with("joined the chat"))
            .collect();
        assert!(
            comes[0] && comes.windows(2).all(|two| two[0] != two[1]),
            "{comes:?}"
        );
        assert_eq!(lobby.send("C", "hi").await.is_ok(), comes[comes.len() - 1]);
    }

    #[tokio::test]
    async fn a_quiet_lobby_ends_and_begins_anew() {
        let house = House::new(|_| {}).await;
        let lobby = house.chat.lobby().await.unwrap();
        lobby.join("C").await.unwrap();
        let mut follow = lobby.listen("C", None).await.unwrap().follow;
        house.config.clock.advance(house.config.timeout);
        while !matches!(follow.next().await.unwrap(), News::Closed) {}
        let lobby = house.chat.lobby().await.unwrap();
        assert!(lobby.listen("C", None).await.is_err());
        assert!(lobby.join("C").await.is_ok());
    }
}
