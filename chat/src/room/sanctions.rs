//! Moderation: what a room is like, and who is kept from it.
//!
//! Promises: whoever is banned hears nothing more within a moment, whatever they call themselves; everything can be taken
//! back, and is noted down. Leaves to others: asking whether a message may be written (`writer`).

use std::time::Duration;

use protocol::{Refusal, Role, RoomId, Sanction, Sanctioned, Time};

use crate::duration::parse_duration;
use crate::identity::person::{Person, id_of, person_of};
use crate::room::members::{outranks, role_in};
use crate::room::{access, audit_log};
use crate::store::{key, sanction_of};
use crate::{Chat, Error};

/// Whom something concerns.
#[derive(Clone, Debug)]
pub enum Whom {
    /// The person of this ID.
    Person(String),
    /// Who wrote this message.
    AuthorOf(u64),
}

impl Chat {
    /// Keeps somebody from writing in a room, or out of it, for a while or for good.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, and if that person has no lesser role,
    /// [`Refusal::Invalid`] if there is no such person or message, nobody in particular wrote that or the time breaks a rule,
    /// or a fault.
    pub async fn sanction(
        &self,
        by: &Person,
        room: &RoomId,
        whom: &Whom,
        kind: Sanction,
        lasts: Option<&str>,
    ) -> Result<Sanctioned, Error> {
        let (mut tx, stored) = self.act(by, room, Role::Moderator).await?;
        let now = self.0.clock.now();
        let until = lasts
            .map(parse_lasts)
            .transpose()?
            .map(|lasts| now.after(lasts));
        let person = match whom {
            Whom::Person(id) => person_of(&mut tx, id).await,
            Whom::AuthorOf(seq) => author_of(&mut tx, *room, *seq).await,
        };
        let person = person.map_err(|error| match (error, whom) {
            (Error::Refusal(Refusal::NotFound(_)), Whom::Person(_)) => {
                Refusal::invalid("person", "is nobody here").into()
            }
            (Error::Refusal(Refusal::NotFound(_)), _) => {
                Refusal::invalid("message", "is none of this room").into()
            }
            (other, _) => other,
        })?;
        outranks(stored.room.role, role_in(&mut tx, *room, person).await?)?;
        let sql = "insert into sanction (room, person, kind, until) values ($1, $2, $3, $4)
                   on conflict (room, person) do update set kind = excluded.kind, until = excluded.until";
        let until_ms = until.map(Time::millis);
        sqlx::query(sql)
            .bind(key(*room))
            .bind(person)
            .bind(kind as i64)
            .bind(until_ms)
            .execute(&mut *tx)
            .await?;
        let id = id_of(&mut tx, person).await?;
        let deed = if kind == Sanction::Ban {
            "banned"
        } else {
            "muted"
        };
        audit_log::note(&mut tx, now, *room, by, deed, &id).await?;
        let room = *room;
        self.commit(tx, move |inner| inner.hub.look_again(room))
            .await?;
        Ok(Sanctioned { id, kind, until })
    }

    /// Takes back what keeps somebody from something.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, [`Refusal::NotFound`] if nothing keeps
    /// anybody of that ID from anything, or a fault.
    pub async fn pardon(&self, by: &Person, room: &RoomId, who: &str) -> Result<(), Error> {
        let (mut tx, _) = self.act(by, room, Role::Moderator).await?;
        let person = person_of(&mut tx, who).await?;
        let sql = "delete from sanction where room = $1 and person = $2";
        let gone = sqlx::query(sql)
            .bind(key(*room))
            .bind(person)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if gone == 0 {
            return Err(Refusal::NotFound("such sanction").into());
        }
        audit_log::note(&mut tx, self.0.clock.now(), *room, by, "pardoned", who).await?;
        tx.commit().await
    }

    /// Who is kept from something in a room now.
    ///
    /// # Errors
    /// The refusals of [`Chat::room`], [`Refusal::Forbidden`] for all but moderators, or a fault.
    pub async fn sanctions(&self, by: &Person, room: &RoomId) -> Result<Vec<Sanctioned>, Error> {
        access::find(&self.0.store, &self.0.clock, by, *room)
            .await?
            .ask(Role::Moderator)?;
        let sql = "select person, kind, until from sanction where room = $1 and coalesce(until, $2 + 1) > $2
                   order by person limit 10000";
        let mut connection = self.0.store.read().acquire().await?;
        let now = self.0.clock.now().millis();
        let rows: Vec<(i64, i64, Option<i64>)> = sqlx::query_as(sql)
            .bind(key(*room))
            .bind(now)
            .fetch_all(&mut *connection)
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for (person, kind, until) in rows {
            let id = id_of(&mut connection, person).await?;
            all.push(Sanctioned {
                id,
                kind: sanction_of(kind),
                until: until.map(Time::from_millis),
            });
        }
        Ok(all)
    }
}

fn parse_lasts(text: &str) -> Result<Duration, Refusal> {
    parse_duration(text.trim())
        .map_err(|error| Refusal::invalid("timeout", format!("{error}; write it like 10m")))
}

async fn author_of(tx: &mut sqlx::SqliteConnection, room: RoomId, seq: u64) -> Result<i64, Error> {
    let sql = "select author from message where room = $1 and seq = $2";
    let author = sqlx::query_scalar(sql)
        .bind(key(room))
        .bind(i64::try_from(seq).unwrap_or(i64::MAX));
    match author
        .fetch_optional(tx)
        .await?
        .ok_or(Refusal::NotFound("such message"))?
    {
        0 => Err(Refusal::invalid("message", "was written by nobody in particular").into()),
        author => Ok(author),
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use protocol::{NewMessage, Start};

    use super::*;
    use crate::News;
    use crate::testing::{House, guest};

    #[tokio::test]
    async fn whoever_is_banned_is_told_even_if_they_stop_waiting_in_between() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [owner, eve] = [(); 2].map(|()| guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let says = NewMessage {
            username: "eve".to_owned(),
            body: "hello".to_owned(),
        };
        chat.post(&eve, &room, &says, None).await.unwrap();
        let mut follow = chat.follow(&eve, &room, Start::Latest).await.unwrap();
        chat.sanction(&owner, &room, &Whom::AuthorOf(1), Sanction::Ban, None)
            .await
            .unwrap();
        {
            // As a socket does that hears something else while the database is busy.
            let mut busy = Vec::new();
            for _ in 0..crate::store::READERS {
                busy.push(chat.0.store.read().acquire().await.unwrap());
            }
            let next = std::pin::pin!(follow.next());
            assert!(
                next.poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
        }
        let news = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
        assert!(matches!(
            news.expect("nothing more comes").unwrap(),
            News::Removed
        ));
    }

    #[tokio::test]
    async fn whoever_becomes_a_guest_to_be_let_off_is_kept_out_as_before() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let owner = guest();
        let (ban, mute) = (Sanction::Ban, Sanction::Mute);
        // What the account gets, what its guest gets, and what both have in the end.
        for (number, (own, others, both)) in [
            ((ban, None), (mute, Some("1m")), (ban, None)),
            ((mute, Some("1m")), (ban, Some("2h")), (ban, Some(2))),
            ((mute, Some("3h")), (ban, Some("1m")), (ban, Some(3))),
            ((ban, Some("1ms")), (mute, Some("1h")), (mute, Some(1))),
        ]
        .into_iter()
        .enumerate()
        {
            let room = chat
                .create_room(&owner, &protocol::NewRoom::default())
                .await
                .unwrap()
                .id;
            let username = format!("eve{number}");
            let (eve, troll) = (house.member(&username).await, guest());
            for (seq, person, name, (kind, lasts)) in [
                (1, &eve, &username, own),
                (2, &troll, &"troll".to_owned(), others),
            ] {
                let says = NewMessage {
                    username: name.clone(),
                    body: "hello".to_owned(),
                };
                chat.post(person, &room, &says, None).await.unwrap();
                chat.sanction(&owner, &room, &Whom::AuthorOf(seq), kind, lasts)
                    .await
                    .unwrap();
            }
            house.config.clock.advance(Duration::from_millis(2));
            chat.claim(&eve, &troll).await.unwrap();
            let found = chat.sanctions(&owner, &room).await.unwrap();
            let found = found
                .iter()
                .find(|sanctioned| sanctioned.id == username)
                .expect("it is still there");
            let hours = found.until.map(|until| {
                until
                    .since(house.config.clock.now())
                    .as_secs()
                    .div_ceil(3_600)
            });
            assert_eq!((found.kind, hours), both, "{own:?} and {others:?}");
        }
    }

    #[tokio::test]
    async fn whoever_is_banned_as_a_guest_hears_nothing_more_as_an_account() {
        let house = House::new(|_| {}).await;
        let chat = &house.chat;
        let [owner, troll] = [(); 2].map(|()| guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let eve = house.member("eve").await;
        let mut follow = chat.follow(&eve, &room, Start::Latest).await.unwrap();
        let says = NewMessage {
            username: "troll".to_owned(),
            body: "hello".to_owned(),
        };
        chat.post(&troll, &room, &says, None).await.unwrap();
        chat.sanction(&owner, &room, &Whom::AuthorOf(1), Sanction::Ban, None)
            .await
            .unwrap();
        assert!(matches!(follow.next().await.unwrap(), News::Messages(_)));
        chat.claim(&eve, &troll).await.unwrap();
        let news = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
        assert!(matches!(
            news.expect("nothing more comes").unwrap(),
            News::Removed
        ));
    }

    #[tokio::test]
    async fn whoever_hangs_up_while_closing_a_room_leaves_it_open_or_lets_it_end() {
        let house = House::new(|_| {}).await;
        let (chat, owner) = (&house.chat, guest());
        let mut ended = 0;
        for patience in 1.. {
            let room = chat
                .create_room(&owner, &protocol::NewRoom::default())
                .await
                .unwrap()
                .id;
            let mut follow = chat.follow(&owner, &room, Start::Latest).await.unwrap();
            let answer = {
                let (mut polls, mut close) = (0, std::pin::pin!(chat.close_room(&owner, &room)));
                let until_patience_ends = std::future::poll_fn(|context| {
                    polls += 1;
                    if polls > patience {
                        Poll::Ready(None)
                    } else {
                        close.as_mut().poll(context).map(Some)
                    }
                });
                until_patience_ends.await
            };
            // What is under way is over when it is somebody else's turn.
            drop(chat.0.store.begin().await.unwrap());
            if chat.room(&owner, &room).await.is_err() {
                let end = async { while !matches!(follow.next().await.unwrap(), News::Closed) {} };
                tokio::time::timeout(Duration::from_secs(20), end)
                    .await
                    .expect("nobody takes it to its end");
                ended += 1;
            }
            if answer.is_some() {
                break;
            }
        }
        assert!(ended > 0);
    }
}
