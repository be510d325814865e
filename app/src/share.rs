//! Handing a room on: its link and ID to copy, as a QR code, and through whatever the device offers.
//!
//! Promises: nobody but this server learns of the room; of a private room it says that its link lets nobody in. Leaves
//! to others: drawing the code (`code`, on the server).

use std::time::Duration;

use leptos::prelude::*;
use protocol::RoomId;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::{click, close_beside, find, later, live, open_dialog, spawn};
use crate::icon::Icon;
use crate::part::{flag, part, text};
use crate::visit::Visit;

/// The ID of the dialog.
const DIALOG: &str = "share";

/// Opens the dialog.
pub fn open_share() {
    open_dialog(DIALOG);
}

/// The dialog that hands the room on.
#[component]
pub fn Share(visit: Visit) -> impl IntoView {
    let id = visit.id;
    let opened = RwSignal::new(false);
    live(move || opened.set(true));
    let lacking = flag(move || !opened.get() || !has("share"));
    let address = text(move || {
        if opened.get() {
            link(id)
        } else {
            api::path(id)
        }
    });
    let select = || {
        find::<HtmlInputElement>("link")
            .iter()
            .for_each(HtmlInputElement::select)
    };
    part(view! {
        <dialog id=DIALOG class="sheet share" aria-labelledby="share-title" on:click=close_beside()>
            <form method="dialog" class="sheet-head">
                <h2 id="share-title">"Share this room"</h2>
                <button class="icon-button" aria-label="Close">{Icon::Cross.view()}</button>
            </form>
            <img class="code" src=format!("{}code.svg", api::path(id)) alt="QR code of the link" loading="lazy" width="320" height="320"/>
            <label class="field">
                <span>"Link"</span>
                <input id="link" type="text" readonly class="mono" value=address prop:value=address on:click=click(select)/>
            </label>
            <p class="row">
                <CopyLink id/>
                <Copy id what=|id| id.to_string() label="Copy ID"/>
                <button hidden=lacking type="button" on:click=click(move || hand_on(id))>"Share…"</button>
            </p>
            <p class="hint">{text(move || who(visit).to_owned())}</p>
            <p hidden=flag(move || !visit.invites() || !visit.is_private()) class="row"><Invite id/></p>
        </dialog>
    })
}

fn who(visit: Visit) -> &'static str {
    match (visit.is_private(), visit.invites()) {
        (true, true) => {
            "This room is private: the link lets in nobody but its members. Others need an invitation."
        }
        (true, false) => {
            "This room is private: the link lets in nobody but its members. Its moderators invite others."
        }
        (false, _) => "Anyone with the link can come in.",
    }
}

/// The way to a room's invitations.
#[component]
pub fn Invite(id: RoomId) -> impl IntoView {
    view! { <a class="button" data-panel href=format!("{}invitations/", api::path(id))>"Invite people"</a> }
}

/// A button that copies the link of a room.
#[component]
pub fn CopyLink(id: RoomId) -> impl IntoView {
    view! { <Copy id what=link label="Copy link"/> }
}

#[component]
fn Copy(id: RoomId, what: fn(RoomId) -> String, label: &'static str) -> impl IntoView {
    let said = RwSignal::new(label.to_owned());
    let copy = move || {
        spawn(async move {
            let done = copied(&what(id)).await;
            said.try_set(if done { "Copied" } else { "Copy it by hand" }.to_owned());
            let back = move || {
                said.try_set(label.to_owned());
            };
            later(Duration::from_secs(2), back);
        });
    };
    part(
        view! { <button type="button" class="copy needs-script" aria-live="polite" on:click=click(copy)>{text(move || said.get())}</button> },
    )
}

fn link(id: RoomId) -> String {
    format!(
        "{}{}",
        window().location().origin().unwrap_or_default(),
        api::path(id)
    )
}

/// Copies a text, and says whether that went well; without a secure connection the browser's newer way is missing, and the older one is tried.
pub async fn copied(text: &str) -> bool {
    let navigator = window().navigator();
    if has("clipboard") {
        return JsFuture::from(navigator.clipboard().write_text(text))
            .await
            .is_ok();
    }
    copied_by_selection(text).unwrap_or(false)
}

/// Whether this browser can do that.
fn has(ability: &str) -> bool {
    js_sys::Reflect::has(&window().navigator(), &ability.into()).unwrap_or(false)
}

fn copied_by_selection(text: &str) -> Option<bool> {
    let document = document();
    // Outside an open dialog nothing can be selected.
    let place = document
        .query_selector("dialog[open]")
        .ok()?
        .or_else(|| document.body().map(Into::into))?;
    let field: web_sys::HtmlTextAreaElement =
        document.create_element("textarea").ok()?.unchecked_into();
    field.set_class_name("unseen");
    field.set_value(text);
    place.append_child(&field).ok()?;
    field.select();
    let done = document
        .unchecked_ref::<web_sys::HtmlDocument>()
        .exec_command("copy")
        .ok();
    field.remove();
    done
}

fn hand_on(id: RoomId) {
    let data = web_sys::ShareData::new();
    data.set_title(&document().title());
    data.set_url(&link(id));
    let shared = window().navigator().share_with_data(&data);
    // Somebody who changes their mind is not an error.
    spawn(async move { drop::<Result<JsValue, JsValue>>(JsFuture::from(shared).await) });
}
