//! The home page: who one is, a new room, a way into a known one, and the rooms there are.
//!
//! Promises: every form works without a script. Leaves to others: the forms (`create`, `join`) and the lists (`rooms`).

mod join_form;

use leptos::prelude::*;
use web_sys::HtmlInputElement;

use crate::browser::dom::{element_by_id, on_change};
use crate::home::join_form::JoinForm;
use crate::initial_state::{FirstContent, PageContent, document_title};
use crate::reactive::{ErrorText, erase_type, text_signal};
use crate::room_list::account_links::AccountLinks;
use crate::room_list::list::RoomListPanel;
use crate::room_list::new_room_form::NewRoomForm;
use crate::session::display_name::DisplayName;
use crate::ui::avatar::{hue_class, initials};
use crate::ui::identicon::{Identicon, identicon_url};
use crate::ui::page_title;
use crate::ui::theme_switch::ThemeSwitch;

/// The page at `/`.
#[component]
pub fn HomePage() -> impl IntoView {
    let sought = match expect_context::<FirstContent>().scene() {
        Some(PageContent::Home(home)) => home.sought,
        _ => None,
    };
    let guest = !expect_context::<DisplayName>().fixed;
    page_title::show_title(document_title(None));
    page_title::show_icon(identicon_url(None));
    erase_type(view! {
        <div class="page home">
            <header class="masthead">
                <Identicon/>
                <h1>"webchat"</h1>
                <nav class="account-links" aria-label="Account"><AccountLinks/></nav>
                <ThemeSwitch/>
            </header>
            <main>
                {guest.then(|| view! { <NameField/> })}
                <NewRoomForm/>
                <JoinForm sought/>
                <RoomListPanel/>
            </main>
            <footer class="page-footer">
                <p>"A room lives as long as people write in it. Then it is deleted."</p>
                <a href="/docs/" rel="external">"API"</a>
            </footer>
        </div>
    })
}

/// What the visitor is called.
#[component]
fn NameField() -> impl IntoView {
    let name = expect_context::<DisplayName>();
    let trouble = RwSignal::new(None::<String>);
    let rename = move || {
        let given = element_by_id::<HtmlInputElement>("username")
            .map(|field| field.value())
            .unwrap_or_default();
        trouble.set(name.change(&given).err());
    };
    let face = text_signal(move || format!("avatar {}", hue_class(&name.get())));
    erase_type(view! {
        <div class="field own-name">
            <label for="username">"Your name"</label>
            <div class="name-field">
                <span class=face aria-hidden="true">
                    {text_signal(move || initials(&name.get()))}
                </span>
                <input
                    id="username"
                    name="username"
                    form="new-room"
                    value=name.now()
                    autocomplete="nickname"
                    spellcheck="false"
                    aria-describedby="username-error"
                    on:change=on_change(rename)
                />
            </div>
            <ErrorText id="username-error" words=trouble/>
        </div>
    })
}
