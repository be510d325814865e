//! The page of direct chats: the visitor's conversations, and a search for people.

use leptos::prelude::*;
use protocol::characters::clean_name;
use protocol::{Account, DirectChat, Time};

use crate::browser::cookies::percent_encode;
use crate::pages::form::FormPage;
use crate::time::duration_text;
use crate::ui::avatar::{hue_class, initials};

/// The data of the page.
#[derive(Clone, Debug)]
pub struct DirectChatsPage {
    /// The visitor's account.
    pub me: Account,
    /// The conversations with messages, the latest first.
    pub conversations: Vec<DirectChat>,
    /// The search text.
    pub search: String,
    /// The people found.
    pub people: Vec<Account>,
    /// The username after which more people follow.
    pub more: Option<String>,
    /// The server's time.
    pub now: Time,
}

/// Renders the page.
pub fn direct_chats_page(page: &FormPage, chats: &DirectChatsPage) -> String {
    let content = view! {
        <section aria-labelledby="chats-title">
            <div class="list-header">
                <h2 id="chats-title">"Your chats"</h2>
                <a href="/profile/?next=/chats/"><bdi>{clean_name(&chats.me.name).into_owned()}</bdi></a>
            </div>
            {conversation_list(chats)}
        </section>
        <section aria-labelledby="people-title">
            <h2 id="people-title">"People"</h2>
            <form class="join-form" role="search" method="get" action="/chats/">
                <label for="search">"Find people by name or username"</label>
                <p class="row">
                    <input id="search" name="search" type="search" value=chats.search.clone() autocomplete="off" spellcheck="false"/>
                    <button>"Find"</button>
                </p>
            </form>
            {people_list(chats)}
        </section>
    };
    page.render("Chats", content)
}

fn conversation_list(chats: &DirectChatsPage) -> AnyView {
    if chats.conversations.is_empty() {
        return view! { <p class="hint">"No messages yet. Choose a person below to write to."</p> }
            .into_any();
    }
    let rows = chats
        .conversations
        .iter()
        .map(|chat| conversation_row(chat, chats))
        .collect_view();
    view! { <ul>{rows}</ul> }.into_any()
}

fn conversation_row(chat: &DirectChat, chats: &DirectChatsPage) -> AnyView {
    let last = chat.last.as_ref().map(|last| {
        let author = if last.username == chats.me.username {
            "You: "
        } else {
            ""
        };
        let at = last.sent_at;
        let body = if last.is_deleted() {
            "A message that was deleted".to_owned()
        } else {
            last.body().to_owned()
        };
        view! {
            <span class="last-message">{author}<bdi>{body}</bdi></span>
            <time class="time-left" datetime=at.to_string()>{duration_text::format_ago(chats.now.since(at))}</time>
        }
    });
    let unread = (chat.unread > 0).then(|| {
        view! { <span class="unread">{chat.unread}<span class="visually-hidden">" unread"</span></span> }
    });
    person_row(
        &chat.name,
        &chat.username,
        view! { {last}{unread} }.into_any(),
    )
}

fn people_list(chats: &DirectChatsPage) -> AnyView {
    let others = chats
        .people
        .iter()
        .filter(|person| person.username != chats.me.username);
    let rows = others.map(|person| {
        person_row(
            &person.name,
            &person.username,
            view! { <span>{person.username.clone()}</span> }.into_any(),
        )
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        let hint = match chats.search.as_str() {
            "" => "There are no other accounts yet.",
            _ => "No other name or username contains that.",
        };
        return view! { <p class="hint" role="status">{hint}</p> }.into_any();
    }
    let more = chats.more.as_ref().map(|after| {
        let link = format!(
            "/chats/?search={}&after={}",
            percent_encode(&chats.search),
            percent_encode(after)
        );
        view! { <p class="row"><a class="button" href=link>"More people"</a></p> }
    });
    view! { <ul>{rows.into_iter().collect_view()}</ul>{more} }.into_any()
}

/// A link to the direct chat with a person.
fn person_row(name: &str, username: &str, details: AnyView) -> AnyView {
    let name = clean_name(name).into_owned();
    view! {
        <li>
            <a class="entry" href=format!("/chats/{username}")>
                <span class=format!("avatar {}", hue_class(username)) aria-hidden="true">{initials(&name)}</span>
                <bdi class="entry-name">{name}</bdi>
                <span class="entry-details">{details}</span>
            </a>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::pages::form::tests::form_page;
    use protocol::{Author, Message, RoomId};

    fn account(name: &str, username: &str) -> Account {
        Account {
            name: name.into(),
            username: username.into(),
        }
    }

    fn conversation() -> DirectChat {
        let last = Message {
            room: RoomId::from_bytes([1; 8]),
            username: "bob".into(),
            author: Some(Author::Account),
            content: Some(protocol::MessageContent::text("<b>tea?")),
            ..fixtures::message(3)
        };
        DirectChat {
            username: "bob".into(),
            name: "Bob".into(),
            room: last.room,
            unread: 2,
            last: Some(last),
        }
    }

    #[test]
    fn chats_show_their_last_message_and_their_unread_count() {
        let mut chats = DirectChatsPage {
            me: account("Ada", "ada"),
            conversations: vec![conversation()],
            search: "\"x".into(),
            people: vec![account("Ada", "ada"), account("Eve", "eve")],
            more: Some("eve".into()),
            now: Time::from_millis(120_000),
        };
        let html = direct_chats_page(&form_page(None), &chats);
        for part in [
            "/chats/bob",
            "2 min ago",
            " unread",
            "/chats/eve",
            "search=%22x&amp;after=eve",
        ] {
            assert!(
                html.contains(part) || html.contains(&part.replace("&amp;", "&")),
                "{part}: {html}"
            );
        }
        assert!(
            !html.contains("<b>") && !html.contains("\"/chats/ada\""),
            "{html}"
        );
        chats.conversations.clear();
        chats.people.clear();
        assert!(direct_chats_page(&form_page(None), &chats).contains("No other name or username"));
    }
}
