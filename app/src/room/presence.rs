//! Who is in the room: a button with their number, and the list that it opens.
//!
//! # Guarantees
//! - When people come and go, nothing moves and screen readers announce nothing. A person who stays
//!   keeps their row, and with it the focus and a click that has begun.

use std::cell::RefCell;

use leptos::prelude::*;
use protocol::characters::clean_name;
use texts::app as t;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::browser::dom::{browser_effect, element_by_id, focus_without_scroll};
use crate::reactive::{bool_signal, erase_type};
use crate::room::person_link::name_link;
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::ui::avatar::initials;
use crate::ui::element_tree::{Element as Drawn, Part, update_content};

/// The ID of the list and its heading, which the button opens.
pub const PRESENCE_LIST: &str = "presence-list";
/// How many avatars the button shows.
const AVATARS: usize = 3;
/// The ID of the avatars in the button.
const BUTTON_AVATARS: &str = "here-avatars";
/// The ID of the number in the button.
const COUNT: &str = "here-count";
/// The ID of the number of people whom the list does not name.
const REST: &str = "here-rest";
/// The ID of the names in the list.
const NAMES: &str = "here-names";

/// The button and the list.
#[component]
pub fn PresenceButton(state: RoomState) -> impl IntoView {
    let own = expect_context::<DisplayName>();
    let drawn = RefCell::<Vec<Content>>::default();
    browser_effect(move || {
        let people = draw_people(state, own);
        let before = drawn.replace(people.clone());
        if before != people {
            for (index, content) in people.iter().enumerate() {
                show(content, before.get(index).map_or(&[], |(_, parts)| parts));
            }
        }
    });
    let is_unknown =
        bool_signal(move || state.present.with(|present| present.count == 0) || state.closed.get());
    erase_type(view! {
        <button type="button" class="presence-button script-only" class:idle=is_unknown popovertarget=PRESENCE_LIST>
            <span id=BUTTON_AVATARS class="avatars" aria-hidden="true"></span>
            <span id=COUNT></span>
        </button>
        <div id=PRESENCE_LIST class="menu presence-list" popover="auto">
            <h2 id="here-title">{t::HERE_NOW.text()}</h2>
            <div id=NAMES role="list" tabindex="0" aria-labelledby="here-title"></div>
            <p id=REST class="hint"></p>
        </div>
    })
}

/// What an element of the page, which has this ID, contains.
type Content = (&'static str, Vec<Part>);

/// Draws the avatars, the numbers and the list; tracks who is present, and their names and roles.
fn draw_people(state: RoomState, own: DisplayName) -> Vec<Content> {
    let own = own.get();
    let present = state.present.get();
    let row = |name: &String| draw_person(state, name, *name == own);
    let rows: Vec<Part> = present.names.iter().map(row).collect();
    let count = vec![Part::Text(t::N_HERE.fill([&present.count.to_string()]))];
    let rest = match present.count.saturating_sub(rows.len() as u64) {
        0 => Vec::new(),
        rest => vec![Part::Text(t::AND_MORE.fill([&rest.to_string()]))],
    };
    let avatars = rows.iter().take(AVATARS).filter_map(|row| match row {
        Part::Element(row) => row.parts.first().cloned(),
        Part::Text(_) => None,
    });
    let avatars: Vec<Part> = avatars.collect();
    vec![
        (BUTTON_AVATARS, avatars),
        (COUNT, count),
        (NAMES, rows),
        (REST, rest),
    ]
}

/// Changes what is in an element, and gives the focus to the link that had it in a row that changed.
fn show((id, parts): &Content, before: &[Part]) {
    let Some(list) = element_by_id::<Element>(id) else {
        return;
    };
    let focused = document().active_element();
    let focused = focused.filter(|focused| list.contains(Some(focused)));
    let link = focused.and_then(|focused| focused.get_attribute("href"));
    update_content(&list, before, parts);
    let link = link.and_then(|link| list.query_selector(&format!("[href='{link}']")).ok()?);
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        focus_without_scroll(&link);
    }
}

/// A row of the list: the avatar, the name as a link to the card, and the role.
fn draw_person(state: RoomState, name: &str, is_own: bool) -> Part {
    let element = |tag, attributes: &[(&'static str, &str)], parts| {
        Part::Element(Drawn::new(tag, attributes, parts))
    };
    let text = |text: &str| vec![Part::Text(text.to_owned())];
    let shown = state
        .names
        .with(|names| clean_name(names.shown(name)).into_owned());
    let username = clean_name(name).into_owned();
    let mut parts = vec![element("bdi", &[], text(&shown))];
    if shown != username {
        parts.extend(text(" ("));
        parts.push(element("bdi", &[], text(&username)));
        parts.extend(text(")"));
    }
    if is_own {
        parts.extend(text(&format!(" {}", t::YOU_MARK.text())));
    }
    let avatar = [
        ("class", &*format!("avatar {}", state.hue_class(name))),
        ("aria-hidden", "true"),
    ];
    let link = [
        ("class", "participant-name"),
        ("href", &*name_link(state.id, name)),
        ("title", &username),
    ];
    let row = vec![
        element("span", &avatar, text(&initials(&shown))),
        element("a", &link, parts),
        element("span", &[("class", "role")], text(state.role_of_name(name))),
    ];
    element("div", &[("role", "listitem"), ("translate", "no")], row)
}
