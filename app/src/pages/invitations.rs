//! The page of a room's invitations, and the page of one invitation.
//!
//! # Guarantees
//! A link can be copied without a script. The page of an invitation says what it allows before the
//! visitor joins.

use leptos::prelude::*;
use protocol::characters::clean_name;
use protocol::{Invitation, Role, RoomId, Time};
use texts::page as p;

use crate::browser::cookies::percent_encode;
use crate::pages::form::{Choice, Field, FormPage, SelectField, isolated, label_choices, sentence};
use crate::time::duration_text;

/// The roles that an invitation can give: value and label.
const ROLES: [Choice; 2] = [("member", p::READ_AND_WRITE), ("reader", p::ONLY_READ)];

/// The lifetimes of an invitation: value and label.
const LIFETIMES: [Choice; 4] = [
    ("1h", p::HOUR_1),
    ("24h", p::DAY_1),
    ("168h", p::DAYS_7),
    ("", p::LONG_AS_ROOM),
];

/// The data of the page of a room's invitations.
#[derive(Clone, Debug)]
pub struct InvitationsPage {
    /// The room.
    pub room: RoomId,
    /// The server's origin, like `https://chat.example`.
    pub origin: String,
    /// The valid invitations, the latest first.
    pub valid: Vec<Invitation>,
    /// The values that the visitor entered in a form that the server refused.
    pub entered: Option<InvitationFields>,
    /// The server's time.
    pub now: Time,
}

/// The fields of the form for a new invitation.
#[derive(Clone, Debug)]
pub struct InvitationFields {
    /// The role.
    pub role: String,
    /// The lifetime.
    pub timeout: String,
    /// How many people may use it.
    pub uses: String,
}

impl Default for InvitationFields {
    fn default() -> Self {
        Self {
            role: "member".to_owned(),
            timeout: "24h".to_owned(),
            uses: String::new(),
        }
    }
}

/// Renders the page of a room's invitations.
pub fn invitations_page(page: &FormPage, invitations: &InvitationsPage) -> String {
    let path = format!("/rooms/{}/invitations/", invitations.room);
    let rows = invitations
        .valid
        .iter()
        .map(|invitation| invitation_row(invitation, invitations, &path))
        .collect_view();
    let list = if invitations.valid.is_empty() {
        view! { <p class="hint">{p::NO_INVITATIONS.text()}</p> }.into_any()
    } else {
        view! { <ul class="invitations">{rows}</ul> }.into_any()
    };
    let content = view! {
        {invitation_form(page, invitations, &path)}
        <section aria-labelledby="good-title">
            <h2 id="good-title">{p::ACTIVE_INVITATIONS.text()}</h2>
            {list}
        </section>
    };
    page.render(p::INVITATIONS.text(), content)
}

fn invitation_form(page: &FormPage, invitations: &InvitationsPage, path: &str) -> AnyView {
    let entered = invitations.entered.clone().unwrap_or_default();
    let role = SelectField {
        name: "role",
        label: p::JOINERS_MAY.text(),
        options: &label_choices(&ROLES),
        chosen: &entered.role,
    };
    let lifetime = SelectField {
        name: "timeout",
        label: p::VALID_FOR.text(),
        options: &label_choices(&LIFETIMES),
        chosen: &entered.timeout,
    };
    let uses = Field {
        name: "uses",
        label: p::NUMBER_OF_USES.text(),
        autocomplete: "off",
        value: &entered.uses,
        hint: p::NO_LIMIT_HINT.text(),
        optional: true,
        ..Field::default()
    };
    view! {
        <form class="form" method="post" action=path.to_owned()>
            {role.view()}
            {lifetime.view()}
            {uses.view(page)}
            <p class="row"><button class="primary">{p::CREATE_INVITATION.text()}</button></p>
        </form>
    }
    .into_any()
}

fn invitation_row(invitation: &Invitation, invitations: &InvitationsPage, path: &str) -> AnyView {
    let Invitation {
        code,
        role,
        expires_at,
        uses_left,
    } = invitation;
    let link = format!("{}/invitations/{code}/", invitations.origin);
    let uses = match uses_left {
        None => p::NO_LIMIT.text().to_owned(),
        Some(uses) => p::N_MORE.count(*uses, []),
    };
    let lasts = match expires_at {
        None => p::AS_LONG_AS_ROOM.text().to_owned(),
        Some(end) => p::FOR_TIME.fill([&duration_text::format_long(end.since(invitations.now))]),
    };
    let short = code.get(..4).unwrap_or_default();
    view! {
        <li>
            <p class="row">
                <input class="mono" type="text" readonly value=link aria-label=p::LINK_SHORT.fill([short])/>
                <button type="button" class="copy" data-copy aria-label=p::COPY_LINK_SHORT.fill([short])>{p::COPY.text()}</button>
            </p>
            <p class="hint">{permission_text(*role)}" · "{uses}" · "{lasts}</p>
            <div class="row">
                <details>
                    <summary>{p::QR_CODE.text()}<span class="visually-hidden">" "{p::OF_LINK_SHORT.fill([short])}</span></summary>
                    <img class="qr-code" src=format!("/invitations/{code}/code.svg") alt=p::QR_CODE_OF.fill([short]) loading="lazy" width="320" height="320"/>
                </details>
                <form method="post" action=format!("{path}{code}/?method=DELETE")>
                    <button aria-label=p::REVOKE_LINK.fill([short])>{p::REVOKE.text()}</button>
                </form>
            </div>
        </li>
    }
    .into_any()
}

fn permission_text(role: Role) -> &'static str {
    if role == Role::Reader {
        p::ONLY_READS.text()
    } else {
        p::READS_AND_WRITES.text()
    }
}

/// Renders the page of an invitation to a room with this name, if it has one.
pub fn invitation_page(
    page: &FormPage,
    code: &str,
    name: Option<&str>,
    role: Role,
    is_guest: bool,
) -> String {
    let path = format!("/invitations/{}/", percent_encode(code));
    let permission = if role == Role::Reader {
        p::MAY_READ.text()
    } else {
        p::MAY_WRITE.text()
    };
    let sign_in = is_guest.then(|| {
        let link = format!("/login?next={}", percent_encode(&path));
        let sign_in = view! { <a href=link>{p::SIGN_IN.text()}</a> };
        view! { <p class="hint">{sentence(p::JOIN_AS_GUEST, [sign_in.into_any()])}</p> }
    });
    let drawn_name = name.map(clean_name).filter(|name| !name.is_empty());
    let room_name = match drawn_name {
        Some(name) => {
            let name = view! { <b>{isolated(name)}</b> };
            sentence(p::ROOM_IS_CALLED, [name.into_any()])
        }
        None => p::ROOM_NO_NAME.text().into_any(),
    };
    let content = view! {
        <p>{room_name}" "{permission}</p>
        <form class="form" method="post" action=path>
            <p class="row"><button class="primary">{p::JOIN.text()}</button></p>
        </form>
        {sign_in}
    };
    page.render(p::YOU_ARE_INVITED.text(), content)
}

/// Renders the page of an invitation that is unknown, expired, used up or revoked.
pub fn unusable_invitation_page(page: &FormPage) -> String {
    let content = view! {
        <p>{p::INVITATION_OVER.text()}</p>
        <p>{p::ASK_FOR_NEW.text()}</p>
        <p class="row"><a class="button" href="/">{p::GO_TO_ROOMS.text()}</a></p>
    };
    page.render(p::INVITATION_INVALID.text(), content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::FieldError;
    use crate::pages::form::tests::form_page;

    #[test]
    fn invitation_shows_its_lifetime_and_its_uses() {
        let code = "0123456789abcdef0123456789abcdef".to_owned();
        let expires_at = Some(Time::from_millis(7_200_000));
        let mut invitations = InvitationsPage {
            room: RoomId::from_bytes([7; 8]),
            origin: "https://chat.example".into(),
            valid: vec![Invitation {
                code,
                role: Role::Reader,
                expires_at,
                uses_left: Some(3),
            }],
            entered: None,
            now: Time::from_millis(0),
        };
        let html = invitations_page(&form_page(None), &invitations);
        for part in [
            "value=\"https://chat.example/invitations/0123456789abcdef0123456789abcdef/\"",
            "for 3 more",
            "for 2 h",
            "cdef/?method=DELETE",
            "cdef/code.svg",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        invitations.entered = Some(InvitationFields {
            role: "reader".into(),
            timeout: "1h".into(),
            uses: "0\"<b>".into(),
        });
        let error = FieldError {
            field: "uses",
            text: "Uses must be more.".into(),
            is_invalid: true,
        };
        let html = invitations_page(&form_page(Some(error)), &invitations);
        assert!(
            html.contains("uses-error") && !html.contains("<b>"),
            "{html}"
        );
    }

    #[test]
    fn invitation_page_names_the_room_and_the_role() {
        let html = invitation_page(&form_page(None), "abc", Some("<i>Den"), Role::Reader, true);
        assert!(
            html.contains("You may read there") && html.contains("next=%2Finvitations%2Fabc%2F"),
            "{html}"
        );
        assert!(!html.contains("<i>"), "{html}");
        assert!(unusable_invitation_page(&form_page(None)).contains("for a new one"));
    }
}
