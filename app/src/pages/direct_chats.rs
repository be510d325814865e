//! The page on which the visitor chooses a person to write to.
//!
//! # Not here
//! The visitor's direct messages (`room_list`): there is one list of them.

use leptos::prelude::*;
use protocol::Account;
use protocol::characters::clean_name;
use texts::page as p;

use crate::browser::cookies::percent_encode;
use crate::pages::form::FormPage;
use crate::ui::avatar::{hue_class, initials};

/// The data of the page.
#[derive(Clone, Debug)]
pub struct DirectChatsPage {
    /// The visitor's account.
    pub me: Account,
    /// The search text.
    pub search: String,
    /// The people found.
    pub people: Vec<Account>,
    /// The username after which more people follow.
    pub more: Option<String>,
}

/// Renders the page.
pub fn direct_chats_page(page: &FormPage, chats: &DirectChatsPage) -> String {
    let content = view! {
        <form class="join-form" role="search" method="get" action="/chats/">
            <label for="search">{p::FIND_PEOPLE.text()}</label>
            <p class="row">
                <input id="search" name="search" type="search" value=chats.search.clone() autocomplete="off" spellcheck="false"/>
                <button>{p::FIND.text()}</button>
            </p>
        </form>
        <section aria-labelledby="people-title">
            <h2 id="people-title">{p::PEOPLE.text()}</h2>
            {people_list(chats)}
        </section>
    };
    page.render(p::NEW_MESSAGE.text(), content)
}

fn people_list(chats: &DirectChatsPage) -> AnyView {
    let others = chats
        .people
        .iter()
        .filter(|person| person.username != chats.me.username);
    let rows = others.map(person_row);
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        let hint = match chats.search.as_str() {
            "" => p::NO_OTHER_ACCOUNTS.text(),
            _ => p::NO_OTHER_MATCHES.text(),
        };
        return view! { <p class="hint" role="status">{hint}</p> }.into_any();
    }
    let more = chats.more.as_ref().map(|after| {
        let link = format!(
            "/chats/?search={}&after={}",
            percent_encode(&chats.search),
            percent_encode(after)
        );
        view! { <p class="row"><a class="button" href=link>{p::MORE_PEOPLE.text()}</a></p> }
    });
    view! { <ul>{rows.into_iter().collect_view()}</ul>{more} }.into_any()
}

/// A link to the direct messages with a person.
fn person_row(person: &Account) -> AnyView {
    let name = clean_name(&person.name).into_owned();
    let username = person.username.clone();
    view! {
        <li>
            <a class="entry" href=format!("/chats/{username}")>
                <span class=format!("avatar {}", hue_class(&username)) aria-hidden="true">{initials(&name)}</span>
                <bdi class="entry-name">{name}</bdi>
                <span class="entry-details">{username.clone()}</span>
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    fn account(name: &str, username: &str) -> Account {
        Account {
            name: name.into(),
            username: username.into(),
        }
    }

    #[test]
    fn other_people_are_listed_and_more_of_them_are_linked() {
        let mut chats = DirectChatsPage {
            me: account("Ada", "ada"),
            search: "\"x".into(),
            people: vec![account("Ada", "ada"), account("<b>Eve", "eve")],
            more: Some("eve".into()),
        };
        let html = direct_chats_page(&form_page(None), &chats);
        for part in ["/chats/eve", "search=%22x&amp;after=eve"] {
            assert!(
                html.contains(part) || html.contains(&part.replace("&amp;", "&")),
                "{part}: {html}"
            );
        }
        assert!(
            !html.contains("<b>") && !html.contains("\"/chats/ada\""),
            "{html}"
        );
        chats.people.clear();
        assert!(direct_chats_page(&form_page(None), &chats).contains("No other name or username"));
    }
}
