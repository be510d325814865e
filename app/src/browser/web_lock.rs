//! Locks that one tab of a browser holds at a time ([Web Locks](https://w3c.github.io/web-locks/)).
//!
//! # Guarantees
//! - Tabs get a lock in the order of their requests, and hold it until the component that requested
//!   it is unmounted.
//! - A lock is released when the page enters the back/forward cache or is frozen, and by the
//!   browser when the tab closes or crashes.
//! - Where the browser has no locks, as on pages without a secure connection, each tab holds its
//!   own at once.
//!
//! In the browser only.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, DomException, PageTransitionEvent};

use crate::browser::dom::{on_unmount, on_window_capture, on_window_event, spawn_task};
use crate::reactive::BrowserCell;

/// A queued request for a lock, and then the lock itself. Dropping it withdraws the request or
/// releases the lock.
pub struct LockClaim {
    abort: Option<AbortController>,
    release: Option<Function>,
    is_dropped: Rc<Cell<bool>>,
    _granted: Option<Closure<dyn FnMut(JsValue) -> Promise>>,
}

impl LockClaim {
    /// Queues a request, or takes the lock from its holder (`steal`). `held` runs when the lock is
    /// granted, `lost` when it is stolen or when the browser forbids locks (`true` then). Returns
    /// nothing where there are no locks.
    pub fn request(
        name: &str,
        steal: bool,
        held: impl Fn() + 'static,
        lost: impl FnOnce(bool) + 'static,
    ) -> Option<Self> {
        let locks = locks()?;
        let is_dropped = Rc::new(Cell::new(false));
        let mut release = None;
        let released = Promise::new(&mut |resolve, _| release = Some(resolve));
        let granted = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
            held();
            released.clone()
        });
        let abort = if steal {
            None
        } else {
            AbortController::new().ok()
        };
        let request = call_request(&locks, name, abort.as_ref(), granted.as_ref())?;
        let was_dropped = is_dropped.clone();
        spawn_task(async move {
            if let Err(error) = JsFuture::from(request).await
                && !was_dropped.get()
            {
                lost(
                    error
                        .dyn_ref::<DomException>()
                        .is_none_or(|error| error.name() != "AbortError"),
                );
            }
        });
        Some(Self {
            abort,
            release,
            is_dropped,
            _granted: Some(granted),
        })
    }

    /// The claim where the browser has no locks.
    fn without_locks() -> Self {
        Self {
            abort: None,
            release: None,
            is_dropped: Rc::default(),
            _granted: None,
        }
    }
}

impl Drop for LockClaim {
    fn drop(&mut self) {
        self.is_dropped.set(true);
        self.abort.iter().for_each(AbortController::abort);
        // Resolving a promise twice does nothing.
        let _ = self
            .release
            .take()
            .map(|release| release.call0(&JsValue::NULL));
    }
}

/// Calls `navigator.locks.request`: queued with an abort signal, or stealing without one.
fn call_request(
    locks: &JsValue,
    name: &str,
    abort: Option<&AbortController>,
    granted: &JsValue,
) -> Option<Promise> {
    let options = Object::new();
    match abort {
        Some(abort) => Reflect::set(&options, &"signal".into(), &abort.signal()).ok()?,
        None => Reflect::set(&options, &"steal".into(), &true.into()).ok()?,
    };
    let request = Reflect::get(locks, &"request".into())
        .ok()?
        .dyn_into::<Function>()
        .ok()?;
    request
        .call3(locks, &name.into(), &options, granted)
        .ok()?
        .dyn_into()
        .ok()
}

/// A lock that this tab keeps requesting until the component that created it is unmounted.
#[derive(Clone)]
pub struct WebLock(Rc<Request>);

struct Request {
    name: String,
    held: Box<dyn Fn()>,
    lost: Box<dyn Fn()>,
    claim: BrowserCell<Option<LockClaim>>,
}

impl WebLock {
    /// Requests a lock from now on. `held` runs whenever this tab gets it, `lost` whenever the tab
    /// loses it or withdraws its request.
    pub fn keep_requesting(
        name: String,
        held: impl Fn() + 'static,
        lost: impl Fn() + 'static,
    ) -> Self {
        let claim = BrowserCell::new(None);
        let lock = Self(Rc::new(Request {
            name,
            held: Box::new(held),
            lost: Box::new(lost),
            claim,
        }));
        let [hidden, frozen, shown, resumed, ending] = std::array::from_fn(|_| lock.clone());
        on_window_event("pagehide", move |_| hidden.release());
        on_window_capture("freeze", move |_| frozen.release());
        on_window_event("pageshow", move |event| {
            if event
                .dyn_ref::<PageTransitionEvent>()
                .is_some_and(PageTransitionEvent::persisted)
            {
                shown.request(false);
            }
        });
        on_window_capture("resume", move |_| resumed.request(false));
        let ending = BrowserCell::new(ending);
        on_unmount(move || ending.with(|lock| lock.release()).unwrap_or_default());
        lock.request(false);
        lock
    }

    /// Takes the lock from a holder that has stopped answering.
    pub fn steal(&self) {
        self.request(true);
    }

    fn release(&self) {
        if self.0.claim.with(Option::take).flatten().is_some() {
            (self.0.lost)();
        }
    }

    fn request(&self, steal: bool) {
        if !steal && self.0.claim.with(|claim| claim.is_some()) != Some(false) {
            return;
        }
        let holder = self.clone();
        let loser = self.clone();
        let claim = LockClaim::request(
            &self.0.name,
            steal,
            move || (holder.0.held)(),
            move |forbidden| loser.on_lost(forbidden),
        );
        let without_locks = claim.is_none();
        // Replacing the claim withdraws an earlier request.
        let replaced = self
            .0
            .claim
            .with(|held| held.replace(claim.unwrap_or_else(LockClaim::without_locks)));
        drop(replaced);
        if without_locks {
            (self.0.held)();
        }
    }

    /// Requests a stolen lock again. Where locks are forbidden no other tab has it either, so this
    /// tab acts as its holder.
    fn on_lost(&self, forbidden: bool) {
        if forbidden {
            return (self.0.held)();
        }
        self.release();
        self.request(false);
    }
}

/// Whether this browser has locks.
pub fn is_supported() -> bool {
    locks().is_some()
}

/// The browser's lock manager.
fn locks() -> Option<JsValue> {
    Reflect::get(&window().navigator(), &"locks".into())
        .ok()
        .filter(JsValue::is_object)
}
