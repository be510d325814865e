//! The log of a room, newest at the bottom.
//!
//! Promises: sticks to the newest message only while that is in view; older pages come in above without a jump and
//! without being announced; what is drawn stays bounded (`log`); a message on its way becomes the delivered one where it
//! stands. Leaves to others: single messages (`message`).

use std::sync::Arc;

use leptos::prelude::*;

use crate::act::{ActMenu, choose};
use crate::browser::{change, click};
use crate::clock::Clock;
use crate::group::{Place, Row, rows};
use crate::icon::Icon;
use crate::log::Log;
use crate::message::{MessageRow, own_author};
use crate::name::Name;
use crate::outbox::Outbox;
use crate::part::{flag, part, text};
use crate::rows::{Item, list};
use crate::seal::Seal;
use crate::share::{CopyLink, Invite};
use crate::visit::{LOG, Visit};

/// The log of the room that is visited.
#[component]
pub fn Timeline(visit: Visit) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let name = expect_context();
    let rows = list(
        move || drawn(visit, name, clock),
        move |row| view! { <MessageRow row visit/> },
    );
    let silent = move || {
        visit
            .delivery
            .outbox()
            .with(|outbox| outbox.shown().next().is_none())
    };
    let loud = flag(move || !visit.log.with(|log| log.messages().is_empty()) || !silent());
    let private = flag(move || visit.is_private());
    let first = text(move || match (visit.is_private(), visit.invites()) {
        _ if visit.silence().is_some() => String::new(),
        (false, _) => "Send the link to somebody and say the first word.".to_owned(),
        (true, true) => "Invite somebody and say the first word.".to_owned(),
        (true, false) => "Say the first word.".to_owned(),
    });
    let live = text(move || {
        if visit.turning.get() > 0 {
            "off"
        } else {
            "polite"
        }
        .to_owned()
    });
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
                {rows}
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
        format!(
            "Opened on {}",
            clock.wall(visit.room.with(|room| room.created_at)).date()
        )
    });
    // Where the log begins, it says what it is about.
    let about = text(move || match visit.log.with(|log| log.has_older()) {
        true => String::new(),
        false => visit
            .room
            .with(|room| room.description.clone().unwrap_or_default()),
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

/// What is drawn of the log, and below it what is on its way, set as it will be when it is delivered.
fn drawn(visit: Visit, name: Name, clock: Clock) -> Vec<Item<Place, Row>> {
    let (window, own, author) = (visit.window.get(), name.get(), own_author(name));
    let set = |log: &Log, outbox: &Outbox| {
        let range = window.range(log);
        let previous = range
            .start
            .checked_sub(1)
            .and_then(|index| log.messages().get(index))
            .cloned();
        let said = log.messages()[range]
            .iter()
            .map(|message| (message.clone(), None));
        let waiting = outbox.shown().filter(|_| window.at_end());
        let waiting = waiting.map(|parcel| {
            (
                Arc::new(parcel.message(visit.id, author)),
                Some(parcel.clone()),
            )
        });
        let rows = rows(previous, said.chain(waiting), &own, |message| {
            clock.wall(message.sent_at).day()
        });
        rows.into_iter().map(|row| item(row, outbox)).collect()
    };
    visit
        .log
        .with(|log| visit.delivery.outbox().with(|outbox| set(log, outbox)))
}

fn item(row: Row, outbox: &Outbox) -> Item<Place, Row> {
    Item {
        place: row.place(),
        was: outbox.was(row.message.id).map(Place::of),
        what: row,
    }
}
