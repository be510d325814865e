//! One message, as it stands in the log: delivered, on its way, or refused.
//!
//! Promises: all three are set alike, so that nothing moves when one becomes the other; names and texts are isolated
//! from what is around them, whatever marks they contain.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{Message, Time};

use crate::body::Body;
use crate::browser::click;
use crate::calendar::day_name;
use crate::clock::Clock;
use crate::group::{Letter, Row};
use crate::name::Name;
use crate::outbox::Parcel;
use crate::part::{flag, part, text};
use crate::person::{hue_class, initials};
use crate::visit::Visit;

/// A delivered message, with the line for its day if it begins one.
#[component]
pub fn MessageRow(row: Row, visit: Visit) -> impl IntoView {
    let Row { message, head, day } = row;
    let arrived = message.id > visit.opened_at;
    let name = expect_context::<Name>();
    let own = {
        let message = Arc::<Message>::clone(&message);
        flag(move || message.username == name.get())
    };
    part(view! {
        {day.map(|day| view! { <Day day/> })}
        <article
            class=format!("message {}", hue_class(&message.username))
            class:head=head
            class:own=own
            class:arrived=arrived
        >
            {head.then(|| view! { <By name=message.username.clone() at=message.sent_at/> })}
            <Body text=message.body.clone()/>
        </article>
    })
}

/// A message on its way, or one that was refused.
#[component]
pub fn ParcelRow(letter: Letter, visit: Visit) -> impl IntoView {
    let Letter { parcel: Parcel { key, message, written, refused, .. }, head, day } = letter;
    let refused = refused.map(|reason| {
        let again = {
            let key = key.clone();
            click(move || visit.delivery.again(&key))
        };
        view! {
            <p class="refused" role="alert">
                {format!("Not sent. {reason}")}
                <button type="button" class="quiet" on:click=again>"Send again"</button>
                <button type="button" class="quiet" on:click=click(move || visit.delivery.remove(&key))>"Remove"</button>
            </p>
        }
    });
    let pending = refused.is_none();
    part(view! {
        {day.map(|day| view! { <Day day/> })}
        <article class=format!("message own {}", hue_class(&message.username)) class:head=head class:pending=pending>
            {head.then(|| view! { <By name=message.username.clone() at=Time::from_millis(written)/> })}
            <Body text=message.body/>
            {pending.then(|| view! { <span class="unseen">"Sending"</span> })}
            {refused}
        </article>
    })
}

/// The line where a day begins.
#[component]
fn Day(day: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <p class="day">
            <span>{text(move || day_name(day, clock.today()))}</span>
        </p>
    }
}

/// Who wrote, and when.
#[component]
fn By(name: String, at: Time) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let face = initials(&name);
    view! {
        <span class="face" aria-hidden="true">{face}</span>
        <p class="by">
            <bdi class="who">{name}</bdi>
            <time datetime=at.to_string() title=text(move || clock.full(at))>{text(move || clock.wall(at).hours())}</time>
        </p>
    }
}
