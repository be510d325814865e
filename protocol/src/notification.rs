//! Notification settings: the level of each room, and the times without notifications.
//!
//! # Guarantees
//! [`QuietHours`] that were parsed have two times of day and the form of a time zone's name.
//!
//! # Not here
//! Whether a time zone exists, and whether it is quiet there now: the browser knows the time zones.

use serde::{Deserialize, Serialize};
#[cfg(not(target_arch = "wasm32"))]
use texts::refusal;

#[cfg(not(target_arch = "wasm32"))]
use crate::Refusal;
use crate::Time;

/// Which messages of a room notify a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum NotificationLevel {
    /// Direct messages, and messages that mention the person.
    #[default]
    Mentions,
    /// Every message.
    All,
    /// None: the room is muted.
    None,
}

impl NotificationLevel {
    /// All levels, by the numbers of the store.
    pub const ALL: [Self; 3] = [Self::Mentions, Self::All, Self::None];

    /// Returns the level with this name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// Returns the level's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mentions => "mentions",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

/// When a person receives no notifications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NotificationSettings {
    /// Until when notifications are paused; `null` if they are not.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, format = DateTime))]
    pub pause_until: Option<Time>,
    /// The hours of each day without notifications; `null` if there are none.
    pub quiet: Option<QuietHours>,
}

/// The hours of each day without notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QuietHours {
    /// When they begin, as hours and minutes.
    #[cfg_attr(
        feature = "schema",
        schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "22:00")
    )]
    pub from: String,
    /// When they end; before `from` if they pass midnight.
    #[cfg_attr(
        feature = "schema",
        schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "07:00")
    )]
    pub to: String,
    /// The time zone, by its name in the IANA database.
    #[cfg_attr(
        feature = "schema",
        schema(
            pattern = "^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}$",
            example = "Europe/Berlin"
        )
    )]
    pub zone: String,
}

#[cfg(not(target_arch = "wasm32"))]
impl QuietHours {
    /// Checks the form of the times and of the name of the time zone.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for the field that breaks a rule.
    pub fn parse(from: &str, to: &str, zone: &str) -> Result<Self, Refusal> {
        Ok(Self {
            from: parse_time_of_day("from", from)?,
            to: parse_time_of_day("to", to)?,
            zone: parse_zone(zone)?,
        })
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn parse_time_of_day(field: &'static str, text: &str) -> Result<String, Refusal> {
    let is_number = |digits: &str, max: u8| {
        digits.len() == 2
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.parse().is_ok_and(|number: u8| number <= max)
    };
    let text = text.trim();
    match text.split_once(':') {
        Some((hour, minute)) if is_number(hour, 23) && is_number(minute, 59) => Ok(text.to_owned()),
        _ => {
            let rule = refusal::RULE_TIME_OF_DAY.text();
            Err(Refusal::invalid(field, rule))
        }
    }
}

/// Checks the form of an IANA name: at most three parts, each of at most 32 letters, digits, `_`,
/// `+` and `-`, the first one beginning with a letter.
#[cfg(not(target_arch = "wasm32"))]
fn parse_zone(text: &str) -> Result<String, Refusal> {
    let is_part = |part: &str| {
        (1..=32).contains(&part.len())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    let text = text.trim();
    let begins_with_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
    if begins_with_letter && text.split('/').count() <= 3 && text.split('/').all(is_part) {
        return Ok(text.to_owned());
    }
    let rule = refusal::RULE_ZONE.text();
    Err(Refusal::invalid("zone", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invalid_field(from: &str, to: &str, zone: &str) -> Option<&'static str> {
        match QuietHours::parse(from, to, zone) {
            Err(Refusal::Invalid { field, .. }) => Some(field),
            Err(other) => panic!("{other:?}"),
            Ok(_) => None,
        }
    }

    #[test]
    fn quiet_hours_of_every_form_of_zone_are_accepted() {
        for zone in [
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+5",
            "UTC",
            " Europe/Berlin ",
        ] {
            assert_eq!(invalid_field("22:00", "07:00", zone), None, "{zone}");
        }
        let parsed = QuietHours::parse(" 00:00", "23:59 ", "UTC").unwrap();
        assert_eq!((&*parsed.from, &*parsed.to), ("00:00", "23:59"));
    }

    #[test]
    fn invalid_time_or_zone_is_refused_by_its_field() {
        for time in [
            "",
            "7:00",
            "24:00",
            "22:60",
            "22",
            "+2:00",
            "２２:00",
            "22:00:00",
        ] {
            assert_eq!(invalid_field(time, "07:00", "UTC"), Some("from"), "{time}");
            assert_eq!(invalid_field("22:00", time, "UTC"), Some("to"), "{time}");
        }
        let long = "a".repeat(33);
        for zone in [
            "", "/", "Europe/", "+01:00", "a/b/c/d", "Zürich", "a b", &long,
        ] {
            assert_eq!(
                invalid_field("22:00", "07:00", zone),
                Some("zone"),
                "{zone}"
            );
        }
    }

    #[test]
    fn level_is_read_by_its_name_alone() {
        for level in NotificationLevel::ALL {
            assert_eq!(NotificationLevel::from_name(level.name()), Some(level));
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(json, format!("\"{}\"", level.name()));
        }
        assert_eq!(NotificationLevel::from_name("loud"), None);
    }
}
