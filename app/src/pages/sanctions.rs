//! The sanctions of a room: who is muted or banned, and until when.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{RoomId, Sanction, SanctionKind, Time};
use texts::page as p;

use crate::browser::cookies::percent_encode;
use crate::pages::form::sentence;
use crate::pages::member_names::display_name;
use crate::time::duration_text;

/// The section of the members page that lists the sanctions.
pub(crate) fn sanctions_section(
    room: RoomId,
    sanctions: &[Sanction],
    names: &BTreeMap<String, String>,
    now: Time,
) -> AnyView {
    let rows = sanctions
        .iter()
        .map(|sanctioned| sanction_row(room, sanctioned, names, now))
        .collect_view();
    let list = if sanctions.is_empty() {
        view! { <p class="hint">{p::NO_SANCTIONS.text()}</p> }.into_any()
    } else {
        view! { <ul class="member-list">{rows}</ul> }.into_any()
    };
    view! {
        <section aria-labelledby="kept-title">
            <h2 id="kept-title">{p::MUTED_AND_BANNED.text()}</h2>
            {list}
        </section>
    }
    .into_any()
}

fn sanction_row(
    room: RoomId,
    sanctioned: &Sanction,
    names: &BTreeMap<String, String>,
    now: Time,
) -> AnyView {
    let Sanction { id, kind, until } = sanctioned;
    let name = display_name(names, id);
    let (lift, for_time, for_good) = match kind {
        SanctionKind::Mute => (p::UNMUTE_NAME, p::MUTED_FOR, p::MUTED_FOR_GOOD),
        SanctionKind::Ban => (p::UNBAN_NAME, p::BANNED_FOR, p::BANNED_FOR_GOOD),
    };
    let lasts = match until {
        Some(until) => for_time.fill([&duration_text::format_long(until.since(now))]),
        None => for_good.text().to_owned(),
    };
    let hidden_name = view! { <span class="visually-hidden"><bdi>{name.clone()}</bdi></span> };
    let action = format!(
        "/rooms/{room}/sanctions/{}/?method=DELETE",
        percent_encode(id)
    );
    view! {
        <li class="sanction">
            <p><bdi class="entry-name">{name}</bdi><span class="hint">{lasts}</span></p>
            <form method="post" action=action>
                <button>{sentence(lift, [hidden_name.into_any()])}</button>
            </form>
        </li>
    }
    .into_any()
}
