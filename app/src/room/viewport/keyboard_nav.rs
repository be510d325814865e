//! Moving from message to message with the arrow keys.
//!
//! # Guarantees
//! - The next message is scrolled into view and gets the focus, so that Tab leads to its buttons.
//! - A message that is longer than the view is scrolled to its end first. At the first and the last
//!   message the arrow keys scroll.
//! - The focused message is labelled by its author, its time and its current text. In the browser
//!   only.

use leptos::prelude::*;
use leptos::task::tick;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, KeyboardEvent, ScrollLogicalPosition};

use crate::browser::dom::{
    browser_effect, element_by_id, focus_without_scroll, on_window_event, spawn_task,
};
use crate::room::ids::{LOG, MESSAGE, message_id};
use crate::room::viewport::scroll::scroll_into_view;
use crate::shortcuts::shortcut_target;

/// The attribute that labels a message.
const LABEL: &str = "aria-label";

/// The direction of a move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// Moves the focus by the arrow keys while the log is on the page.
pub fn handle_arrow_keys() {
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
        "ArrowUp" if move_focus(&target, Direction::Up) => event.prevent_default(),
        "ArrowDown" if move_focus(&target, Direction::Down) => event.prevent_default(),
        _ => {}
    }
}

/// Moves the focus one message up or down, or to the last message in view if the focus is on none.
/// That is also done if nothing on the page has the focus, as after the focused element was
/// removed. Returns whether a message got the focus.
fn move_focus(from: &Element, direction: Direction) -> bool {
    let is_in_log = |log: &Element| log.contains(Some(from)) || from.tag_name() == "BODY";
    let Some(log) = element_by_id(LOG).filter(is_in_log) else {
        return false;
    };
    let next = match from.closest(MESSAGE).ok().flatten() {
        Some(message) => find_next(&log, message, direction),
        None => find_last_in_view(&log),
    };
    next.and_then(|next| next.dyn_into().ok())
        .is_some_and(|next| select_message(&next))
}

/// Finds the message above or below, if the edge of this one towards it is in view.
fn find_next(log: &Element, message: Element, direction: Direction) -> Option<Element> {
    let view = log.get_bounding_client_rect();
    let at = message.get_bounding_client_rect();
    let is_edge_in_view = match direction {
        Direction::Up => at.top() >= view.top(),
        Direction::Down => at.bottom() <= view.bottom(),
    };
    is_edge_in_view.then(|| find_neighbour(message, direction))?
}

fn find_neighbour(mut element: Element, direction: Direction) -> Option<Element> {
    loop {
        element = match direction {
            Direction::Up => element.previous_element_sibling(),
            Direction::Down => element.next_element_sibling(),
        }?;
        if element.matches(MESSAGE).is_ok_and(|is_message| is_message) {
            return Some(element);
        }
    }
}

fn find_last_in_view(log: &Element) -> Option<Element> {
    let end = log.get_bounding_client_rect().bottom();
    let mut last = log.query_selector("article:last-of-type").ok()??;
    while last.get_bounding_client_rect().top() >= end {
        last = find_neighbour(last, Direction::Up)?;
    }
    Some(last)
}

/// Moves the focus to the message with this sequence number.
pub fn focus_message(seq: u64) {
    if let Some(message) = element_by_id(&message_id(seq)) {
        select_message(&message);
    }
}

/// Labels the selected message by its current text, after that is rendered.
pub fn refresh_label() {
    spawn_task(async {
        tick().await;
        find_selected().iter().for_each(label_message);
    });
}

/// Finds the message that was selected last: no other has a label.
fn find_selected() -> Option<Element> {
    document().query_selector("article[aria-label]").ok()?
}

/// Labels a message. Its author and its time are in the first message of its group.
fn label_message(message: &Element) {
    let text = |element: &Element, selector: &str| {
        element
            .query_selector(selector)
            .ok()?
            .and_then(|element| element.text_content())
    };
    let mut head = Some(message.clone());
    while let Some(above) =
        head.take_if(|head| !head.matches(".group-start").is_ok_and(|is_start| is_start))
    {
        head = find_neighbour(above, Direction::Up);
    }
    let byline = |head: &Element| {
        let author = text(head, ".author")?;
        let time = text(head, "time")?;
        Some(format!("{author}, {time}: "))
    };
    let byline = head.as_ref().and_then(byline).unwrap_or_default();
    let body = text(message, ".body").unwrap_or_default();
    // Setting an attribute does not fail.
    let _ = message.set_attribute(LABEL, &(byline + &body));
}

/// Labels a message, scrolls it into view and gives it the focus; returns whether it took the
/// focus.
fn select_message(message: &HtmlElement) -> bool {
    if let Some(before) = find_selected() {
        let _ = before.remove_attribute(LABEL);
    }
    label_message(message);
    scroll_into_view(message, ScrollLogicalPosition::Nearest);
    message.set_tab_index(-1);
    focus_without_scroll(message)
}
