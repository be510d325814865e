//! The page of a room's settings: a form for its owner, text for all other visitors.
//!
//! # Guarantees
//! No visitor is offered a form that the server would refuse. After an error the form keeps the
//! entered values.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Role, Room};
use texts::{app as t, page as p};

use crate::pages::form::{Choice, Field, FormPage, SelectField, checkbox, label_choices};
use crate::time::duration_text;
use crate::ui::lifetime_field::offered_lifetimes;
use crate::ui::visibility_field::{VISIBILITY_CHOICES, VisibilityField, chosen_visibility};

/// The intervals of slow mode: value and label.
const SLOW_MODES: [Choice; 7] = [
    ("0", p::NO_PAUSE),
    ("5", p::SECONDS_5),
    ("10", p::SECONDS_10),
    ("30", p::SECONDS_30),
    ("60", p::MINUTE_1),
    ("300", p::MINUTES_5),
    ("3600", p::HOUR_1),
];

/// The data of the page.
#[derive(Clone, Debug)]
pub struct RoomSettingsPage {
    /// The room; after an error with the entered values.
    pub room: Room,
    /// The chosen lifetime after an error; empty if it stays unchanged.
    pub timeout: String,
    /// The longest lifetime that the server allows.
    pub longest: Duration,
    /// Whether the settings were just saved; the page confirms it once.
    pub saved: bool,
}

/// Renders the page.
pub fn room_settings_page(page: &FormPage, settings: &RoomSettingsPage) -> String {
    let room = &settings.room;
    let path = format!("/rooms/{}/", room.id);
    let content = if room.role == Some(Role::Owner) {
        view! {
            <p class="status-message" role="status">{settings.saved.then(|| p::SAVED.text())}</p>
            {settings_form(page, settings, &path)}
            {close_form(&path)}
        }
        .into_any()
    } else {
        settings_text(room)
    };
    page.render(
        if room.role == Some(Role::Owner) {
            p::ROOM_SETTINGS.text()
        } else {
            p::ABOUT_ROOM.text()
        },
        content,
    )
}

fn settings_form(page: &FormPage, settings: &RoomSettingsPage, path: &str) -> AnyView {
    let room = &settings.room;
    let name = Field {
        name: "name",
        label: p::NAME_OF_ROOM.text(),
        autocomplete: "off",
        value: room.name.as_deref().unwrap_or_default(),
        hint: p::NAME_OF_ROOM_HINT.text(),
        optional: true,
        ..Field::default()
    };
    let description = Field {
        name: "description",
        label: p::WHAT_ABOUT.text(),
        autocomplete: "off",
        value: room.description.as_deref().unwrap_or_default(),
        optional: true,
        ..Field::default()
    };
    view! {
        <form class="form" method="post" action=format!("{path}?method=PATCH")>
            <input type="hidden" name="next" value=format!("{path}settings/?saved=1")/>
            {name.view(page)}
            {description.view(page)}
            <VisibilityField chosen=chosen_visibility(room)/>
            {lifetime_field(settings)}
            {slow_mode_field(room)}
            {checkbox("read_only", p::ONLY_MODERATORS_WRITE.text(), room.read_only)}
            <p class="row"><button class="primary">{p::SAVE.text()}</button></p>
        </form>
    }
    .into_any()
}

/// The interval of slow mode. A current value that is not in the list is offered too.
fn slow_mode_field(room: &Room) -> AnyView {
    let current = room.slow_mode.to_string();
    let label = duration_text::format_words(Duration::from_secs(room.slow_mode));
    let mut options = label_choices(&SLOW_MODES);
    if !options.iter().any(|(value, _)| *value == current) {
        options.push((&current, &label));
    }
    SelectField {
        name: "slow_mode",
        label: p::PAUSE_LABEL.text(),
        options: &options,
        chosen: &current,
    }
    .view()
}

fn lifetime_field(settings: &RoomSettingsPage) -> AnyView {
    let unchanged = p::AS_IT_IS.fill([&duration_text::format_words(timeout(&settings.room))]);
    let offered: Vec<_> = offered_lifetimes(settings.longest).collect();
    let offered = offered
        .iter()
        .map(|(value, label)| (*value, label.as_str()));
    let options: Vec<_> = [("", unchanged.as_str())]
        .into_iter()
        .chain(offered)
        .collect();
    SelectField {
        name: "timeout",
        label: p::DELETED_WHEN.text(),
        options: &options,
        chosen: &settings.timeout,
    }
    .view()
}

/// The room's lifetime without a new message.
fn timeout(room: &Room) -> Duration {
    room.expires_at.since(room.last_active_at)
}

fn close_form(path: &str) -> AnyView {
    view! {
        <section>
            <details class="danger-zone">
                <summary>{p::CLOSE_NOW.text()}</summary>
                <form class="form" method="post" action=format!("{path}?method=DELETE")>
                    <p>{p::CLOSE_TEXT.text()}</p>
                    <p class="row"><button class="destructive">{p::CLOSE_FOR_GOOD.text()}</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

/// The settings as text, for visitors who cannot change them.
fn settings_text(room: &Room) -> AnyView {
    if room.with.is_some() {
        return view! { <p>{p::DIRECT_NO_SETTINGS.text()}</p> }.into_any();
    }
    let visibility = match VISIBILITY_CHOICES
        .iter()
        .find(|(value, _)| *value == chosen_visibility(room))
    {
        Some((_, label)) if !room.private => label.text(),
        _ => p::VISIBLE_PRIVATE.text(),
    };
    let description = room
        .description
        .clone()
        .map(|text| view! { <p class="description"><bdi>{text}</bdi></p> });
    let slow = (room.slow_mode > 0).then(|| {
        let pause = duration_text::format_words(Duration::from_secs(room.slow_mode));
        view! { <dt>{p::PAUSE_BETWEEN.text()}</dt> <dd>{pause}</dd> }
    });
    let why = match room.role {
        None => p::OWNER_MAYBE_NONE.text(),
        Some(_) => p::OWNER_ONLY.text(),
    };
    view! {
        {description}
        <dl class="details-list">
            <dt>{t::WHO_CAN_ENTER.text()}</dt>
            <dd>{visibility}</dd>
            <dt>{p::WHO_WRITES.text()}</dt>
            <dd>{if room.read_only { p::ONLY_MODERATORS } else { p::EVERYONE_EXCEPT_READERS }.text()}</dd>
            {slow}
            <dt>{p::DELETED_WHEN.text()}</dt>
            <dd>{duration_text::format_words(timeout(room))}</dd>
        </dl>
        <p class="hint">{why}</p>
    }
    .into_any()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::fixtures;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::form_page;
    use protocol::{RoomId, Time};

    pub(crate) fn room(role: Option<Role>) -> Room {
        Room {
            id: RoomId::from_bytes([7; 8]),
            name: Some("<b>Tea".into()),
            expires_at: Time::from_millis(5_400_000),
            description: Some("<i>kettles".into()),
            private: true,
            read_only: true,
            slow_mode: 7,
            role,
            ..fixtures::room()
        }
    }

    fn render(role: Role, error: Option<FieldError>) -> String {
        let longest = Duration::from_secs(86_400);
        room_settings_page(
            &form_page(error),
            &RoomSettingsPage {
                room: room(Some(role)),
                timeout: String::new(),
                longest,
                saved: true,
            },
        )
    }

    #[test]
    fn owner_gets_a_form_with_the_current_settings() {
        let html = render(Role::Owner, None);
        for part in [
            "Saved.",
            "1 hour 30 minutes, as it is",
            "value=\"24h\"",
            "7 seconds",
            "?method=PATCH",
            "?method=DELETE",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(
            !html.contains("168h") && !html.contains("<b>") && !html.contains("<i>"),
            "{html}"
        );
        // The current visibility and `read_only` are checked, and nothing else.
        assert_eq!(html.matches(" checked").count(), 2, "{html}");
        let wrong = FieldError {
            field: "name",
            text: "Too long.".into(),
            is_invalid: true,
        };
        assert!(render(Role::Owner, Some(wrong)).contains("id=\"name-error\""));
    }

    #[test]
    fn other_visitors_get_the_settings_as_text() {
        let html = render(Role::Moderator, None);
        for part in [
            "About this room",
            "kettles",
            "only people its moderators invite",
            "Only moderators",
            "Only the owner",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<form") && !html.contains("<i>"), "{html}");
    }
}
