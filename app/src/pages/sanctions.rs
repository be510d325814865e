//! The sanctions of a room: who is muted or banned, and until when.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{RoomId, Sanction, SanctionKind, Time};

use crate::browser::cookies::percent_encode;
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
        view! { <p class="hint">"No one is muted or banned."</p> }.into_any()
    } else {
        view! { <ul class="member-list">{rows}</ul> }.into_any()
    };
    view! {
        <section aria-labelledby="kept-title">
            <h2 id="kept-title">"Muted and banned"</h2>
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
    let lift = match kind {
        SanctionKind::Mute => "Unmute",
        SanctionKind::Ban => "Unban",
    };
    let kind = match kind {
        SanctionKind::Mute => "muted",
        SanctionKind::Ban => "banned",
    };
    let lasts = match until {
        Some(until) => format!(
            "{kind} for another {}",
            duration_text::format_long(until.since(now))
        ),
        None => format!("{kind} for good"),
    };
    let action = format!(
        "/rooms/{room}/sanctions/{}/?method=DELETE",
        percent_encode(id)
    );
    view! {
        <li class="sanction">
            <p><bdi class="entry-name">{name.clone()}</bdi><span class="hint">{lasts}</span></p>
            <form method="post" action=action>
                <button>{lift}<span class="visually-hidden">" "<bdi>{name}</bdi></span></button>
            </form>
        </li>
    }
    .into_any()
}
