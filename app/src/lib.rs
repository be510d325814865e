//! The app: its pages and their parts, drawn on the server and alive in the browser.
//!
//! Promises: the same drawing on both sides from the same [`Opening`]; without a script everything can be read and
//! every form works; no address of another site is ever loaded. Leaves to others: finding the data (`server`), the
//! rules (`chat`), the words on the wire (`protocol`).

mod access;
#[cfg(feature = "ssr")]
mod account;
mod act;
mod api;
mod body;
mod browser;
mod calendar;
mod channel;
mod clock;
#[cfg(feature = "ssr")]
mod code;
mod composer;
mod cookie;
mod create;
mod database;
mod delivery;
#[cfg(feature = "ssr")]
mod direct;
#[cfg(feature = "ssr")]
mod document;
mod feed;
#[cfg(feature = "ssr")]
mod form;
mod group;
mod here;
mod home;
mod icon;
#[cfg(feature = "ssr")]
mod invitation;
mod join;
mod keys;
mod leader;
mod lifetime;
mod lock;
mod log;
mod lost;
#[cfg(feature = "ssr")]
mod member;
mod menu;
mod message;
#[cfg(feature = "ssr")]
mod moderation;
mod name;
mod needs;
mod opening;
mod outbox;
mod overview;
mod panel;
mod part;
mod person;
mod place;
#[cfg(feature = "ssr")]
mod profile;
mod reader;
mod room;
mod rooms;
mod rows;
#[cfg(test)]
mod sample;
mod seal;
#[cfg(feature = "ssr")]
mod settings;
mod share;
mod side;
mod span;
mod storage;
mod stream;
mod tab;
mod theme;
mod timeline;
mod transcript;
mod visit;
mod visitor;
mod walk;
mod way;
mod who;
mod wire;

use leptos::either::EitherOf3;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub use account::{Typed, refused_page, sign_in_page, sign_up_page};
pub use clock::now;
#[cfg(feature = "ssr")]
pub use code::code;
#[cfg(feature = "ssr")]
pub use cookie::encode;
#[cfg(feature = "ssr")]
pub use direct::{Chats, chats_page};
#[cfg(feature = "ssr")]
pub use document::{Assets, page, problem_page};
#[cfg(feature = "ssr")]
pub use form::{Sheet, Wrong};
#[cfg(feature = "ssr")]
pub use invitation::{Invitations, invitation_page, invitations_page, no_invitation_page};
#[cfg(feature = "ssr")]
pub use member::{People, people_page};
#[cfg(feature = "ssr")]
pub use moderation::{DEEDS, Trail, trail_page};
pub use opening::{Arrival, Home, Opening, Scene};
#[cfg(feature = "ssr")]
pub use profile::{Changed, Entry, Linked, profile_page};
#[cfg(feature = "ssr")]
pub use settings::{Settings, settings_page};
pub use theme::Theme;
pub use visitor::Visitor;
pub use way::Page;

use crate::clock::Clock;
use crate::feed::Feed;
use crate::home::HomePage;
use crate::keys::KeysDialog;
use crate::lost::Lost;
use crate::name::Name;
use crate::opening::Stage;
use crate::overview::Glance;
use crate::room::RoomPage;
use crate::side::Side;
use crate::way::Way;

/// The whole app. On the server it takes the page's opening from the context, in the browser from the page.
#[component]
pub fn App() -> impl IntoView {
    let Opening {
        now,
        visitor,
        overview,
        open,
        page,
        scene,
    } = Opening::current();
    provide_context(Clock::start(now));
    let name = Name::new(visitor.name, visitor.signed.account.is_some());
    provide_context(name);
    let feed = Feed::start(name);
    provide_context(feed);
    provide_context(visitor.signed);
    provide_context(RwSignal::new(visitor.theme));
    provide_context(Stage::new(scene));
    let way = Way::from(page);
    provide_context(way);
    provide_context(Glance::start(overview, open, feed));
    let shown = move || match way.page() {
        Page::Home => EitherOf3::A(view! { <HomePage/> }),
        Page::Room(id) => EitherOf3::B(view! { <RoomPage id/> }),
        Page::Lost => EitherOf3::C(view! { <Lost/> }),
    };
    view! {
        <div class="frame" class:beside=move || matches!(way.page(), Page::Room(_))>{shown} <Side/></div>
        <KeysDialog/>
    }
}
