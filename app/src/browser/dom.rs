//! What the browser does for the pages: running, waiting, listening, finding.
//!
//! Every type of a closure or a future that is handed to the browser brings machinery of its own into what a first
//! visit loads; here each kind becomes one type. Promises: whatever was begun for a part of a page ends with it. What
//! is handed over runs in the browser only; nothing here but [`on_click`], [`on_submit`] and [`on_change`] is called elsewhere.

use std::pin::Pin;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, FocusOptions, HtmlDialogElement, HtmlElement, MouseEvent, SubmitEvent};

/// Runs once the browser has taken over, and again when a signal changes that it follows.
pub fn browser_effect(action: impl Fn() + 'static) {
    fn run(action: Box<dyn Fn()>) {
        Effect::new(move |_| action());
    }
    run(Box::new(action));
}

/// Runs besides everything else.
pub fn spawn_task(task: impl Future<Output = ()> + 'static) {
    fn run(task: Pin<Box<dyn Future<Output = ()>>>) {
        leptos::task::spawn_local(task);
    }
    run(Box::pin(task));
}

/// Runs after a while, unless it is called off.
pub fn run_after(wait: Duration, action: impl FnOnce() + 'static) -> Option<TimeoutHandle> {
    fn run(wait: Duration, action: Box<dyn FnOnce()>) -> Option<TimeoutHandle> {
        set_timeout_with_handle(action, wait).ok()
    }
    run(wait, Box::new(action))
}

/// Runs on every event of this name that reaches the window, as long as the part of the page is there.
pub fn on_window_event(name: &'static str, action: impl Fn(&Event) + 'static) {
    heed(name, false, Box::new(action));
}

/// The same, for events that do not rise to the window.
pub fn on_window_capture(name: &'static str, action: impl Fn(&Event) + 'static) {
    heed(name, true, Box::new(action));
}

fn heed(name: &'static str, first: bool, action: Box<dyn Fn(&Event)>) {
    let action = Closure::<dyn FnMut(Event)>::new(move |event: Event| action(&event));
    // A window takes any listener.
    let _ = window().add_event_listener_with_callback_and_bool(
        name,
        action.as_ref().unchecked_ref(),
        first,
    );
    StoredValue::new_local(Listening {
        name,
        first,
        action,
    });
}

struct Listening {
    name: &'static str,
    first: bool,
    action: Closure<dyn FnMut(Event)>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let action = self.action.as_ref().unchecked_ref();
        let _ =
            window().remove_event_listener_with_callback_and_bool(self.name, action, self.first);
    }
}

/// Runs when the part of the page goes.
pub fn on_unmount(action: impl FnOnce() + Send + Sync + 'static) {
    fn run(action: Box<dyn FnOnce() + Send + Sync>) {
        on_cleanup(action);
    }
    run(Box::new(action));
}

/// What a press of a button does.
pub fn on_click(action: impl Fn() + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(move |_| action())
}

/// What sending a form does, instead of loading a page.
pub fn on_submit(action: impl Fn() + 'static) -> Box<dyn FnMut(SubmitEvent)> {
    Box::new(move |event| {
        event.prevent_default();
        action();
    })
}

/// What a change of a field does.
pub fn on_change(action: impl Fn() + 'static) -> Box<dyn FnMut(Event)> {
    Box::new(move |_| action())
}

/// The element of the page with this ID.
pub fn element_by_id<T: JsCast>(id: &str) -> Option<T> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Gives an element the focus, and scrolls nothing; tells whether it could.
pub fn focus_without_scroll(element: &HtmlElement) -> bool {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    element.focus_with_options(&options).is_ok()
}

/// Gives a heading the focus where what had it is gone, so that it is read out and Tab goes on from there.
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
        // Refused only to one that is open or gone.
        let _ = dialog.show_modal();
    }
}

/// What a click on a dialog does: beside what it shows, it closes it.
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
