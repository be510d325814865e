//! The page of the notifications of a room: one row with the levels.

use leptos::prelude::*;
use protocol::{NotificationLevel, RoomId};
use texts::{Text, page as p};

use crate::pages::form::FormPage;

/// The data of the page.
#[derive(Clone, Copy, Debug)]
pub struct RoomNotificationsPage {
    /// The room.
    pub room: RoomId,
    /// Whether it is a direct chat, every message of which is meant for the visitor.
    pub is_direct: bool,
    /// Which messages notify the visitor.
    pub level: NotificationLevel,
}

/// A level that the visitor can choose.
#[derive(Clone, Copy)]
struct Choice {
    level: NotificationLevel,
    label: Text,
    /// What the level means, for the chosen one.
    meaning: Text,
}

const NONE: Choice = Choice {
    level: NotificationLevel::None,
    label: p::LEVEL_NONE,
    meaning: p::LEVEL_NONE_HINT,
};

const OF_ROOM: [Choice; 3] = [
    Choice {
        level: NotificationLevel::All,
        label: p::LEVEL_ALL,
        meaning: p::LEVEL_ALL_HINT,
    },
    Choice {
        level: NotificationLevel::Mentions,
        label: p::LEVEL_MENTIONS,
        meaning: p::LEVEL_MENTIONS_HINT,
    },
    NONE,
];

const OF_DIRECT_CHAT: [Choice; 2] = [
    Choice {
        level: NotificationLevel::Mentions,
        label: p::LEVEL_ALL,
        meaning: p::LEVEL_DIRECT_HINT,
    },
    NONE,
];

/// Renders the page.
pub fn room_notifications_page(page: &FormPage, notifications: &RoomNotificationsPage) -> String {
    let RoomNotificationsPage {
        room,
        is_direct,
        level,
    } = *notifications;
    let (choices, level): (&[Choice], _) = match (is_direct, level) {
        (true, NotificationLevel::All) => (&OF_DIRECT_CHAT, NotificationLevel::Mentions),
        (true, level) => (&OF_DIRECT_CHAT, level),
        (false, level) => (&OF_ROOM, level),
    };
    let meaning = choices.iter().find(|choice| choice.level == level);
    let meaning = meaning.map(|choice| choice.meaning.text());
    let buttons = choices.iter().map(|choice| button(*choice, level));
    let action = format!("/rooms/{room}/notifications/?method=PUT");
    let settings = page.link_to("/profile/notifications/");
    let content = view! {
        <section>
            <form method="post" action=action>
                <div class="row" role="group" aria-label=p::WHAT_NOTIFIES.text()>{buttons.collect_view()}</div>
            </form>
            <p role="status">{meaning}</p>
        </section>
        <p class="hint">
            {p::ONLY_WHERE_ON.text()}
            " "
            <a href=settings>{p::NOTIFICATION_LINK.text()}</a>
        </p>
    };
    page.render(p::NOTIFICATIONS.text(), content)
}

fn button(choice: Choice, chosen: NotificationLevel) -> AnyView {
    let Choice { level, label, .. } = choice;
    let is_chosen = level == chosen;
    view! {
        <button name="level" value=level.name() class=is_chosen.then_some("primary") aria-pressed=is_chosen.to_string() autofocus=is_chosen>
            {label.text()}
        </button>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    fn render(is_direct: bool, level: NotificationLevel) -> String {
        let page = RoomNotificationsPage {
            room: RoomId::from_bytes([7; 8]),
            is_direct,
            level,
        };
        room_notifications_page(&form_page(None), &page)
    }

    #[test]
    fn chosen_level_alone_is_pressed_and_explained() {
        for (level, meaning) in [
            (NotificationLevel::All, "every message in this room"),
            (NotificationLevel::Mentions, "when someone mentions you"),
            (NotificationLevel::None, "is muted"),
        ] {
            let html = render(false, level);
            assert!(html.contains(meaning), "{html}");
            assert_eq!(html.matches("aria-pressed=\"true\"").count(), 1, "{html}");
            assert_eq!(html.matches("name=\"level\"").count(), 3, "{html}");
        }
    }

    #[test]
    fn direct_chat_has_two_levels_one_of_which_is_pressed() {
        for level in NotificationLevel::ALL {
            let html = render(true, level);
            assert_eq!(html.matches("name=\"level\"").count(), 2, "{html}");
            assert_eq!(html.matches("aria-pressed=\"true\"").count(), 1, "{html}");
        }
    }
}
