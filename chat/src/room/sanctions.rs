//! Sanctions: moderators mute people in a room or ban them from it.
//!
//! # Guarantees
//! - A banned follower is removed within a moment, under whatever name it follows.
//! - Every sanction can be lifted, and both are in the audit log.
//!
//! # Not here
//! - Whether a person may write a message now: `write_policy`.

use std::time::Duration;

use protocol::{Refusal, Role, RoomId, Sanction, SanctionKind};

use crate::duration::parse_duration;
use crate::events::DomainEvent;
use crate::identity::person::{Person, find_person_by_public_id, load_public_id, public_id};
use crate::room::access::RoomAction;
use crate::room::audit_log;
use crate::room::members::require_greater_role;
use crate::store::{Reader, SanctionRow, members, messages, sanctions};
use crate::{Chat, Error};

/// The person that a sanction applies to.
#[derive(Clone, Debug)]
pub enum SanctionTarget {
    /// The person with this public ID.
    Person(String),
    /// The author of this message.
    AuthorOf(u64),
}

impl Chat {
    /// Mutes or bans a person, for a time or without an end.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a moderator
    /// or the person has no lesser role, [`Refusal::Invalid`] if there is no such person or
    /// message, the message has no known author or the duration breaks a rule, or a fault.
    pub async fn impose_sanction(
        &self,
        by: &Person,
        room: &RoomId,
        target: &SanctionTarget,
        kind: SanctionKind,
        duration: Option<&str>,
    ) -> Result<Sanction, Error> {
        let RoomAction { mut tx, found } = self.begin_action(by, room, Role::Moderator).await?;
        let now = self.0.clock.now();
        let duration = duration.map(parse_sanction_duration).transpose()?;
        let until = duration.map(|duration| now.after(duration));
        let person = find_target(&mut tx, *room, target).await?;
        let role = members::load_role(&mut tx, *room, person).await?;
        require_greater_role(found.room.role, role)?;
        sanctions::set_sanction(&mut tx, *room, person, kind, until).await?;
        let id = load_public_id(&mut tx, person).await?;
        let action = match kind {
            SanctionKind::Ban => "banned",
            SanctionKind::Mute => "muted",
        };
        audit_log::record(&mut tx, now, *room, by, action, &id).await?;
        self.commit(tx, [DomainEvent::AccessChanged { room: *room }])
            .await?;
        Ok(Sanction { id, kind, until })
    }

    /// Lifts the sanction of a person.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, [`Refusal::NotFound`] if the person has no sanction, or a fault.
    pub async fn lift_sanction(&self, by: &Person, room: &RoomId, id: &str) -> Result<(), Error> {
        let mut tx = self.begin_action(by, room, Role::Moderator).await?.tx;
        let person = find_person_by_public_id(&mut tx, id).await?;
        if !sanctions::delete_sanction(&mut tx, *room, person).await? {
            return Err(Refusal::NotFound("such sanction").into());
        }
        audit_log::record(&mut tx, self.0.clock.now(), *room, by, "pardoned", id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lists the sanctions in a room that have not ended.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::Forbidden`] if the caller is not a
    /// moderator, or a fault.
    pub async fn list_sanctions(&self, by: &Person, room: &RoomId) -> Result<Vec<Sanction>, Error> {
        self.load_room_row(by, *room)
            .await?
            .require_role(Role::Moderator)?;
        let now = self.0.clock.now();
        let rows = sanctions::list_sanctions(&self.0.store, *room, now).await?;
        Ok(rows.into_iter().map(Sanction::from).collect())
    }
}

impl From<SanctionRow> for Sanction {
    fn from(row: SanctionRow) -> Self {
        Self {
            id: public_id(row.person, row.username),
            kind: row.kind,
            until: row.until,
        }
    }
}

fn parse_sanction_duration(text: &str) -> Result<Duration, Refusal> {
    parse_duration(text.trim())
        .map_err(|error| Refusal::invalid("timeout", format!("{error}; write it like 10m")))
}

/// The person that a sanction applies to. An unknown target is an invalid field of the request.
async fn find_target(
    from: &mut impl Reader,
    room: RoomId,
    target: &SanctionTarget,
) -> Result<i64, Error> {
    let (found, field, reason) = match target {
        SanctionTarget::Person(id) => {
            let found = find_person_by_public_id(from, id).await;
            (found, "person", "names no person")
        }
        SanctionTarget::AuthorOf(seq) => {
            let found = find_author(from, room, *seq).await;
            (found, "message", "names no message of this room")
        }
    };
    found.map_err(|error| match error {
        Error::Refusal(Refusal::NotFound(_)) => Refusal::invalid(field, reason).into(),
        other => other,
    })
}

/// The author of a message.
async fn find_author(from: &mut impl Reader, room: RoomId, seq: u64) -> Result<i64, Error> {
    match messages::find_author(from, room, seq).await? {
        None => Err(Refusal::NotFound("such message").into()),
        Some(0) => Err(Refusal::invalid("message", "has an anonymous author").into()),
        Some(author) => Ok(author),
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use protocol::{NewMessage, Start};

    use super::*;
    use crate::FollowEvent;
    use crate::testing::{TestChat, new_guest};

    #[tokio::test]
    async fn banned_follower_is_removed_even_if_it_stops_waiting_in_between() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [owner, eve] = [(); 2].map(|()| new_guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let says = NewMessage {
            username: "eve".to_owned(),
            body: "hello".to_owned(),
        };
        chat.post_message(&eve, &room, &says, None).await.unwrap();
        let mut follow = chat.follow_room(&eve, &room, Start::Latest).await.unwrap();
        chat.impose_sanction(
            &owner,
            &room,
            &SanctionTarget::AuthorOf(1),
            SanctionKind::Ban,
            None,
        )
        .await
        .unwrap();
        {
            // Drops the future while the database is busy, as a socket does when it receives
            // something else.
            let mut busy = Vec::new();
            for _ in 0..crate::store::READERS {
                busy.push(chat.0.store.reader().await.unwrap());
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
            FollowEvent::Removed
        ));
    }

    #[tokio::test]
    async fn banned_account_cannot_escape_by_merging_a_guest() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let owner = new_guest();
        let (ban, mute) = (SanctionKind::Ban, SanctionKind::Mute);
        // The sanction of the account, the sanction of its guest, and the sanction after the merge.
        for (number, (own, others, both)) in [
            ((ban, None), (mute, Some("1m")), (ban, None)),
            ((mute, Some("1m")), (ban, None), (ban, None)),
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
            let (eve, troll) = (test.register(&username).await, new_guest());
            for (seq, person, name, (kind, lasts)) in [
                (1, &eve, &username, own),
                (2, &troll, &"troll".to_owned(), others),
            ] {
                let says = NewMessage {
                    username: name.clone(),
                    body: "hello".to_owned(),
                };
                chat.post_message(person, &room, &says, None).await.unwrap();
                chat.impose_sanction(&owner, &room, &SanctionTarget::AuthorOf(seq), kind, lasts)
                    .await
                    .unwrap();
            }
            test.config.clock.advance(Duration::from_millis(2));
            chat.merge_guest(&eve, &troll).await.unwrap();
            let found = chat.list_sanctions(&owner, &room).await.unwrap();
            let found = found
                .iter()
                .find(|sanctioned| sanctioned.id == username)
                .expect("it is still there");
            let hours = found.until.map(|until| {
                until
                    .since(test.config.clock.now())
                    .as_secs()
                    .div_ceil(3_600)
            });
            assert_eq!((found.kind, hours), both, "{own:?} and {others:?}");
        }
    }

    #[tokio::test]
    async fn ban_of_a_merged_guest_removes_the_follower_of_the_account() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [owner, troll] = [(); 2].map(|()| new_guest());
        let room = chat
            .create_room(&owner, &protocol::NewRoom::default())
            .await
            .unwrap()
            .id;
        let eve = test.register("eve").await;
        let mut follow = chat.follow_room(&eve, &room, Start::Latest).await.unwrap();
        let says = NewMessage {
            username: "troll".to_owned(),
            body: "hello".to_owned(),
        };
        chat.post_message(&troll, &room, &says, None).await.unwrap();
        chat.impose_sanction(
            &owner,
            &room,
            &SanctionTarget::AuthorOf(1),
            SanctionKind::Ban,
            None,
        )
        .await
        .unwrap();
        assert!(matches!(
            follow.next().await.unwrap(),
            FollowEvent::Messages(_)
        ));
        chat.merge_guest(&eve, &troll).await.unwrap();
        let news = tokio::time::timeout(Duration::from_secs(20), follow.next()).await;
        assert!(matches!(
            news.expect("nothing more comes").unwrap(),
            FollowEvent::Removed
        ));
    }

    #[tokio::test]
    async fn cancelled_close_leaves_the_room_open_or_ends_it() {
        let test = TestChat::new(|_| {}).await;
        let (chat, owner) = (&test.chat, new_guest());
        let mut ended = 0;
        for patience in 1.. {
            let room = chat
                .create_room(&owner, &protocol::NewRoom::default())
                .await
                .unwrap()
                .id;
            let mut follow = chat
                .follow_room(&owner, &room, Start::Latest)
                .await
                .unwrap();
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
            // The next transaction begins only after the one under way has ended.
            drop(chat.0.store.begin().await.unwrap());
            if chat.find_room(&owner, &room).await.is_err() {
                let end =
                    async { while !matches!(follow.next().await.unwrap(), FollowEvent::Closed) {} };
                tokio::time::timeout(Duration::from_secs(20), end)
                    .await
                    .expect("the room does not end");
                ended += 1;
            }
            if answer.is_some() {
                break;
            }
        }
        assert!(ended > 0);
    }
}
