//! The home page: display name, new room, joining a room, and the lists of rooms.
//!
//! # Guarantees
//! Every form works without a script.
//!
//! # Not here
//! The lists and the form for a new room (`room_list`).

mod join_form;

use leptos::prelude::*;
use texts::app as t;

use crate::browser::dom::{focus_field, on_change, on_enter};
use crate::home::join_form::JoinForm;
use crate::initial_state::{FirstContent, PageContent, document_title};
use crate::page_title;
use crate::reactive::{ErrorText, erase_type, text_signal};
use crate::room_list::account_links::AccountLinks;
use crate::room_list::list::RoomListPanel;
use crate::room_list::new_room_form::{NewRoomForm, OWN_NAME, ROOM_NAME};
use crate::session::display_name::DisplayName;
use crate::ui::avatar::{hue_class, initials};
use crate::ui::identicon::Identicon;
use crate::ui::later::later;
use crate::ui::theme_switch::ThemeSwitch;

/// The page at `/`.
#[component]
pub fn HomePage() -> impl IntoView {
    let rejected_link = match expect_context::<FirstContent>().content() {
        Some(PageContent::Home(home)) => home.rejected_link,
        _ => None,
    };
    let is_guest = !expect_context::<DisplayName>().is_fixed;
    page_title::show_page(document_title(None));
    erase_type(view! {
        <div class="page home">
            {later(1, || view! {
                <header class="masthead">
                    <Identicon/>
                    <h1>"webchat"</h1>
                    <nav class="account-links" aria-label=t::ACCOUNT.text()><AccountLinks/></nav>
                </header>
            })}
            {later(1, move || view! {
                <main>
                    {is_guest.then(|| view! { <NameField/> })}
                    <NewRoomForm is_panel=false/>
                    <JoinForm rejected_link/>
                    {later(1, || view! { <RoomListPanel/> })}
                </main>
            })}
            {later(1, || view! {
                <footer class="page-footer">
                    <p>{t::HOME_FOOTER.text()}</p>
                    <a href="/language/" rel="external">{t::LANGUAGE.text()}</a>
                    <a href="/docs/" rel="external">{t::API.text()}</a>
                    <ThemeSwitch/>
                </footer>
            })}
        </div>
    })
}

/// The field for the display name.
#[component]
fn NameField() -> impl IntoView {
    let name = expect_context::<DisplayName>();
    let avatar = text_signal(move || format!("avatar {}", hue_class(&name.get())));
    erase_type(view! {
        <div class="field own-name">
            <label for=OWN_NAME>{t::YOUR_NAME.text()}</label>
            <div class="name-field">
                <span class=avatar aria-hidden="true">
                    {text_signal(move || initials(&name.get()))}
                </span>
                <input
                    id=OWN_NAME
                    name="username"
                    form="new-room"
                    value=name.get_untracked()
                    autocomplete="nickname"
                    spellcheck="false"
                    aria-describedby="username-error"
                    // Not at the change, when the button below would move away from under a click.
                    on:input=on_change(move || name.error.set(None))
                    on:change=on_change(move || { name.take_from(OWN_NAME); })
                    on:keydown=on_enter(move || {
                        if name.take_from(OWN_NAME) {
                            focus_field(ROOM_NAME);
                        }
                    })
                />
            </div>
            <ErrorText id="username-error" text=name.error/>
        </div>
    })
}
