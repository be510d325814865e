//! Which page there is at which address, and going from one to the other without loading anything anew.
//!
//! Promises: the server and the browser read addresses alike; links work as links do (new tab, new window, download,
//! other sites), back and forward too. A router of its own, because there are two pages: the general one would be a
//! quarter of what a first visit loads.

use leptos::prelude::*;
use protocol::RoomId;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::browser::dom::{browser_effect, on_window_event};

/// A page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// The home page.
    Home,
    /// A room, whether or not it is there.
    Room(RoomId),
    /// None.
    #[default]
    NotFound,
}

impl Route {
    /// The page at a path.
    pub fn at(path: &str) -> Self {
        let room = path
            .strip_prefix("/rooms/")
            .and_then(|rest| rest.strip_suffix('/'));
        match (path, room.map(str::parse)) {
            ("/", _) => Self::Home,
            (_, Some(Ok(id))) => Self::Room(id),
            _ => Self::NotFound,
        }
    }

    /// Its path.
    pub fn path(self) -> String {
        match self {
            Self::Room(id) => format!("/rooms/{id}/"),
            _ => "/".to_owned(),
        }
    }
}

/// Where the visitor is, and the way elsewhere.
#[derive(Clone, Copy)]
pub struct Router(RwSignal<Route>);

impl Router {
    /// Starts at a page; once the browser has taken over, follows links, back and forward.
    pub fn from(page: Route) -> Self {
        let way = Self(RwSignal::new(page));
        browser_effect(move || way.follow());
        way
    }

    /// The page where the visitor is; follows it when tracked.
    pub fn page(self) -> Route {
        self.0.get()
    }

    /// The page where the visitor is at this moment.
    pub fn here(self) -> Route {
        self.0.get_untracked()
    }

    /// Goes to a page.
    fn go(self, page: Route) {
        let pushed = window().history().and_then(|history| {
            history.push_state_with_url(&JsValue::NULL, "", Some(&page.path())) //
        });
        if pushed.is_ok() {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            self.show(page);
        }
    }

    /// Goes to a page that was asked for on another one, unless that has been left since.
    pub fn go_from(self, from: Route, page: Route) {
        if self.here() == from {
            self.go(page);
        }
    }

    fn show(self, page: Route) {
        if self.0.get_untracked() != page {
            self.0.set(page);
        }
    }

    fn follow(self) {
        let page = self.0.get_untracked();
        if page != Route::NotFound
            && Route::at(&window().location().pathname().unwrap_or_default()) != page
        {
            // The address that leads back here is the page's own. Without it, going back would ask for a page anew.
            let history = window().history();
            let _ = history.and_then(|history| {
                history.replace_state_with_url(&JsValue::NULL, "", Some(&page.path()))
            });
        }
        on_window_event("click", move |event| {
            if let Some(page) = event.dyn_ref().and_then(link) {
                event.prevent_default();
                self.go(page);
            }
        });
        on_window_event("popstate", move |_| {
            self.show(Route::at(
                &window().location().pathname().unwrap_or_default(),
            ));
        });
    }
}

/// The page that a click leads to, if it is a plain click on a plain link to one.
fn link(event: &MouseEvent) -> Option<Route> {
    let link = clicked_link(event)?;
    let exact = link.search().is_empty() && link.hash().is_empty();
    let page = Route::at(&link.pathname());
    (exact && page != Route::NotFound).then_some(page)
}

/// The link that a click follows, if it is a plain click on a plain link of this site.
pub fn clicked_link(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let elsewhere = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
    if event.default_prevented() || event.button() != 0 || elsewhere {
        return None;
    }
    let link = event
        .target()?
        .dyn_into::<Element>()
        .ok()?
        .closest("a[href]")
        .ok()??;
    let link = link.dyn_into::<HtmlAnchorElement>().ok()?;
    let plain =
        link.target().is_empty() && !link.has_attribute("download") && link.rel() != "external";
    let here = link.origin() == window().location().origin().ok()?;
    (plain && here).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let room = Route::Room("0123456789abcdef".parse().unwrap());
        assert_eq!(room.path(), "/rooms/0123456789abcdef/");
        for page in [Route::Home, room] {
            assert_eq!(Route::at(&page.path()), page);
        }
        for path in [
            "",
            "/rooms/",
            "/rooms/x/",
            "/rooms/0123456789abcdef",
            "/rooms/0123456789ABCDEF/",
            "/x",
            "//",
        ] {
            assert_eq!(Route::at(path), Route::NotFound, "{path}");
        }
    }
}
