//! A dialog that shows a page which the server renders alone, without leaving the room.
//!
//! # Guarantees
//! - Every link with `data-panel` and every link to the card of a person opens in the dialog; if loading fails, the browser follows it as
//!   usual.
//! - Forms in the dialog are sent as the browser would send them, and the answer is shown in the
//!   dialog. A form that is sent while the dialog is closed opens it only if its answer is more than
//!   one line, which is shown above the composer.
//! - When the dialog closes, the room is fetched again.
//!
//! # Not here
//! The pages (`pages`).

use leptos::prelude::*;
use texts::app as t;
use wasm_bindgen::JsCast;
use web_sys::{
    DomParser, Element, Event, FormData, HtmlAnchorElement, HtmlDialogElement, HtmlElement,
    HtmlFormElement, HtmlInputElement, SubmitEvent, SupportedType, UrlSearchParams,
};

use crate::api;
use crate::browser::clipboard::copy_and_report;
use crate::browser::dom::{
    browser_effect, close_on_backdrop_click, element_by_id, load_page, on_change, on_window_event,
    open_dialog, spawn_task,
};
use crate::reactive::{ErrorText, erase_type};
use crate::room::composer::draft::{DraftField, set_notice};
use crate::room::presence::PRESENCE_LIST;
use crate::room::state::RoomState;
use crate::router::clicked_link;
use crate::ui::icon::Icon;

/// The ID of the dialog.
const DIALOG: &str = "page-dialog";
/// The ID of its heading.
const TITLE: &str = "panel-title";
/// The ID of the element that holds the page.
const PAGE: &str = "page-dialog-content";

/// The attribute of the dialog with the address of the link in the list of who is here that opened
/// it; empty if another link did.
const OPENER: &str = "data-opener";

/// Loads a page into the dialog, or sends a form, already encoded, and shows its answer.
pub fn load_into_dialog(state: RoomState, url: String, form: Option<String>) {
    DialogState { state }.load(url, form);
}

/// The dialog; handles marked links as long as it is mounted.
#[component]
pub fn PageDialog(state: RoomState) -> impl IntoView {
    let dialog = DialogState { state };
    browser_effect(move || {
        on_window_event("click", move |event| dialog.on_click(event));
        on_window_event("submit", move |event| dialog.on_submit(event));
    });
    erase_type(view! {
        <dialog
            id=DIALOG
            class="dialog page-dialog"
            aria-labelledby=TITLE
            on:click=close_on_backdrop_click()
            on:close=on_change(move || {
                restore_focus();
                state.recheck_access();
            })
        >
            <form method="dialog" class="dialog-header">
                <h2 id=TITLE tabindex="-1">{state.dialog_title}</h2>
                <button class="icon-button" aria-label=t::CLOSE.text() title=t::CLOSE.text()>{Icon::Cross.view()}</button>
            </form>
            <ErrorText text=state.dialog_error/>
            <div id=PAGE class="form-page"></div>
        </dialog>
    })
}

#[derive(Clone, Copy)]
struct DialogState {
    state: RoomState,
}

impl DialogState {
    fn on_click(self, event: &Event) {
        let Some(event) = event.dyn_ref() else { return };
        let is_shown_here = |link: &HtmlAnchorElement| {
            link.has_attribute("data-panel") || link.pathname().ends_with("/person/")
        };
        if let Some(link) = clicked_link(event).filter(is_shown_here) {
            event.prevent_default();
            remember_opener(&link);
            self.load(link.href(), None);
        } else if let Some(button) = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlElement>().ok())
        {
            match button.get_attribute("data-mention") {
                Some(mention) => {
                    close_dialog();
                    DraftField::new(self.state).insert_mention(&mention);
                }
                None => copy_link(button),
            }
        }
    }

    fn on_submit(self, event: &Event) {
        let form = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let form = form.filter(|form| {
            form.closest("#page-dialog-content, #notice")
                .is_ok_and(|page| page.is_some())
        });
        if let Some(form) = form
            && let Some(fields) = encode_form(&form, event)
        {
            event.prevent_default();
            self.load(form.action(), Some(fields));
        }
    }

    fn load(self, url: String, form: Option<String>) {
        self.state.dialog_error.set(None);
        spawn_task(async move {
            let is_submission = form.is_some();
            let answer = api::fetch_page(&url, form).await;
            // The visitor may have left the room.
            if self.state.dialog_title.is_disposed() {
                return;
            }
            let is_quiet = is_submission && !is_open();
            match answer {
                Ok(page) => self.show(&page.url, &page.html, is_quiet),
                Err(failure) if is_quiet => self.state.show_error(&failure),
                Err(failure) if is_submission => self.state.dialog_error.set(Some(failure.text())),
                Err(_) => load_page(&url),
            }
        });
    }

    /// Shows a page of this room. Any other page replaces the room; the room's own page closes the
    /// dialog.
    fn show(self, url: &str, html: &str, is_quiet: bool) {
        match url.split_once(&api::room_path(self.state.id)) {
            Some((_, "")) => close_dialog(),
            Some(_) if self.fill(html, is_quiet).is_some() => {}
            _ => load_page(url),
        }
    }

    /// Fills the dialog with a page, or, for a quiet answer, the line above the composer if the page
    /// has one.
    fn fill(self, html: &str, is_quiet: bool) -> Option<()> {
        let page = DomParser::new()
            .ok()?
            .parse_from_string(html, SupportedType::TextHtml)
            .ok()?;
        let line = page.query_selector(".status-message").ok()?;
        if let Some(line) = line.filter(|_| is_quiet)
            && set_notice(&line.inner_html())
        {
            return Some(());
        }
        let heading = page.query_selector("h1").ok()??;
        self.state.dialog_title.set(heading.text_content()?);
        heading.remove();
        let container = element_by_id::<Element>(PAGE)?;
        container.set_inner_html(&page.query_selector("main").ok()??.inner_html());
        // A face has the hue that the person has in this room.
        if let Some(face) = container.query_selector("[data-name]").ok()?
            && let Some(name) = face.get_attribute("data-name")
        {
            // Setting an attribute does not fail.
            let class = format!("avatar {}", self.state.hue_class(&name));
            let _ = face.set_attribute("class", &class);
        }
        close_other_dialog();
        open_dialog(DIALOG);
        let first = container
            .query_selector("[autofocus]")
            .ok()?
            .and_then(|field| field.dyn_into().ok());
        // An element that cannot take the focus leaves it unchanged.
        let _ = first
            .or_else(|| element_by_id::<HtmlElement>(TITLE))?
            .focus();
        Some(())
    }
}

/// The fields of a form and the value of the submitting button, encoded as the browser would.
fn encode_form(form: &HtmlFormElement, event: &Event) -> Option<String> {
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

/// Copies the link in the field before a button with `data-copy`.
fn copy_link(button: HtmlElement) {
    let field = button
        .has_attribute("data-copy")
        .then(|| button.previous_element_sibling())
        .flatten();
    let Some(field) = field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) else {
        return;
    };
    let own_label = button.inner_html();
    copy_and_report(field.value(), move |label| match label {
        Some(label) => button.set_text_content(Some(label)),
        None => button.set_inner_html(&own_label),
    });
}

fn is_open() -> bool {
    element_by_id::<HtmlDialogElement>(DIALOG).is_some_and(|dialog| dialog.open())
}

fn close_dialog() {
    element_by_id::<HtmlDialogElement>(DIALOG)
        .iter()
        .for_each(HtmlDialogElement::close);
}

/// Records in the dialog which link in the list of who is here opens it; no other link needs that.
fn remember_opener(link: &HtmlAnchorElement) {
    let is_listed = link
        .closest(&format!("#{PRESENCE_LIST}"))
        .is_ok_and(|list| list.is_some());
    let address = link.get_attribute("href").filter(|_| is_listed);
    if let Some(dialog) = element_by_id::<Element>(DIALOG) {
        // Setting an attribute does not fail.
        let _ = dialog.set_attribute(OPENER, &address.unwrap_or_default());
    }
}

/// Gives the focus back where the browser cannot: to the link in the list of who is here that opened
/// the dialog, in the list that opens again, or to the button of the room's menu.
fn restore_focus() {
    let at = document().active_element();
    if !at.is_none_or(|at| at.matches("body, #page-dialog *, #menu *").unwrap_or(true)) {
        return;
    }
    let find = |selector: &str| {
        let found = document().query_selector(selector).ok().flatten();
        found.and_then(|found| found.dyn_into::<HtmlElement>().ok())
    };
    // An element that cannot take the focus leaves it unchanged.
    let focus = |element: Option<HtmlElement>| element.is_some_and(|found| found.focus().is_ok());
    let address = element_by_id::<Element>(DIALOG).and_then(|dialog| dialog.get_attribute(OPENER));
    let opener = address.and_then(|address| find(&format!("#{PRESENCE_LIST} [href='{address}']")));
    let list = opener.is_some().then_some(PRESENCE_LIST);
    // The button first: it gets the focus again when the list closes.
    focus(find(&format!("[popovertarget={}]", list.unwrap_or("menu"))));
    if let Some(list) = list.and_then(element_by_id::<HtmlElement>) {
        // Fails only for a list that is open.
        let _ = list.show_popover();
        focus(opener);
    }
}

/// Closes the dialog whose link opened this one, such as the share dialog.
fn close_other_dialog() {
    let other = document()
        .query_selector("dialog[open]:not(#page-dialog)")
        .ok()
        .flatten();
    other
        .and_then(|other| other.dyn_into().ok())
        .iter()
        .for_each(HtmlDialogElement::close);
}
