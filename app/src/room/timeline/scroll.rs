//! Keeps what somebody is reading where it is, while messages come, go and change.
//!
//! Promises: nothing moves unless the newest message is in view; then the view follows it. What changes *above* needs
//! no help: the scroller counts from its end. Browsers differ in helping with what changes below, so their help is
//! turned off by a style and this does it in all of them alike. In the browser only.

use leptos::prelude::*;
use leptos::task::tick;
use web_sys::{Element, HtmlElement};

use crate::browser::dom::spawn_task;
use crate::room::ids::MESSAGE;

/// How far from the end still counts as at the end, in pixels.
const NEAR: i32 = 48;

/// Whether the newest message is in view.
pub fn is_at_end(scroller: &HtmlElement) -> bool {
    scroller.scroll_top() > -NEAR
}

/// How many pixels are left above the view.
pub fn pixels_above(scroller: &HtmlElement) -> i32 {
    scroller.scroll_height() - scroller.client_height() + scroller.scroll_top()
}

/// How many pixels are left below the view.
pub fn pixels_below(scroller: &HtmlElement) -> i32 {
    -scroller.scroll_top()
}

/// Makes a change and afterwards puts what was in view back where it was.
pub fn preserve_scroll(scroller: &HtmlElement, change: impl FnOnce()) {
    let anchor = anchor(scroller);
    change();
    let scroller = scroller.clone();
    spawn_task(async move {
        tick().await;
        if let Some((anchor, top)) = anchor.filter(|(anchor, _)| anchor.is_connected()) {
            let moved = anchor.get_bounding_client_rect().top() - top;
            scroller.set_scroll_top(scroller.scroll_top() + moved.round() as i32);
        }
    });
}

/// The message in the middle of the view, and how far down it is.
fn anchor(scroller: &HtmlElement) -> Option<(Element, f64)> {
    let view = scroller.get_bounding_client_rect();
    let (x, y) = (
        view.left() + view.width() / 2.0,
        view.top() + view.height() / 2.0,
    );
    let step = |i: i32| y as f32 + [0.0, 24.0, -24.0, 60.0, -60.0][usize::try_from(i).unwrap_or(0)];
    let found = (0..5).find_map(|i| {
        document()
            .element_from_point(x as f32, step(i))?
            .closest(MESSAGE)
            .ok()?
    })?;
    let top = found.get_bounding_client_rect().top();
    Some((found, top))
}
