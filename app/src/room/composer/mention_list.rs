//! The list of names above the message field, from which a mention is completed.
//!
//! # Guarantees
//! - It opens while the visitor types a name behind `@`, and offers who is in the room or has written
//!   in it lately. The focus stays in the field.
//! - The arrow keys select, Enter and Tab take the selected name, and Escape closes the list.
//!
//! # Not here
//! Whom a mention means (`timeline/mentioned`).

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use protocol::characters::clean_name;
use texts::app as t;
use wasm_bindgen::JsCast;
use web_sys::{Element, MouseEvent};

use crate::browser::dom::{browser_effect, element_by_id};
use crate::room::composer::draft::DraftField;
use crate::room::state::RoomState;
use crate::room_list::list::lowercase;
use crate::session::display_name::DisplayName;
use crate::ui::avatar::initials;
use crate::ui::element_tree::{Element as Drawn, Part, replace_content};

/// The ID of the list; the options have the same ID with a number.
pub const LIST: &str = "mention-list";

/// How many names are offered at once.
const OFFERED_MAX: usize = 6;

/// A name that can be mentioned.
#[derive(Clone, PartialEq, Eq)]
struct Person {
    /// The name that the mention contains.
    username: String,
    /// The name for display.
    name: String,
}

/// The list.
#[derive(Clone, Copy)]
pub struct MentionList {
    state: RoomState,
    own: DisplayName,
    field: DraftField,
    offered: RwSignal<Vec<Person>>,
    selected: RwSignal<usize>,
}

impl MentionList {
    /// A closed list.
    pub fn new(state: RoomState, own: DisplayName, field: DraftField) -> Self {
        Self {
            state,
            own,
            field,
            offered: RwSignal::new(Vec::new()),
            selected: RwSignal::new(0),
        }
    }

    /// Draws the list, which its style hides while it is empty, and says in the field which option is
    /// selected; tracks both.
    fn show(self) {
        let selected = self.selected.get();
        let options = self.offered.with(|offered| {
            let draw = |(index, person): (usize, &Person)| {
                let hue = self.state.hue_class(&person.username);
                draw_option(index, person, &hue, index == selected)
            };
            offered.iter().enumerate().map(draw).collect::<Vec<_>>()
        });
        if let Some((list, field)) = element_by_id::<Element>(LIST).zip(self.field.element()) {
            replace_content(&list, &options);
            let active = format!("{LIST}-{selected}");
            for (name, value) in [
                ("aria-autocomplete", "list"),
                ("aria-controls", LIST),
                (
                    "aria-activedescendant",
                    if options.is_empty() { "" } else { &active },
                ),
            ] {
                // Setting an attribute does not fail.
                let _ = field.set_attribute(name, value);
            }
        }
    }

    /// Closes the list.
    pub fn close(self) {
        self.offered.set(Vec::new());
    }

    /// Opens or closes the list for what precedes the caret.
    pub fn update(self) {
        let started = self.field.text_before_caret();
        let offered = match started.as_deref().and_then(started_name) {
            Some(started) => self.find_people(&lowercase(started)),
            None => Vec::new(),
        };
        self.selected.set(0);
        self.offered.set(offered);
    }

    /// Handles a key in the field; returns whether it was for the list.
    pub fn on_key(self, event: &KeyboardEvent) -> bool {
        let count = self.offered.with_untracked(Vec::len);
        if count == 0 || event.shift_key() {
            return false;
        }
        let selected = self.selected.get_untracked();
        match event.key().as_str() {
            "ArrowDown" => self.selected.set((selected + 1) % count),
            "ArrowUp" => self.selected.set((selected + count - 1) % count),
            "Enter" | "Tab" => self.take(selected),
            "Escape" => self.close(),
            _ => return false,
        }
        event.prevent_default();
        true
    }

    /// Puts a name into the field.
    fn take(self, index: usize) {
        let person = self
            .offered
            .with_untracked(|offered| offered.get(index).cloned());
        let (Some(person), Some(before)) = (person, self.field.text_before_caret()) else {
            return;
        };
        let Some(started) = started_name(&before) else {
            return;
        };
        self.close();
        let begun = format!("@{started}");
        self.field
            .replace_before_caret(&begun, &mention_of(&person.username));
    }

    /// The people whose names begin with a text in lower case: the latest authors first.
    fn find_people(self, started: &str) -> Vec<Person> {
        let own = self.own.get_untracked();
        let mut found: Vec<Person> = Vec::new();
        let mut offer = |username: &String| {
            let is_known =
                *username == own || found.iter().any(|known| known.username == *username);
            if found.len() == OFFERED_MAX || is_known || username.is_empty() {
                return;
            }
            let name = self
                .state
                .names
                .with_untracked(|names| clean_name(names.shown(username)).into_owned());
            if begins_with(username, started) || begins_with(&name, started) {
                let username = username.clone();
                found.push(Person { username, name });
            }
        };
        self.state.history.log.with_untracked(|log| {
            let latest = log.messages().iter().rev();
            latest.for_each(|message| offer(&message.username));
        });
        self.state
            .present
            .with_untracked(|present| present.names.iter().for_each(offer));
        found
    }
}

/// The beginning of a name behind the last at sign of a text, if the caret is in a name there.
fn started_name(before: &str) -> Option<&str> {
    let (text, name) = before.rsplit_once('@')?;
    let is_free = !text.ends_with(|c: char| c.is_ascii_alphanumeric() || "@/.-_`\\".contains(c));
    let is_name = !name.contains(|c: char| c.is_whitespace() || "[](){}<>\"'`:;,!?*".contains(c));
    (is_free && is_name).then_some(name)
}

/// Whether a word of a name begins with a text in lower case.
fn begins_with(name: &str, started: &str) -> bool {
    let words = format!(" {}", lowercase(name)).replace(['-', '_'], " ");
    words.contains(&format!(" {started}"))
}

/// What mentions a person. The server reads a name with other characters only in brackets.
pub fn mention_of(username: &str) -> String {
    let is_plain = username
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_plain && !username.ends_with('-') {
        format!("@{username} ")
    } else {
        format!("@[{username}] ")
    }
}

/// The list on the page.
#[component]
pub fn MentionOptions(list: MentionList) -> impl IntoView {
    browser_effect(move || list.show());
    let take: Box<dyn FnMut(MouseEvent)> = Box::new(move |event| {
        // The field keeps the focus.
        event.prevent_default();
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let option = target.and_then(|target| target.closest("[value]").ok().flatten());
        let index = option.and_then(|option| option.get_attribute("value")?.parse().ok());
        index.into_iter().for_each(|index| list.take(index));
    });
    view! { <div id=LIST role="listbox" aria-label=t::NAMES.text() class="mention-list" on:mousedown=take></div> }
}

/// An option of the list.
fn draw_option(index: usize, person: &Person, hue: &str, is_selected: bool) -> Part {
    let Person { username, name } = person;
    let text = |text: &str| vec![Part::Text(text.to_owned())];
    let avatar = [
        ("class", &*format!("avatar {hue}")),
        ("aria-hidden", "true"),
    ];
    let mut parts = vec![
        Part::Element(Drawn::new("span", &avatar, text(&initials(name)))),
        Part::Element(Drawn::new("bdi", &[], text(name))),
    ];
    if name != username {
        let class = [("class", "mention-username")];
        parts.push(Part::Element(Drawn::new("bdi", &class, text(username))));
    }
    let attributes = [
        ("id", &*format!("{LIST}-{index}")),
        ("role", "option"),
        ("value", &*index.to_string()),
        ("aria-selected", if is_selected { "true" } else { "false" }),
    ];
    Part::Element(Drawn::new("div", &attributes, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_started_by_an_at_sign_between_words() {
        for (before, started) in [
            ("@", Some("")),
            ("hi @ad", Some("ad")),
            ("(@a", Some("a")),
            ("你好@张", Some("张")),
            ("a\n@b", Some("b")),
            ("hi @ada b", None),
            ("mail@ex", None),
            ("@[ada", None),
            ("@@a", None),
            ("`@a", None),
            ("none", None),
        ] {
            assert_eq!(started_name(before), started, "{before}");
        }
    }

    #[test]
    fn names_are_found_by_the_beginning_of_a_word() {
        for started in ["", "ada", "love", "l"] {
            assert!(begins_with("Ada Lovelace", started));
        }
        assert!(begins_with("quiet-otter", "ot"));
        assert!(!begins_with("Ada Lovelace", "ovelace"));
    }

    #[test]
    fn names_that_are_no_single_word_are_mentioned_in_brackets() {
        assert_eq!(mention_of("ada_l-2"), "@ada_l-2 ");
        assert_eq!(mention_of("Ada Lovelace"), "@[Ada Lovelace] ");
        assert_eq!(mention_of("张三"), "@[张三] ");
    }
}
