//! Lists of rooms: the visitor's own, their chats, and those open to everyone.
//!
//! Promises: a row keeps its place on the page and its focus while what it says changes. Leaves to others: what is in
//! them (`overview`).

use leptos::prelude::*;
use protocol::{Room, RoomId};
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::dom::{element_by_id, on_change};
use crate::initial_state::room_title;
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room_list::store::{RoomLists, chat_as_room};
use crate::router::{Route, Router};
use crate::session::visitor::SignedIn;
use crate::time::clock::Clock;
use crate::time::duration_text;
use crate::ui::avatar::{hue_class, initials};
use crate::ui::identicon::Identicon;
use crate::ui::time_left::{TimeLeft, TimeLeftBar};

/// From how many rows on a filter helps.
const MANY: usize = 6;

/// The visitor's own rooms, their chats, and the rooms open to everyone.
#[component]
pub fn RoomListPanel() -> impl IntoView {
    let RoomLists { own, open, .. } = expect_context();
    let guest = expect_context::<SignedIn>().account.is_none();
    let way = expect_context::<Router>();
    let sign_up = text_signal(move || format!("/register?next={}", way.page().path()));
    let sought = RwSignal::new(String::new());
    let own_rooms = shown(sought, move || own.with(|own| own.rooms.clone()));
    let chats = shown(sought, move || {
        own.with(|own| own.chats.iter().map(chat_as_room).collect())
    });
    let others = move || {
        let all = open.get().into_iter();
        all.filter(|room| !own.with(|own| own.rooms.iter().any(|own| own.id == room.id)))
            .collect()
    };
    let others = shown(sought, others);
    let all = move || own.with(|own| own.rooms.len() + own.chats.len()) + open.with(Vec::len);
    let nothing = bool_signal(move || {
        sought.with(String::is_empty)
            || [own_rooms, chats, others]
                .iter()
                .any(|list| !list.with(Vec::is_empty))
    });
    let no_others =
        text_signal(
            move || match others.with(Vec::is_empty) && sought.with(String::is_empty) {
                true => "Rooms that are shown to everyone appear here.".to_owned(),
                false => String::new(),
            },
        );
    erase_type(view! {
        <div class="room-lists">
            <input
                id="filter"
                type="search"
                class="room-search script-only"
                class:idle=bool_signal(move || all() < MANY && sought.with(String::is_empty))
                placeholder="Search rooms and chats"
                aria-label="Search rooms and chats"
                data-find
                on:input=on_change(move || {
                    sought.set(element_by_id::<HtmlInputElement>("filter").map(|field| field.value()).unwrap_or_default());
                })
            />
            <p hidden=nothing class="hint" role="status">"Nothing here has that in its name or ID."</p>
            <section hidden=bool_signal(move || own_rooms.with(Vec::is_empty)) aria-labelledby="own-title">
                <h2 id="own-title">"Your rooms"</h2>
                <List rooms=own_rooms/>
            </section>
            <section hidden=bool_signal(move || !sought.with(String::is_empty) && chats.with(Vec::is_empty)) aria-labelledby="chats-title">
                <div class="list-header">
                    <h2 id="chats-title">"Chats"</h2>
                    <a hidden=guest href="/chats/">"New chat"</a>
                </div>
                <List rooms=chats/>
                <p hidden=!guest class="hint">"To talk with one person alone, you both need an account. "<a href=sign_up>"Get an account"</a></p>
            </section>
            <section hidden=bool_signal(move || !sought.with(String::is_empty) && others.with(Vec::is_empty)) aria-labelledby="open-title">
                <h2 id="open-title">"Open rooms"</h2>
                <List rooms=others/>
                <p class="hint">{no_others}</p>
            </section>
        </div>
    })
}

/// Those of these rooms that have what is sought in their name or ID.
fn shown(
    sought: RwSignal<String>,
    rooms: impl Fn() -> Vec<Room> + Send + Sync + 'static,
) -> Memo<Vec<Room>> {
    Memo::new(move |_| {
        let (mut rooms, sought) = (rooms(), sought.with(|sought| lower(sought.trim())));
        if !sought.is_empty() {
            rooms.retain(|room| matches(room, &sought));
        }
        rooms
    })
}

#[component]
fn List(rooms: Memo<Vec<Room>>) -> impl IntoView {
    view! {
        <ul class="rooms">
            <For each=move || rooms.get() key=|room| room.id let:room>
                <Entry first=room rooms/>
            </For>
        </ul>
    }
}

#[component]
fn Entry(first: Room, rooms: Memo<Vec<Room>>) -> impl IntoView {
    let (clock, way) = (expect_context::<Clock>(), expect_context::<Router>());
    let (id, name) = (first.id, room_title(&first));
    let with = first.with.as_ref().map(|with| with.username.clone());
    // The clock asks for it every second.
    let room = Memo::new(move |_| {
        rooms
            .with(|rooms| with_id(rooms, id))
            .unwrap_or_else(|| first.clone())
    });
    let left = Signal::derive(move || room.with(|room| TimeLeft::of(room, clock.now())));
    let here = bool_signal(move || way.page() == Route::Room(id));
    let unread = move || {
        if here.get() {
            0
        } else {
            room.with(|room| room.unread)
        }
    };
    let active = text_signal(move || {
        duration_text::ago(clock.now().since(room.with(|room| room.last_active_at)))
    });
    let face = with.as_ref().map(|username| {
        view! { <span class=format!("avatar {}", hue_class(username)) aria-hidden="true">{initials(&name)}</span> }
    });
    erase_type(view! {
        <li>
            <a class="entry" class:direct-chat=with.is_some() href=api::room_path(id) aria-current=text_signal(move || if here.get() { "page" } else { "false" }.to_owned())>
                <Identicon id=Some(id)/>
                {face}
                <span class="entry-name"><bdi>{name}</bdi></span>
                <span hidden=bool_signal(move || unread() == 0) class="unread">
                    {text_signal(move || if unread() < 100 { unread().to_string() } else { "99+".to_owned() })}
                    <span class="visually-hidden">" unread"</span>
                </span>
                <span class="entry-details">
                    <span class="last-message"><bdi>{text_signal(move || room.with(said))}</bdi></span>
                    <span>{active}</span>
                    <span class="time-left" class:ending=bool_signal(move || left.get().is_short())>{text_signal(move || left.get().short_text())}</span>
                </span>
                <TimeLeftBar left/>
            </a>
        </li>
    })
}

/// How much was said in a room, or what was said last in a chat.
fn said(room: &Room) -> String {
    match (&room.with, room.message_count) {
        (Some(_), _) => room.description.clone().unwrap_or_default(),
        (None, 0) => "no messages".to_owned(),
        (None, 1) => "1 message".to_owned(),
        (None, count) => format!("{count} messages"),
    }
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

/// Whether a room has that, which is in lower case, in its name or ID.
fn matches(room: &Room, sought: &str) -> bool {
    lower(&room_title(room)).contains(sought) || room.id.to_string().contains(sought)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn rooms_are_found_by_name_and_id() {
        let room = Room {
            id: "0123456789abcdef".parse().unwrap(),
            name: Some("Tea & Größe".into()),
            ..fixtures::room()
        };
        for sought in ["", "tea", "größe", "89ab"] {
            assert!(matches(&room, sought), "{sought}");
        }
        assert!(!matches(&room, "coffee"));
    }
}
