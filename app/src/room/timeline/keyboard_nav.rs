//! From message to message by the arrows, for whoever is in the log.
//!
//! Promises: what is walked to comes into view, and has the focus, so that its buttons are next; what is longer than the
//! view is scrolled to its end first, and so is the log at its own ends; it is named by who wrote it, when, and what it says
//! now. In the browser only.

use leptos::prelude::*;
use leptos::task::tick;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::browser::dom::{
    browser_effect, element_by_id, focus_without_scroll, on_window_event, spawn_task,
};
use crate::room::ids::{LOG, MESSAGE};
use crate::shortcuts::shortcut_target;

/// What names it.
const LABEL: &str = "aria-label";

/// Moves the focus by the arrow keys, as long as the log is on the page.
pub fn listen() {
    browser_effect(|| {
        on_window_event("keydown", |event| {
            event.dyn_ref().into_iter().for_each(on_key)
        });
    });
}

fn on_key(event: &KeyboardEvent) {
    let Some(target) = shortcut_target(event) else {
        return;
    };
    match event.key().as_str() {
        "ArrowUp" if move_focus(&target, true) => event.prevent_default(),
        "ArrowDown" if move_focus(&target, false) => event.prevent_default(),
        _ => {}
    }
}

/// Walks one message up or down from where somebody is in the log, and begins with the last one in view; so also for who is
/// nowhere, as after what had the focus is gone. Tells whether there was one to walk to.
fn move_focus(from: &Element, up: bool) -> bool {
    let is_there = |log: &Element| log.contains(Some(from)) || from.tag_name() == "BODY";
    let Some(log) = element_by_id(LOG).filter(is_there) else {
        return false;
    };
    let next = match from.closest(MESSAGE).ok().flatten() {
        Some(message) => beside(&log, message, up),
        None => last_in_view(&log),
    };
    next.and_then(|next| next.dyn_into().ok())
        .is_some_and(|next| show(&next))
}

/// The message above or below, once the end of this one is in view.
fn beside(log: &Element, message: Element, up: bool) -> Option<Element> {
    let (view, at) = (
        log.get_bounding_client_rect(),
        message.get_bounding_client_rect(),
    );
    let is_seen = if up {
        at.top() >= view.top()
    } else {
        at.bottom() <= view.bottom()
    };
    is_seen.then(|| neighbour(message, up))?
}

fn neighbour(mut at: Element, up: bool) -> Option<Element> {
    loop {
        at = if up {
            at.previous_element_sibling()
        } else {
            at.next_element_sibling()
        }?;
        if at.matches(MESSAGE).is_ok_and(|is| is) {
            return Some(at);
        }
    }
}

fn last_in_view(log: &Element) -> Option<Element> {
    let end = log.get_bounding_client_rect().bottom();
    let mut last = log.query_selector("article:last-of-type").ok()??;
    while last.get_bounding_client_rect().top() >= end {
        last = neighbour(last, true)?;
    }
    Some(last)
}

/// Gives the focus to a message, as if walked to.
pub fn focus_message(seq: u64) {
    let log = element_by_id::<Element>(LOG);
    let button = log.and_then(|log| log.query_selector(&format!("[value='{seq}']")).ok()?);
    let message = button.and_then(|button| button.closest(MESSAGE).ok()?);
    if let Some(message) = message.and_then(|message| message.dyn_into().ok()) {
        show(&message);
    }
}

/// Names what was walked to by what it says now, once that is drawn.
pub fn refresh_label() {
    spawn_task(async {
        tick().await;
        named().iter().for_each(name);
    });
}

/// What was walked to last. Nothing else has a name.
fn named() -> Option<Element> {
    document().query_selector("article[aria-label]").ok()?
}

/// Names a message: who wrote it and when stands at the beginning of its group.
fn name(message: &Element) {
    let text = |of: &Element, what: &str| {
        of.query_selector(what)
            .ok()?
            .and_then(|element| element.text_content())
    };
    let mut head = Some(message.clone());
    while let Some(above) = head.take_if(|head| !head.matches(".group-start").is_ok_and(|is| is)) {
        head = neighbour(above, true);
    }
    let by = |head: &Element| {
        Some(format!(
            "{}, {}: ",
            text(head, ".author")?,
            text(head, "time")?
        ))
    };
    let by = head.as_ref().and_then(by).unwrap_or_default();
    // An element takes any text as a name.
    let _ = message.set_attribute(LABEL, &(by + &text(message, ".body").unwrap_or_default()));
}

fn show(message: &HtmlElement) -> bool {
    if let Some(before) = named() {
        let _ = before.remove_attribute(LABEL);
    }
    name(message);
    let place = ScrollIntoViewOptions::new();
    place.set_block(ScrollLogicalPosition::Nearest);
    message.scroll_into_view_with_scroll_into_view_options(&place);
    message.set_tab_index(-1);
    focus_without_scroll(message)
}
