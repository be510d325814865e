//! One message in the timeline: delivered, pending or refused.
//!
//! # Guarantees
//! - A message has one row in all three states, so nothing moves when the state changes.
//! - Names and texts are isolated: direction marks in them do not affect the text around them.

use std::sync::Arc;

use leptos::either::Either;
use leptos::prelude::*;
use protocol::characters::clean_name;
use protocol::{Author, Message};
use texts::app as t;
use web_sys::{HtmlElement, HtmlInputElement};

use crate::browser::dom::{element_by_id, focus_without_scroll, on_click};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::composer::draft::DraftField;
use crate::room::ids::{LOG, WRITING_AS, message_id};
use crate::room::outbox::pending_message::PendingMessage;
use crate::room::person_link::author_link;
use crate::room::state::RoomState;
use crate::room::timeline::files::draw_files;
use crate::room::timeline::grouping::TimelineRow;
use crate::room::timeline::marked_text::draw;
use crate::room::timeline::message_body::draw_body;
use crate::room::timeline::message_menu::MessageMenuButton;
use crate::room::timeline::unread_line::UnreadLine;
use crate::session::display_name::DisplayName;
use crate::time::clock::{Clock, rfc3339};
use crate::ui::avatar::initials;
use crate::ui::copy_button::CopyButton;
use crate::ui::drawn_element::DrawnElement;

/// A message, below the line for its day if it starts one. Only dates and times follow signals: a
/// page has many rows, and each signal adds to the time that hydration takes.
#[component]
pub fn MessageRow(row: TimelineRow, state: RoomState) -> impl IntoView {
    let is_new = row.message.id > state.history.settled.get_untracked();
    let class = row_class(&row, is_new, &state.hue_class(&row.message.username));
    let id = row.pending.is_none().then(|| message_id(row.message.id));
    let mark = Mark::of(&row);
    let body = draw_content(&row);
    let TimelineRow {
        message,
        pending,
        starts_group,
        day,
        starts_unread,
        role,
        ..
    } = row;
    let end = match pending {
        Some(pending) => Either::Left(
            pending
                .refused
                .is_some()
                .then(|| view! { <DeliveryError pending state/> }),
        ),
        None => Either::Right(view! { <MessageMenuButton id=message.id/> }),
    };
    erase_type(view! {
        {day.map(|day| view! { <DaySeparator day/> })}
        {starts_unread.then(|| view! { <UnreadLine/> })}
        <article id=id class=class>
            {starts_group.then(|| view! { <Byline message=message.clone() role/> })}
            {body}
            <span hidden=!mark.is_shown class=mark.class>{mark.text}</span>
            {end}
        </article>
    })
}

/// The CSS classes of a row.
fn row_class(row: &TimelineRow, is_new: bool, hue: &str) -> String {
    let message = &row.message;
    let pending = row.pending.as_ref();
    let is_waiting = pending.is_some_and(|pending| pending.refused.is_none());
    let classes = [
        ("group-start", row.starts_group),
        ("own", row.is_own),
        ("new-message", is_new),
        ("pending", is_waiting),
        ("deleted", message.is_deleted()),
    ];
    let classes = classes
        .into_iter()
        .filter_map(|(class, applies)| applies.then_some(class));
    classes.fold(format!("message {hue}"), |list, class| list + " " + class)
}

/// The mark after the text of a message.
struct Mark {
    class: &'static str,
    text: &'static str,
    is_shown: bool,
}

impl Mark {
    fn of(row: &TimelineRow) -> Self {
        match &row.pending {
            Some(pending) => Self {
                class: "visually-hidden",
                text: t::SENDING.text(),
                is_shown: pending.refused.is_none(),
            },
            None => Self {
                class: "edited-mark",
                text: t::EDITED.text(),
                is_shown: !row.message.is_deleted() && row.message.edited_at.is_some(),
            },
        }
    }
}

/// The text of a message. Before it is delivered, its markup is not known and stays as written.
fn draw_content(row: &TimelineRow) -> DrawnElement {
    let message = &row.message;
    let text = if message.is_deleted() {
        t::DELETED_TEXT.text()
    } else {
        message.body()
    };
    let mut parts = draw(text, message.marks(), &row.mentioned);
    parts.extend(draw_files(message));
    draw_body(text, parts)
}

/// Why a message was refused, with buttons to send it again, to put its text back into the message
/// field, or to remove it.
#[component]
fn DeliveryError(pending: PendingMessage, state: RoomState) -> impl IntoView {
    let PendingMessage {
        key,
        message,
        refused,
        free,
        ..
    } = pending;
    let name = expect_context::<DisplayName>();
    // A visitor who has signed in since then writes under the username of the account.
    let own_name =
        || Some(name.get_untracked()).filter(|own| name.is_fixed && *own != message.username);
    let offered_name = free.or_else(own_name);
    let has_no_offer = offered_name.is_none();
    let offer = t::USE_NAME.fill([offered_name.as_deref().unwrap_or_default()]);
    let resend = {
        let key = key.clone();
        on_click(move || {
            state.sender.retry(&key, None);
            focus_log();
        })
    };
    let rename = {
        let key = key.clone();
        on_click(move || {
            resend_under_name(name, state, &key, offered_name.clone());
            focus_log();
        })
    };
    let body = message.body.clone();
    let edit = {
        let key = key.clone();
        on_click(move || {
            // The text is in the draft before it leaves the outbox.
            if DraftField::new(state).take_back(&message.body) {
                state.sender.remove(&key);
            }
        })
    };
    let remove = on_click(move || {
        state.sender.remove(&key);
        focus_log();
    });
    let closed = bool_signal(move || state.closed.get());
    let cannot_edit = bool_signal(move || closed.get() || state.write_obstacle().is_some());
    let has_no_offer = bool_signal(move || has_no_offer || closed.get());
    view! {
        <p class="delivery-error" role="alert">
            {t::NOT_SENT.fill([&refused.unwrap_or_default()])}
            <button hidden=has_no_offer type="button" class="link-button" on:click=rename>{offer}</button>
            <button hidden=closed type="button" class="link-button" on:click=resend>{t::SEND_AGAIN.text()}</button>
            <button hidden=cannot_edit type="button" class="link-button" on:click=edit>{t::EDIT.text()}</button>
            <CopyButton text=Box::new(move || body.clone()) label=t::COPY_TEXT.text() class="link-button"/>
            <button type="button" class="link-button" on:click=remove>{t::REMOVE.text()}</button>
        </p>
    }
}

/// Gives the log the focus when the row that had it changes or disappears, so that the arrow keys
/// continue to work.
fn focus_log() {
    if let Some(log) = element_by_id::<HtmlElement>(LOG) {
        focus_without_scroll(&log);
    }
}

/// Changes the display name to the offered one, and sends a refused message again under it.
fn resend_under_name(name: DisplayName, state: RoomState, key: &str, offered: Option<String>) {
    let Some(offered) = offered.filter(|offered| name.is_fixed || name.change(offered).is_ok())
    else {
        return;
    };
    if let Some(field) = element_by_id::<HtmlInputElement>(WRITING_AS) {
        field.set_value(&name.get_untracked());
    }
    state.sender.retry(key, Some(offered));
}

/// The line above the first message of a day. Screen readers announce neither it nor the time of a
/// message: both are rendered again with their row.
#[component]
fn DaySeparator(day: i64) -> impl IntoView {
    let clock = expect_context::<Clock>();
    view! {
        <p class="day-separator" aria-live="off">
            <span>{text_signal(move || clock.day_name(day))}</span>
        </p>
    }
}

/// The author and the time of a message. An account has its display name, with the username as its
/// title. The name is a link to the card of the author, which covers the avatar, too. Screen readers
/// do not announce that a role has changed.
#[component]
fn Byline(message: Arc<Message>, role: &'static str) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let at = message.sent_at;
    let name = clean_name(message.shown_name()).into_owned();
    let username = message.name.as_ref().map(|_| message.username.clone());
    let letters = initials(&name);
    let badge = Badge::of(message.author, role);
    view! {
        <span class="avatar" translate="no" aria-hidden="true">{letters}</span>
        <p class="byline">
            <a class="author" translate="no" href=author_link(&message) title=username>{name}</a>
            <span class=badge.class title=badge.title aria-live="off">{badge.text}</span>
            <time aria-live="off" datetime=rfc3339(at) title=text_signal(move || clock.full_text(at))>{text_signal(move || clock.hours(at))}</time>
        </p>
    }
}

/// What is shown beside the name of an author; nothing for a guest without a role, the usual case.
struct Badge {
    class: &'static str,
    text: &'static str,
    title: &'static str,
}

impl Badge {
    /// The badge of an author with this role, if there is one.
    fn of(author: Option<Author>, role: &'static str) -> Self {
        match author {
            Some(Author::Account) if role.is_empty() => Self {
                class: "registered",
                text: t::REGISTERED.text(),
                title: t::REGISTERED_HINT.text(),
            },
            Some(Author::Account) => Self {
                class: "registered role",
                text: role,
                title: t::REGISTERED_HINT.text(),
            },
            Some(Author::Guest) => Self {
                class: if role.is_empty() { "guest" } else { "role" },
                text: role,
                title: "",
            },
            None => Self {
                class: "unverified",
                text: t::UNVERIFIED.text(),
                title: t::UNVERIFIED_HINT.text(),
            },
        }
    }
}
