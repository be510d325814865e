//! What a room is like: for its owner to change, for everybody else to read.
//!
//! Promises: nobody is offered a form that would be refused; what was typed into a refused one is kept.

use std::time::Duration;

use leptos::prelude::*;
use protocol::{Role, Room};

use crate::pages::form::{Choice, Field, FormPage, tick};
use crate::time::duration_text;
use crate::ui::visibility_field::{VISIBILITY_CHOICES, VisibilityField, chosen_visibility};

/// Lifetimes on offer where the server keeps rooms that long: as they are sent, in seconds, and as people read them.
const LIFETIMES: [(&str, u64, &str); 8] = [
    ("10m", 600, "10 minutes"),
    ("30m", 1_800, "30 minutes"),
    ("1h", 3_600, "1 hour"),
    ("6h", 21_600, "6 hours"),
    ("24h", 86_400, "1 day"),
    ("168h", 604_800, "7 days"),
    ("720h", 2_592_000, "30 days"),
    ("8760h", 31_536_000, "1 year"),
];

/// Pauses on offer: as they are sent, and as people read them.
const PAUSES: [(&str, &str); 7] = [
    ("0", "No pause"),
    ("5", "5 seconds"),
    ("10", "10 seconds"),
    ("30", "30 seconds"),
    ("60", "1 minute"),
    ("300", "5 minutes"),
    ("3600", "1 hour"),
];

/// What the page of a room's settings shows.
#[derive(Clone, Debug)]
pub struct RoomSettingsPage {
    /// The room, with what was typed if that was refused.
    pub room: Room,
    /// The lifetime that was chosen and refused; empty if it stays as it is.
    pub timeout: String,
    /// How long the server keeps rooms at most.
    pub longest: Duration,
    /// Whether they have just been changed, to be said once.
    pub saved: bool,
}

/// The page of a room's settings.
pub fn room_settings_page(sheet: &FormPage, settings: &RoomSettingsPage) -> String {
    let room = &settings.room;
    let path = format!("/rooms/{}/", room.id);
    let content = if room.role == Some(Role::Owner) {
        view! {
            <p class="status-message" role="status">{settings.saved.then_some("Saved.")}</p>
            {form(sheet, settings, &path)}
            {closing(&path)}
        }
        .into_any()
    } else {
        rules(room)
    };
    sheet.page(
        if room.role == Some(Role::Owner) {
            "Room settings"
        } else {
            "About this room"
        },
        content,
    )
}

fn form(sheet: &FormPage, settings: &RoomSettingsPage, path: &str) -> AnyView {
    let room = &settings.room;
    let name = Field {
        name: "name",
        label: "Name of the room",
        autocomplete: "off",
        value: room.name.as_deref().unwrap_or_default(),
        hint: "Empty: it goes by its ID.",
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
    let slow = room.slow_mode.to_string();
    let words = duration_text::long(Duration::from_secs(room.slow_mode));
    let mut pauses = PAUSES.to_vec();
    if !pauses.iter().any(|(value, _)| *value == slow) {
        pauses.push((&slow, &words));
    }
    let pause = Choice {
        name: "slow_mode",
        label: "Pause between two messages of one person",
        options: &pauses,
        chosen: &slow,
    };
    view! {
        <form class="form" method="post" action=format!("{path}?method=PATCH")>
            <input type="hidden" name="next" value=format!("{path}settings/?saved=1")/>
            {name.view(sheet)}
            {description.view(sheet)}
            <VisibilityField chosen=chosen_visibility(room)/>
            {lifetime(settings)}
            {pause.view()}
            {tick("read_only", "Only moderators write", room.read_only)}
            <p class="row"><button class="primary">"Save"</button></p>
        </form>
    }
    .into_any()
}

fn lifetime(settings: &RoomSettingsPage) -> AnyView {
    let as_is = format!("{}, as it is", duration_text::long(lives(&settings.room)));
    let offered = LIFETIMES
        .iter()
        .filter(|(_, seconds, _)| Duration::from_secs(*seconds) <= settings.longest);
    let options: Vec<_> = [("", as_is.as_str())]
        .into_iter()
        .chain(offered.map(|(value, _, words)| (*value, *words)))
        .collect();
    Choice {
        name: "timeout",
        label: "Deleted when nobody writes for",
        options: &options,
        chosen: &settings.timeout,
    }
    .view()
}

/// How long the room lives without a new message.
fn lives(room: &Room) -> Duration {
    room.expires_at.since(room.last_active_at)
}

fn closing(path: &str) -> AnyView {
    view! {
        <section>
            <details class="danger-zone">
                <summary>"Close this room now"</summary>
                <form class="form" method="post" action=format!("{path}?method=DELETE")>
                    <p>"The room is archived and deleted at once, as if it had fallen quiet. Whoever has it open can still save what they see. Nobody can open it again."</p>
                    <p class="row"><button class="destructive">"Close this room for good"</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

/// What the room is like, for those who cannot change it.
fn rules(room: &Room) -> AnyView {
    if room.with.is_some() {
        return view! { <p>"A conversation of two has no settings. Nobody else can find it."</p> }
            .into_any();
    }
    let who = VISIBILITY_CHOICES
        .iter()
        .find(|(value, _)| *value == chosen_visibility(room))
        .map_or("", |(_, words)| *words);
    let who = who.replace("you invite", "its moderators invite");
    let about = room
        .description
        .clone()
        .map(|words| view! { <p class="description"><bdi>{words}</bdi></p> });
    let slow = (room.slow_mode > 0).then(|| {
        let pause = duration_text::long(Duration::from_secs(room.slow_mode));
        view! { <dt>"Pause between two messages"</dt> <dd>{pause}</dd> }
    });
    let why = match room.role {
        None => {
            "Only the owner of a room changes what it is like. A room that a program opened may have none."
        }
        Some(_) => "Only the owner of this room changes what it is like.",
    };
    view! {
        {about}
        <dl class="details-list">
            <dt>"Who may come"</dt>
            <dd>{who}</dd>
            <dt>"Who writes"</dt>
            <dd>{if room.read_only { "Only moderators" } else { "Everybody who may come, but readers" }}</dd>
            {slow}
            <dt>"Deleted when nobody writes for"</dt>
            <dd>{duration_text::long(lives(room))}</dd>
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
    use crate::pages::form::tests::sheet;
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

    fn draw(role: Role, wrong: Option<FieldError>) -> String {
        let longest = Duration::from_secs(86_400);
        room_settings_page(
            &sheet(wrong),
            &RoomSettingsPage {
                room: room(Some(role)),
                timeout: String::new(),
                longest,
                saved: true,
            },
        )
    }

    #[test]
    fn the_owner_has_a_form_with_what_is() {
        let html = draw(Role::Owner, None);
        for part in [
            "Saved.",
            "1 h 30 min, as it is",
            "value=\"24h\"",
            "7 s",
            "?method=PATCH",
            "?method=DELETE",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(
            !html.contains("168h") && !html.contains("<b>") && !html.contains("<i>"),
            "{html}"
        );
        // The access that is, and the tick; nothing else.
        assert_eq!(html.matches(" checked").count(), 2, "{html}");
        let wrong = FieldError {
            at: "name",
            words: "Too long.".into(),
            invalid: true,
        };
        assert!(draw(Role::Owner, Some(wrong)).contains("id=\"name-error\""));
    }

    #[test]
    fn everybody_else_reads_the_rules_and_why() {
        let html = draw(Role::Moderator, None);
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
