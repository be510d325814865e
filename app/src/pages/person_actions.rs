//! The data of the card of a person, and the actions of moderators on it.
//!
//! # Guarantees
//! Each action has the person's name in it, and is offered only if the server permits it.

use leptos::prelude::*;
use protocol::characters::isolate_name;
use protocol::{PersonAction, PersonCard, Role, RoomId, SanctionKind, Time};
use texts::page as p;

use crate::browser::cookies::percent_encode;
use crate::pages::form::{SelectField, label_choices};
use crate::pages::members::DURATIONS;

/// The data of the page.
#[derive(Clone, Debug)]
pub struct PersonPage {
    /// The room.
    pub room: RoomId,
    /// The person.
    pub card: PersonCard,
    /// The query of this page, which names the person.
    pub query: String,
    /// What the visitor has just changed.
    pub change: Option<PersonChange>,
    /// The server's time.
    pub now: Time,
}

/// What a visitor has just changed about a person. The page shows it only if it is still so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonChange {
    /// The person is neither muted nor banned any more.
    Lifted,
    /// The person was removed from the room.
    Removed,
    /// The person had this role before.
    RoleWas(Role),
}

impl PersonChange {
    /// The change that these parameters of the page's query name.
    pub fn of_query(done: Option<&str>, was: Option<&str>) -> Option<Self> {
        match done? {
            "lifted" => Some(Self::Lifted),
            "removed" => Some(Self::Removed),
            "role" => was.and_then(Role::from_name).map(Self::RoleWas),
            _ => None,
        }
    }

    /// Its parameters, at the end of a query.
    fn query(self) -> String {
        match self {
            Self::Lifted => "&done=lifted".to_owned(),
            Self::Removed => "&done=removed".to_owned(),
            Self::RoleWas(role) => format!("&done=role&was={}", role.name()),
        }
    }
}

impl PersonPage {
    pub(crate) fn allows(&self, action: PersonAction) -> bool {
        self.card.allows(action)
    }

    /// The name in a sentence about an action: the username, which no one else has.
    pub(crate) fn name(&self) -> String {
        isolate_name(&self.card.username)
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/rooms/{}/{rest}", self.room)
    }

    /// The path of a route about this person, such as `members`.
    pub(crate) fn person_path(&self, route: &str, method: &str) -> String {
        let id = self.card.id.as_deref().unwrap_or_default();
        self.path(&format!("{route}/{}/?method={method}", percent_encode(id)))
    }

    /// The hidden field that leads back to this page after a change.
    pub(crate) fn back(&self, change: Option<PersonChange>) -> impl IntoView + use<> {
        let change = change.map(PersonChange::query).unwrap_or_default();
        let next = self.path(&format!("person/?{}{change}", self.query));
        view! { <input type="hidden" name="next" value=next/> }
    }
}

/// The actions of moderators.
pub(crate) fn moderation(person: &PersonPage) -> Option<AnyView> {
    let card = &person.card;
    let held = card.sanction.map(|sanction| sanction.kind);
    let name = person.name();
    let mute = (person.allows(PersonAction::Mute) && held.is_none())
        .then(|| quick_sanction(person, "mute", "10m", p::MUTE_TEN_MINUTES.fill([&name])));
    let ban = (person.allows(PersonAction::Ban) && held != Some(SanctionKind::Ban))
        .then(|| quick_sanction(person, "ban", "1day", p::BAN_A_DAY.fill([&name])));
    let other = person
        .allows(PersonAction::Mute)
        .then(|| other_sanction(person));
    let roles = [Role::Moderator, Role::Member, Role::Reader];
    let roles = roles
        .into_iter()
        .filter(|role| person.allows(PersonAction::of_role(*role)))
        .map(|role| role_form(person, role))
        .collect_view();
    let remove = person.allows(PersonAction::Remove).then(|| removal(person));
    let hand_over = person
        .allows(PersonAction::MakeOwner)
        .then(|| hand_over(person));
    let is_offered = |action: &PersonAction| {
        !matches!(
            action,
            PersonAction::Message | PersonAction::Mention | PersonAction::Lift
        )
    };
    card.actions.iter().any(is_offered).then(|| {
        view! {
            <section class="person-actions" aria-label=p::MODERATION.text()>
                {mute}
                {ban}
                {other}
                {roles}
                {remove}
                {hand_over}
            </section>
        }
        .into_any()
    })
}

fn quick_sanction(
    person: &PersonPage,
    kind: &'static str,
    timeout: &'static str,
    label: String,
) -> AnyView {
    let class = if kind == "ban" {
        "button destructive"
    } else {
        "button"
    };
    view! {
        <form method="post" action=person.path("sanctions/")>
            <input type="hidden" name="person" value=person.card.id.clone()/>
            <input type="hidden" name="kind" value=kind/>
            <input type="hidden" name="timeout" value=timeout/>
            {person.back(None)}
            <button class=class>{label}</button>
        </form>
    }
    .into_any()
}

/// The form for a sanction of another length.
fn other_sanction(person: &PersonPage) -> AnyView {
    let name = person.name();
    let label = p::MUTE_OR_BAN.fill([&name]);
    let duration = SelectField {
        name: "timeout",
        label: &label,
        options: &label_choices(&DURATIONS),
        chosen: "1h",
    };
    view! {
        <details>
            <summary>{p::CHOOSE_SANCTION.fill([&name])}</summary>
            <form class="inline-form" method="post" action=person.path("sanctions/")>
                <input type="hidden" name="person" value=person.card.id.clone()/>
                {person.back(None)}
                {duration.view()}
                <button class="button" name="kind" value="mute">{p::MUTE_NAME.fill([&name])}</button>
                <button class="button" name="kind" value="ban">{p::BAN_NAME.fill([&name])}</button>
            </form>
        </details>
    }
    .into_any()
}

fn role_form(person: &PersonPage, role: Role) -> AnyView {
    let name = person.name();
    let label = match role {
        Role::Reader => p::MAKE_READER,
        Role::Member => p::MAKE_MEMBER,
        Role::Moderator => p::MAKE_MODERATOR,
        Role::Owner => p::MAKE_OWNER,
    }
    .fill([&name]);
    let before = person.card.role.map(PersonChange::RoleWas);
    view! {
        <form method="post" action=person.person_path("members", "PATCH")>
            <input type="hidden" name="role" value=role.name()/>
            {person.back(before)}
            <button class="button">{label}</button>
        </form>
    }
    .into_any()
}

fn removal(person: &PersonPage) -> AnyView {
    let label = p::REMOVE_FROM_ROOM.fill([&person.name()]);
    view! {
        <form method="post" action=person.person_path("members", "DELETE")>
            {person.back(Some(PersonChange::Removed))}
            <button class="button">{label}</button>
            <p class="hint">{p::COME_BACK_HINT.text()}</p>
        </form>
    }
    .into_any()
}

fn hand_over(person: &PersonPage) -> AnyView {
    let name = person.name();
    view! {
        <details class="danger-zone">
            <summary>{p::HAND_OVER_TO.fill([&name])}</summary>
            <form class="form" method="post" action=person.person_path("members", "PATCH")>
                <input type="hidden" name="role" value="owner"/>
                {person.back(person.card.role.map(PersonChange::RoleWas))}
                <p>{p::BECOMES_OWNER_FOR.fill([&name])}</p>
                <p class="row"><button class="button destructive">{p::HAND_OVER.text()}</button></p>
            </form>
        </details>
    }
    .into_any()
}
