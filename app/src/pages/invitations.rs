//! Invitations: for those who make them, and for those who get one.
//!
//! Promises: a link can be copied without a script; whoever has one sees what it is good for before they join.

use leptos::prelude::*;
use protocol::{Invitation, Role, RoomId, Time};

use crate::browser::cookies::percent_encode;
use crate::pages::form::{Choice, Field, FormPage};
use crate::time::duration_text;

/// Who those who join are: as it is sent, and as people read it.
const ROLES: [(&str, &str); 2] = [("member", "Read and write"), ("reader", "Only read")];

/// How long an invitation lasts: as it is sent, and as people read it.
const SPANS: [(&str, &str); 4] = [
    ("1h", "1 hour"),
    ("24h", "1 day"),
    ("168h", "7 days"),
    ("", "As long as the room"),
];

/// What the page of a room's invitations shows.
#[derive(Clone, Debug)]
pub struct InvitationsPage {
    /// The room.
    pub room: RoomId,
    /// Where this server is, as its visitors write it, like `https://chat.example`.
    pub origin: String,
    /// Those that are good, the latest first.
    pub good: Vec<Invitation>,
    /// The wish that was refused, as it was typed: role, lifetime and uses.
    pub typed: Option<[String; 3]>,
    /// The server's clock.
    pub now: Time,
}

/// The page of a room's invitations.
pub fn invitations_page(sheet: &FormPage, page: &InvitationsPage) -> String {
    let path = format!("/rooms/{}/invitations/", page.room);
    let rows = page
        .good
        .iter()
        .map(|invitation| row(invitation, page, &path))
        .collect_view();
    let list = if page.good.is_empty() {
        view! { <p class="hint">"There is none yet. Make one and send its link to whom you want here."</p> }.into_any()
    } else {
        view! { <ul class="invitations">{rows}</ul> }.into_any()
    };
    let content = view! {
        {form(sheet, page, &path)}
        <section aria-labelledby="good-title">
            <h2 id="good-title">"Good now"</h2>
            {list}
        </section>
    };
    sheet.page("Invitations", content)
}

fn form(sheet: &FormPage, page: &InvitationsPage, path: &str) -> AnyView {
    let [role, lasts, uses] = page
        .typed
        .clone()
        .unwrap_or_else(|| ["member", "24h", ""].map(str::to_owned));
    let role = Choice {
        name: "role",
        label: "Whoever joins may",
        options: &ROLES,
        chosen: &role,
    };
    let lasts = Choice {
        name: "timeout",
        label: "It is good for",
        options: &SPANS,
        chosen: &lasts,
    };
    let uses = Field {
        name: "uses",
        label: "How many may use it",
        autocomplete: "off",
        value: &uses,
        hint: "Empty: as many as like.",
        optional: true,
        ..Field::default()
    };
    view! {
        <form class="form" method="post" action=path.to_owned()>
            {role.view()}
            {lasts.view()}
            {uses.view(sheet)}
            <p class="row"><button class="primary">"Make an invitation"</button></p>
        </form>
    }
    .into_any()
}

fn row(invitation: &Invitation, page: &InvitationsPage, path: &str) -> AnyView {
    let Invitation {
        code,
        role,
        expires_at,
        uses_left,
    } = invitation;
    let link = format!("{}/invitations/{code}/", page.origin);
    let uses = match uses_left {
        None => "as many as like".to_owned(),
        Some(1) => "for one more".to_owned(),
        Some(uses) => format!("for {uses} more"),
    };
    let lasts = match expires_at {
        None => "as long as the room".to_owned(),
        Some(end) => format!("for {}", duration_text::long(end.since(page.now))),
    };
    let short = code.get(..4).unwrap_or_default().to_owned();
    view! {
        <li>
            <p class="row">
                <input class="mono" type="text" readonly value=link aria-label=format!("Link {short}")/>
                <button type="button" class="copy" data-copy>"Copy"<span class="visually-hidden">" link "{short.clone()}</span></button>
            </p>
            <p class="hint">{may(*role)}" · "{uses}" · "{lasts}</p>
            <div class="row">
                <details>
                    <summary>"QR code"<span class="visually-hidden">" of link "{short.clone()}</span></summary>
                    <img class="qr-code" src=format!("/invitations/{code}/code.svg") alt=format!("QR code of link {short}") loading="lazy" width="320" height="320"/>
                </details>
                <form method="post" action=format!("{path}{code}/?method=DELETE")>
                    <button>"Take back"<span class="visually-hidden">" link "{short.clone()}</span></button>
                </form>
            </div>
        </li>
    }
    .into_any()
}

fn may(role: Role) -> &'static str {
    if role == Role::Reader {
        "Only reads"
    } else {
        "Reads and writes"
    }
}

/// The page of an invitation, for whoever has its link.
pub fn invitation_page(
    sheet: &FormPage,
    code: &str,
    name: Option<&str>,
    role: Role,
    guest: bool,
) -> String {
    let path = format!("/invitations/{}/", percent_encode(code));
    let may = if role == Role::Reader {
        "You may read there."
    } else {
        "You may read and write there."
    };
    let sign_in = guest.then(|| {
        let link = format!("/login?next={}", percent_encode(&path));
        view! { <p class="hint">"You join as a guest, known by this browser. Have an account? "<a href=link>"Sign in"</a>" first, and the room is yours everywhere."</p> }
    });
    let called = match name {
        Some(name) => {
            view! { "The room is called "<b><bdi>{name.to_owned()}</bdi></b>". " }.into_any()
        }
        None => view! { "The room has no name. " }.into_any(),
    };
    let content = view! {
        <p>{called}{may}</p>
        <form class="form" method="post" action=path>
            <p class="row"><button class="primary">"Join"</button></p>
        </form>
        {sign_in}
    };
    sheet.page("You are invited", content)
}

/// The page of an invitation that is none, or no longer.
pub fn unusable_invitation_page(sheet: &FormPage) -> String {
    let content = view! {
        <p>"It was used up, its time ran out, it was taken back, or its room is gone. Or the link is not complete."</p>
        <p>"Ask whoever sent it for a new one."</p>
        <p class="row"><a class="button" href="/">"Go to the rooms"</a></p>
    };
    sheet.page("This invitation is not good", content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::sheet;

    #[test]
    fn an_invitation_says_how_long_and_for_how_many_it_is_good() {
        let code = "0123456789abcdef0123456789abcdef".to_owned();
        let expires_at = Some(Time::from_millis(7_200_000));
        let mut page = InvitationsPage {
            room: RoomId::from_bytes([7; 8]),
            origin: "https://chat.example".into(),
            good: vec![Invitation {
                code,
                role: Role::Reader,
                expires_at,
                uses_left: Some(3),
            }],
            typed: None,
            now: Time::from_millis(0),
        };
        let html = invitations_page(&sheet(None), &page);
        for part in [
            "value=\"https://chat.example/invitations/0123456789abcdef0123456789abcdef/\"",
            "for 3 more",
            "for 2 h",
            "cdef/?method=DELETE",
            "cdef/code.svg",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        page.typed = Some(["reader", "1h", "0\"<b>"].map(str::to_owned));
        let wrong = FieldError {
            at: "uses",
            words: "Uses must be more.".into(),
            invalid: true,
        };
        let html = invitations_page(&sheet(Some(wrong)), &page);
        assert!(
            html.contains("uses-error") && !html.contains("<b>"),
            "{html}"
        );
    }

    #[test]
    fn whoever_is_invited_reads_to_what() {
        let html = invitation_page(&sheet(None), "abc", Some("<i>Den"), Role::Reader, true);
        assert!(
            html.contains("You may read there") && html.contains("next=%2Finvitations%2Fabc%2F"),
            "{html}"
        );
        assert!(!html.contains("<i>"), "{html}");
        assert!(unusable_invitation_page(&sheet(None)).contains("for a new one"));
    }
}
