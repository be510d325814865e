//! Where one writes.
//!
//! Promises: what is typed is never lost: it is kept for each room until it is sent, and what was typed before the
//! browser took over stays; Enter sends, Shift+Enter breaks the line; where the keyboard is on the screen, Enter breaks the
//! line, and the button sends; without a script it is a plain form.

use std::sync::Arc;

use leptos::ev;
use leptos::prelude::*;
use protocol::text::{BODY_MAX, body};
use protocol::{Message, NewMessage};

use web_sys::{HtmlInputElement, HtmlTextAreaElement};

use crate::act::May;
use crate::api;
use crate::browser::{change, click, find, focus_heading, live, spawn, submit};
use crate::clock;
use crate::here::Typing;
use crate::icon::Icon;
use crate::name::Name;
use crate::opening::Stage;
use crate::part::{Own, Trouble, flag, part, text};
use crate::person::hue_class;
use crate::storage;
use crate::stream::State;
use crate::visit::Visit;

/// The ID of the field.
pub const FIELD: &str = "message";
/// The ID of the field for the name.
pub const WRITING_AS: &str = "writing-as";
/// How often it is said that somebody types, in milliseconds; it holds for twice as long.
const SAY_AGAIN: i64 = 3_000;
/// From how many characters left they are counted.
const NEAR: usize = 400;

/// The form at the foot of a room.
#[component]
pub fn Composer(visit: Visit) -> impl IntoView {
    let name = expect_context::<Name>();
    let what = || find::<HtmlTextAreaElement>(FIELD);
    let length = RwSignal::new(0_usize);
    let (trouble, editing) = (visit.trouble, visit.editing);
    let typed = move || {
        let Some(what) = what() else { return };
        let text = what.value();
        // What is written anew is no draft.
        if editing.get_untracked() == 0 {
            storage::set(&draft(visit), &text);
        }
        length.set(text.trim().chars().count());
        trouble.set(None);
        visit.notice.set(String::new());
        fit(&what);
    };
    let put = move |text: &str| {
        if let Some(field) = what() {
            field.set_value(text);
            typed();
            let _ = field.focus();
        }
    };
    live(move || {
        let edited = editing.get();
        let before = visit.log.with_untracked(|log| log.find(edited));
        if let Some(message) = before {
            put(&message.body);
        }
    });
    let leave = move || {
        editing.set(0);
        put(&storage::get(&draft(visit)).unwrap_or_default());
    };
    let asked_for = expect_context::<Stage>().is_over();
    live(move || {
        let Some(what) = what() else { return };
        if asked_for && has_keyboard() {
            // A field that cannot take the focus leaves it where it is.
            let _ = what.focus();
        } else if asked_for {
            focus_heading("h1");
        }
        if what.value().is_empty() {
            what.set_value(&storage::get(&draft(visit)).unwrap_or_default());
        }
        typed();
    });
    let said_at = Own::new(0_i64);
    let types = move || {
        let now = clock::now().millis();
        let before = said_at.with(|at| *at).unwrap_or_default();
        if length.get_untracked() > 0
            && now - before >= SAY_AGAIN
            && visit.feed.state_now() == State::Live
        {
            said_at.with(|at| *at = now);
            spawn(async move { api::types(visit.id, &name.now()).await });
        }
    };
    let rename = move || {
        if name.fixed {
            return true;
        }
        let given = find::<HtmlInputElement>(WRITING_AS)
            .map(|who| who.value())
            .unwrap_or_default();
        let taken = name.change(&given);
        trouble.set(taken.clone().err());
        taken.is_ok()
    };
    let send = move || {
        let Some(field) = what() else { return };
        let body = match body(&field.value()) {
            Ok(body) if editing.get_untracked() > 0 || rename() => body,
            Err(refusal) if !field.value().trim().is_empty() => {
                return trouble.set(Some(reason(&refusal, length.get_untracked())));
            }
            Err(_) if editing.get_untracked() > 0 => {
                return trouble.set(Some("To remove a message, delete it.".to_owned()));
            }
            _ => return,
        };
        said_at.with(|at| *at = 0);
        let edited = editing.get_untracked();
        if edited > 0 {
            return rewrite(visit, edited, body, leave);
        }
        visit.say(NewMessage {
            username: name.now(),
            body,
        });
        put("");
    };
    let key = move |event: ev::KeyboardEvent| {
        // While a word is being composed, Enter ends the word. Safari has ended it before it tells of the key, and
        // marks that by the code of the key.
        let composing = event.is_composing() || event.key_code() == 229;
        let last_own = || {
            visit
                .log
                .with_untracked(|log| may_edit_last(log.messages(), name, visit))
        };
        match event.key().as_str() {
            "Enter"
                if !composing
                    && !event.shift_key()
                    && (has_keyboard() || event.ctrl_key() || event.meta_key()) =>
            {
                event.prevent_default();
                send();
            }
            "Escape" if editing.get_untracked() > 0 && !composing => leave(),
            "ArrowUp" if length.get_untracked() == 0 => last_own().into_iter().for_each(|id| {
                event.prevent_default();
                editing.set(id);
            }),
            _ => {}
        }
    };
    let as_who = text(move || format!("as {}", hue_class(&name.get())));
    let over = flag(move || length.get() > BODY_MAX);
    let count = text(move || {
        let left = BODY_MAX.checked_sub(length.get());
        match left {
            Some(left) if left <= NEAR => format!("{left} left"),
            Some(_) => String::new(),
            None => format!("{} too many", length.get() - BODY_MAX),
        }
    });
    let silent = flag(move || visit.silence().is_some());
    part(view! {
        <p hidden=flag(move || visit.silence().is_none()) class="silence">{text(move || visit.silence().unwrap_or_default().to_owned())}</p>
        <form
            hidden=silent
            class="composer"
            method="post"
            action=format!("{}messages/", api::path(visit.id))
            on:submit=submit(send)
        >
            <Typing visit/>
            <p class="status">
                <label class=as_who>
                    <span>"Writing as"</span>
                    <input
                        id=WRITING_AS
                        name="username"
                        value=name.now()
                        autocomplete="nickname"
                        spellcheck="false"
                        required=flag(move || editing.get() == 0)
                        readonly=name.fixed
                        on:change=change(move || { rename(); })
                    />
                </label>
                <span hidden=flag(move || editing.get() == 0) class="editing" role="status">
                    "Editing a message "
                    <button type="button" class="quiet" on:click=click(leave)>"Cancel"</button>
                </span>
                <Waiting visit/>
                <span class="count" class:over=over>{count}</span>
            </p>
            <p class="writing">
                <textarea
                    id=FIELD
                    name="body"
                    rows="1"
                    aria-label="Message"
                    placeholder="Write a message"
                    required
                    data-find
                    on:input=change(move || {
                        typed();
                        types();
                    })
                    on:keydown=key
                ></textarea>
                <button class="send" aria-label="Send">{Icon::Send.view()}</button>
            </p>
            <p class="hint" role="status">{visit.notice}</p>
            <Trouble words=trouble/>
        </form>
    })
}

/// Writes a message anew; what was typed stays until that is done.
fn rewrite(visit: Visit, id: u64, body: String, done: impl Fn() + 'static) {
    spawn(async move {
        match api::edit(visit.id, id, &body).await {
            Ok(message) => {
                visit.replace(message);
                if visit.editing.try_get_untracked() == Some(id) {
                    done();
                }
            }
            Err(failure) => visit.complain(&failure),
        }
    });
}

/// The visitor's last message, if they may write it anew.
fn may_edit_last(messages: &[Arc<Message>], name: Name, visit: Visit) -> Option<u64> {
    let may = |message: &&Arc<Message>| untrack(|| May::of(message, name, visit).edit);
    messages.iter().rev().find(may).map(|message| message.id)
}

/// How many messages wait, and for what.
#[component]
fn Waiting(visit: Visit) -> impl IntoView {
    let clock = expect_context::<crate::clock::Clock>();
    let words = text(move || {
        let waiting = visit.delivery.outbox().with(|outbox| outbox.waiting());
        let wait = visit.delivery.pause().map(|pause| {
            clock.now();
            (
                pause.asked,
                pause.until.since(crate::clock::now()).as_secs() + 1,
            )
        });
        match wait {
            _ if waiting == 0 => String::new(),
            Some((true, seconds)) => format!("{waiting} waiting · going on in {seconds} s"),
            Some(_) => format!("{waiting} waiting"),
            None if visit.feed.state() == State::Offline => format!("{waiting} waiting"),
            None => String::new(),
        }
    });
    view! { <span class="waiting" class:idle=flag(move || words.with(String::is_empty)) role="status">{words}</span> }
}

/// Where focus does not bring up a keyboard on the screen, which hides half of the page.
fn has_keyboard() -> bool {
    window()
        .match_media("(pointer: fine)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

/// Under what it is kept what is being written.
pub fn draft(visit: Visit) -> String {
    format!("draft/{}", visit.id)
}

/// Lets the field grow with its text, up to what the style allows.
fn fit(field: &HtmlTextAreaElement) {
    let style = web_sys::HtmlElement::style(field);
    // A style that cannot be set leaves the field scrolling.
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
}

fn reason(refusal: &protocol::Refusal, length: usize) -> String {
    match length.checked_sub(BODY_MAX) {
        Some(over @ 1..) => format!(
            "A message has at most {} characters; this is {over} too many.",
            BODY_MAX
        ),
        _ => refusal.to_string(),
    }
}
