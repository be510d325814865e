//! The audit log of a room: what its moderators and its owner did there.
//!
//! **Guarantees:** each entry reads as a sentence, under the names that people write under.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{AuditEntry, Role, RoomId, Time};

use crate::pages::form::{FormPage, role_text};
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
        <p class="row"><a class="button" data-panel href=format!("/rooms/{}/members/", log_page.room)>"People"</a></p>
    };
    page.render("What was done here", content)
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
                <summary>"What was done here"</summary>
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
        return view! { <p class="hint">"Nothing yet."</p> }.into_any();
    }
    let row = |deed: &AuditEntry| {
        let at = deed.at;
        let full = format!("{} UTC", LocalTime::new(at, 0).full());
        view! {
            <li>
                {sentence(deed, names)}
                <span class="hint">" · "<time datetime=at.to_string() title=full>{duration_text::format_ago(now.since(at))}</time></span>
            </li>
        }
    };
    let earlier = entries
        .last()
        .filter(|last| entries.len() == AUDIT_PAGE_SIZE && last.id > 1)
        .map(|last| {
            let link = format!("/rooms/{room}/audit/?before={}", last.id);
            view! { <p class="row"><a class="button" data-panel href=link>"Earlier"</a></p> }
        });
    view! {
        <ul class="audit-log">{entries.iter().map(row).collect_view()}</ul>
        {earlier}
    }
    .into_any()
}

/// An entry as a sentence.
fn sentence(deed: &AuditEntry, names: &BTreeMap<String, String>) -> AnyView {
    let who = display_name(names, &deed.actor);
    let whom = || display_name(names, &deed.target);
    let (did, whom, what) = match deed.action.as_str() {
        "left" => ("left", None, ""),
        "invited" if deed.target == Role::Reader.name() => {
            ("made an invitation for readers", None, "")
        }
        "invited" => ("made an invitation for members", None, ""),
        "deleted message" => ("deleted a message", None, ""),
        "took back an invitation" => ("took back an invitation", None, ""),
        "changed the room" => ("changed the room", None, ""),
        "removed" => ("removed", Some(whom()), ""),
        "muted" => ("muted", Some(whom()), ""),
        "banned" => ("banned", Some(whom()), ""),
        "pardoned" => ("pardoned", Some(whom()), ""),
        made => match made.strip_prefix("made ").and_then(Role::from_name) {
            Some(role) => ("made", Some(whom()), role_text(role)),
            None => ("did something", None, ""),
        },
    };
    let whom = whom.map(|whom| view! { " "<bdi>{whom}</bdi> });
    let what = (!what.is_empty()).then(|| format!(" {what}"));
    view! { <bdi>{who}</bdi>" "{did}{whom}{what} }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::tests::form_page;

    #[test]
    fn entries_read_as_sentences() {
        let deed = |id: u64, deed: &str, whom: &str| AuditEntry {
            id,
            at: Time::from_millis(0),
            actor: "ada".into(),
            action: deed.into(),
            target: whom.into(),
        };
        let mut all = vec![
            deed(9, "made owner", "bob"),
            deed(8, "muted", "~00000000000001"),
            deed(7, "banned", "~00000000000002"),
            deed(6, "invited", "reader"),
            deed(5, "deleted message", "12"),
            deed(4, "left", "ada"),
        ];
        all.extend((0..AUDIT_PAGE_SIZE - all.len()).map(|_| deed(3, "pardoned", "eve")));
        let names = BTreeMap::from([("~00000000000001".into(), "<i>eve".into())]);
        let room = RoomId::from_bytes([7; 8]);
        let html = audit_log_page(
            &form_page(None),
            &AuditLogPage {
                room,
                entries: all,
                names,
                now: Time::from_millis(300_000),
            },
        );
        let text: String = html
            .split('<')
            .filter_map(|tag| tag.split_once('>'))
            .map(|(_, text)| text)
            .collect();
        for words in [
            "ada made bob the owner",
            "ada muted &lt;i",
            "ada banned a guest",
            "ada made an invitation for readers",
            "ada deleted a message",
            "ada left · 5 min ago",
            "ada pardoned eve",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(
            html.contains("audit/?before=3") && !html.contains("<i>"),
            "{html}"
        );
    }
}
