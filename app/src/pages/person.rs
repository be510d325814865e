//! The card of a person in a room: who they are, and what the visitor may do with them.
//!
//! # Guarantees
//! - The visitor is offered only what the server permits.
//! - Each action has the person's name in it. What holds against the person stands in one line, with
//!   a button that undoes it; so does what the visitor has just changed.
//!
//! # Not here
//! The actions of moderators, and the addresses of all actions (`person_actions`). Everyone who has
//! a role in the room (`members`).

use leptos::prelude::*;
use protocol::characters::{clean_name, isolate_name};
use protocol::{Author, PersonAction, PersonCard, PersonSanction, Role, SanctionKind, Time};
use texts::page as p;

use crate::browser::cookies::percent_encode;
use crate::pages::form::FormPage;
use crate::pages::person_actions::{PersonChange, PersonPage, moderation};
use crate::room::composer::mention_list::mention_of;
use crate::time::duration_text;
use crate::ui::avatar::{hue_class, initials};

/// The name at the head of the card.
fn shown_name(card: &PersonCard) -> String {
    let name = card.name.as_ref().unwrap_or(&card.username);
    match clean_name(name).into_owned() {
        empty if empty.is_empty() => p::NAME_SHOWS_NOTHING.text().to_owned(),
        name => name,
    }
}

/// Renders the page.
pub fn person_page(page: &FormPage, person: &PersonPage) -> String {
    let content = view! {
        {status_line(person)}
        {summary(&person.card)}
        {conversation(person)}
        {moderation(person)}
    };
    page.render(&shown_name(&person.card), content)
}

/// Renders the page of a name that no one has.
pub fn unknown_person_page(page: &FormPage, name: &str) -> String {
    let content = view! { <p>{p::NO_ONE_HAS_NAME.text()}</p> };
    let name = clean_name(name).into_owned();
    let heading = if name.is_empty() {
        p::UNKNOWN.text()
    } else {
        &name
    };
    page.render(heading, content)
}

fn summary(card: &PersonCard) -> impl IntoView + use<> {
    let lines = facts(card);
    let facts = lines
        .into_iter()
        .map(|line| view! { <span class="hint">{line}</span> })
        .collect_view();
    let username = clean_name(&card.username).into_owned();
    view! {
        <div class="profile-summary">
            <span class=format!("avatar {}", hue_class(&card.username)) data-name=card.username.clone() aria-hidden="true">{initials(&shown_name(card))}</span>
            <p>
                <bdi translate="no">"@"{username}</bdi>
                {facts}
            </p>
        </div>
    }
}

/// What is known of the person, in sentences.
fn facts(card: &PersonCard) -> Vec<String> {
    let mut facts = Vec::new();
    if card.own {
        facts.push(p::THIS_IS_YOU.text().to_owned());
    }
    if card.operator {
        facts.push(p::AN_OPERATOR.text().to_owned());
    }
    let role = card.role.map(|role| match role {
        Role::Reader => p::READER_HERE,
        Role::Member => p::MEMBER_HERE,
        Role::Moderator => p::MODERATOR_HERE,
        Role::Owner => p::OWNER_HERE,
    });
    facts.extend(role.map(|role| role.text().to_owned()));
    let kind = match card.author {
        _ if card.deleted => p::ACCOUNT_DELETED,
        Some(Author::Account) => p::HAS_ACCOUNT,
        Some(Author::Guest) => p::IS_GUEST,
        None => p::NOT_VERIFIED,
    };
    facts.push(kind.text().to_owned());
    let wrote_as = card.wrote_as.as_deref().map(isolate_name);
    facts.extend(wrote_as.map(|name| p::WROTE_AS.fill([&name])));
    facts
}

/// What holds against the person, or what the visitor has just changed.
fn status_line(person: &PersonPage) -> Option<AnyView> {
    let card = &person.card;
    let name = person.name();
    if let Some(sanction) = card.sanction {
        let undo = person.allows(PersonAction::Lift).then(|| {
            let action = person.person_path("sanctions", "DELETE");
            undo_form(person, action, PersonChange::Lifted, None)
        });
        return Some(line(sanction_text(&name, sanction, person.now), undo));
    }
    match person.change? {
        PersonChange::Lifted => Some(line(p::NO_LONGER_SANCTIONED.fill([&name]), None)),
        PersonChange::Removed if card.role.is_none() => {
            Some(line(p::IS_REMOVED.fill([&name]), None))
        }
        PersonChange::RoleWas(before) => {
            let role = card.role.filter(|role| *role != before)?;
            let undo = person.allows(PersonAction::of_role(before)).then(|| {
                let action = person.person_path("members", "PATCH");
                undo_form(person, action, PersonChange::RoleWas(role), Some(before))
            });
            Some(line(role_text(&name, role), undo))
        }
        PersonChange::Removed => None,
    }
}

fn sanction_text(name: &str, sanction: PersonSanction, now: Time) -> String {
    let lasts = sanction.until.map(|until| lasting(until, now));
    match (sanction.kind, lasts) {
        (SanctionKind::Mute, Some(lasts)) => p::IS_MUTED_FOR.fill([name, &lasts]),
        (SanctionKind::Mute, None) => p::IS_MUTED_FOR_GOOD.fill([name]),
        (SanctionKind::Ban, Some(lasts)) => p::IS_BANNED_FOR.fill([name, &lasts]),
        (SanctionKind::Ban, None) => p::IS_BANNED_FOR_GOOD.fill([name]),
    }
}

/// How long something lasts, in words, rounded up to minutes: a sanction of ten minutes has lasted
/// for a moment when its page is drawn.
fn lasting(until: Time, now: Time) -> String {
    let minutes = until.since(now).as_millis().div_ceil(60_000).max(1);
    let seconds = u64::try_from(minutes)
        .unwrap_or(u64::MAX)
        .saturating_mul(60);
    duration_text::format_words(std::time::Duration::from_secs(seconds))
}

fn role_text(name: &str, role: Role) -> String {
    match role {
        Role::Reader => p::IS_READER_NOW,
        Role::Member => p::IS_MEMBER_NOW,
        Role::Moderator => p::IS_MODERATOR_NOW,
        Role::Owner => p::IS_OWNER_NOW,
    }
    .fill([name])
}

/// One line with its button. The dialog gives it the focus, so that screen readers say it.
fn line(text: String, undo: Option<AnyView>) -> AnyView {
    view! {
        <div class="status-message" tabindex="-1" autofocus>
            <span>{text}</span>
            {undo}
        </div>
    }
    .into_any()
}

/// The button that undoes a change. `role` is the role that it gives back.
fn undo_form(
    person: &PersonPage,
    action: String,
    change: PersonChange,
    role: Option<Role>,
) -> AnyView {
    let role = role.map(|role| view! { <input type="hidden" name="role" value=role.name()/> });
    view! {
        <form method="post" action=action>
            {role}
            {person.back(Some(change))}
            <button class="link-button">{p::UNDO.text()}</button>
        </form>
    }
    .into_any()
}

fn conversation(person: &PersonPage) -> Option<AnyView> {
    let card = &person.card;
    let message = person.allows(PersonAction::Message).then(|| {
        let chat = format!("/chats/{}", percent_encode(&card.username));
        view! { <a class="button" href=chat>{p::MESSAGE.text()}</a> }
    });
    let mention = person.allows(PersonAction::Mention).then(|| {
        let mention = mention_of(&card.username);
        view! { <button type="button" class="copy" data-mention=mention>{p::MENTION.text()}</button> }
    });
    // A mention alone has no place on a page without the app.
    let class = if message.is_some() { "row" } else { "row copy" };
    (message.is_some() || mention.is_some())
        .then(|| view! { <p class=class>{message}{mention}</p> }.into_any())
}

#[cfg(test)]
mod tests {
    use protocol::RoomId;

    use super::*;
    use crate::pages::form::tests::form_page;

    fn person(sanction: Option<PersonSanction>, change: Option<PersonChange>) -> PersonPage {
        PersonPage {
            room: RoomId::from_bytes([1; 8]),
            card: PersonCard {
                id: Some("~00000000000001".into()),
                username: "\u{202e}<b>eve".into(),
                name: None,
                author: Some(Author::Guest),
                wrote_as: Some("adam".into()),
                role: Some(Role::Member),
                operator: false,
                deleted: false,
                own: false,
                sanction,
                actions: vec![
                    PersonAction::Mention,
                    PersonAction::Mute,
                    PersonAction::Lift,
                ],
            },
            query: "message=7".into(),
            change,
            now: Time::from_millis(1_000),
        }
    }

    fn muted(until: Option<i64>) -> Option<PersonSanction> {
        Some(PersonSanction {
            kind: SanctionKind::Mute,
            until: until.map(Time::from_millis),
        })
    }

    #[test]
    fn names_are_drawn_clean_and_each_form_leads_back_to_the_card() {
        let html = person_page(&form_page(None), &person(None, None));
        for part in [
            "Mute &lt;b&gt;eve for 10 minutes",
            "Wrote this message as adam.",
            "/rooms/0101010101010101/person/?message=7",
            "name=\"person\" value=\"~00000000000001\"",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        for part in ["<b>", "status-message", "Message<", "eve for a day"] {
            assert!(!html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn sanction_lasts_whole_minutes_from_now() {
        for (until, text) in [
            (Some(601_000), "is muted for 10 minutes."),
            (Some(600_000), "is muted for 10 minutes."),
            (Some(541_001), "is muted for 10 minutes."),
            (Some(541_000), "is muted for 9 minutes."),
            (Some(0), "is muted for 1 minute."),
            (Some(86_401_000), "is muted for 1 day."),
            (None, "is muted for good."),
        ] {
            let html = person_page(&form_page(None), &person(muted(until), None));
            assert!(html.contains(text), "{text}: {html}");
            assert!(
                html.contains("sanctions/%7E00000000000001/?method=DELETE"),
                "{html}"
            );
        }
    }

    #[test]
    fn change_of_a_role_is_shown_unless_the_role_is_that_of_before() {
        let page = |before| {
            let change = Some(PersonChange::RoleWas(before));
            person_page(&form_page(None), &person(None, change))
        };
        let changed = page(Role::Reader);
        assert!(changed.contains("eve is a member now."), "{changed}");
        assert!(!changed.contains("Undo"), "the visitor may not: {changed}");
        assert!(!page(Role::Member).contains("now."));
    }

    #[test]
    fn name_that_shows_nothing_or_that_no_one_has_is_a_heading_all_the_same() {
        let mut page = person(None, None);
        page.card.username = "\u{200b}".into();
        let html = person_page(&form_page(None), &page);
        assert!(
            html.contains("<h1>A name that shows nothing</h1>"),
            "{html}"
        );
        let html = unknown_person_page(&form_page(None), "\u{200b}");
        assert!(html.contains("<h1>Unknown</h1>"), "{html}");
    }
}
