//! One message, as it stands in the log: delivered, on its way, or refused.
//!
//! Promises: all three are one row, so that nothing moves when one becomes the other; names and texts are isolated
//! from what is around them, whatever marks they contain.

use leptos::either::Either;
use leptos::prelude::*;
use protocol::{Author, Message, Time};
use web_sys::{HtmlElement, HtmlInputElement};

use crate::browser::dom::{element_by_id, focus_without_scroll, on_click};
use crate::reactive::{erase_type, text_signal};
use crate::room::ids::{LOG, WRITING_AS};
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::permissions::is_mine;
use crate::room::state::RoomState;
use crate::room::timeline::grouping::TimelineRow;
use crate::room::timeline::message_body::MessageBody;
use crate::room::timeline::message_menu::MessageMenuButton;
use crate::session::display_name::DisplayName;
use crate::time::clock::{Clock, rfc3339};
use crate::time::local_time::day_name;
use crate::ui::avatar::{hue_class, initials};

/// A message, with the line for its day if it begins one. Nothing of it but the time follows a signal: there are many, and
/// each has its part in how long a page takes to come alive.
#[component]
pub fn MessageRow(row: TimelineRow, state: RoomState) -> impl IntoView {
    let mine = untrack(|| is_mine(&row.message, expect_context()));
    let class = class(
        &row,
        mine,
        row.message.id > state.history.settled.get_untracked(),
    );
    let TimelineRow {
        message,
        parcel,
        head,
        day,
        ..
    } = row;
    let (mark, words, shown) = match &parcel {
        Some(parcel) => ("visually-hidden", "Sending", parcel.refused.is_none()),
        None => (
            "edited-mark",
            "edited",
            !message.deleted && message.edited_at.is_some(),
        ),
    };
    let end = match parcel {
        Some(parcel) => Either::Left(
            parcel
                .refused
                .is_some()
                .then(|| view! { <Refused parcel state/> }),
        ),
        None => Either::Right(view! { <MessageMenuButton id=message.id/> }),
    };
    erase_type(view! {
        {day.map(|day| view! { <Day day/> })}
        <article class=class>
            {head.then(|| view! { <By name=message.username.clone() author=message.author at=message.sent_at/> })}
            <MessageBody text=said(&message)/>
            <span hidden=!shown class=mark>{words}</span>
            {end}
        </article>
    })
}

/// What the styles know of a message: `editable` are those that the visitor may change, `sanctionable` those of others whose author
/// can be kept from more.
fn class(row: &TimelineRow, mine: bool, arrived: bool) -> String {
    let (message, delivered) = (&row.message, row.parcel.is_none());
    let marks = [
        ("group-start", row.head),
        ("own", row.own),
        ("editable", mine && delivered),
        ("sanctionable", message.author.is_some() && !mine),
        ("new-message", arrived),
        (
            "pending",
            row.parcel
                .as_ref()
                .is_some_and(|parcel| parcel.refused.is_none()),
        ),
        ("deleted", message.deleted),
    ];
    let marks = marks
        .into_iter()
        .filter_map(|(mark, is)| is.then_some(mark));
    marks.fold(
        format!("message {}", hue_class(&message.username)),
        |class, mark| class + " " + mark,
    )
}

/// What a message says now.
fn said(message: &Message) -> String {
    if message.deleted {
        "(deleted)".to_owned()
    } else {
        message.body.clone()
    }
}

/// Why a message was refused, and what can be done about it.
#[component]
fn Refused(parcel: PendingMessage, state: RoomState) -> impl IntoView {
    let PendingMessage {
        key,
        message,
        refused,
        free,
        ..
    } = parcel;
    let name = expect_context::<DisplayName>();
    // Whoever has signed in since goes by the name of the account.
    let own = || Some(name.get_untracked()).filter(|own| name.is_fixed && *own != message.username);
    let free = free.or_else(own);
    let (none, offer) = (
        free.is_none(),
        format!("Use {}", free.clone().unwrap_or_default()),
    );
    let again = {
        let key = key.clone();
        on_click(move || {
            state.sender.retry(&key, None);
            to_log();
        })
    };
    let rename = {
        let key = key.clone();
        on_click(move || {
            take_name(name, state, &key, free.clone());
            to_log();
        })
    };
    let remove = on_click(move || {
        state.sender.remove(&key);
        to_log();
    });
    view! {
        <p class="delivery-error" role="alert">
            {format!("Not sent. {}", refused.unwrap_or_default())}
            <button hidden=none type="button" class="link-button" on:click=rename>{offer}</button>
            <button type="button" class="link-button" on:click=again>"Send again"</button>
            <button type="button" class="link-button" on:click=remove>"Remove"</button>
        </p>
    }
}

/// Gives the log the focus, as the row that had it goes elsewhere: the arrows go on from there.
fn to_log() {
    if let Some(log) = element_by_id::<HtmlElement>(LOG) {
        focus_without_scroll(&log);
    }
}

/// Takes a free name and sends a refused message again under it.
fn take_name(name: DisplayName, state: RoomState, key: &str, free: Option<String>) {
    let Some(free) = free.filter(|free| name.is_fixed || name.change(free).is_ok()) else {
        return;
    };
    if let Some(field) = element_by_id::<HtmlInputElement>(WRITING_AS) {
        field.set_value(&name.get_untracked());
    }
    state.sender.retry(key, Some(free));
}

/// The line where a day begins. Like the time it is not announced: both are written anew with their row.
#[component]
fn Day(day: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <p class="day-separator" aria-live="off">
            <span>{text_signal(move || day_name(day, clock.today()))}</span>
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
        <span class="avatar" aria-hidden="true">{face}</span>
        <p class="byline">
            <bdi class="author">{name}</bdi>
            <span class=known title=why>{if why.is_empty() { "" } else { known }}</span>
            <time aria-live="off" datetime=rfc3339(at) title=text_signal(move || clock.full_text(at))>{text_signal(move || clock.local_time(at).hours())}</time>
        </p>
    }
}
