//! The service worker, which keeps pages and files for times without a network (`public/sw.js`). In
//! the browser only.
//!
//! # Guarantees
//! It is registered when the page has nothing else to do. Where the browser has none, as on pages
//! without a secure connection, nothing happens.

use js_sys::Reflect;
use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::ServiceWorkerContainer;

use crate::browser::dom::{spawn_task, when_idle};

/// Registers the worker.
pub fn register() {
    let Some(container) = container() else { return };
    when_idle(move || {
        spawn_task(async move {
            // A browser may forbid workers.
            drop(JsFuture::from(container.register("/sw.js")).await);
        });
    });
}

/// Makes the worker keep the page at a path, which was shown without loading it.
pub fn keep_page(path: &str) {
    if let Some(worker) = container().and_then(|container| container.controller()) {
        // Sending a text does not fail.
        let _ = worker.post_message(&path.into());
    }
}

fn container() -> Option<ServiceWorkerContainer> {
    let container = Reflect::get(&window().navigator(), &"serviceWorker".into()).ok()?;
    container
        .is_object()
        .then(|| container.unchecked_into::<ServiceWorkerContainer>())
}
