//! The home page: who one is, a new room, a way into a known one, and the rooms there are.
//!
//! Promises: every form works without a script. Leaves to others: the forms (`create`, `join`) and the lists (`rooms`).

use leptos::prelude::*;
use web_sys::HtmlInputElement;

use crate::browser::{change, find};
use crate::create::Create;
use crate::join::Join;
use crate::name::Name;
use crate::opening::{Scene, Stage, title};
use crate::part::{Trouble, part, text};
use crate::person::{hue_class, initials};
use crate::rooms::Lists;
use crate::seal::{Seal, icon};
use crate::tab;
use crate::theme::ThemeSwitch;
use crate::who::Who;

/// The page at `/`.
#[component]
pub fn HomePage() -> impl IntoView {
    let sought = match expect_context::<Stage>().scene() {
        Some(Scene::Home(home)) => home.sought,
        _ => None,
    };
    let guest = !expect_context::<Name>().fixed;
    tab::name(title(None));
    tab::face(icon(None));
    part(view! {
        <div class="page home">
            <header class="masthead">
                <Seal/>
                <h1>"webchat"</h1>
                <nav class="signed" aria-label="Account"><Who/></nav>
                <ThemeSwitch/>
            </header>
            <main>
                {guest.then(|| view! { <NameField/> })}
                <Create/>
                <Join sought/>
                <Lists/>
            </main>
            <footer class="foot">
                <p>"A room lives as long as people write in it. Then it is deleted."</p>
                <a href="/docs/" rel="external">"API"</a>
            </footer>
        </div>
    })
}

/// What the visitor is called.
#[component]
fn NameField() -> impl IntoView {
    let name = expect_context::<Name>();
    let trouble = RwSignal::new(None::<String>);
    let rename = move || {
        let given = find::<HtmlInputElement>("username")
            .map(|field| field.value())
            .unwrap_or_default();
        trouble.set(name.change(&given).err());
    };
    let face = text(move || format!("face {}", hue_class(&name.get())));
    part(view! {
        <div class="field who-am-i">
            <label for="username">"Your name"</label>
            <div class="faced">
                <span class=face aria-hidden="true">
                    {text(move || initials(&name.get()))}
                </span>
                <input
                    id="username"
                    name="username"
                    form="new-room"
                    value=name.now()
                    autocomplete="nickname"
                    spellcheck="false"
                    aria-describedby="username-trouble"
                    on:change=change(rename)
                />
            </div>
            <Trouble id="username-trouble" words=trouble/>
        </div>
    })
}
