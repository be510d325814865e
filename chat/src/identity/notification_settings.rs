//! When a person receives no notifications: a pause, and quiet hours.
//!
//! # Guarantees
//! - The settings of a guest are deleted when the guest's key has ended.
//!
//! # Not here
//! - The level of a room: `room::preferences`. Whether it is quiet now: the browser, which knows the
//!   time zones.

use std::time::Duration;

use protocol::{NotificationSettings, Refusal, Time};
use texts::refusal;

use crate::events::DomainEvent;
use crate::identity::person::Person;
use crate::identity::token::GUEST_LIFETIME;
use crate::store::notification_settings;
use crate::{Chat, Error};

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl Chat {
    /// The notification settings of the caller; the default for an anonymous one. A pause that is
    /// over is none.
    ///
    /// # Errors
    /// A fault.
    pub async fn load_notification_settings(
        &self,
        by: &Person,
    ) -> Result<NotificationSettings, Error> {
        let Some(person) = by.stable_id() else {
            return Ok(NotificationSettings::default());
        };
        let mut reader = self.0.store.reader().await?;
        let settings = notification_settings::load_settings(&mut reader, person).await?;
        Ok(NotificationSettings {
            pause_until: settings.pause_until.filter(|until| *until > self.now()),
            ..settings
        })
    }

    /// Replaces the notification settings of the caller.
    ///
    /// # Errors
    /// [`Refusal::NotSignedIn`] if the caller is anonymous, [`Refusal::Invalid`] if the pause is
    /// longer than a year, or a fault.
    pub async fn change_notification_settings(
        &self,
        by: &Person,
        settings: &NotificationSettings,
    ) -> Result<(), Error> {
        let person = by.stable_id().ok_or(Refusal::NotSignedIn)?;
        let now = self.now();
        let latest = now.after(PAUSE_MAX);
        if settings.pause_until.is_some_and(|until| until > latest) {
            let rule = refusal::RULE_PAUSE.text();
            return Err(Refusal::invalid("pause_until", rule).into());
        }
        let mut tx = self.begin_by(by).await?.tx;
        notification_settings::save_settings(&mut tx, now, person, settings).await?;
        let lifetime = i64::try_from(GUEST_LIFETIME.as_millis()).unwrap_or(i64::MAX);
        let oldest = Time::from_millis(now.millis().saturating_sub(lifetime));
        notification_settings::delete_settings_of_old_guests(&mut tx, oldest).await?;
        self.commit(tx, [DomainEvent::PersonChanged { person }])
            .await
    }
}

#[cfg(test)]
mod tests {
    use protocol::QuietHours;

    use super::*;
    use crate::testing::{TestChat, new_guest};

    fn paused_until(until: Time) -> NotificationSettings {
        NotificationSettings {
            pause_until: Some(until),
            quiet: QuietHours::parse("22:00", "07:00", "Europe/Berlin").ok(),
        }
    }

    #[tokio::test]
    async fn settings_are_kept_for_accounts_and_guests_until_they_are_replaced() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let wish = paused_until(chat.now().after(Duration::from_secs(3_600)));
        for by in [test.register("ada").await, new_guest()] {
            let load = || chat.load_notification_settings(&by);
            assert_eq!(load().await.unwrap(), NotificationSettings::default());
            chat.change_notification_settings(&by, &wish).await.unwrap();
            assert_eq!(load().await.unwrap(), wish);
            let none = NotificationSettings::default();
            chat.change_notification_settings(&by, &none).await.unwrap();
            assert_eq!(load().await.unwrap(), none);
        }
    }

    #[tokio::test]
    async fn pause_that_is_over_is_none_and_quiet_hours_stay() {
        let test = TestChat::new(|_| {}).await;
        let (chat, guest) = (&test.chat, new_guest());
        let wish = paused_until(chat.now().after(Duration::from_secs(60)));
        chat.change_notification_settings(&guest, &wish)
            .await
            .unwrap();
        test.config.clock.advance(Duration::from_secs(61));
        let now = chat.load_notification_settings(&guest).await.unwrap();
        assert_eq!((now.pause_until, now.quiet), (None, wish.quiet));
    }

    #[tokio::test]
    async fn anonymous_caller_and_pause_of_more_than_a_year_are_refused() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let wish = paused_until(chat.now().after(2 * PAUSE_MAX));
        for (by, status) in [(Person::Anonymous, 401), (new_guest(), 422)] {
            match chat.change_notification_settings(&by, &wish).await {
                Err(Error::Refusal(refusal)) => assert_eq!(refusal.status(), status),
                other => panic!("{other:?}"),
            }
        }
        let none = chat.load_notification_settings(&Person::Anonymous).await;
        assert_eq!(none.unwrap(), NotificationSettings::default());
    }

    #[tokio::test]
    async fn settings_of_a_guest_end_with_the_key_and_those_of_an_account_do_not() {
        let test = TestChat::new(|_| {}).await;
        let chat = &test.chat;
        let (ada, old, new) = (test.register("ada").await, new_guest(), new_guest());
        let wish = NotificationSettings {
            pause_until: None,
            ..paused_until(Time::EPOCH)
        };
        for by in [&ada, &old] {
            chat.change_notification_settings(by, &wish).await.unwrap();
        }
        test.config.clock.advance(GUEST_LIFETIME);
        test.config.clock.advance(Duration::from_secs(1));
        chat.change_notification_settings(&new, &wish)
            .await
            .unwrap();
        let load = async |by| chat.load_notification_settings(by).await.unwrap();
        assert_eq!(load(&old).await, NotificationSettings::default());
        assert_eq!((load(&ada).await, load(&new).await), (wish.clone(), wish));
    }
}
