//! The audit log of a room: what its moderators and its owner did there.
//!
//! # Guarantees
//! Each entry is a sentence with the usernames or display names of the people in it.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{AuditEntry, Role, RoomId, Time};
use texts::page as p;

use crate::pages::form::{FormPage, isolated, role_text, sentence};
use crate::pages::member_names::display_name;
use crate::time::duration_text;
use crate::time::local_time::LocalTime;

/// How many entries one page shows.
pub const AUDIT_PAGE_SIZE: usize = 100;

/// The data of a page of the audit log.
#[derive(Clone, Debug)]
pub struct AuditLogPage {
    /// The room.
    pub room: RoomId,
    /// The entries, the latest first.
    pub entries: Vec<AuditEntry>,
    /// The display names of guests, by their IDs.
    pub names: BTreeMap<String, String>,
    /// The server's time.
    pub now: Time,
}

/// Renders a page of the audit log.
pub fn audit_log_page(page: &FormPage, log_page: &AuditLogPage) -> String {
    let content = view! {
        {entry_list(log_page.room, &log_page.entries, &log_page.names, log_page.now)}
        <p class="row"><a class="button" data-panel href=format!("/rooms/{}/members/", log_page.room)>{p::PEOPLE.text()}</a></p>
    };
    page.render(p::MODERATION_LOG.text(), content)
}

/// The section of the members page that holds the newest entries, folded away.
pub(crate) fn audit_log_section(
    room: RoomId,
    entries: &[AuditEntry],
    names: &BTreeMap<String, String>,
    now: Time,
) -> AnyView {
    view! {
        <section>
            <details>
                <summary>{p::MODERATION_LOG.text()}</summary>
                {entry_list(room, entries, names, now)}
            </details>
        </section>
    }
    .into_any()
}

fn entry_list(
    room: RoomId,
    entries: &[AuditEntry],
    names: &BTreeMap<String, String>,
    now: Time,
) -> AnyView {
    if entries.is_empty() {
        return view! { <p class="hint">{p::NOTHING_YET.text()}</p> }.into_any();
    }
    let row = |entry: &AuditEntry| {
        let at = entry.at;
        let full = format!("{} UTC", LocalTime::new(at, 0).full());
        view! {
            <li>
                {entry_text(entry, names)}
                <span class="hint">" · "<time datetime=at.to_string() title=full>{duration_text::format_ago(now.since(at))}</time></span>
            </li>
        }
    };
    let earlier = entries
        .last()
        .filter(|last| entries.len() == AUDIT_PAGE_SIZE && last.id > 1)
        .map(|last| {
            let link = format!("/rooms/{room}/audit/?before={}", last.id);
            view! { <p class="row"><a class="button" data-panel href=link>{p::EARLIER.text()}</a></p> }
        });
    view! {
        <ul class="audit-log">{entries.iter().map(row).collect_view()}</ul>
        {earlier}
    }
    .into_any()
}

/// An entry as a sentence.
fn entry_text(entry: &AuditEntry, names: &BTreeMap<String, String>) -> AnyView {
    let actor = || isolated(display_name(names, &entry.actor));
    let target = || isolated(display_name(names, &entry.target));
    let alone = match entry.action.as_str() {
        "left" => p::DID_LEAVE,
        "invited" if entry.target == Role::Reader.name() => p::DID_INVITE_READERS,
        "invited" => p::DID_INVITE_MEMBERS,
        "deleted message" => p::DID_DELETE,
        "deleted file" => p::DID_DELETE_FILE,
        "took back an invitation" => p::DID_REVOKE,
        "changed the room" => p::DID_CHANGE,
        "removed" => return sentence(p::DID_REMOVE, [actor(), target()]),
        "muted" => return sentence(p::DID_MUTE, [actor(), target()]),
        "banned" => return sentence(p::DID_BAN, [actor(), target()]),
        "pardoned" => return sentence(p::DID_PARDON, [actor(), target()]),
        made => match made.strip_prefix("made ").and_then(Role::from_name) {
            Some(role) => {
                let role = role_text(role).into_any();
                return sentence(p::DID_MAKE, [actor(), target(), role]);
            }
            None => p::DID_SOMETHING,
        },
    };
    sentence(alone, [actor()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    fn entry(id: u64, action: &str, target: &str) -> AuditEntry {
        AuditEntry {
            id,
            at: Time::from_millis(0),
            actor: "ada".into(),
            action: action.into(),
            target: target.into(),
        }
    }

    /// A full page of entries.
    fn entries() -> Vec<AuditEntry> {
        let mut entries = vec![
            entry(9, "made owner", "bob"),
            entry(8, "muted", "~00000000000001"),
            entry(7, "banned", "~00000000000002"),
            entry(6, "invited", "reader"),
            entry(5, "deleted message", "12"),
            entry(4, "left", "ada"),
        ];
        entries.resize(AUDIT_PAGE_SIZE, entry(3, "pardoned", "eve"));
        entries
    }

    #[test]
    fn entries_are_sentences_and_a_full_page_links_to_earlier_entries() {
        let html = audit_log_page(
            &form_page(None),
            &AuditLogPage {
                room: RoomId::from_bytes([7; 8]),
                entries: entries(),
                names: BTreeMap::from([("~00000000000001".into(), "<i>eve".into())]),
                now: Time::from_millis(300_000),
            },
        );
        let text: String = html
            .split('<')
            .filter_map(|tag| tag.split_once('>'))
            .map(|(_, text)| text)
            .collect();
        for sentence in [
            "ada made bob the owner",
            "ada muted &lt;i",
            "ada banned a guest",
            "ada made an invitation for readers",
            "ada deleted a message",
            "ada left · 5 min ago",
            "ada ended the mute or ban of eve",
        ] {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
        assert!(
            html.contains("audit/?before=3") && !html.contains("<i>"),
            "{html}"
        );
    }
}
