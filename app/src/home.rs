//! The home page: who one is, a new room, a way into a known one, and the rooms there are.
//!
//! Promises: every form works without a script; once the browser has taken over, the list of open rooms is alive while
//! it can be seen. Leaves to others: the forms (`create`, `join`) and the lists (`rooms`).

use leptos::prelude::*;
use protocol::{Room, RoomId};
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::{change, find, listen, live, spawn};
use crate::create::Create;
use crate::feed::{Feed, News};
use crate::join::Join;
use crate::name::Name;
use crate::needs::ROOMS;
use crate::opening::{Scene, Stage, title};
use crate::part::{Trouble, part, text};
use crate::person::{hue_class, initials};
use crate::rooms::{OpenRooms, VisitedRooms};
use crate::seal::{Seal, icon};
use crate::tab;
use crate::theme::ThemeSwitch;
use crate::who::Who;
use crate::wire;

/// The page at `/`.
#[component]
pub fn HomePage() -> impl IntoView {
    let found = match expect_context::<Stage>().scene() {
        Some(Scene::Home(home)) => Some(home),
        _ => None,
    };
    let handed_over = found.is_some();
    let home = found.unwrap_or_default();
    let guest = !expect_context::<Name>().fixed;
    let (open, visited) = (RwSignal::new(home.open), RwSignal::new(home.visited));
    let feed = expect_context::<Feed>();
    live(move || {
        follow(feed, open);
        if !handed_over {
            revisit(visited);
        }
    });
    tab::name(title(None));
    tab::face(icon(None));
    part(view! {
        <div class="page home">
            <header class="masthead">
                <Seal/>
                <h1>"webchat"</h1>
                <nav class="signed" aria-label="Account"><Who/></nav>
                <ThemeSwitch/>
            </header>
            <main>
                {guest.then(|| view! { <NameField/> })}
                <Create/>
                <Join sought=home.sought/>
                <VisitedRooms rooms=visited/>
                <OpenRooms rooms=open/>
            </main>
            <footer class="foot">
                <p>"A room lives as long as people write in it. Then it is deleted."</p>
                <a href="/docs/" rel="external">"API"</a>
            </footer>
        </div>
    })
}

/// What the visitor is called.
#[component]
fn NameField() -> impl IntoView {
    let name = expect_context::<Name>();
    let trouble = RwSignal::new(None::<String>);
    let rename = move || {
        let given = find::<HtmlInputElement>("username").map(|field| field.value()).unwrap_or_default();
        trouble.set(name.change(&given).err());
    };
    let face = text(move || format!("face {}", hue_class(&name.get())));
    part(view! {
        <div class="field who-am-i">
            <label for="username">"Your name"</label>
            <div class="faced">
                <span class=face aria-hidden="true">
                    {text(move || initials(&name.get()))}
                </span>
                <input
                    id="username"
                    name="username"
                    form="new-room"
                    value=name.now()
                    autocomplete="nickname"
                    spellcheck="false"
                    aria-describedby="username-trouble"
                    on:change=change(rename)
                />
            </div>
            <Trouble id="username-trouble" words=trouble/>
        </div>
    })
}

/// Follows the list of open rooms while the page can be seen: a hidden page needs no connection.
fn follow(feed: Feed, open: RwSignal<Vec<Room>>) {
    let heard = move |news| {
        if let News::Event(_, data, _) = news
            && let Some(rooms) = wire::parse(&data)
        {
            open.try_set(rooms);
        }
    };
    feed.follow(ROOMS.to_owned(), String::new, heard);
    let look = move || if document().hidden() { feed.rest() } else { feed.ask() };
    listen("visibilitychange", move |_| look());
    look();
}

/// Looks at the rooms visited lately, which may have closed since.
fn revisit(visited: RwSignal<Vec<Room>>) {
    let visits = expect_context::<RwSignal<Vec<RoomId>>>().get_untracked();
    spawn(async move {
        for id in visits {
            if let Ok(room) = api::room(id).await {
                visited.try_update(|rooms| rooms.push(room));
            }
        }
    });
}
