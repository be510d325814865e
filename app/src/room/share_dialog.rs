//! The dialog that shares a room: its link and ID to copy, a QR code, and the device's own sharing.
//!
//! # Guarantees
//! No other service learns of the room. For a private room the dialog says that the link alone
//! gives no access.
//!
//! # Not here
//! Rendering the QR code, which the server does (`ui/qr_code`).

use leptos::prelude::*;
use protocol::RoomId;
use texts::app as t;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlInputElement;

use crate::api;
use crate::browser::clipboard::has_navigator_feature;
use crate::browser::dom::{
    browser_effect, close_on_backdrop_click, element_by_id, on_click, open_dialog, spawn_task,
};
use crate::reactive::{bool_signal, erase_type, text_signal};
use crate::room::state::RoomState;
use crate::ui::copy_button::CopyButton;
use crate::ui::icon::Icon;

/// The ID of the dialog.
const DIALOG: &str = "share";

/// Opens the dialog.
pub fn open_share_dialog() {
    open_dialog(DIALOG);
}

/// The dialog.
#[component]
pub fn ShareDialog(state: RoomState) -> impl IntoView {
    let id = state.id;
    let is_hydrated = RwSignal::new(false);
    browser_effect(move || is_hydrated.set(true));
    let cannot_share = bool_signal(move || !is_hydrated.get() || !has_navigator_feature("share"));
    let address = text_signal(move || {
        if is_hydrated.get() {
            room_url(id)
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
                <h2 id="share-title">{t::SHARE_ROOM.text()}</h2>
                <button class="icon-button" aria-label=t::CLOSE.text() title=t::CLOSE.text()>{Icon::Cross.view()}</button>
            </form>
            <label class="field">
                <span>{t::LINK.text()}</span>
                <input id="link" type="text" readonly class="mono" value=address prop:value=address on:click=on_click(select)/>
            </label>
            <p class="row">
                <CopyLinkButton id/>
                <CopyButton text=Box::new(move || id.to_string()) label=t::COPY_ID.text()/>
                <button hidden=cannot_share type="button" on:click=on_click(move || share_natively(id))>{t::SHARE_ELSEWHERE.text()}</button>
            </p>
            <p class="hint">{text_signal(move || access_text(state).to_owned())}</p>
            <p hidden=bool_signal(move || !state.can_invite() || !state.is_private()) class="row"><InviteLink id/></p>
            <img class="qr-code" src=format!("{}code.svg", api::room_path(id)) alt=t::QR_CODE.text() loading="lazy" width="320" height="320"/>
        </dialog>
    })
}

fn access_text(state: RoomState) -> &'static str {
    match (state.is_private(), state.can_invite()) {
        (true, true) => t::PRIVATE_INVITE.text(),
        (true, false) => t::PRIVATE_ASK.text(),
        (false, _) => t::ANYONE_WITH_LINK.text(),
    }
}

/// A link to the room's invitations.
#[component]
pub fn InviteLink(id: RoomId) -> impl IntoView {
    view! { <a class="button" data-panel href=format!("{}invitations/", api::room_path(id))>{t::INVITE_PEOPLE.text()}</a> }
}

/// A button that copies the link of the room.
#[component]
pub fn CopyLinkButton(id: RoomId) -> impl IntoView {
    view! { <CopyButton text=Box::new(move || room_url(id)) label=t::COPY_LINK.text()/> }
}

/// The address of a room's page.
pub fn room_url(id: RoomId) -> String {
    format!(
        "{}{}",
        window().location().origin().unwrap_or_default(),
        api::room_path(id)
    )
}

fn share_natively(id: RoomId) {
    let data = web_sys::ShareData::new();
    data.set_title(&document().title());
    data.set_url(&room_url(id));
    let shared = window().navigator().share_with_data(&data);
    // Cancelling is no error.
    spawn_task(async move { drop::<Result<JsValue, JsValue>>(JsFuture::from(shared).await) });
}
