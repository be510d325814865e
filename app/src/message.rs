//! One message, as it stands in the log: delivered, on its way, or refused.
//!
//! Promises: all three are set alike, so that nothing moves when one becomes the other; names and texts are isolated
//! from what is around them, whatever marks they contain.

use leptos::prelude::*;
use protocol::{Author, Message, Time};
use web_sys::HtmlInputElement;

use crate::act::Act;
use crate::body::Body;
use crate::browser::{click, find};
use crate::calendar::day_name;
use crate::clock::{Clock, written};
use crate::composer::WRITING_AS;
use crate::group::{Letter, Row};
use crate::name::Name;
use crate::outbox::Parcel;
use crate::part::{part, text};
use crate::person::{hue_class, initials};
use crate::visit::Visit;

/// A delivered message, with the line for its day if it begins one. Nothing of it but the time follows a signal: there are
/// many, and each has its part in how long a page takes to come alive.
#[component]
pub fn MessageRow(row: Row, visit: Visit) -> impl IntoView {
    let mine = untrack(|| is_mine(&row.message, expect_context()));
    let class = class(&row, mine, row.message.id > visit.opened_at);
    let Row { message, head, day, .. } = row;
    part(view! {
        {day.map(|day| view! { <Day day/> })}
        <article class=class>
            {head.then(|| view! { <By name=message.username.clone() author=message.author at=message.sent_at/> })}
            <Body text=said(&message)/>
            <span hidden=message.deleted || message.edited_at.is_none() class="changed">"edited"</span>
            <Act id=message.id/>
        </article>
    })
}

/// What the styles know of a message: `mine` are those that the visitor may change, `known` those of others whose author
/// can be kept from more.
fn class(row: &Row, mine: bool, arrived: bool) -> String {
    let message = &row.message;
    let marks = [
        ("head", row.head),
        ("own", row.own),
        ("mine", mine),
        ("known", message.author.is_some() && !mine),
        ("arrived", arrived),
        ("gone", message.deleted),
    ];
    let marks = marks.into_iter().filter_map(|(mark, is)| is.then_some(mark));
    marks.fold(format!("message {}", hue_class(&message.username)), |class, mark| class + " " + mark)
}

/// What a message says now.
fn said(message: &Message) -> String {
    if message.deleted { "(deleted)".to_owned() } else { message.body.clone() }
}

/// A message on its way, or one that was refused.
#[component]
pub fn ParcelRow(letter: Letter, visit: Visit) -> impl IntoView {
    let Letter { parcel: Parcel { key, message, written, refused, free, .. }, head, day } = letter;
    let name = expect_context::<Name>();
    // Whoever has signed in since goes by the name of the account.
    let own = || Some(name.now()).filter(|own| name.fixed && *own != message.username);
    let free = free.or_else(own);
    let refused = refused.map(|reason| {
        let again = {
            let key = key.clone();
            click(move || visit.delivery.again(&key, None))
        };
        let rename = {
            let (key, free) = (key.clone(), free.clone());
            click(move || take_name(name, visit, &key, free.clone()))
        };
        let (none, offer) = (free.is_none(), format!("Use {}", free.unwrap_or_default()));
        view! {
            <p class="refused" role="alert">
                {format!("Not sent. {reason}")}
                <button hidden=none type="button" class="quiet" on:click=rename>{offer}</button>
                <button type="button" class="quiet" on:click=again>"Send again"</button>
                <button type="button" class="quiet" on:click=click(move || visit.delivery.remove(&key))>"Remove"</button>
            </p>
        }
    });
    let pending = refused.is_none();
    part(view! {
        {day.map(|day| view! { <Day day/> })}
        <article class=format!("message own {}", hue_class(&message.username)) class:head=head class:pending=pending>
            {head.then(|| view! { <By name=message.username.clone() author=own_author(name) at=Time::from_millis(written)/> })}
            <Body text=message.body/>
            {pending.then(|| view! { <span class="unseen">"Sending"</span> })}
            {refused}
        </article>
    })
}

/// Takes a free name and sends a refused message again under it.
fn take_name(name: Name, visit: Visit, key: &str, free: Option<String>) {
    let Some(free) = free.filter(|free| name.fixed || name.change(free).is_ok()) else { return };
    if let Some(field) = find::<HtmlInputElement>(WRITING_AS) {
        field.set_value(&name.now());
    }
    visit.delivery.again(key, Some(free));
}

/// Whether a message is surely by who goes by this name; follows that.
pub fn is_mine(message: &Message, name: Name) -> bool {
    message.username == name.get() && message.author == own_author(name)
}

/// How far the server will know who wrote what is on its way, so that nothing moves when it is delivered.
pub fn own_author(name: Name) -> Option<Author> {
    Some(if name.fixed { Author::Account } else { Author::Guest })
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

/// Who wrote, how far that is known, and when. Guests by their key are the usual case, of which nothing is said.
#[component]
fn By(name: String, #[prop(optional_no_strip)] author: Option<Author>, at: Time) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let face = initials(&name);
    let (known, why) = match author {
        Some(Author::Account) => ("registered", "Somebody with an account wrote this"),
        Some(Author::Guest) => ("guest", ""),
        None => ("unverified", "Anybody could have written this"),
    };
    view! {
        <span class="face" aria-hidden="true">{face}</span>
        <p class="by">
            <bdi class="who">{name}</bdi>
            <span class=known title=why>{if why.is_empty() { "" } else { known }}</span>
            <time datetime=written(at) title=text(move || clock.full(at))>{text(move || clock.wall(at).hours())}</time>
        </p>
    }
}
