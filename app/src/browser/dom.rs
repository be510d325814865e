//! Effects, timers, event listeners and elements of the page.
//!
//! Each type of closure or future that the browser is given adds code to the first visit. The
//! functions here box them, so that there is one type of each kind.
//!
//! # Guarantees
//! - Effects and listeners end with the component that created them.
//! - On the server only [`on_click`], [`on_submit`], [`on_change`] and [`on_enter`] are called; their closures
//!   run in the browser only.

use std::pin::Pin;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, FocusOptions, HtmlDialogElement, HtmlElement, KeyboardEvent, MouseEvent, SubmitEvent,
};

use crate::browser::startup;

/// Runs after hydration, once the browser is idle or the visitor does something, and again whenever
/// a signal that it tracks changes.
pub fn browser_effect(action: impl Fn() + 'static) {
    fn run(action: Box<dyn Fn()>) {
        startup::add_effect(move || {
            Effect::new(move |_| action());
        });
    }
    run(Box::new(action));
}

/// Runs an action once the browser has nothing else to do, or at once where it does not say.
pub fn when_idle(action: impl FnOnce() + 'static) {
    let action = Closure::once_into_js(action);
    let action = action.unchecked_ref();
    if window().request_idle_callback(action).is_err() {
        drop(action.call0(&JsValue::NULL));
    }
}

/// Runs a future on the browser's event loop.
pub fn spawn_task(task: impl Future<Output = ()> + 'static) {
    fn run(task: Pin<Box<dyn Future<Output = ()>>>) {
        leptos::task::spawn_local(task);
    }
    run(Box::pin(task));
}

/// Runs after a delay, unless the returned timer is cleared.
pub fn run_after(delay: Duration, action: impl FnOnce() + 'static) -> Option<TimeoutHandle> {
    fn run(delay: Duration, action: Box<dyn FnOnce()>) -> Option<TimeoutHandle> {
        set_timeout_with_handle(action, delay).ok()
    }
    run(delay, Box::new(action))
}

/// Runs on each event of this name that reaches the window, until the component is unmounted.
pub fn on_window_event(name: &'static str, action: impl Fn(&Event) + 'static) {
    add_listener(name, false, Box::new(action));
}

/// Like [`on_window_event`], for events that do not bubble.
pub fn on_window_capture(name: &'static str, action: impl Fn(&Event) + 'static) {
    add_listener(name, true, Box::new(action));
}

fn add_listener(name: &'static str, capture: bool, action: Box<dyn Fn(&Event)>) {
    let action = Closure::<dyn FnMut(Event)>::new(move |event: Event| action(&event));
    // Adding a listener to the window does not fail.
    let _ = window().add_event_listener_with_callback_and_bool(
        name,
        action.as_ref().unchecked_ref(),
        capture,
    );
    StoredValue::new_local(WindowListener {
        name,
        capture,
        action,
    });
}

struct WindowListener {
    name: &'static str,
    capture: bool,
    action: Closure<dyn FnMut(Event)>,
}

impl Drop for WindowListener {
    fn drop(&mut self) {
        let action = self.action.as_ref().unchecked_ref();
        let _ =
            window().remove_event_listener_with_callback_and_bool(self.name, action, self.capture);
    }
}

/// Runs when the component is unmounted.
pub fn on_unmount(action: impl FnOnce() + Send + Sync + 'static) {
    fn run(action: Box<dyn FnOnce() + Send + Sync>) {
        on_cleanup(action);
    }
    run(Box::new(action));
}

/// A click handler.
pub fn on_click(action: impl Fn() + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |_| action())
}

/// A submit handler that replaces the browser's own submission.
pub fn on_submit(action: impl Fn() + 'static) -> Box<dyn FnMut(SubmitEvent)> {
    Box::new(move |event| {
        event.prevent_default();
        action();
    })
}

/// A change handler.
pub fn on_change(action: impl Fn() + 'static) -> Box<dyn FnMut(Event)> {
    Box::new(move |_| action())
}

/// A handler of keys in a field that acts on Enter, instead of the browser, which would send the
/// form. While an input method composes a word, Enter ends the word.
pub fn on_enter(action: impl Fn() + 'static) -> Box<dyn FnMut(KeyboardEvent)> {
    Box::new(move |event| {
        if event.key() == "Enter" && !is_composing(&event) {
            event.prevent_default();
            action();
        }
    })
}

/// Whether a key belongs to an input method that composes a word. Safari ends the composition before
/// it reports the key, and marks the key with the code 229.
pub fn is_composing(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == 229
}

/// Gives the focus to the element with this ID, if it can take it.
pub fn focus_field(id: &str) {
    if let Some(field) = element_by_id::<HtmlElement>(id) {
        // An element that cannot take the focus leaves it unchanged.
        let _ = field.focus();
    }
}

/// Leaves the page for another one of this site.
pub fn load_page(url: &str) {
    // Navigating to a URL of this site does not fail.
    let _ = window().location().set_href(url);
}

/// The element with this ID.
pub fn element_by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Gives an element the focus without scrolling; returns whether it took the focus.
pub fn focus_without_scroll(element: &HtmlElement) -> bool {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    element.focus_with_options(&options).is_ok()
}

/// Gives a heading the focus after the focused element was removed, so that screen readers announce
/// it and Tab continues from there.
pub fn focus_heading(selector: &str) {
    let heading = document().query_selector(selector).ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        heading.set_tab_index(-1);
        focus_without_scroll(&heading);
    }
}

/// Opens the dialog with this ID.
pub fn open_dialog(id: &str) {
    if let Some(dialog) = element_by_id::<HtmlDialogElement>(id).filter(|dialog| !dialog.open()) {
        // Fails only for a dialog that is open or detached.
        let _ = dialog.show_modal();
    }
}

/// A click handler for a dialog that closes it on clicks on its backdrop.
pub fn close_on_backdrop_click() -> Box<dyn FnMut(MouseEvent)> {
    Box::new(|event| {
        let dialog = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlDialogElement>().ok());
        if let Some(dialog) = dialog {
            dialog.close();
        }
    })
}
