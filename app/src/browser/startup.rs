//! What the app does after it has taken over the page: in steps, while the browser is idle.
//!
//! The parts of the page wait, and so do effects: they take most of the time until the page can be used.
//!
//! # Guarantees
//! - Before the first event that may need them, such as a key or a click, all remaining steps are
//!   taken. So the page can be used as soon as the app has taken over.
//! - Effects start when all parts are taken over, so that the parts find the page as the server drew
//!   it. They start in the order in which they were added.
//! - If something else changes the nodes of the page in the meantime, the app draws it again.
//!
//! # Not here
//! How a part is taken over (`ui/later`), drawing the page again (`hydration`).

#[cfg(feature = "hydrate")]
pub use queue::{add_effect, add_part, begin, is_pending, take_steps};

/// Takes over a part of the page; where there is nothing to take over, at once.
#[cfg(not(any(feature = "hydrate", feature = "ssr")))]
pub fn add_part(step: impl FnOnce() + 'static) {
    step();
}

/// Starts an effect; where there is nothing to take over, at once.
#[cfg(not(feature = "hydrate"))]
pub fn add_effect(step: impl FnOnce() + 'static) {
    step();
}

/// Whether steps wait.
#[cfg(not(feature = "hydrate"))]
pub fn is_pending() -> bool {
    false
}

#[cfg(feature = "hydrate")]
mod queue {
    use std::cell::RefCell;
    use std::collections::VecDeque;

    use leptos::prelude::*;
    use wasm_bindgen::JsValue;
    use wasm_bindgen::prelude::{Closure, wasm_bindgen};
    use web_sys::HtmlElement;

    #[wasm_bindgen(module = "/src/browser/startup.js")]
    extern "C" {
        #[wasm_bindgen(js_name = takeSteps)]
        fn take_all_steps(root: &HtmlElement, step: &JsValue, restart: &JsValue);
    }

    type Step = Box<dyn FnOnce()>;

    /// How many effects are started in one step.
    const EFFECTS: usize = 8;

    /// The steps that wait.
    #[derive(Default)]
    struct Waiting {
        parts: VecDeque<Step>,
        effects: VecDeque<Step>,
    }

    thread_local! {
        static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
    }

    /// From now on, steps wait.
    pub fn begin() {
        WAITING.set(Some(Waiting::default()));
    }

    /// Takes the steps that wait. `restart` is called if that fails.
    pub fn take_steps(root: &HtmlElement, restart: &JsValue) {
        let step = Closure::<dyn FnMut() -> u32>::new(take_step);
        take_all_steps(root, &step.into_js_value(), restart);
    }

    /// Whether steps wait.
    pub fn is_pending() -> bool {
        WAITING.with_borrow(Option::is_some)
    }

    /// Takes over a part of the page later; at once if no step waits.
    pub fn add_part(step: impl FnOnce() + 'static) {
        add(Box::new(step), |waiting| &mut waiting.parts);
    }

    /// Starts an effect later; at once if no step waits.
    pub fn add_effect(step: impl FnOnce() + 'static) {
        add(Box::new(step), |waiting| &mut waiting.effects);
    }

    fn add(step: Step, queue: fn(&mut Waiting) -> &mut VecDeque<Step>) {
        let Some(owner) = Owner::current().filter(|_| is_pending()) else {
            return step();
        };
        let step = Box::new(move || untrack(|| owner.with(step)));
        WAITING.with_borrow_mut(|waiting| {
            let waiting = waiting.as_mut();
            waiting.map(|waiting| queue(waiting).push_back(step))
        });
    }

    /// Takes the next step. Returns 2 if another part waits, 1 if effects wait, else 0.
    fn take_step() -> u32 {
        let next: Vec<Step> = WAITING.with_borrow_mut(|waiting| match waiting {
            Some(Waiting { parts, effects }) => match parts.pop_front() {
                Some(part) => vec![part],
                None => effects.drain(..EFFECTS.min(effects.len())).collect(),
            },
            None => Vec::new(),
        });
        next.into_iter().for_each(|step| step());
        WAITING.with_borrow_mut(|waiting| match waiting {
            Some(Waiting { parts, .. }) if !parts.is_empty() => 2,
            Some(Waiting { effects, .. }) if !effects.is_empty() => 1,
            _ => {
                *waiting = None;
                0
            }
        })
    }
}
