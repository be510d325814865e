//! Who is in a room, and who is typing there.
//!
//! Promises: said calmly: nothing moves and nothing is read aloud when somebody comes, goes or types; whoever wants to
//! know who it is opens the list. Leaves to others: who counts as here and as typing, which the server says.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::name::Name;
use crate::part::{flag, part, text};
use crate::person::{hue_class, initials};
use crate::visit::Visit;
use crate::wire::{Wire, field};

/// How many faces are shown.
const FACES: usize = 3;

/// Who is in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// The first of their names.
    pub names: Vec<String>,
    /// How many there are.
    pub count: u64,
}

impl Wire for People {
    fn read(value: &JsValue) -> Option<Self> {
        Some(Self {
            names: field(value, "here")?,
            count: field(value, "count")?,
        })
    }
}

/// How many are here, and the list that it opens.
#[component]
pub fn Here(visit: Visit) -> impl IntoView {
    let unknown = flag(move || visit.here.with(|here| here.count == 0) || visit.closed.get());
    let count = text(move || format!("{} here", visit.here.with(|here| here.count)));
    let rest = text(move || {
        match visit
            .here
            .with(|here| here.count.saturating_sub(here.names.len() as u64))
        {
            0 => String::new(),
            rest => format!("and {rest} more"),
        }
    });
    part(view! {
        <button type="button" class="people needs-script" class:idle=unknown popovertarget="here">
            <span class="faces" aria-hidden="true"><Rows visit most=FACES/></span>
            <span>{count}</span>
        </button>
        <div id="here" class="menu here" popover="auto">
            <h2 id="here-title">"Here now"</h2>
            <div class="names-here" role="list" tabindex="0" aria-labelledby="here-title"><Rows visit most=usize::MAX/></div>
            <p class="hint">{rest}</p>
        </div>
    })
}

/// The first of those who are here. Faces alone are the same rows with their names hidden: another kind of row would be
/// more to load.
#[component]
fn Rows(visit: Visit, most: usize) -> impl IntoView {
    let own = expect_context::<Name>();
    let row = move |name: &String| {
        let you = if *name == own.get() { " (you)" } else { "" };
        view! {
            <span role="listitem">
                <span class=format!("face {}", hue_class(name)) aria-hidden="true">{initials(name)}</span>
                <span class="named"><bdi>{name.clone()}</bdi>{you}</span>
            </span>
        }
    };
    move || {
        visit
            .here
            .with(|here| here.names.iter().take(most).map(row).collect_view())
    }
}

/// Who else is typing.
#[component]
pub fn Typing(visit: Visit) -> impl IntoView {
    let own = expect_context::<Name>();
    let words = move || {
        let own = own.get();
        visit.typing.with(|names| {
            words(
                &names
                    .iter()
                    .filter(|name| **name != own)
                    .collect::<Vec<_>>(),
            )
        })
    };
    view! { <p class="typing"><span>{text(move || words().0)}</span>{text(move || words().1.to_owned())}</p> }
}

/// In words: who, each name set apart whatever marks of direction it has, and what they do.
fn words(names: &[&String]) -> (String, &'static str) {
    match names {
        [] => (String::new(), ""),
        [name] => (format!("\u{2068}{name}\u{2069}"), " is typing…"),
        [one, two] => (
            format!("\u{2068}{one}\u{2069} and \u{2068}{two}\u{2069}"),
            " are typing…",
        ),
        more => (more.len().to_string(), " people are typing…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_is_said_in_few_words() {
        let names = ["ada", "grace", "linus"].map(str::to_owned);
        let words = |count: usize| {
            let (who, what) = words(&names.iter().take(count).collect::<Vec<_>>());
            who.replace(['\u{2068}', '\u{2069}'], "") + what
        };
        assert_eq!(words(0), "");
        assert_eq!(words(1), "ada is typing…");
        assert_eq!(words(2), "ada and grace are typing…");
        assert_eq!(words(3), "3 people are typing…");
    }
}
