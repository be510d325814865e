//! The page of a room's members, with their roles and the actions of moderators.
//!
//! # Guarantees
//! Visitors see and are offered only what the server allows them; actions that cannot be undone are
//! folded away.
//!
//! # Not here
//! Sanctions (`sanctions`) and the audit log (`audit_log`), which this page includes for
//! moderators.

use std::borrow::Cow;
use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::characters::{clean_name, isolate_name};
use protocol::{AuditEntry, Role, Room, RoomMember, Sanction, Time};
use texts::{Template, page as p};

use crate::browser::cookies::percent_encode;
use crate::pages::audit_log::audit_log_section;
use crate::pages::form::{
    Choice, FormPage, SelectField, isolated, label_choices, role_name, role_text, sentence,
};
use crate::pages::sanctions::sanctions_section;
use crate::time::duration_text;
use crate::ui::avatar::{hue_class, initials};

/// How many members the page shows.
const MEMBERS_MAX: usize = 200;

/// How long a sanction lasts: value and label.
pub(crate) const DURATIONS: [Choice; 4] = [
    ("10m", p::MINUTES_10),
    ("1h", p::HOUR_1),
    ("24h", p::DAY_1),
    ("", p::FOR_GOOD),
];

/// The data of the page.
#[derive(Clone, Debug)]
pub struct MembersPage {
    /// The room.
    pub room: Room,
    /// The visitor, as in [`RoomMember::id`].
    pub me: Option<String>,
    /// The members; `None` if the visitor may not see them.
    pub members: Option<Vec<RoomMember>>,
    /// The sanctions, for moderators.
    pub sanctions: Vec<Sanction>,
    /// The audit log, the latest entry first, for moderators.
    pub deeds: Vec<AuditEntry>,
    /// The display names of guests, by their IDs.
    pub names: BTreeMap<String, String>,
    /// The server's time.
    pub now: Time,
}

impl MembersPage {
    /// Whether the visitor moderates the room.
    fn is_moderator(&self) -> bool {
        self.room.role >= Some(Role::Moderator)
    }

    fn path(&self) -> String {
        format!("/rooms/{}/", self.room.id)
    }
}

/// Renders the page.
pub fn members_page(page: &FormPage, people: &MembersPage) -> String {
    let moderation = people.is_moderator().then(|| {
        view! {
            {sanctions_section(people.room.id, &people.sanctions, &people.names, people.now)}
            {audit_log_section(people.room.id, &people.deeds, &people.names, people.now)}
        }
    });
    let content = view! {
        {member_list(people)}
        {moderation}
        {leave_form(people)}
    };
    page.render(p::PEOPLE.text(), content)
}

fn member_list(people: &MembersPage) -> AnyView {
    if let Some(peer) = &people.room.with {
        let text = sentence(p::CONVERSATION_WITH, [isolated(clean_name(&peer.name))]);
        return view! { <p class="hint">{text}</p> }.into_any();
    }
    let Some(members) = &people.members else {
        return view! { <p class="hint">{p::OPEN_TO_EVERYONE.text()}</p> }.into_any();
    };
    let rows = members
        .iter()
        .take(MEMBERS_MAX)
        .map(|member| member_row(member, people))
        .collect_view();
    let more = members
        .len()
        .checked_sub(MEMBERS_MAX)
        .filter(|more| *more > 0);
    let more =
        more.map(|more| view! { <p class="hint">{p::AND_N_MORE.fill([&more.to_string()])}</p> });
    let invite = people.is_moderator().then(|| {
        view! { <p class="row"><a class="button" data-panel href=format!("{}invitations/", people.path())>{p::INVITATIONS.text()}</a></p> }
    });
    view! {
        <ul class="member-list">{rows}</ul>
        {more}
        {invite}
    }
    .into_any()
}

fn member_row(member: &RoomMember, people: &MembersPage) -> AnyView {
    let is_own = people.me.as_deref() == Some(&member.id);
    let username = member.username.as_deref().map(clean_name);
    let name = username
        .filter(|name| !name.is_empty())
        .map_or_else(|| p::SILENT_GUEST.text().to_owned(), Cow::into_owned);
    let key = member.username.clone().unwrap_or_else(|| member.id.clone());
    let since = member.since;
    let role = role_name(member.role);
    let actions = (!is_own
        && people.is_moderator()
        && member.role < people.room.role.unwrap_or(Role::Reader))
    .then(|| member_actions(member, &name, people));
    let ago = duration_text::format_ago(people.now.since(since));
    let joined = view! { <time datetime=since.to_string()>{ago}</time> };
    view! {
        <li>
            <div class="member">
                <span class=format!("avatar {}", hue_class(&key)) aria-hidden="true">{initials(&name)}</span>
                <p>
                    <bdi class="entry-name">{name}</bdi>
                    {is_own.then(|| format!(" {}", p::YOU_MARK.text()))}
                    <span class="hint">{role}" · "{sentence(p::JOINED, [joined.into_any()])}</span>
                </p>
            </div>
            {actions}
        </li>
    }
    .into_any()
}

/// The actions for a member with a lower role than the visitor's.
fn member_actions(member: &RoomMember, name: &str, people: &MembersPage) -> AnyView {
    let path = people.path();
    let member_path = format!("{path}members/{}/", percent_encode(&member.id));
    let is_owner = people.room.role == Some(Role::Owner);
    let roles = is_owner.then(|| role_forms(member, name, &member_path));
    view! {
        <details>
            <summary>{about_person(p::MANAGE, name)}</summary>
            <div class="member-actions">
                {roles}
                {sanction_form(&member.id, name, &path)}
                <form method="post" action=format!("{member_path}?method=DELETE")>
                    <button>{about_person(p::REMOVE_NAME, name)}</button>
                    <p class="hint">{p::COME_BACK_HINT.text()}</p>
                </form>
            </div>
        </details>
    }
    .into_any()
}

fn role_forms(member: &RoomMember, name: &str, member_path: &str) -> AnyView {
    let options = label_choices(&[
        ("reader", p::ROLE_READER),
        ("member", p::ROLE_MEMBER),
        ("moderator", p::ROLE_MODERATOR),
    ]);
    let label = p::ROLE_OF.fill([&isolate_name(name)]);
    let role = SelectField {
        name: "role",
        label: &label,
        options: &options,
        chosen: member.role.name(),
    };
    let action = format!("{member_path}?method=PATCH");
    view! {
        <form class="inline-form" method="post" action=action.clone()>
            {role.view()}
            <button>{p::CHANGE_ROLE.text()}</button>
        </form>
        <details class="danger-zone">
            <summary>{sentence(p::HAND_OVER_TO, [isolated(name)])}</summary>
            <form class="form" method="post" action=action>
                <input type="hidden" name="role" value="owner"/>
                <p>{sentence(p::BECOMES_OWNER, [isolated(name)])}</p>
                <p class="row"><button class="destructive">{p::HAND_OVER.text()}</button></p>
            </form>
        </details>
    }
    .into_any()
}

/// The label of an action, in which only screen readers get the name: it stands above.
fn about_person(action: Template<1>, name: &str) -> AnyView {
    let name = view! { <span class="visually-hidden"><bdi>{name.to_owned()}</bdi></span> };
    sentence(action, [name.into_any()])
}

/// The form that mutes or bans a member.
fn sanction_form(id: &str, name: &str, path: &str) -> AnyView {
    let label = p::MUTE_OR_BAN.fill([&isolate_name(name)]);
    let durations = label_choices(&DURATIONS);
    let duration = SelectField {
        name: "timeout",
        label: &label,
        options: &durations,
        chosen: "10m",
    };
    view! {
        <form class="inline-form" method="post" action=format!("{path}sanctions/")>
            <input type="hidden" name="person" value=id.to_owned()/>
            {duration.view()}
            <button name="kind" value="mute">{about_person(p::MUTE_NAME, name)}</button>
            <button name="kind" value="ban">{about_person(p::BAN_NAME, name)}</button>
        </form>
    }
    .into_any()
}

fn leave_form(people: &MembersPage) -> Option<AnyView> {
    let role = people.room.role?;
    let me = people.me.as_ref()?;
    if people.room.with.is_some() {
        return None;
    }
    let is_member = people
        .members
        .as_ref()
        .is_none_or(|members| members.iter().any(|member| member.id == *me));
    is_member.then(|| leave_section(&people.room, role, me))
}

/// The form by which a member, whose ID is `me`, leaves a room.
pub(crate) fn leave_section(room: &Room, role: Role, me: &str) -> AnyView {
    let consequence = match (role, room.private) {
        (Role::Owner, _) => p::LEAVE_OWNER.text(),
        (_, true) => p::LEAVE_PRIVATE.text(),
        (_, false) => p::LEAVE_OPEN.text(),
    };
    let action = format!(
        "/rooms/{}/members/{}/?method=DELETE",
        room.id,
        percent_encode(me)
    );
    view! {
        <section>
            <details class="danger-zone">
                <summary>{p::LEAVE_ROOM.text()}</summary>
                <form class="form" method="post" action=action>
                    <input type="hidden" name="next" value="/"/>
                    <p>{p::YOU_ARE_HERE.fill([role_text(role), consequence])}</p>
                    <p class="row"><button class="destructive">{p::LEAVE.text()}</button></p>
                </form>
            </details>
        </section>
    }
    .into_any()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;
    use crate::pages::room_settings::tests::room;
    use protocol::SanctionKind;

    fn member(id: &str, username: Option<&str>, role: Role) -> RoomMember {
        RoomMember {
            id: id.into(),
            username: username.map(Into::into),
            role,
            since: Time::from_millis(0),
        }
    }

    fn people(role: Role) -> MembersPage {
        MembersPage {
            room: room(Some(role)),
            me: Some("ada".into()),
            members: Some(vec![
                member("ada", Some("ada"), role),
                member("~00000000000001", Some("<b>eve"), Role::Member),
                member("~00000000000002", None, Role::Reader),
            ]),
            sanctions: vec![Sanction {
                id: "~00000000000001".into(),
                kind: SanctionKind::Mute,
                until: None,
            }],
            deeds: vec![AuditEntry {
                id: 1,
                at: Time::from_millis(0),
                actor: "ada".into(),
                action: "muted".into(),
                target: "~00000000000001".into(),
            }],
            names: BTreeMap::from([("~00000000000001".into(), "<b>eve".into())]),
            now: Time::from_millis(300_000),
        }
    }

    #[test]
    fn visitor_is_offered_permitted_actions_only() {
        let html = members_page(&form_page(None), &people(Role::Owner));
        for part in [
            "members/%7E00000000000001/?method=DELETE",
            "Hand it over",
            "Unmute",
            "Leave",
            "muted ",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<b>"), "{html}");
        let html = members_page(&form_page(None), &people(Role::Moderator));
        assert!(
            html.contains("Ban") && !html.contains("Hand it over") && !html.contains("Change role"),
            "{html}"
        );
        let mut plain = people(Role::Member);
        plain.sanctions.clear();
        plain.deeds.clear();
        let html = members_page(&form_page(None), &plain);
        assert!(
            html.contains("Leave") && !html.contains("Manage") && !html.contains("Moderation log"),
            "{html}"
        );
        let html = members_page(
            &form_page(None),
            &MembersPage {
                members: None,
                me: None,
                ..plain
            },
        );
        assert!(
            html.contains("only its moderators see") && !html.contains("Leave"),
            "{html}"
        );
    }

    #[test]
    fn long_member_list_is_cut() {
        let many = (0..=MEMBERS_MAX)
            .map(|n| member(&format!("~{n:014x}"), None, Role::Member))
            .collect();
        let html = members_page(
            &form_page(None),
            &MembersPage {
                members: Some(many),
                ..people(Role::Member)
            },
        );
        assert!(html.contains("And 1 more"), "{html}");
    }
}
