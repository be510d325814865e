//! The page of a room.
//!
//! # Guarantees
//! - Without a script, messages can be read and written.
//! - Going to another room drops the state of the first one.

mod account_names;
mod closed;
pub(crate) mod composer;
mod events;
mod expiry_warning;
mod history;
mod hues;
pub(crate) mod ids;
mod last_seen;
mod log;
mod outbox;
mod page_dialog;
mod permissions;
pub(crate) mod person_link;
mod presence;
mod read_marker;
mod roles;
mod room_menu;
mod share_dialog;
mod state;
mod timeline;
mod transcript;
mod unavailable;
mod viewport;

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use protocol::RoomId;
use texts::app as t;

use crate::api::{self, Answer, Failure};
use crate::browser::dom::{browser_effect, on_click, on_window_event, spawn_task};
use crate::connection::sharing::stream_event::ConnectionState;
use crate::initial_state::{FirstContent, PageContent, RoomSnapshot, document_title, room_title};
use crate::page_title;
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::closed::RoomClosed;
use crate::room::composer::Composer;
use crate::room::expiry_warning::ExpiryWarning;
use crate::room::ids::{COMPOSER, COMPOSER_LINK};
use crate::room::page_dialog::PageDialog;
use crate::room::presence::PresenceButton;
use crate::room::room_menu::RoomMenu;
use crate::room::share_dialog::{ShareDialog, open_share_dialog};
use crate::room::state::RoomState;
use crate::room::timeline::Timeline;
use crate::room::timeline::unread_line;
use crate::room::unavailable::RoomUnavailable;
use crate::room::viewport::place::Place;
use crate::room_list::sidebar::SidebarButton;
use crate::session::visitor;
use crate::time::clock::Clock;
use crate::ui::avatar::initials;
use crate::ui::icon::Icon;
use crate::ui::identicon::Identicon;
use crate::ui::later::later;
use crate::ui::time_left::{TimeLeft, TimeLeftBar, TimeLeftText};

/// The page at `/rooms/ID/`: shows the room, or says why it cannot.
#[component]
pub fn RoomPage(id: RoomId) -> impl IntoView {
    let answer = RwSignal::new(match expect_context::<FirstContent>().content() {
        Some(PageContent::Room(snapshot)) if snapshot.room.id == id => Some(Ok(snapshot)),
        Some(PageContent::Refused(problem)) => Some(Err(Failure::Refused(Box::new(problem), None))),
        _ => None,
    });
    let load = move || {
        spawn_task(async move {
            let fetched = fetch_snapshot(id).await;
            answer.try_set(Some(fetched));
        });
    };
    browser_effect(move || {
        if answer.with_untracked(Option::is_none) {
            load();
        }
    });
    move || match answer.get() {
        None => EitherOf3::A(
            view! { <main class="page" aria-busy="true"><p class="hint">{t::OPENING_ROOM.text()}</p></main> },
        ),
        Some(Ok(snapshot)) => EitherOf3::B(view! { <OpenRoom snapshot/> }),
        Some(Err(failure)) => EitherOf3::C(view! { <RoomUnavailable failure retry=load/> }),
    }
}

async fn fetch_snapshot(id: RoomId) -> Answer<RoomSnapshot> {
    // In this order: a message that is sent between the two requests is in the second answer.
    let room = api::fetch_room(id).await?;
    Ok(RoomSnapshot {
        room,
        messages: api::fetch_newest(id).await?,
    })
}

/// A room that was loaded.
#[component]
fn OpenRoom(snapshot: RoomSnapshot) -> impl IntoView {
    let state = RoomState::new(snapshot);
    events::start(state);
    unread_line::start(state);
    read_marker::start(state);
    let clock = expect_context::<Clock>();
    last_seen::start(state, clock.now_untracked());
    let left = Signal::derive(move || state.room.with(|room| TimeLeft::of(room, clock.now())));
    let is_direct = state.room.with_untracked(|room| room.with.is_some());
    browser_effect(move || {
        // Direct chats are listed separately. A public room becomes the visitor's own when they write
        // in it or keep it, which the server stores.
        if !is_direct && !state.room.with_untracked(|room| room.public) {
            visitor::record_visit(state.id);
        }
    });
    browser_effect(move || state.history.draw_later());
    browser_effect(move || follow_address(state));
    page_title::show_room(state.id, state.unread, move || {
        state
            .room
            .with(|room| document_title(Some(&room_title(room))))
    });
    erase_type(view! {
        <a class="skip-link" href=COMPOSER_LINK rel="external">{t::TO_MESSAGE_FIELD.text()}</a>
        <div class="room" class:direct-room=is_direct>
            {later(4, move || view! {
                <Header state left/>
                <TimeLeftBar left/>
            })}
            {later(1, move || view! {
                <main>
                    <ExpiryWarning state left/>
                    <Timeline state/>
                </main>
            })}
            {later(1, move || view! {
                <footer id=COMPOSER tabindex="-1">
                    {move || {
                        if state.closed.get() {
                            Either::Left(view! { <RoomClosed state/> })
                        } else {
                            Either::Right(view! { <Composer state/> })
                        }
                    }}
                </footer>
            })}
        </div>
    })
}

/// Goes to the message in the address, or to where the reader was at this entry of the history.
fn follow_address(state: RoomState) {
    let go = move || {
        if let Some(place) = Place::of_address() {
            state.history.go_to(place);
        }
    };
    go();
    on_window_event("hashchange", move |_| go());
}

/// The header: the title of the room, the connection, who is present, and the menus.
#[component]
fn Header(state: RoomState, left: Signal<TimeLeft>) -> impl IntoView {
    let name = text_signal(move || state.room.with(room_title));
    let description = text_signal(move || {
        state
            .room
            .with(|room| room.description.clone().unwrap_or_default())
    });
    let peer = state.room.with_untracked(|room| room.with.clone());
    let avatar = peer.as_ref().map(|peer| {
        let letters = text_signal(move || name.with(|name| initials(name)));
        view! { <span class=format!("avatar {}", state.hue_class(&peer.username)) translate="no" aria-hidden="true">{letters}</span> }
    });
    let id = peer.map_or_else(|| state.id.to_string(), |peer| peer.username);
    let closed = bool_signal(move || state.closed.get());
    erase_type(view! {
        <header class="room-header">
            <SidebarButton/>
            <Identicon id=Some(state.id)/>
            {avatar}
            <div class="room-title">
                <h1 title=description translate="no"><bdi>{name}</bdi></h1>
                <p class="room-status">
                    <span class="room-id mono" translate="no">{id}</span>
                    <ConnectionStatus state/>
                    <TimeLeftText left closed/>
                </p>
            </div>
            <PresenceButton state/>
            <button hidden=closed type="button" class="icon-button share-control script-only" aria-label=t::SHARE.text() title=t::SHARE.text() on:click=on_click(open_share_dialog)>{Icon::Share.view()}</button>
            <RoomMenu state/>
        </header>
        <ShareDialog state/>
        <PageDialog state/>
    })
}

/// The state of the connection.
#[component]
fn ConnectionStatus(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let connection = move || {
        if state.closed.get() {
            ConnectionState::Ended
        } else {
            state.feed.state()
        }
    };
    let label = text_signal(move || state_text(connection()).to_owned());
    let wait = text_signal(move || match connection() {
        ConnectionState::Waiting(until) => {
            let seconds = until.since(clock.now()).as_secs() + 1;
            format!(" {}", t::IN_SECONDS.fill([&seconds.to_string()]))
        }
        _ => String::new(),
    });
    erase_type(view! {
        <span class="connection script-only" class:live=bool_signal(move || connection() == ConnectionState::Live)>
            <span role="status">{label}</span>
            <span aria-hidden="true">{wait}</span>
        </span>
        <a class="no-script-only" href="" rel="external">{t::RELOAD_FOR_NEW.text()}</a>
    })
}

fn state_text(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connecting => t::CONNECTING.text(),
        ConnectionState::Live => t::LIVE.text(),
        ConnectionState::Waiting(_) => t::RECONNECTING.text(),
        ConnectionState::Offline => t::OFFLINE.text(),
        ConnectionState::Ended => t::CLOSED.text(),
    }
}
