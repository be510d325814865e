//! A panel over a room: a page that the server draws alone, shown in a dialog instead of leaving the room.
//!
//! Promises: every link with `data-panel` opens one, and is an ordinary link where this fails; forms inside are sent as
//! they would be by the browser, and what comes of them is shown in the same place; when it closes, the room is asked
//! what has become of it. Leaves to others: the pages (`settings`, `member`, `moderation`, `invitation`).

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{
    DomParser, Element, Event, FormData, HtmlDialogElement, HtmlElement, HtmlFormElement,
    HtmlInputElement, SubmitEvent, SupportedType, UrlSearchParams,
};

use crate::api;
use crate::browser::clipboard::copy_text;
use crate::browser::dom::{
    browser_effect, close_on_backdrop_click, element_by_id, on_change, on_window_event,
    open_dialog, run_after, spawn_task,
};
use crate::reactive::{ErrorText, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::router::clicked_link;
use crate::ui::icon::Icon;

/// The ID of the dialog.
const DIALOG: &str = "page-dialog";
/// The ID of its heading.
const TITLE: &str = "panel-title";
/// The ID of what holds the page.
const PAGE: &str = "page-dialog-content";

/// The dialog; follows marked links as long as it is there.
#[component]
pub fn PageDialog(state: RoomState) -> impl IntoView {
    let panel = Showing {
        state,
        title: RwSignal::new(String::new()),
        trouble: RwSignal::new(None),
    };
    browser_effect(move || {
        on_window_event("click", move |event| panel.click(event));
        on_window_event("submit", move |event| panel.submit(event));
    });
    erase_type(view! {
        <dialog
            id=DIALOG
            class="dialog page-dialog"
            aria-labelledby=TITLE
            on:click=close_on_backdrop_click()
            on:close=on_change(move || {
                focus_again();
                state.recheck_access();
            })
        >
            <form method="dialog" class="dialog-header">
                <h2 id=TITLE tabindex="-1">{text_signal(move || panel.title.get())}</h2>
                <button class="icon-button" aria-label="Close">{Icon::Cross.view()}</button>
            </form>
            <ErrorText words=panel.trouble/>
            <div id=PAGE class="form-page"></div>
        </dialog>
    })
}

#[derive(Clone, Copy)]
struct Showing {
    state: RoomState,
    title: RwSignal<String>,
    trouble: RwSignal<Option<String>>,
}

impl Showing {
    fn click(self, event: &Event) {
        let Some(event) = event.dyn_ref() else { return };
        if let Some(link) = clicked_link(event).filter(|link| link.has_attribute("data-panel")) {
            event.prevent_default();
            self.load(link.href(), None);
        } else if let Some(button) = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        {
            copy(button);
        }
    }

    fn submit(self, event: &Event) {
        let form = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let form = form.filter(|form| {
            form.closest("#page-dialog-content")
                .is_ok_and(|page| page.is_some())
        });
        if let Some(form) = form
            && let Some(fields) = fields(&form, event)
        {
            event.prevent_default();
            self.load(form.action(), Some(fields));
        }
    }

    fn load(self, url: String, form: Option<String>) {
        self.trouble.set(None);
        spawn_task(async move {
            let sends = form.is_some();
            let answer = api::fetch_page(&url, form).await;
            // The room may have been left by now.
            if self.title.is_disposed() {
                return;
            }
            match answer {
                Ok((from, html)) => self.show(&from, &html),
                Err(failure) if sends => self.trouble.set(Some(failure.words())),
                Err(_) => go(&url),
            }
        });
    }

    /// Shows a page of the room's; another one is gone to, and the room itself is what is behind.
    fn show(self, from: &str, html: &str) {
        match from.split_once(&api::room_path(self.state.id)) {
            Some((_, "")) => close(),
            Some(_) if self.fill(html).is_some() => {}
            _ => go(from),
        }
    }

    fn fill(self, html: &str) -> Option<()> {
        let page = DomParser::new()
            .ok()?
            .parse_from_string(html, SupportedType::TextHtml)
            .ok()?;
        let heading = page.query_selector("h1").ok()??;
        self.title.set(heading.text_content()?);
        heading.remove();
        let place = element_by_id::<Element>(PAGE)?;
        place.set_inner_html(&page.query_selector("main").ok()??.inner_html());
        close_others();
        open_dialog(DIALOG);
        let first = place
            .query_selector("[autofocus]")
            .ok()?
            .and_then(|field| field.dyn_into().ok());
        // What cannot take the focus leaves it where it is.
        let _ = first
            .or_else(|| element_by_id::<HtmlElement>(TITLE))?
            .focus();
        Some(())
    }
}

/// What the browser would send of a form, with the button that was pressed.
fn fields(form: &HtmlFormElement, event: &Event) -> Option<String> {
    let fields = FormData::new_with_form(form).ok()?;
    let button = event
        .dyn_ref::<SubmitEvent>()
        .and_then(SubmitEvent::submitter);
    if let Some(name) = button
        .as_ref()
        .and_then(|button| button.get_attribute("name"))
    {
        let value = button
            .and_then(|button| button.get_attribute("value"))
            .unwrap_or_default();
        fields.append_with_str(&name, &value).ok()?;
    }
    Some(
        UrlSearchParams::new_with_str_sequence_sequence(&fields)
            .ok()?
            .to_string()
            .into(),
    )
}

/// Copies the link beside a button that is there for that.
fn copy(button: HtmlElement) {
    let field = button
        .has_attribute("data-copy")
        .then(|| button.previous_element_sibling())
        .flatten();
    let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    spawn_task(async move {
        let label = button.inner_html();
        button.set_text_content(Some(if copy_text(&field.value()).await {
            "Copied"
        } else {
            "Copy it by hand"
        }));
        run_after(Duration::from_secs(2), move || {
            button.set_inner_html(&label)
        });
    });
}

fn close() {
    element_by_id::<HtmlDialogElement>(DIALOG)
        .iter()
        .for_each(HtmlDialogElement::close);
}

/// Where the link was that opened the panel may be hidden by now, as the menu is: then the menu's button has the focus.
fn focus_again() {
    let at = document().active_element();
    let lost = at.is_none_or(|at| at.matches("body, #page-dialog *, #menu *").unwrap_or(true));
    let button = document()
        .query_selector("[popovertarget=menu]")
        .ok()
        .flatten()
        .filter(|_| lost);
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        // What cannot take the focus leaves it where it is.
        let _ = button.focus();
    }
}

/// A panel is asked for from a dialog, too, to which there is no way back.
fn close_others() {
    let other = document()
        .query_selector("dialog[open]:not(#page-dialog)")
        .ok()
        .flatten();
    other
        .and_then(|other| other.dyn_into().ok())
        .iter()
        .for_each(HtmlDialogElement::close);
}

fn go(url: &str) {
    // An address of this site is always one to go to.
    let _ = window().location().set_href(url);
}
