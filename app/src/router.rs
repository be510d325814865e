//! The router: which route a path leads to, and navigation without reloading.
//!
//! There are two routes, so the app has its own router: `leptos_router` would be a quarter of the
//! first visit.
//!
//! # Guarantees
//! - The server and the browser match paths alike.
//! - Links keep their usual behaviour: new tabs, new windows, downloads, other sites, back and
//!   forward.

use leptos::prelude::*;
use protocol::RoomId;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use crate::browser::dom::{browser_effect, on_window_event};

/// A route of the app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// The home page.
    Home,
    /// A room, whether or not it exists.
    Room(RoomId),
    /// No page.
    #[default]
    NotFound,
}

impl Route {
    /// The route of a path.
    pub fn from_path(path: &str) -> Self {
        let room = path
            .strip_prefix("/rooms/")
            .and_then(|rest| rest.strip_suffix('/'));
        match (path, room.map(str::parse)) {
            ("/", _) => Self::Home,
            (_, Some(Ok(id))) => Self::Room(id),
            _ => Self::NotFound,
        }
    }

    /// The path of the route.
    pub fn path(self) -> String {
        match self {
            Self::Room(id) => format!("/rooms/{id}/"),
            _ => "/".to_owned(),
        }
    }
}

/// The current route.
#[derive(Clone, Copy)]
pub struct Router(RwSignal<Route>);

impl Router {
    /// Starts at a route; after hydration, follows links, back and forward.
    pub fn start(route: Route) -> Self {
        let router = Self(RwSignal::new(route));
        browser_effect(move || router.follow());
        router
    }

    /// The current route; tracks it.
    pub fn route(self) -> Route {
        self.0.get()
    }

    /// The current route, untracked.
    pub fn route_untracked(self) -> Route {
        self.0.get_untracked()
    }

    /// Goes to a route.
    fn navigate(self, route: Route) {
        let pushed = window().history().and_then(|history| {
            history.push_state_with_url(&JsValue::NULL, "", Some(&route.path()))
        });
        if pushed.is_ok() {
            window().scroll_to_with_x_and_y(0.0, 0.0);
            self.show(route);
        }
    }

    /// Goes to a route that was requested on another one, unless the visitor has left that since.
    pub fn navigate_from(self, from: Route, route: Route) {
        if self.route_untracked() == from {
            self.navigate(route);
        }
    }

    fn show(self, route: Route) {
        if self.0.get_untracked() != route {
            self.0.set(route);
        }
    }

    fn follow(self) {
        let route = self.0.get_untracked();
        if route != Route::NotFound
            && Route::from_path(&window().location().pathname().unwrap_or_default()) != route
        {
            // The page was opened under another address, such as a room's name. With the route's
            // own path in the history, going back here needs no request.
            let address = route.path() + &window().location().hash().unwrap_or_default();
            let history = window().history();
            let _ = history.and_then(|history| {
                let state = history.state()?;
                history.replace_state_with_url(&state, "", Some(&address))
            });
        }
        on_window_event("click", move |event| {
            if let Some(route) = event.dyn_ref().and_then(clicked_route) {
                event.prevent_default();
                self.navigate(route);
            }
        });
        on_window_event("popstate", move |_| {
            self.show(Route::from_path(
                &window().location().pathname().unwrap_or_default(),
            ));
        });
    }
}

/// The route that a click leads to, if it is a plain click on a link to one.
fn clicked_route(event: &MouseEvent) -> Option<Route> {
    let link = clicked_link(event)?;
    let exact = link.search().is_empty() && link.hash().is_empty();
    let route = Route::from_path(&link.pathname());
    (exact && route != Route::NotFound).then_some(route)
}

/// The link that a click follows, if it is a plain click on a link within this site.
pub fn clicked_link(event: &MouseEvent) -> Option<HtmlAnchorElement> {
    let has_modifier = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
    if event.default_prevented() || event.button() != 0 || has_modifier {
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
    let same_site = link.origin() == window().location().origin().ok()?;
    (plain && same_site).then_some(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_back_to_their_routes() {
        let room = Route::Room("0123456789abcdef".parse().unwrap());
        assert_eq!(room.path(), "/rooms/0123456789abcdef/");
        for route in [Route::Home, room] {
            assert_eq!(Route::from_path(&route.path()), route);
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
            assert_eq!(Route::from_path(path), Route::NotFound, "{path}");
        }
    }
}
