//! The scroll position of the message log.
//!
//! The log is a scroller that counts from its end: position 0 shows the newest message, and
//! positions further up are negative. So a change *above* the view moves nothing. For a change
//! *below* the view, browsers differ in what they do. A style turns their scroll anchoring off, and
//! this module does the same in all of them.
//!
//! # Guarantees
//! Nothing in view moves when messages are added, removed or changed, unless the newest message is
//! in view; then the view follows the newest message. In the browser only.

use leptos::prelude::*;
use leptos::task::tick;
use web_sys::{Element, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::browser::dom::spawn_task;
use crate::room::ids::MESSAGE;

/// The distance from the end that still counts as at the end, in pixels.
const END_DISTANCE: i32 = 48;

/// Where an anchor is looked for: offsets from the middle of the view, in pixels. The middle may be
/// in the space between two messages.
const PROBES: [f32; 5] = [0.0, 24.0, -24.0, 60.0, -60.0];

/// A message in view, and how far its top is below the top of the window.
pub struct Anchor {
    /// The message.
    pub message: Element,
    /// The distance, in pixels.
    pub top: f64,
}

/// Whether the newest message is in view.
pub fn is_at_end(scroller: &HtmlElement) -> bool {
    scroller.scroll_top() > -END_DISTANCE
}

/// The number of pixels above the view.
pub fn pixels_above(scroller: &HtmlElement) -> i32 {
    scroller.scroll_height() - scroller.client_height() + scroller.scroll_top()
}

/// The number of pixels below the view.
pub fn pixels_below(scroller: &HtmlElement) -> i32 {
    -scroller.scroll_top()
}

/// Scrolls an element to this position of the view.
pub fn scroll_into_view(element: &Element, position: ScrollLogicalPosition) {
    let options = ScrollIntoViewOptions::new();
    options.set_block(position);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Makes a change, and after it is rendered scrolls the message in the middle of the view back to
/// its position.
pub fn preserve_scroll(scroller: &HtmlElement, change: impl FnOnce()) {
    let anchor = find_anchor(scroller);
    change();
    let scroller = scroller.clone();
    spawn_task(async move {
        tick().await;
        if let Some(anchor) = anchor.filter(|anchor| anchor.message.is_connected()) {
            let moved = anchor.message.get_bounding_client_rect().top() - anchor.top;
            scroller.set_scroll_top(scroller.scroll_top() + moved.round() as i32);
        }
    });
}

/// Finds a message in the middle of the view.
pub fn find_anchor(scroller: &HtmlElement) -> Option<Anchor> {
    let view = scroller.get_bounding_client_rect();
    let x = (view.left() + view.width() / 2.0) as f32;
    let y = (view.top() + view.height() / 2.0) as f32;
    let message = PROBES.iter().find_map(|offset| {
        document()
            .element_from_point(x, y + offset)?
            .closest(MESSAGE)
            .ok()?
    })?;
    let top = message.get_bounding_client_rect().top();
    Some(Anchor { message, top })
}
