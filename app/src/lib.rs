//! The app: its pages and components, rendered on the server and hydrated in the browser.
//!
//! # Guarantees
//! - Both sides render the same page from the same [`InitialState`].
//! - Without a script everything can be read and every form works.
//! - No address of another site is ever loaded.
//!
//! # Not here
//! Finding the data (`server`), the rules (`chat`), the types on the wire (`protocol`).

mod api;
mod browser;
mod connection;
#[cfg(test)]
mod fixtures;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod home;
#[cfg(any(feature = "ssr", feature = "hydrate"))]
mod hydration;
mod initial_state;
mod language;
mod not_found;
mod page_title;
#[cfg(feature = "ssr")]
mod pages;
mod reactive;
mod room;
mod room_list;
mod router;
mod session;
#[cfg(feature = "ssr")]
mod shell;
mod shortcuts;
mod time;
mod ui;

use std::time::Duration;

use leptos::either::EitherOf3;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub use browser::cookies::percent_encode;
#[cfg(feature = "hydrate")]
pub use hydration::{redraw, start};
pub use initial_state::{HomeContent, InitialState, PageContent, RoomSnapshot};
#[cfg(target_arch = "wasm32")]
pub use language::install;
#[cfg(feature = "ssr")]
pub use pages::audit_log::{AUDIT_PAGE_SIZE, AuditLogPage, audit_log_page};
#[cfg(feature = "ssr")]
pub use pages::direct_chats::{DirectChatsPage, direct_chats_page};
#[cfg(feature = "ssr")]
pub use pages::file_list::{FILE_LIST_SIZE, FileListPage, file_list_page};
#[cfg(feature = "ssr")]
pub use pages::form::{FieldError, FormPage};
#[cfg(feature = "ssr")]
pub use pages::invitations::{
    InvitationFields, InvitationsPage, invitation_page, invitations_page, unusable_invitation_page,
};
#[cfg(feature = "ssr")]
pub use pages::language::language_page;
#[cfg(feature = "ssr")]
pub use pages::members::{MembersPage, members_page};
#[cfg(feature = "ssr")]
pub use pages::notification_settings::{NotificationSettingsPage, notification_settings_page};
#[cfg(feature = "ssr")]
pub use pages::person::{person_page, unknown_person_page};
#[cfg(feature = "ssr")]
pub use pages::person_actions::{PersonChange, PersonPage};
#[cfg(feature = "ssr")]
pub use pages::profile::{ProfileChange, profile_page};
#[cfg(feature = "ssr")]
pub use pages::room_listing::{RoomListingPage, RoomPlace, room_listing_page};
#[cfg(feature = "ssr")]
pub use pages::room_notifications::{RoomNotificationsPage, room_notifications_page};
#[cfg(feature = "ssr")]
pub use pages::room_settings::{RoomSettingsPage, room_settings_page};
#[cfg(feature = "ssr")]
pub use pages::sign_in::{AccountFields, sign_in_page, sign_in_refused_page, sign_up_page};
#[cfg(feature = "ssr")]
pub use pages::sign_in_methods::{
    LinkedIdentity, LinkedProvider, SignInOptions, provider_link_page,
};
#[cfg(feature = "ssr")]
pub use room::person_link::{query_of_author, query_of_name};
pub use room_list::unread::Unread;
pub use router::Route;
pub use session::theme::Theme;
pub use session::visitor::Visitor;
#[cfg(feature = "ssr")]
pub use shell::{Assets, app_page, problem_page};
pub use time::clock::now;
#[cfg(feature = "ssr")]
pub use ui::qr_code::qr_code;

use crate::browser::dom::browser_effect;
use crate::browser::service_worker;
use crate::connection::tab_feed::TabFeed;
use crate::home::HomePage;
use crate::initial_state::FirstContent;
use crate::not_found::NotFound;
use crate::room::RoomPage;
use crate::room_list::sidebar::Sidebar;
use crate::room_list::store::RoomLists;
use crate::router::Router;
use crate::session::display_name::DisplayName;
use crate::time::clock::Clock;
use crate::ui::lifetime_field::LongestLifetime;

/// The whole app. On the server it takes the page's initial state from the context, in the browser
/// from the page.
#[component]
pub fn App() -> impl IntoView {
    let InitialState {
        now,
        visitor,
        overview,
        public_rooms,
        longest_lifetime,
        route,
        content,
    } = InitialState::current();
    provide_context(Clock::start(now, api::fetch_time));
    provide_context(LongestLifetime(Duration::from_secs(longest_lifetime)));
    let name = DisplayName::new(visitor.name.clone(), visitor.name_origin());
    provide_context(name);
    let feed = TabFeed::start(name);
    provide_context(feed);
    provide_context(visitor.signed);
    provide_context(RwSignal::new(visitor.theme));
    provide_context(FirstContent::new(content));
    let router = Router::start(route);
    provide_context(router);
    browser_effect(shortcuts::follow_keys);
    browser_effect(service_worker::register);
    browser_effect(move || service_worker::keep_page(&router.route().path()));
    provide_context(RoomLists::start(overview, public_rooms, feed));
    let shown = move || match router.route() {
        Route::Home => EitherOf3::A(view! { <HomePage/> }),
        Route::Room(id) => EitherOf3::B(view! { <RoomPage id/> }),
        Route::NotFound => EitherOf3::C(view! { <NotFound/> }),
    };
    let in_room = move || matches!(router.route(), Route::Room(_));
    view! {
        <div class="frame" class:with-sidebar=in_room>{shown} <Sidebar/></div>
    }
}
