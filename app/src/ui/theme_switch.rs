//! The switch between light, dark and the system's theme.

use leptos::prelude::*;
use texts::app as t;

use crate::browser::dom::on_change;
use crate::reactive::{bool_signal, erase_type};
use crate::session::theme::Theme;
use crate::ui::icon::Icon;

/// The switch: three radio buttons.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = expect_context::<RwSignal<Theme>>();
    let option = move |value: Theme, icon: Icon, label: &'static str| {
        view! {
            <label title=label>
                <input
                    type="radio"
                    name="theme"
                    class="visually-hidden"
                    checked=bool_signal(move || theme.get() == value)
                    on:change=on_change(move || {
                        theme.set(value);
                        value.apply();
                    })
                />
                {icon.view()}
                <span class="visually-hidden">{label}</span>
            </label>
        }
    };
    erase_type(view! {
        <fieldset class="theme-switch script-only">
            <legend class="visually-hidden">{t::COLOURS.text()}</legend>
            {option(Theme::Light, Icon::Sun, t::LIGHT.text())}
            {option(Theme::System, Icon::Screen, t::AS_SYSTEM.text())}
            {option(Theme::Dark, Icon::Moon, t::DARK.text())}
        </fieldset>
    })
}
