//! The log of a room, newest at the bottom.
//!
//! Promises: sticks to the newest message only while that is in view; older pages come in above without a jump and
//! without being announced; what is drawn stays bounded (`log`). Leaves to others: single messages (`message`).

use leptos::prelude::*;
use protocol::{Author, Time};

use crate::act::{ActMenu, choose};
use crate::browser::{change, click};
use crate::clock::Clock;
use crate::group::{By, Letter, Row, by, rows, together};
use crate::icon::Icon;
use crate::message::{MessageRow, ParcelRow, own_author};
use crate::name::Name;
use crate::outbox::Parcel;
use crate::part::{flag, part, text};
use crate::seal::Seal;
use crate::share::{CopyLink, Invite};
use crate::visit::{LOG, Visit};

/// The log of the room that is visited.
#[component]
pub fn Timeline(visit: Visit) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let name = expect_context();
    let author = own_author(name);
    let rows = move || drawn(visit, name, clock);
    let silent = move || visit.delivery.outbox().with(|outbox| outbox.shown().next().is_none());
    let letters = move || {
        parcels(visit, author, clock).into_iter().map(|letter| view! { <ParcelRow letter visit/> }).collect_view()
    };
    let loud = flag(move || !visit.log.with(|log| log.messages().is_empty()) || !silent());
    let private = flag(move || visit.is_private());
    let first = text(move || match (visit.is_private(), visit.invites()) {
        _ if visit.silence().is_some() => String::new(),
        (false, _) => "Send the link to somebody and say the first word.".to_owned(),
        (true, true) => "Invite somebody and say the first word.".to_owned(),
        (true, false) => "Say the first word.".to_owned(),
    });
    let live = text(move || if visit.loading.get() { "off" } else { "polite" }.to_owned());
    part(view! {
        <div
            class="scroller"
            id=LOG
            role="log"
            aria-label="Messages"
            aria-live=live
            tabindex="0"
            class:writes=flag(move || !visit.closed.get())
            class:moderates=flag(move || visit.moderates())
            on:scroll=change(move || visit.scrolled())
            on:click=choose(visit)
        >
            <div class="column">
                <Beginning visit/>
                <div hidden=loud class="hint">
                    <p><Seal id=Some(visit.id)/></p>
                    <p>"Nobody has written yet. "<span class="sharing">{first}</span></p>
                    <p hidden=private class="sharing"><CopyLink id=visit.id/></p>
                    <p hidden=flag(move || !visit.invites() || !visit.is_private())><Invite id=visit.id/></p>
                </div>
                <For each=rows key=Row::key let:row>
                    <MessageRow row visit/>
                </For>
                {letters}
            </div>
        </div>
        <ToNewest visit/>
        <ActMenu visit/>
    })
}

/// What stands above the oldest message.
#[component]
fn Beginning(visit: Visit) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let words = text(move || {
        if visit.log.with(|log| log.has_older()) {
            return "Earlier messages".to_owned();
        }
        format!("Opened on {}", clock.wall(visit.room.with(|room| room.created_at)).date())
    });
    // Where the log begins, it says what it is about.
    let about = text(move || match visit.log.with(|log| log.has_older()) {
        true => String::new(),
        false => visit.room.with(|room| room.description.clone().unwrap_or_default()),
    });
    view! {
        <p class="description"><bdi>{about}</bdi></p>
        <p class="hint beginning">{words}</p>
    }
}

/// The way to the newest message, while that is out of view.
#[component]
fn ToNewest(visit: Visit) -> impl IntoView {
    let words = text(move || match visit.below.get() {
        0 => "Newest".to_owned(),
        1 => "1 new message".to_owned(),
        count => format!("{count} new messages"),
    });
    part(view! {
        <button hidden=flag(move || visit.at_end.get()) type="button" class="to-newest" on:click=click(move || visit.to_newest())>
                {Icon::Down.view()}
                {words}
        </button>
    })
}

fn drawn(visit: Visit, name: Name, clock: Clock) -> Vec<Row> {
    let (window, name) = (visit.window.get(), name.get());
    visit.log.with(|log| {
        let range = window.range(log);
        let previous = range.start.checked_sub(1).and_then(|index| log.messages().get(index));
        rows(previous, &log.messages()[range], &name, |message| clock.wall(message.sent_at).day())
    })
}

/// What is on its way, set as it will be when it is delivered.
fn parcels(visit: Visit, author: Option<Author>, clock: Clock) -> Vec<Letter> {
    if !visit.window.get().at_end() {
        return Vec::new();
    }
    let last = visit.log.with(|log| log.messages().last().cloned());
    visit.delivery.outbox().with(|outbox| {
        let mut previous = last.as_deref().map(by);
        outbox.shown().map(|parcel| letter(parcel, author, &mut previous, clock)).collect()
    })
}

/// `author` is how far the server will know who wrote it.
fn letter<'a>(parcel: &'a Parcel, author: Option<Author>, previous: &mut Option<By<'a>>, clock: Clock) -> Letter {
    let this = (parcel.message.username.as_str(), author, Time::from_millis(parcel.written));
    let before = previous.replace(this);
    let day = clock.wall(this.2).day();
    let new_day = before.is_none_or(|before| clock.wall(before.2).day() != day);
    let head = new_day || before.is_none_or(|before| !together(before, this));
    Letter { parcel: parcel.clone(), head, day: new_day.then_some(day) }
}
