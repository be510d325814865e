//! The page on which the visitor chooses the language of the pages.

use leptos::prelude::*;
use texts::{LANGUAGES, Language, page as p};

use crate::pages::form::FormPage;

/// Renders the page; `chosen` is the language that the visitor has chosen before.
pub fn language_page(page: &FormPage, chosen: Option<Language>) -> String {
    let option = |tag: &'static str, name: &'static str| {
        let is_chosen = chosen.map_or("", Language::tag) == tag;
        view! {
            <label class="choice">
                <input type="radio" name="language" value=tag checked=is_chosen/>
                <span lang=(!tag.is_empty()).then_some(tag)>{name}</span>
            </label>
        }
    };
    let languages = LANGUAGES.map(|(tag, name)| option(tag, name));
    let content = view! {
        <form class="form" method="post" action="/language/">
            {page.next_field()}
            <fieldset class="visibility">
                <legend class="visually-hidden">{p::LANGUAGE.text()}</legend>
                {option("", p::AS_BROWSER.text())}
                {languages.into_iter().collect_view()}
            </fieldset>
            <p class="hint">{p::LANGUAGE_HINT.text()}</p>
            <p class="row"><button class="primary">{p::SAVE.text()}</button></p>
        </form>
    };
    page.render(p::LANGUAGE.text(), content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    #[test]
    fn chosen_language_is_marked_and_every_language_has_its_own_name() {
        let german = Language::find("de").unwrap();
        let html = german.run(|| language_page(&form_page(None), Some(german)));
        assert!(html.contains("<html lang=\"de\" dir=\"ltr\""), "{html}");
        assert!(html.contains("value=\"de\" checked"), "{html}");
        assert!(
            html.contains("Deutsch") && html.contains("English"),
            "{html}"
        );
        assert!(html.contains("Sprache · webchat"), "{html}");
    }
}
