//! A lock that one tab of this browser holds at a time.
//!
//! Promises: whoever stands for it holds it sooner or later, in the order of asking, for as long as the part of the
//! page lives; it is let go when the page is put away or frozen, and by the browser itself when the tab closes or
//! crashes. Where there are no such locks (pages that did not come securely) every tab is alone and holds it at once.
//! In the browser only. ([Web Locks](https://w3c.github.io/web-locks/))

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

/// A place in the line for a lock, and then the lock itself; dropped, it is given up.
pub struct LockClaim {
    place: Option<AbortController>,
    release: Option<Function>,
    over: Rc<Cell<bool>>,
    _granted: Option<Closure<dyn FnMut(JsValue) -> Promise>>,
}

impl LockClaim {
    /// Lines up, or steps in front. `held` runs when the lock is there, `lost` if it is taken away, or forbidden to
    /// everybody (then it says so). Nothing where there are no locks.
    pub fn take(
        name: &str,
        steal: bool,
        held: impl Fn() + 'static,
        lost: impl FnOnce(bool) + 'static,
    ) -> Option<Self> {
        let (locks, over) = (locks()?, Rc::new(Cell::new(false)));
        let mut release = None;
        let until = Promise::new(&mut |keep, _| release = Some(keep));
        let granted = Closure::<dyn FnMut(JsValue) -> Promise>::new(move |_| {
            held();
            until.clone()
        });
        let place = if steal {
            None
        } else {
            AbortController::new().ok()
        };
        let asked = ask(&locks, name, place.as_ref(), granted.as_ref())?;
        let gone = over.clone();
        spawn_task(async move {
            if let Err(error) = JsFuture::from(asked).await
                && !gone.get()
            {
                lost(
                    error
                        .dyn_ref::<DomException>()
                        .is_none_or(|error| error.name() != "AbortError"),
                );
            }
        });
        Some(Self {
            place,
            release,
            over,
            _granted: Some(granted),
        })
    }

    /// What counts as a turn where there are no locks.
    fn alone() -> Self {
        Self {
            place: None,
            release: None,
            over: Rc::default(),
            _granted: None,
        }
    }
}

impl Drop for LockClaim {
    fn drop(&mut self) {
        self.over.set(true);
        self.place.iter().for_each(AbortController::abort);
        // A promise that was kept before takes no harm.
        let _ = self
            .release
            .take()
            .map(|release| release.call0(&JsValue::NULL));
    }
}

/// Asks for a lock: in line, with the way out of it, or in front of the line without.
fn ask(
    locks: &JsValue,
    name: &str,
    place: Option<&AbortController>,
    granted: &JsValue,
) -> Option<Promise> {
    let how = Object::new();
    match place {
        Some(place) => Reflect::set(&how, &"signal".into(), &place.signal()).ok()?,
        None => Reflect::set(&how, &"steal".into(), &true.into()).ok()?,
    };
    let request = Reflect::get(locks, &"request".into())
        .ok()?
        .dyn_into::<Function>()
        .ok()?;
    request
        .call3(locks, &name.into(), &how, granted)
        .ok()?
        .dyn_into()
        .ok()
}

/// A stand for a lock, for as long as the part of the page lives that took it.
#[derive(Clone)]
pub struct WebLock(Rc<Stand>);

struct Stand {
    name: String,
    held: Box<dyn Fn()>,
    lost: Box<dyn Fn()>,
    turn: BrowserCell<Option<LockClaim>>,
}

impl WebLock {
    /// Stands for a lock from now on. `held` runs whenever this tab comes to hold it, `lost` whenever it no longer
    /// does, or no longer stands for it.
    pub fn stand(name: String, held: impl Fn() + 'static, lost: impl Fn() + 'static) -> Self {
        let turn = BrowserCell::new(None);
        let lock = Self(Rc::new(Stand {
            name,
            held: Box::new(held),
            lost: Box::new(lost),
            turn,
        }));
        let [hidden, frozen, shown, resumed, ending] = std::array::from_fn(|_| lock.clone());
        on_window_event("pagehide", move |_| hidden.let_go());
        on_window_capture("freeze", move |_| frozen.let_go());
        on_window_event("pageshow", move |event| {
            if event
                .dyn_ref::<PageTransitionEvent>()
                .is_some_and(PageTransitionEvent::persisted)
            {
                shown.line_up(false);
            }
        });
        on_window_capture("resume", move |_| resumed.line_up(false));
        let ending = BrowserCell::new(ending);
        on_unmount(move || ending.with(|lock| lock.let_go()).unwrap_or_default());
        lock.line_up(false);
        lock
    }

    /// Takes it away from a holder that has stopped answering.
    pub fn steal(&self) {
        self.line_up(true);
    }

    fn let_go(&self) {
        if self.0.turn.with(Option::take).flatten().is_some() {
            (self.0.lost)();
        }
    }

    fn line_up(&self, steal: bool) {
        if !steal && self.0.turn.with(|turn| turn.is_some()) != Some(false) {
            return;
        }
        let (holder, loser) = (self.clone(), self.clone());
        let turn = LockClaim::take(
            &self.0.name,
            steal,
            move || (holder.0.held)(),
            move |forbidden| loser.lost(forbidden),
        );
        let alone = turn.is_none();
        // Replaces, and so gives up, a place in the line.
        let before = self
            .0
            .turn
            .with(|held| held.replace(turn.unwrap_or_else(LockClaim::alone)));
        drop(before);
        if alone {
            (self.0.held)();
        }
    }

    /// One that was taken away is stood for again; one that is forbidden is nobody else's either.
    fn lost(&self, forbidden: bool) {
        if forbidden {
            return (self.0.held)();
        }
        self.let_go();
        self.line_up(false);
    }
}

/// Whether there are such locks here.
pub fn is_supported() -> bool {
    locks().is_some()
}

/// The browser's locks, if it has them.
fn locks() -> Option<JsValue> {
    Reflect::get(&window().navigator(), &"locks".into())
        .ok()
        .filter(JsValue::is_object)
}
