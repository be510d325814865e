//! The browser's database: what must outlive a crash.
//!
//! Promises: what was put is there when the future ends, after a crash as after a reload, for every tab; one thing after
//! the other, in the order of asking. Nothing is promised where a browser keeps nothing: then every answer is `None`.
//! In the browser only. ([IndexedDB](https://w3c.github.io/IndexedDB/))

use std::pin::Pin;

use js_sys::{Array, Promise};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransactionMode};

/// The database, and its only store: texts under keys.
const NAME: &str = "webchat";
const STORE: &str = "outbox";

/// What is asked of the store.
type Ask = Box<dyn FnOnce(&IdbObjectStore) -> Result<IdbRequest, JsValue>>;
/// What is being done.
type Doing = Pin<Box<dyn Future<Output = Option<JsValue>>>>;

/// Everything whose key begins so, in the order of the keys.
pub async fn get_all(prefix: &str) -> Option<Vec<String>> {
    let range = IdbKeyRange::bound(&prefix.into(), &format!("{prefix}\u{ffff}").into()).ok()?;
    let found = work(
        IdbTransactionMode::Readonly,
        Box::new(move |store| store.get_all_with_key(&range)),
    )
    .await?;
    Some(
        found
            .dyn_into::<Array>()
            .ok()?
            .iter()
            .filter_map(|text| text.as_string())
            .collect(),
    )
}

/// Keeps a text.
pub fn put(key: String, text: String) -> Doing {
    work(
        IdbTransactionMode::Readwrite,
        Box::new(move |store| store.put_with_key(&text.into(), &key.into())),
    )
}

/// Forgets what was kept.
pub fn remove(key: String) -> Doing {
    work(
        IdbTransactionMode::Readwrite,
        Box::new(move |store| store.delete(&key.into())),
    )
}

/// Does one thing, to its end.
fn work(mode: IdbTransactionMode, ask: Ask) -> Doing {
    Box::pin(async move {
        // Opened for each thing: an open one would stand in the way of a later version.
        let database = open().await?;
        let transaction = database.transaction_with_str_and_mode(STORE, mode).ok()?;
        let request = ask(&transaction.object_store(STORE).ok()?).ok()?;
        let done = Promise::new(&mut |kept, broken| {
            transaction.set_oncomplete(Some(&kept));
            transaction.set_onabort(Some(&broken));
        });
        let done = JsFuture::from(done).await;
        database.close();
        done.ok()?;
        request.result().ok()
    })
}

async fn open() -> Option<IdbDatabase> {
    let request = window().indexed_db().ok()??.open_with_u32(NAME, 1).ok()?;
    let asked = request.clone();
    let make = Closure::once(move || {
        let made = asked
            .result()
            .ok()
            .and_then(|database| database.dyn_into::<IdbDatabase>().ok());
        // A new database has no store of any name.
        drop(made.map(|database| database.create_object_store(STORE)));
    });
    request.set_onupgradeneeded(Some(make.as_ref().unchecked_ref()));
    let opened = Promise::new(&mut |there, failed| {
        request.set_onsuccess(Some(&there));
        request.set_onerror(Some(&failed));
    });
    JsFuture::from(opened).await.ok()?;
    request.result().ok()?.dyn_into().ok()
}
