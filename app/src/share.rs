//! Handing a room on: its link and ID to copy, as a QR code, and through whatever the device offers.
//!
//! Promises: the code is drawn here, nobody else learns of the room; it stays readable with the seal in its middle.

use std::time::Duration;

use leptos::prelude::*;
use protocol::RoomId;
use qrcodegen::{QrCode, QrCodeEcc};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlInputElement};

use crate::api;
use crate::browser::{click, close_beside, find, later, live, open_dialog, spawn};
use crate::icon::Icon;
use crate::part::{flag, part, text};
use crate::seal::cells;

/// The ID of the dialog.
const DIALOG: &str = "share";

/// Opens the dialog.
pub fn open_share() {
    open_dialog(DIALOG);
}

/// The dialog that hands the room on.
#[component]
pub fn Share(id: RoomId) -> impl IntoView {
    let opened = RwSignal::new(false);
    live(move || {
        opened.set(true);
        if let Some(place) = find::<Element>("code") {
            place.set_inner_html(&code(&link(id), id));
        }
    });
    let lacking = flag(move || !opened.get() || !has("share"));
    let address = text(move || if opened.get() { link(id) } else { api::path(id) });
    let select = || find::<HtmlInputElement>("link").iter().for_each(HtmlInputElement::select);
    part(view! {
        <dialog id=DIALOG class="sheet share" aria-labelledby="share-title" on:click=close_beside()>
            <form method="dialog" class="sheet-head">
                <h2 id="share-title">"Share this room"</h2>
                <button class="icon-button" aria-label="Close">{Icon::Cross.view()}</button>
            </form>
            <div id="code" class="code" role="img" aria-label="QR code of the link"></div>
            <label class="field">
                <span>"Link"</span>
                <input id="link" type="text" readonly class="mono" value=address prop:value=address on:click=click(select)/>
            </label>
            <p class="row">
                <CopyLink id/>
                <Copy id what=|id| id.to_string() label="Copy ID"/>
                <button hidden=lacking type="button" on:click=click(move || hand_on(id))>"Share…"</button>
            </p>
            <p class="hint">"Anyone with the link can read and write here."</p>
        </dialog>
    })
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
    format!("{}{}", window().location().origin().unwrap_or_default(), api::path(id))
}

/// Copies a text; without a secure connection the browser's newer way is missing, and the older one is tried.
async fn copied(text: &str) -> bool {
    let navigator = window().navigator();
    if has("clipboard") {
        return JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok();
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
    let place = document.query_selector("dialog[open]").ok()?.or_else(|| document.body().map(Into::into))?;
    let field: web_sys::HtmlTextAreaElement = document.create_element("textarea").ok()?.unchecked_into();
    field.set_class_name("unseen");
    field.set_value(text);
    place.append_child(&field).ok()?;
    field.select();
    let done = document.unchecked_ref::<web_sys::HtmlDocument>().exec_command("copy").ok();
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

/// The QR code as SVG, with the seal over its middle. The seal covers about a twentieth of it;
/// error correction at its highest level restores up to three tenths.
fn code(text: &str, id: RoomId) -> String {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::High) else { return String::new() };
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    // Four modules of quiet around it, and a seal of odd width like the code, to sit on whole modules.
    let (whole, seal) = (size + 8, (size / 5) | 1);
    let middle = (size - seal) / 2;
    format!(
        concat!(
            r##"<svg viewBox="-4 -4 {whole} {whole}"><path d="M-4-4h{whole}v{whole}h-{whole}z" fill="#fff"/>"##,
            r##"<path d="{path}" fill="#111"/><path d="M{middle} {middle}h{seal}v{seal}h-{seal}z" fill="#fff"/>"##,
            r##"<svg x="{middle}" y="{middle}" width="{seal}" height="{seal}" viewBox="-.4 -.4 4.8 4.8">{cells}</svg></svg>"##
        ),
        whole = whole,
        path = path,
        middle = middle,
        seal = seal,
        cells = cells(id.digits()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_code_with_the_seal_in_its_middle() {
        let id = "0123456789abcdef".parse().unwrap();
        let svg = code("https://chat.example/rooms/0123456789abcdef/", id);
        assert!(svg.matches("h1v1h-1z").count() > 300);
        assert_eq!(svg.matches("<rect").count(), 16);
    }
}
