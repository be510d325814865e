//! Lists of rooms: those visited lately, and those open to everyone.
//!
//! Promises: a row keeps its place on the page and its focus while what it says changes.

use leptos::prelude::*;
use protocol::{Room, RoomId};
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::{change, find};
use crate::clock::Clock;
use crate::lifetime::{Left, Line};
use crate::opening::room_title;
use crate::part::{flag, part, text};
use crate::seal::Seal;
use crate::span;

/// From how many rooms on a filter helps.
const MANY: usize = 6;

/// The rooms visited lately, if there are any.
#[component]
pub fn VisitedRooms(rooms: RwSignal<Vec<Room>>) -> impl IntoView {
    part(view! {
        <section hidden=flag(move || rooms.with(Vec::is_empty)) aria-labelledby="visited-title">
                <h2 id="visited-title">"Your rooms"</h2>
                <List rooms=rooms.into()/>
        </section>
    })
}

/// The rooms open to everyone.
#[component]
pub fn OpenRooms(rooms: RwSignal<Vec<Room>>) -> impl IntoView {
    let sought = RwSignal::new(String::new());
    let shown = Signal::derive(move || {
        let sought = sought.get();
        rooms.with(|rooms| rooms.iter().filter(|room| matches(room, &sought)).cloned().collect::<Vec<_>>())
    });
    let words = Signal::derive(move || {
        if rooms.with(Vec::is_empty) {
            Some("Rooms that are shown to everyone appear here. Open one under Options.".to_owned())
        } else if shown.with(Vec::is_empty) {
            Some("No open room has that in its name or ID.".to_owned())
        } else {
            None
        }
    });
    part(view! {
        <section aria-labelledby="open-title">
            <div class="list-head">
                <h2 id="open-title">"Open rooms"</h2>
                <input
                    id="filter"
                    type="search"
                    class="filter needs-script"
                    class:idle=flag(move || rooms.with(Vec::len) < MANY && sought.with(String::is_empty))
                    placeholder="Filter"
                    aria-label="Filter open rooms"
                    data-find
                    on:input=change(move || {
                        sought.set(find::<HtmlInputElement>("filter").map(|field| field.value()).unwrap_or_default());
                    })
                />
            </div>
            <List rooms=shown/>
            <p class="hint" role="status">{words}</p>
        </section>
    })
}

#[component]
fn List(rooms: Signal<Vec<Room>>) -> impl IntoView {
    view! {
        <ul class="rooms">
            <For each=move || rooms.get() key=|room| room.id let:room>
                <Entry first=room rooms/>
            </For>
        </ul>
    }
}

#[component]
fn Entry(first: Room, rooms: Signal<Vec<Room>>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let (id, name) = (first.id, room_title(&first));
    let room = Signal::derive(move || rooms.with(|rooms| with_id(rooms, id)).unwrap_or_else(|| first.clone()));
    let left = Signal::derive(move || room.with(|room| Left::of(room, clock.now())));
    let messages = text(move || match room.with(|room| room.message_count) {
        0 => "no messages".to_owned(),
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    });
    let active = text(move || span::ago(clock.now().since(room.with(|room| room.last_active_at))));
    part(view! {
        <li>
            <a class="entry" href=api::path(id)>
                <Seal id=Some(id)/>
                <span class="entry-name"><bdi>{name}</bdi></span>
                <span class="entry-about">
                    <span>{messages}</span>
                    <span>{active}</span>
                    <span class="left" class:short=flag(move || left.get().is_short())>{text(move || left.get().brief())}</span>
                </span>
                <Line left/>
            </a>
        </li>
    })
}

fn with_id(rooms: &[Room], id: RoomId) -> Option<Room> {
    rooms.iter().find(|room| room.id == id).cloned()
}

/// In lower case; by the browser where there is one, as it has the tables for every script already.
fn lower(text: &str) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(target_arch = "wasm32"))]
    return text.to_lowercase();
}

/// Whether a room has that in its name or ID, whatever the case of its letters.
fn matches(room: &Room, sought: &str) -> bool {
    let sought = lower(sought.trim());
    room.name.as_ref().is_some_and(|name| lower(name).contains(&sought)) || room.id.to_string().contains(&sought)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn rooms_are_found_by_name_and_id() {
        let room = Room {
            id: "0123456789abcdef".parse().unwrap(),
            name: Some("Tea & Größe".into()),
            public: true,
            created_at: Time::from_millis(0),
            last_active_at: Time::from_millis(0),
            expires_at: Time::from_millis(0),
            message_count: 0,
            description: None,
            private: false,
            read_only: false,
            slow_mode: 0,
            role: None,
            with: None,
        };
        for sought in ["", " tea ", "GRÖSSE".trim_end_matches("SSE"), "89AB"] {
            assert!(matches(&room, sought), "{sought}");
        }
        assert!(!matches(&room, "coffee"));
    }
}
