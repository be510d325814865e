//! The page of a room.
//!
//! Promises: readable and writable without a script; once the browser has taken over, alive. Going from one room to
//! another ends the first one's visit and begins a new one. Leaves to others: every part of it.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use protocol::RoomId;

use crate::api::{self, Answer, Failure};
use crate::browser::{click, live, spawn};
use crate::clock::Clock;
use crate::composer::Composer;
use crate::here::Here;
use crate::icon::Icon;
use crate::lifetime::{Left, Line, TimeLeft, Warning};
use crate::lost::{Closed, NoRoom};
use crate::menu::Menu;
use crate::opening::{Arrival, Scene, Stage, room_title, title};
use crate::panel::Panel;
use crate::part::{flag, part, text};
use crate::person::{hue_class, initials};
use crate::seal::{Seal, icon};
use crate::share::{Share, open_share};
use crate::side::OpenSide;
use crate::stream::State;
use crate::tab;
use crate::timeline::Timeline;
use crate::visit::Visit;
use crate::visitor;

/// The page at `/rooms/ID/`: finds the room, then shows it or says why not.
#[component]
pub fn RoomPage(id: RoomId) -> impl IntoView {
    let found = RwSignal::new(match expect_context::<Stage>().scene() {
        Some(Scene::Room(arrival)) if arrival.room.id == id => Some(Ok(arrival)),
        Some(Scene::Refused(problem)) => Some(Err(Failure::Refused(Box::new(problem), None))),
        _ => None,
    });
    let look = move || {
        spawn(async move {
            let answer = arrive(id).await;
            found.try_set(Some(answer));
        });
    };
    live(move || {
        if found.with_untracked(Option::is_none) {
            look();
        }
    });
    move || match found.get() {
        None => EitherOf3::A(
            view! { <main class="page" aria-busy="true"><p class="hint">"Opening the room"</p></main> },
        ),
        Some(Ok(arrival)) => EitherOf3::B(view! { <Inside arrival/> }),
        Some(Err(failure)) => EitherOf3::C(view! { <NoRoom failure again=look/> }),
    }
}

async fn arrive(id: RoomId) -> Answer<Arrival> {
    // In this order, so that what is said between the two is in the messages and not lost between them.
    let room = api::room(id).await?;
    Ok(Arrival {
        room,
        messages: api::newest(id).await?,
    })
}

/// The room itself.
#[component]
fn Inside(arrival: Arrival) -> impl IntoView {
    let visit = Visit::enter(arrival);
    let clock = expect_context::<Clock>();
    let left = Signal::derive(move || visit.room.with(|room| Left::of(room, clock.now())));
    let direct = visit.room.with_untracked(|room| room.with.is_some());
    live(move || {
        // Direct chats have a list of their own.
        if !direct {
            visitor::keep_visit(visit.id);
        }
    });
    tab::follow(visit.unread, move || {
        visit.room.with(|room| title(Some(&room_title(room))))
    });
    tab::face(icon(Some(visit.id)));
    part(view! {
        <a class="skip" href="#write" rel="external">"To the message field"</a>
        <div class="room" class:direct=direct>
            <Header visit left/>
            <Line left/>
            <main>
                <Warning visit left/>
                <Timeline visit/>
            </main>
            <footer id="write" tabindex="-1">
                {move || {
                    if visit.closed.get() {
                        Either::Left(view! { <Closed visit/> })
                    } else {
                        Either::Right(view! { <Composer visit/> })
                    }
                }}
            </footer>
        </div>
    })
}

#[component]
fn Header(visit: Visit, left: Signal<Left>) -> impl IntoView {
    let name = text(move || visit.room.with(room_title));
    let about = text(move || {
        visit
            .room
            .with(|room| room.description.clone().unwrap_or_default())
    });
    let with = visit.room.with_untracked(|room| room.with.clone());
    let face = with.as_ref().map(|with| {
        view! { <span class=format!("face {}", hue_class(&with.username)) aria-hidden="true">{initials(&with.name)}</span> }
    });
    let id = with.map_or_else(|| visit.id.to_string(), |with| with.username);
    let closed = flag(move || visit.closed.get());
    part(view! {
        <header class="bar">
            <OpenSide/>
            <Seal id=Some(visit.id)/>
            {face}
            <div class="names">
                <h1 title=about><bdi>{name}</bdi></h1>
                <p class="about">
                    <span class="id mono">{id}</span>
                    <Connection visit/>
                    <TimeLeft left closed/>
                </p>
            </div>
            <Here visit/>
            <button hidden=closed type="button" class="icon-button sharing needs-script" aria-label="Share" on:click=click(open_share)>{Icon::Share.view()}</button>
            <Menu visit/>
        </header>
        <Share visit/>
        <Panel visit/>
    })
}

/// What the connection is doing, calmly.
#[component]
fn Connection(visit: Visit) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let state = move || {
        if visit.closed.get() {
            State::Ended
        } else {
            visit.feed.state()
        }
    };
    let words = text(move || name(state()).to_owned());
    let wait = text(move || match state() {
        State::Waiting(until) => {
            // Counts with the page's clock, but by this machine's.
            clock.now();
            format!(" in {} s", until.since(crate::clock::now()).as_secs() + 1)
        }
        _ => String::new(),
    });
    part(view! {
        <span class="connection needs-script" class:live=flag(move || state() == State::Live)>
            <span role="status">{words}</span>
            <span aria-hidden="true">{wait}</span>
        </span>
        <a class="without-script" href="" rel="external">"Reload for new messages"</a>
    })
}

fn name(state: State) -> &'static str {
    match state {
        State::Connecting => "Connecting",
        State::Live => "Live",
        State::Waiting(_) => "Reconnecting",
        State::Offline => "Offline",
        State::Ended => "Closed",
    }
}
