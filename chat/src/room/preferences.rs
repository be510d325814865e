//! What a person chooses for a room: the notification level, and whether the room is among their
//! own.
//!
//! # Guarantees
//! - Only a person who may find a room chooses anything for it.
//! - The rooms of a member are always among their own. A person who writes in a room keeps it.
//!
//! # Not here
//! - Which rooms an overview shows: `realtime::overview`. That a writer keeps the room: `log`. The
//!   times without notifications: `identity::notification_settings`.

use protocol::{NotificationLevel, Refusal, RoomId};
use texts::refusal;

use crate::events::DomainEvent;
use crate::identity::caller_transaction::CallerTransaction;
use crate::identity::person::Person;
use crate::room::access;
use crate::store::{Listing, WriteTransaction, members, room_preferences};
use crate::{Chat, Error};

/// The most rooms for which a person may choose anything.
const CHOICES_MAX: u64 = 10_000;

const TOO_MANY_CHOICES: Refusal = Refusal::Forbidden(refusal::TOO_MANY_CHOICES);

const STILL_A_MEMBER: Refusal = Refusal::Forbidden(refusal::STILL_A_MEMBER);

/// Whether a room is among a person's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomListing {
    /// Whether the person is a member, whose rooms are always their own.
    pub is_member: bool,
    /// What the person has chosen.
    pub choice: Listing,
}

impl RoomListing {
    /// Whether the room is among the person's own; `None` if that depends on whether the person has
    /// visited it.
    pub fn is_listed(self) -> Option<bool> {
        match self.choice {
            _ if self.is_member => Some(true),
            Listing::Kept => Some(true),
            Listing::Hidden => Some(false),
            Listing::Unset => None,
        }
    }
}

impl Chat {
    /// Which messages of a room notify the caller.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn load_notification_level(
        &self,
        by: &Person,
        room: &RoomId,
    ) -> Result<NotificationLevel, Error> {
        Ok(self.load_room_row(by, *room).await?.room.level)
    }

    /// Sets which messages of a room notify the caller.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::NotSignedIn`] if the caller is anonymous,
    /// [`Refusal::Forbidden`] if the caller has made too many choices, or a fault.
    pub async fn set_notification_level(
        &self,
        by: &Person,
        room: &RoomId,
        level: NotificationLevel,
    ) -> Result<(), Error> {
        let mut tx = self.begin_choice(by, room).await?;
        room_preferences::set_level(&mut tx, *room, by.id(), level).await?;
        self.commit(tx, [DomainEvent::PersonChanged { person: by.id() }])
            .await
    }

    /// Whether a room is among the caller's own.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], or a fault.
    pub async fn load_listing(&self, by: &Person, room: &RoomId) -> Result<RoomListing, Error> {
        let choice = self.load_room_row(by, *room).await?.listing;
        let mut reader = self.0.store.reader().await?;
        // An operator has a role in every open room and is no member of it.
        let role = members::load_role(&mut reader, *room, by.id()).await?;
        Ok(RoomListing {
            is_member: role.is_some(),
            choice,
        })
    }

    /// Keeps a room among the caller's own, or hides it.
    ///
    /// # Errors
    /// The refusals of [`Chat::find_room`], [`Refusal::NotSignedIn`] if the caller is anonymous,
    /// [`Refusal::Forbidden`] if a member hides a room or the caller has made too many choices, or
    /// a fault.
    pub async fn set_listing(
        &self,
        by: &Person,
        room: &RoomId,
        is_listed: bool,
    ) -> Result<(), Error> {
        let person = by.id();
        let mut tx = self.begin_choice(by, room).await?;
        if members::load_role(&mut tx, *room, person).await?.is_some() {
            return if is_listed {
                Ok(())
            } else {
                Err(STILL_A_MEMBER.into())
            };
        }
        let (listing, event) = if is_listed {
            (Listing::Kept, DomainEvent::PersonChanged { person })
        } else {
            (Listing::Hidden, DomainEvent::RoomUnlisted { person })
        };
        let now = self.0.clock.now();
        room_preferences::set_listing(&mut tx, now, *room, person, listing).await?;
        self.commit(tx, [event]).await
    }

    /// Begins a transaction in which the caller chooses something for a room.
    async fn begin_choice(&self, by: &Person, room: &RoomId) -> Result<WriteTransaction, Error> {
        let CallerTransaction { mut tx, by } = self.begin_by(by).await?;
        access::find_in(&mut tx, self.0.clock.now(), &by, *room).await?;
        let person = by.stable_id().ok_or(Refusal::NotSignedIn)?;
        if room_preferences::count_preferences(&mut tx, person).await? >= CHOICES_MAX {
            return Err(TOO_MANY_CHOICES.into());
        }
        Ok(tx)
    }
}

#[cfg(test)]
mod tests {
    use protocol::{NewMessage, NewRoom, Room};

    use super::*;
    use crate::testing::{TestChat, new_guest, new_message};

    async fn create_public_room(test: &TestChat) -> RoomId {
        let wish = NewRoom {
            public: Some(true),
            ..NewRoom::default()
        };
        let created = test.chat.create_room(&Person::Anonymous, &wish).await;
        created.unwrap().id
    }

    /// The rooms of the person, where the browser has visited `visited`.
    async fn own_rooms(test: &TestChat, by: &Person, visited: &[RoomId]) -> Vec<RoomId> {
        let overview = test.chat.load_overview(by, visited).await.unwrap();
        overview.rooms.iter().map(|room| room.id).collect()
    }

    fn says(username: &str) -> NewMessage {
        NewMessage {
            username: username.to_owned(),
            ..new_message("hello")
        }
    }

    fn is_refused<T>(outcome: Result<T, Error>, status: u16) -> bool {
        matches!(outcome, Err(Error::Refusal(refusal)) if refusal.status() == status)
    }

    #[tokio::test]
    async fn level_is_stored_for_accounts_and_guests_and_shown_with_the_room() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let room = test.create_room().await;
        for by in [test.register("ada").await, new_guest()] {
            let level = || chat.load_notification_level(&by, &room);
            assert_eq!(level().await.unwrap(), NotificationLevel::Mentions);
            for chosen in [NotificationLevel::All, NotificationLevel::None] {
                chat.set_notification_level(&by, &room, chosen)
                    .await
                    .unwrap();
                assert_eq!(level().await.unwrap(), chosen);
            }
            let shown = |room: Room| room.level;
            let found = chat.find_room(&by, &room).await.map(shown);
            assert_eq!(found.unwrap(), NotificationLevel::None);
            let overview = chat.load_overview(&by, &[room]).await.unwrap();
            assert_eq!(overview.rooms[0].level, NotificationLevel::None);
        }
    }

    #[tokio::test]
    async fn level_of_a_members_room_and_of_a_direct_chat_is_in_the_overview() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let [ada, bob] = [test.register("ada").await, test.register("bob").await];
        let den = chat.create_room(&ada, &NewRoom::default()).await.unwrap();
        let direct = chat.open_direct_room(&ada, "bob").await.unwrap().id;
        chat.post_message(&bob, &direct, &says("bob"), None)
            .await
            .unwrap();
        for room in [den.id, direct] {
            chat.set_notification_level(&ada, &room, NotificationLevel::All)
                .await
                .unwrap();
        }
        let overview = chat.load_overview(&ada, &[]).await.unwrap();
        assert_eq!(overview.rooms[0].level, NotificationLevel::All);
        assert_eq!(overview.chats[0].level, NotificationLevel::All);
        let other = chat.load_overview(&bob, &[]).await.unwrap();
        assert_eq!(other.chats[0].level, NotificationLevel::Mentions);
    }

    #[tokio::test]
    async fn anonymous_caller_and_one_who_does_not_find_the_room_choose_nothing() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let ada = test.register("ada").await;
        let private = NewRoom {
            private: Some(true),
            ..NewRoom::default()
        };
        let den = chat.create_room(&ada, &private).await.unwrap().id;
        let open = test.create_room().await;
        let level = NotificationLevel::All;
        for (by, room, status) in [
            (Person::Anonymous, open, 401),
            (Person::Anonymous, den, 404),
            (new_guest(), den, 404),
        ] {
            let outcome = chat.set_notification_level(&by, &room, level).await;
            assert!(is_refused(outcome, status));
            let outcome = chat.set_listing(&by, &room, true).await;
            assert!(is_refused(outcome, status));
        }
        let outcome = chat.load_listing(&new_guest(), &den).await;
        assert!(is_refused(outcome, 404));
    }

    #[tokio::test]
    async fn kept_room_is_listed_on_every_device_and_hidden_room_on_none() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let room = create_public_room(&test).await;
        for by in [test.register("ada").await, new_guest()] {
            assert_eq!(own_rooms(&test, &by, &[]).await, []);
            assert_eq!(own_rooms(&test, &by, &[room]).await, [room]);
            chat.set_listing(&by, &room, true).await.unwrap();
            assert_eq!(own_rooms(&test, &by, &[]).await, [room]);
            chat.set_listing(&by, &room, false).await.unwrap();
            assert_eq!(own_rooms(&test, &by, &[room]).await, []);
            let listing = chat.load_listing(&by, &room).await.unwrap();
            assert_eq!(listing.is_listed(), Some(false));
        }
    }

    #[tokio::test]
    async fn writer_keeps_the_room_and_brings_back_a_hidden_one() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let room = create_public_room(&test).await;
        for (by, name) in [(test.register("ada").await, "ada"), (new_guest(), "grace")] {
            let write = || async {
                let message = says(name);
                chat.post_message(&by, &room, &message, None).await.unwrap()
            };
            write().await;
            assert_eq!(own_rooms(&test, &by, &[]).await, [room]);
            chat.set_listing(&by, &room, false).await.unwrap();
            assert_eq!(own_rooms(&test, &by, &[room]).await, []);
            write().await;
            assert_eq!(own_rooms(&test, &by, &[]).await, [room]);
        }
    }

    #[tokio::test]
    async fn member_cannot_hide_the_room_and_loses_it_by_leaving() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let ada = test.register("ada").await;
        let room = chat.create_room(&ada, &NewRoom::default()).await.unwrap();
        let room = room.id;
        let outcome = chat.set_listing(&ada, &room, false).await;
        assert!(is_refused(outcome, 403));
        chat.set_listing(&ada, &room, true).await.unwrap();
        chat.remove_member(&ada, &room, "ada").await.unwrap();
        assert_eq!(own_rooms(&test, &ada, &[room]).await, []);
        chat.set_listing(&ada, &room, true).await.unwrap();
        assert_eq!(own_rooms(&test, &ada, &[]).await, [room]);
    }

    #[tokio::test]
    async fn choices_of_a_guest_pass_to_the_account_that_takes_it_over() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let (ada, guest) = (test.register("ada").await, new_guest());
        let [room, other] = [
            create_public_room(&test).await,
            create_public_room(&test).await,
        ];
        chat.set_listing(&guest, &room, true).await.unwrap();
        for (by, level) in [
            (&guest, NotificationLevel::All),
            (&ada, NotificationLevel::None),
        ] {
            let set = chat.set_notification_level(by, &other, level).await;
            set.unwrap();
        }
        chat.merge_guest(&ada, &guest).await.unwrap();
        assert_eq!(own_rooms(&test, &ada, &[]).await, [room]);
        assert_eq!(own_rooms(&test, &guest, &[]).await, []);
        let level = chat.load_notification_level(&ada, &other).await.unwrap();
        assert_eq!(level, NotificationLevel::None);
    }
}
