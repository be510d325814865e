//! The form in which messages are written.
//!
//! **Guarantees:** Enter sends and Shift+Enter breaks the line; with a keyboard on the screen, Enter breaks the line
//! and the button sends; without a script it is a plain form. **Not here:** sending (`outbox`).

pub mod draft;
mod editing;
mod typing;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use protocol::text::{BODY_MAX, parse_body};
use protocol::{NewMessage, Refusal};
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::dom::{
    browser_effect, element_by_id, focus_heading, on_change, on_click, on_submit,
};
use crate::connection::sharing::stream_event::ConnectionState;
use crate::initial_state::FirstContent;
use crate::reactive::{ErrorText, bool_signal, erase_type, text_signal};
use crate::room::composer::draft::DraftField;
use crate::room::composer::typing::{TypingIndicator, TypingReporter};
use crate::room::ids::{FIELD, WRITING_AS};
use crate::room::state::RoomState;
use crate::session::display_name::DisplayName;
use crate::time::clock::{self, Clock};
use crate::ui::avatar::hue_class;
use crate::ui::icon::Icon;

/// From how many characters left they are counted.
const COUNT_FROM: usize = 400;

/// What the handlers of the form share.
#[derive(Clone, Copy)]
struct Handlers {
    state: RoomState,
    name: DisplayName,
    field: DraftField,
    typing: TypingReporter,
}

/// The form at the foot of a room.
#[component]
pub fn Composer(state: RoomState) -> impl IntoView {
    let field = DraftField::new(state);
    let form = Handlers {
        state,
        name: expect_context(),
        field,
        typing: TypingReporter::new(state),
    };
    editing::follow(state, field);
    let navigated = expect_context::<FirstContent>().is_over();
    browser_effect(move || form.on_shown(navigated));
    let cannot_write = bool_signal(move || state.write_obstacle().is_some());
    let obstacle = text_signal(move || state.write_obstacle().unwrap_or_default().to_owned());
    erase_type(view! {
        <p hidden=bool_signal(move || state.write_obstacle().is_none()) class="composer-notice">{obstacle}</p>
        <form
            hidden=cannot_write
            class="composer"
            method="post"
            action=format!("{}messages/", api::room_path(state.id))
            on:submit=on_submit(move || form.send())
        >
            <TypingIndicator state/>
            <StatusLine form/>
            <p class="composer-input">
                <textarea
                    id=FIELD
                    name="body"
                    rows="1"
                    aria-label="Message"
                    placeholder="Write a message"
                    required
                    data-find
                    on:input=on_change(move || form.on_input())
                    on:keydown=move |event| form.on_key(&event)
                ></textarea>
                <button class="send-button" aria-label="Send">{Icon::Send.view()}</button>
            </p>
            <p class="hint" role="status">{state.notice}</p>
            <ErrorText words=state.error/>
        </form>
    })
}

/// The line above the field: the name, whether a message is edited, what waits, how much room is left.
#[component]
fn StatusLine(form: Handlers) -> impl IntoView {
    let Handlers {
        state, name, field, ..
    } = form;
    let not_editing = bool_signal(move || state.editing.get() == 0);
    let hue = text_signal(move || format!("author-field {}", hue_class(&name.get())));
    let too_long = bool_signal(move || field.length.get() > BODY_MAX);
    let count = text_signal(move || characters_left(field.length.get()));
    erase_type(view! {
        <p class="composer-status">
            <label class=hue>
                <span>"Writing as"</span>
                <input
                    id=WRITING_AS
                    name="username"
                    value=name.get_untracked()
                    autocomplete="nickname"
                    spellcheck="false"
                    required=not_editing
                    readonly=name.is_fixed
                    on:change=on_change(move || { form.change_name(); })
                />
            </label>
            <span hidden=not_editing class="editing" role="status">
                "Editing a message "
                <button type="button" class="link-button" on:click=on_click(move || editing::cancel(state, field))>"Cancel"</button>
            </span>
            <Waiting state/>
            <span class="character-count" class:too-long=too_long>{count}</span>
        </p>
    })
}

impl Handlers {
    /// Fills the field with the draft. A visitor who came here from another page begins to write at once.
    fn on_shown(self, navigated: bool) {
        let Some(field) = self.field.element() else {
            return;
        };
        if navigated && has_keyboard() {
            // A field that cannot take the focus leaves it where it is.
            let _ = field.focus();
        } else if navigated {
            focus_heading("h1");
        }
        self.field.load_draft();
    }

    fn on_input(self) {
        self.field.on_changed();
        if self.field.length.get_untracked() > 0 {
            self.typing.report(self.name.get_untracked());
        }
    }

    fn on_key(self, event: &KeyboardEvent) {
        // While a word is being composed, Enter ends the word. Safari has ended it before it reports the key, and
        // marks that by the code of the key.
        let composing = event.is_composing() || event.key_code() == 229;
        let is_editing = self.state.editing.get_untracked() > 0;
        match event.key().as_str() {
            "Enter" if !composing && sends(event) => {
                event.prevent_default();
                self.send();
            }
            "Escape" if is_editing && !composing => editing::cancel(self.state, self.field),
            "ArrowUp" if self.field.length.get_untracked() == 0 => self.edit_last(event),
            _ => {}
        }
    }

    fn edit_last(self, event: &KeyboardEvent) {
        if let Some(id) = editing::last_editable(self.state, self.name) {
            event.prevent_default();
            self.state.editing.set(id);
        }
    }

    fn send(self) {
        let edited = self.state.editing.get_untracked();
        let Some(body) = self.checked_body(edited > 0) else {
            return;
        };
        self.typing.reset();
        if edited > 0 {
            return editing::save(self.state, self.field, edited, body);
        }
        self.state.send_message(NewMessage {
            username: self.name.get_untracked(),
            body,
        });
        self.field.set_text("");
    }

    /// The text to send; shows why there is none.
    fn checked_body(self, is_editing: bool) -> Option<String> {
        let text = self.field.element()?.value();
        match parse_body(&text) {
            Ok(body) => (is_editing || self.change_name()).then_some(body),
            Err(refusal) if !text.trim().is_empty() => {
                let length = self.field.length.get_untracked();
                self.state.error.set(Some(reason(&refusal, length)));
                None
            }
            Err(_) if is_editing => {
                let words = "To remove a message, delete it.";
                self.state.error.set(Some(words.to_owned()));
                None
            }
            Err(_) => None,
        }
    }

    /// Takes the display name from its field; returns whether it is a valid one.
    fn change_name(self) -> bool {
        if self.name.is_fixed {
            return true;
        }
        let given = element_by_id::<HtmlInputElement>(WRITING_AS)
            .map(|field| field.value())
            .unwrap_or_default();
        let error = self.name.change(&given).err();
        let is_valid = error.is_none();
        self.state.error.set(error);
        is_valid
    }
}

/// Whether Enter sends: it does not with Shift, nor alone where the keyboard is on the screen.
fn sends(event: &KeyboardEvent) -> bool {
    !event.shift_key() && (has_keyboard() || event.ctrl_key() || event.meta_key())
}

fn characters_left(length: usize) -> String {
    match BODY_MAX.checked_sub(length) {
        Some(left) if left <= COUNT_FROM => format!("{left} left"),
        Some(_) => String::new(),
        None => format!("{} too many", length - BODY_MAX),
    }
}

/// How many messages wait, and for what.
#[component]
fn Waiting(state: RoomState) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let words = text_signal(move || {
        let waiting = state.sender.outbox().with(|outbox| outbox.waiting());
        let wait = state.sender.pause().map(|pause| {
            clock.now();
            (pause.asked, pause.until.since(clock::now()).as_secs() + 1)
        });
        match wait {
            _ if waiting == 0 => String::new(),
            Some((true, seconds)) => format!("{waiting} waiting · going on in {seconds} s"),
            Some(_) => format!("{waiting} waiting"),
            None if state.feed.state() == ConnectionState::Offline => format!("{waiting} waiting"),
            None => String::new(),
        }
    });
    view! { <span class="queue-status" class:idle=bool_signal(move || words.with(String::is_empty)) role="status">{words}</span> }
}

/// Where focus does not bring up a keyboard on the screen, which hides half of the page.
fn has_keyboard() -> bool {
    window()
        .match_media("(pointer: fine)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn reason(refusal: &Refusal, length: usize) -> String {
    match length.checked_sub(BODY_MAX) {
        Some(over @ 1..) => format!(
            "A message has at most {} characters; this is {over} too many.",
            BODY_MAX
        ),
        _ => refusal.to_string(),
    }
}
