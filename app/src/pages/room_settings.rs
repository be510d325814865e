//! The page of a room's settings: a form for its owner, text for all other visitors.
//!
//! # Guarantees
//! No visitor is offered a form that the server would refuse. After an error the form keeps the
//! entered values.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Role, Room};

use crate::pages::form::{Field, FormPage, SelectField, checkbox};
use crate::time::duration_text;
use crate::ui::lifetime_field::offered_lifetimes;
use crate::ui::visibility_field::{VISIBILITY_CHOICES, VisibilityField, chosen_visibility};

/// The intervals of slow mode: value and label.
const SLOW_MODES: [(&str, &str); 7] = [
    ("0", "No pause"),
    ("5", "5 seconds"),
    ("10", "10 seconds"),
    ("30", "30 seconds"),
    ("60", "1 minute"),
    ("300", "5 minutes"),
    ("3600", "1 hour"),
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
            <p class="status-message" role="status">{settings.saved.then_some("Saved.")}</p>
            {settings_form(page, settings, &path)}
            {close_form(&path)}
        }
        .into_any()
    } else {
        settings_text(room)
    };
    page.render(
        if room.role == Some(Role::Owner) {
            "Room settings"
        } else {
            "About this room"
        },
        content,
    )
}

fn settings_form(page: &FormPage, settings: &RoomSettingsPage, path: &str) -> AnyView {
    let room = &settings.room;
    let name = Field {
        name: "name",
        label: "Name of the room",
        autocomplete: "off",
        value: room.name.as_deref().unwrap_or_default(),
        hint: "Optional. Without a name, the room is shown by its ID.",
        optional: true,
        ..Field::default()
    };
    let description = Field {
        name: "description",
        label: "What it is about",
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
            {checkbox("read_only", "Only moderators write", room.read_only)}
            <p class="row"><button class="primary">"Save"</button></p>
        </form>
    }
    .into_any()
}

/// The interval of slow mode. A current value that is not in the list is offered too.
fn slow_mode_field(room: &Room) -> AnyView {
    let current = room.slow_mode.to_string();
    let label = duration_text::format_words(Duration::from_secs(room.slow_mode));
    let mut options = SLOW_MODES.to_vec();
    if !options.iter().any(|(value, _)| *value == current) {
        options.push((&current, &label));
    }
    SelectField {
        name: "slow_mode",
        label: "Pause between two messages of one person",
        options: &options,
        chosen: &current,
    }
    .view()
}

fn lifetime_field(settings: &RoomSettingsPage) -> AnyView {
    let unchanged = format!(
        "{}, as it is",
        duration_text::format_words(timeout(&settings.room))
    );
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
        label: "Deleted when no one writes for",
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
                <summary>"Close this room now"</summary>
                <form class="form" method="post" action=format!("{path}?method=DELETE")>
                    <p>"The room is archived and deleted at once. People who have it open can still save the messages that they see. No one can open it again."</p>
                    <p class="row"><button class="destructive">"Close this room for good"</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

/// The settings as text, for visitors who cannot change them.
fn settings_text(room: &Room) -> AnyView {
    if room.with.is_some() {
        return view! { <p>"Direct messages have no settings. No one else can find them."</p> }
            .into_any();
    }
    let visibility = VISIBILITY_CHOICES
        .iter()
        .find(|(value, _)| *value == chosen_visibility(room))
        .map_or("", |(_, label)| *label);
    let visibility = visibility.replace("you invite", "its moderators invite");
    let description = room
        .description
        .clone()
        .map(|text| view! { <p class="description"><bdi>{text}</bdi></p> });
    let slow = (room.slow_mode > 0).then(|| {
        let pause = duration_text::format_words(Duration::from_secs(room.slow_mode));
        view! { <dt>"Pause between two messages"</dt> <dd>{pause}</dd> }
    });
    let why = match room.role {
        None => {
            "Only the owner of a room can change its settings. A room that a program created may have no owner."
        }
        Some(_) => "Only the owner of this room can change its settings.",
    };
    view! {
        {description}
        <dl class="details-list">
            <dt>"Who can enter"</dt>
            <dd>{visibility}</dd>
            <dt>"Who writes"</dt>
            <dd>{if room.read_only { "Only moderators" } else { "Everyone except readers" }}</dd>
            {slow}
            <dt>"Deleted when no one writes for"</dt>
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
