//! The browser's database ([IndexedDB](https://w3c.github.io/IndexedDB/)): strings under keys.
//!
//! # Guarantees
//! - When the future of [`put`] is complete, the value is durable and visible to every tab.
//! - Operations take effect in the order of the calls.
//! - Where the browser stores nothing, every result is `None`. While it does not answer, too: the
//!   first operation waits for [`WAIT`], and the later ones not at all, until it answers.
//!
//! In the browser only.

use std::cell::Cell;
use std::pin::Pin;

use js_sys::{Array, Promise};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode,
};

use crate::browser::dom::spawn_task;

/// The name of the database.
const NAME: &str = "webchat";
/// The name of its only object store.
const STORE: &str = "outbox";

/// How long an operation waits for the database, in milliseconds.
const WAIT: i32 = 4_000;

thread_local! {
    /// Whether the database does not answer.
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Starts a request on the object store.
type StartRequest = Box<dyn FnOnce(&IdbObjectStore) -> Result<IdbRequest, JsValue>>;
/// A running operation.
type Operation = Pin<Box<dyn Future<Output = Option<JsValue>>>>;

/// The values of all keys with a prefix, ordered by key.
pub async fn get_all(prefix: &str) -> Option<Vec<String>> {
    let range = IdbKeyRange::bound(&prefix.into(), &format!("{prefix}\u{ffff}").into()).ok()?;
    let found = run_transaction(
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

/// Stores a value.
pub fn put(key: String, text: String) -> Operation {
    run_transaction(
        IdbTransactionMode::Readwrite,
        Box::new(move |store| store.put_with_key(&text.into(), &key.into())),
    )
}

/// Removes a value.
pub fn remove(key: String) -> Operation {
    run_transaction(
        IdbTransactionMode::Readwrite,
        Box::new(move |store| store.delete(&key.into())),
    )
}

/// Runs one request in a transaction of its own, until that is complete.
fn run_transaction(mode: IdbTransactionMode, start: StartRequest) -> Operation {
    Box::pin(async move {
        // Opened for each operation: an open connection would block an upgrade to a later version.
        let database = open_database().await?;
        let transaction = database.transaction_with_str_and_mode(STORE, mode).ok()?;
        let request = start(&transaction.object_store(STORE).ok()?).ok()?;
        let done = Promise::new(&mut |resolve, reject| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        });
        let done = JsFuture::from(done).await;
        database.close();
        done.ok()?;
        request.result().ok()
    })
}

/// Whether the browser has not answered for a while. It may answer later.
pub fn is_silent() -> bool {
    IS_SILENT.get()
}

async fn open_database() -> Option<IdbDatabase> {
    if is_silent() {
        return None;
    }
    let request = window().indexed_db().ok()??.open_with_u32(NAME, 1).ok()?;
    let upgrade = request.clone();
    let create_store = Closure::once(move || {
        // Creating the first store of a new database does not fail.
        drop(database_of(&upgrade).map(|database| database.create_object_store(STORE)));
    });
    request.set_onupgradeneeded(Some(create_store.as_ref().unchecked_ref()));
    let opened = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(Promise::race(&Array::of2(&opened, &timeout())))
        .await
        .ok()?;
    let database = database_of(&request);
    if database.is_none() {
        IS_SILENT.set(true);
        spawn_task(async move {
            let _ = JsFuture::from(opened).await;
            drop(create_store);
            IS_SILENT.set(false);
            database_of(&request).iter().for_each(IdbDatabase::close);
        });
    }
    database
}

/// The database of a request that was answered.
fn database_of(request: &IdbOpenDbRequest) -> Option<IdbDatabase> {
    request.result().ok()?.dyn_into().ok()
}

/// A promise that is kept after [`WAIT`].
fn timeout() -> Promise {
    Promise::new(&mut |resolve, _| {
        // Without a timer, the operation waits for as long as the database needs.
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, WAIT);
    })
}
