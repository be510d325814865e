//! The lists of rooms: the visitor's own, their chats, and the public ones.
//!
//! # Guarantees
//! A row keeps its element and its focus while its content changes.
//!
//! # Not here
//! The data (`store`).

use leptos::prelude::*;
use protocol::{Overview, Room, RoomId, Time, nfc};
use texts::app as t;
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
use crate::time::local_time::format_number;
use crate::ui::avatar::{hue_class, initials};
use crate::ui::identicon::Identicon;
use crate::ui::time_left::{TimeLeft, TimeLeftBar};
use crate::ui::without_app::without_app;

/// The filter is shown from this number of rows on.
const FILTER_FROM: usize = 6;

/// The three lists and their filter.
#[component]
pub fn RoomListPanel() -> impl IntoView {
    let RoomLists { own, public, .. } = expect_context();
    let filter = RwSignal::new(String::new());
    let own_rooms = filter_rooms(filter, move || own.with(|own| own.rooms.clone()));
    let chats = filter_rooms(filter, move || {
        own.with(|own| own.chats.iter().map(chat_as_room).collect())
    });
    let others = filter_rooms(filter, move || other_rooms(own, public));
    let has_none = bool_signal(move || public.with(Vec::is_empty));
    let count = move || own.with(|own| own.rooms.len() + own.chats.len()) + public.with(Vec::len);
    let few_rooms = bool_signal(move || count() < FILTER_FROM && filter.with(String::is_empty));
    let has_matches = bool_signal(move || {
        filter.with(String::is_empty)
            || [own_rooms, chats, others]
                .iter()
                .any(|list| !list.with(Vec::is_empty))
    });
    erase_type(view! {
        <div class="room-lists">
            <FilterField filter is_hidden=few_rooms/>
            <p hidden=has_matches class="hint" role="status">{t::NO_MATCHES.text()}</p>
            <section hidden=bool_signal(move || own_rooms.with(Vec::is_empty)) aria-labelledby="own-title">
                <h2 id="own-title">{t::YOUR_ROOMS.text()}</h2>
                <List rooms=own_rooms/>
            </section>
            {chats_section(chats, filter)}
            {public_rooms_section(others, filter, has_none)}
        </div>
    })
}

/// The visitor's direct chats, and where to start one.
fn chats_section(chats: Memo<Vec<Room>>, filter: RwSignal<String>) -> impl IntoView {
    let is_guest = expect_context::<SignedIn>().account.is_none();
    let router = expect_context::<Router>();
    let sign_up = text_signal(move || format!("/register?next={}", router.route().path()));
    view! {
        <section hidden=bool_signal(move || !filter.with(String::is_empty) && chats.with(Vec::is_empty)) aria-labelledby="chats-title">
            <div class="list-header">
                <h2 id="chats-title">{t::DIRECT_MESSAGES.text()}</h2>
                <a hidden=is_guest href="/chats/">{t::NEW_MESSAGE.text()}</a>
            </div>
            <List rooms=chats/>
            <p hidden=!is_guest class="hint">{t::NEED_ACCOUNT.text()}" "<a href=sign_up>{t::GET_ACCOUNT.text()}</a></p>
        </section>
    }
}

/// The public rooms that are not among the visitor's own. `has_none` says whether there are no
/// public rooms at all.
fn public_rooms_section(
    rooms: Memo<Vec<Room>>,
    filter: RwSignal<String>,
    has_none: Signal<bool>,
) -> impl IntoView {
    let is_empty = move || rooms.with(Vec::is_empty) && filter.with(String::is_empty);
    let hint = text_signal(move || {
        match (is_empty(), has_none.get()) {
            (false, _) => "",
            (true, true) => t::PUBLIC_ROOMS_HINT.text(),
            (true, false) => t::NO_OTHER_ROOMS.text(),
        }
        .to_owned()
    });
    view! {
        <section hidden=bool_signal(move || !filter.with(String::is_empty) && rooms.with(Vec::is_empty)) aria-labelledby="public-title">
            <h2 id="public-title">{t::PUBLIC_ROOMS.text()}</h2>
            <List rooms/>
            <p class="hint">{hint}</p>
        </section>
    }
}

/// The public rooms that are not among the visitor's own.
fn other_rooms(own: RwSignal<Overview>, public: RwSignal<Vec<Room>>) -> Vec<Room> {
    let is_own = |room: &Room| own.with(|own| own.rooms.iter().any(|own| own.id == room.id));
    let all = public.get().into_iter();
    all.filter(|room| !is_own(room)).collect()
}

/// The field with the filter text.
#[component]
fn FilterField(filter: RwSignal<String>, is_hidden: Signal<bool>) -> impl IntoView {
    let read = move || {
        let field = element_by_id::<HtmlInputElement>("filter");
        filter.set(field.map(|field| field.value()).unwrap_or_default());
    };
    view! {
        <input
            id="filter"
            type="search"
            class="room-search script-only"
            class:idle=is_hidden
            placeholder=t::SEARCH_ROOMS.text()
            aria-label=t::SEARCH_ROOMS.text()
            data-find
            on:input=on_change(read)
        />
    }
}

/// Keeps the rooms whose name or ID contains the filter text.
fn filter_rooms(
    filter: RwSignal<String>,
    rooms: impl Fn() -> Vec<Room> + Send + Sync + 'static,
) -> Memo<Vec<Room>> {
    Memo::new(move |_| {
        let mut rooms = rooms();
        let filter = filter.with(|filter| lowercase(filter.trim()));
        if !filter.is_empty() {
            rooms.retain(|room| matches_filter(room, &filter));
        }
        rooms
    })
}

#[component]
fn List(rooms: Memo<Vec<Room>>) -> impl IntoView {
    let RoomLists { shown_rows, .. } = expect_context();
    let drawn = move || {
        let mut drawn = rooms.get();
        drawn.truncate(shown_rows.get());
        drawn
    };
    let is_whole = bool_signal(move || rooms.with(Vec::len) <= shown_rows.get());
    let waiting = move || {
        let waiting = rooms.get_untracked().into_iter();
        let waiting = waiting.skip(shown_rows.get_untracked());
        let entries = waiting.map(|room| view! { <Entry first=room rooms/> });
        view! { <ul class="rooms">{entries.collect_view()}</ul> }
    };
    view! {
        <ul class="rooms">
            <For each=drawn key=|room| room.id let:room>
                <Entry first=room rooms/>
            </For>
        </ul>
        {without_app(is_whole, waiting)}
    }
}

#[component]
fn Entry(first: Room, rooms: Memo<Vec<Room>>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let router = expect_context::<Router>();
    let id = first.id;
    let peer = first.with.as_ref().map(|peer| peer.username.clone());
    // A memo, because the clock reads the room every second.
    let room = Memo::new(move |_| {
        rooms
            .with(|rooms| find_room(rooms, id))
            .unwrap_or_else(|| first.clone())
    });
    let name = text_signal(move || room.with(room_title));
    let left = Signal::derive(move || room.with(|room| TimeLeft::of(room, clock.now())));
    let is_current = bool_signal(move || router.route() == Route::Room(id));
    let unread = move || {
        if is_current.get() {
            0
        } else {
            room.with(|room| room.unread)
        }
    };
    let avatar = peer.as_ref().map(|username| {
        view! { <span class=format!("avatar {}", hue_class(username)) translate="no" aria-hidden="true">{text_signal(move || name.with(|name| initials(name)))}</span> }
    });
    erase_type(view! {
        <li>
            <a class="entry" class:direct-chat=peer.is_some() class:muted=bool_signal(move || room.with(Room::is_silent)) href=api::room_path(id) aria-current=text_signal(move || if is_current.get() { "page" } else { "false" }.to_owned())>
                <Identicon id=Some(id)/>
                {avatar}
                <span class="entry-name" translate="no"><bdi>{name}</bdi></span>
                <span hidden=bool_signal(move || unread() == 0) class="unread">
                    {text_signal(move || unread_text(unread(), room.with(|room| room.mentions)))}
                    <span class="visually-hidden">" "{t::UNREAD.text()}</span>
                </span>
                <EntryDetails room left/>
                <TimeLeftBar left/>
            </a>
        </li>
    })
}

/// The number of unread messages, behind the number of those that mention the visitor.
fn unread_text(unread: u64, mentions: u64) -> String {
    let count = if unread < 100 {
        unread.to_string()
    } else {
        "99+".to_owned()
    };
    match mentions {
        0 => count,
        mentions => format!("@{mentions} · {count}"),
    }
}

/// The second line of an entry.
#[component]
fn EntryDetails(room: Memo<Room>, left: Signal<TimeLeft>) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let active = text_signal(move || room.with(|room| activity(room, clock.now())));
    view! {
        <span class="entry-details">
            <span hidden=bool_signal(move || room.with(is_unused)) class="last-message"><bdi>{text_signal(move || room.with(summary))}</bdi></span>
            <span>{active}</span>
            <span class="time-left" class:ending=bool_signal(move || left.get().is_short())>{text_signal(move || left.get().text())}</span>
        </span>
    }
}

/// When a room was last active, or that it was only created.
fn activity(room: &Room, now: Time) -> String {
    let ago = duration_text::format_ago(now.since(room.last_active_at));
    if is_unused(room) {
        t::CREATED_AGO.fill([&ago])
    } else {
        ago
    }
}

/// Whether a room has no message yet.
fn is_unused(room: &Room) -> bool {
    room.message_count == 0 && room.with.is_none()
}

/// The number of messages of a room, if it has any, or the last direct message.
fn summary(room: &Room) -> String {
    match (&room.with, room.message_count) {
        (Some(_), _) => room.description.clone().unwrap_or_default(),
        (None, 0) => String::new(),
        (None, count) => t::N_MESSAGES.fill(count, &format_number(count), []),
    }
}

fn find_room(rooms: &[Room], id: RoomId) -> Option<Room> {
    rooms.iter().find(|room| room.id == id).cloned()
}

/// The text in lower case and in Normalization Form C. The browser's own function saves loading
/// Unicode tables.
pub fn lowercase(text: &str) -> String {
    let text = nfc(text);
    #[cfg(target_arch = "wasm32")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(target_arch = "wasm32"))]
    return text.to_lowercase();
}

/// Whether the name or the ID of a room contains a text in lower case.
fn matches_filter(room: &Room, filter: &str) -> bool {
    lowercase(&room_title(room)).contains(filter) || room.id.to_string().contains(filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn mentions_stand_before_the_unread_messages() {
        assert_eq!(unread_text(3, 0), "3");
        assert_eq!(unread_text(100, 2), "@2 · 99+");
    }

    #[test]
    fn filter_matches_name_and_id() {
        let room = Room {
            id: "0123456789abcdef".parse().unwrap(),
            name: Some("Tea & Größe".into()),
            ..fixtures::room()
        };
        for filter in ["", "tea", "größe", "gro\u{308}ße", "89ab"] {
            assert!(matches_filter(&room, &lowercase(filter)), "{filter}");
        }
        assert!(!matches_filter(&room, "coffee"));
    }
}
