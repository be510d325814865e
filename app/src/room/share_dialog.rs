//! Handing a room on: its link and ID to copy, as a QR code, and through whatever the device offers.
//!
//! Promises: nobody but this server learns of the room; of a private room it says that its link lets nobody in. Leaves
//! to others: drawing the code (`code`, on the server).

use std::time::Duration;

use leptos::prelude::*;
use protocol::RoomId;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::clipboard::{copy_text, has_navigator_feature};
use crate::browser::dom::{
    browser_effect, close_on_backdrop_click, element_by_id, on_click, open_dialog, run_after,
    spawn_task,
};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::ui::icon::Icon;

/// The ID of the dialog.
const DIALOG: &str = "share";

/// Opens the dialog.
pub fn open_share_dialog() {
    open_dialog(DIALOG);
}

/// The dialog that hands the room on.
#[component]
pub fn ShareDialog(state: RoomState) -> impl IntoView {
    let id = state.id;
    let opened = RwSignal::new(false);
    browser_effect(move || opened.set(true));
    let lacking = bool_signal(move || !opened.get() || !has_navigator_feature("share"));
    let address = text_signal(move || {
        if opened.get() {
            link(id)
        } else {
            api::room_path(id)
        }
    });
    let select = || {
        element_by_id::<HtmlInputElement>("link")
            .iter()
            .for_each(HtmlInputElement::select)
    };
    erase_type(view! {
        <dialog id=DIALOG class="dialog share-dialog" aria-labelledby="share-title" on:click=close_on_backdrop_click()>
            <form method="dialog" class="dialog-header">
                <h2 id="share-title">"Share this room"</h2>
                <button class="icon-button" aria-label="Close">{Icon::Cross.view()}</button>
            </form>
            <img class="qr-code" src=format!("{}code.svg", api::room_path(id)) alt="QR code of the link" loading="lazy" width="320" height="320"/>
            <label class="field">
                <span>"Link"</span>
                <input id="link" type="text" readonly class="mono" value=address prop:value=address on:click=on_click(select)/>
            </label>
            <p class="row">
                <CopyLinkButton id/>
                <Copy id what=|id| id.to_string() label="Copy ID"/>
                <button hidden=lacking type="button" on:click=on_click(move || hand_on(id))>"Share…"</button>
            </p>
            <p class="hint">{text_signal(move || who(state).to_owned())}</p>
            <p hidden=bool_signal(move || !state.can_invite() || !state.is_private()) class="row"><InviteLink id/></p>
        </dialog>
    })
}

fn who(state: RoomState) -> &'static str {
    match (state.is_private(), state.can_invite()) {
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
pub fn InviteLink(id: RoomId) -> impl IntoView {
    view! { <a class="button" data-panel href=format!("{}invitations/", api::room_path(id))>"Invite people"</a> }
}

/// A button that copies the link of a room.
#[component]
pub fn CopyLinkButton(id: RoomId) -> impl IntoView {
    view! { <Copy id what=link label="Copy link"/> }
}

#[component]
fn Copy(id: RoomId, what: fn(RoomId) -> String, label: &'static str) -> impl IntoView {
    let said = RwSignal::new(label.to_owned());
    let copy = move || {
        spawn_task(async move {
            let done = copy_text(&what(id)).await;
            said.try_set(if done { "Copied" } else { "Copy it by hand" }.to_owned());
            let back = move || {
                said.try_set(label.to_owned());
            };
            run_after(Duration::from_secs(2), back);
        });
    };
    erase_type(
        view! { <button type="button" class="copy script-only" aria-live="polite" on:click=on_click(copy)>{text_signal(move || said.get())}</button> },
    )
}

fn link(id: RoomId) -> String {
    format!(
        "{}{}",
        window().location().origin().unwrap_or_default(),
        api::room_path(id)
    )
}

fn hand_on(id: RoomId) {
    let data = web_sys::ShareData::new();
    data.set_title(&document().title());
    data.set_url(&link(id));
    let shared = window().navigator().share_with_data(&data);
    // Somebody who changes their mind is not an error.
    spawn_task(async move { drop::<Result<JsValue, JsValue>>(JsFuture::from(shared).await) });
}
