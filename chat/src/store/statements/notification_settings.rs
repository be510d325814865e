//! When people receive no notifications.

use protocol::{NotificationSettings, QuietHours, Time};

use crate::Error;
use crate::store::sql::query;
use crate::store::{Reader, WriteTransaction};

/// The settings of a person; the default without any.
pub(crate) async fn load_settings(
    from: &mut impl Reader,
    person: i64,
) -> Result<NotificationSettings, Error> {
    let sql = "select pause_until, quiet_from, quiet_to, quiet_zone from notification_settings
               where person = $1";
    let row = query(sql)
        .bind(person)
        .fetch_optional(from.connection())
        .await?;
    let Some(row) = row else {
        return Ok(NotificationSettings::default());
    };
    let pause_until: Option<i64> = row.try_get("pause_until")?;
    let quiet_from: Option<String> = row.try_get("quiet_from")?;
    let quiet = match quiet_from {
        Some(from) => Some(QuietHours {
            from,
            to: row.try_get("quiet_to")?,
            zone: row.try_get("quiet_zone")?,
        }),
        None => None,
    };
    Ok(NotificationSettings {
        pause_until: pause_until.map(Time::from_millis),
        quiet,
    })
}

/// Replaces the settings of a person; the default leaves no row.
pub(crate) async fn save_settings(
    tx: &mut WriteTransaction,
    now: Time,
    person: i64,
    settings: &NotificationSettings,
) -> Result<(), Error> {
    delete_settings(tx, person).await?;
    if *settings == NotificationSettings::default() {
        return Ok(());
    }
    let quiet = settings.quiet.as_ref();
    let sql = "insert into notification_settings
                 (person, pause_until, quiet_from, quiet_to, quiet_zone, changed_at)
               values ($1, $2, $3, $4, $5, $6)";
    query(sql)
        .bind(person)
        .bind(settings.pause_until.map(Time::millis))
        .bind(quiet.map(|quiet| &quiet.from))
        .bind(quiet.map(|quiet| &quiet.to))
        .bind(quiet.map(|quiet| &quiet.zone))
        .bind(now.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Gives the settings of a person to another one without any.
pub(crate) async fn move_settings(
    tx: &mut WriteTransaction,
    from: i64,
    to: i64,
) -> Result<(), Error> {
    let sql = "insert into notification_settings
                 (person, pause_until, quiet_from, quiet_to, quiet_zone, changed_at)
               select $2, pause_until, quiet_from, quiet_to, quiet_zone, changed_at
               from notification_settings where person = $1
               on conflict do nothing";
    query(sql)
        .bind(from)
        .bind(to)
        .execute(tx.connection())
        .await?;
    delete_settings(tx, from).await
}

/// Deletes the settings of a person.
pub(crate) async fn delete_settings(tx: &mut WriteTransaction, person: i64) -> Result<(), Error> {
    query("delete from notification_settings where person = $1")
        .bind(person)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Deletes the settings of guests that were last changed before a time. A guest who lost the key
/// does not come back.
pub(crate) async fn delete_settings_of_old_guests(
    tx: &mut WriteTransaction,
    before: Time,
) -> Result<(), Error> {
    query("delete from notification_settings where person < 0 and changed_at < $1")
        .bind(before.millis())
        .execute(tx.connection())
        .await?;
    Ok(())
}
