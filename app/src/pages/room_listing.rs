//! The page on which a visitor keeps, hides or leaves a room.

use leptos::prelude::*;
use protocol::{Role, Room};
use texts::page as p;

use crate::pages::form::FormPage;
use crate::pages::members::leave_section;

/// The data of the page.
#[derive(Clone, Debug)]
pub struct RoomListingPage {
    /// The room.
    pub room: Room,
    /// Where the visitor finds it.
    pub place: RoomPlace,
}

/// Where a visitor finds a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomPlace {
    /// Among their own rooms, as a member.
    Member {
        /// The visitor, as in [`protocol::RoomMember::id`].
        me: String,
    },
    /// Among their own rooms.
    Listed,
    /// Not among their own rooms.
    Elsewhere,
}

/// Renders the page.
pub fn room_listing_page(page: &FormPage, listing: &RoomListingPage) -> String {
    let RoomListingPage { room, place } = listing;
    let action = format!("/rooms/{}/listing/?method=PUT", room.id);
    let content = match place {
        _ if room.with.is_some() => {
            view! { <p>{p::DIRECT_ALWAYS_LISTED.text()}</p> }.into_any()
        }
        RoomPlace::Member { me } => {
            let role = room.role.unwrap_or(Role::Member);
            view! {
                <p>{p::MEMBER_LISTED.text()}</p>
                {leave_section(room, role, me)}
            }
            .into_any()
        }
        RoomPlace::Listed => view! {
            <section>
                <p role="status">{p::ROOM_IS_LISTED.text()}</p>
                <form class="row" method="post" action=action><button name="listed" value="false" autofocus>{p::HIDE_ROOM.text()}</button></form>
                <p class="hint">{p::HIDE_HINT.text()}</p>
            </section>
        }
        .into_any(),
        RoomPlace::Elsewhere => view! {
            <section>
                <p role="status">{p::ROOM_NOT_LISTED.text()}</p>
                <form class="row" method="post" action=action><button class="primary" name="listed" value="true" autofocus>{p::KEEP_ROOM.text()}</button></form>
                <p class="hint">{p::KEEP_HINT.text()}</p>
            </section>
        }
        .into_any(),
    };
    page.render(p::KEEP_OR_LEAVE.text(), content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use crate::pages::form::tests::form_page;

    #[test]
    fn page_offers_what_the_server_does_in_this_place() {
        let me = "ada".to_owned();
        for (place, offered) in [
            (RoomPlace::Member { me }, "members/ada/?method=DELETE"),
            (RoomPlace::Listed, "Hide from my rooms"),
            (RoomPlace::Elsewhere, "Keep in my rooms"),
        ] {
            let room = fixtures::room();
            let listing = RoomListingPage { room, place };
            let html = room_listing_page(&form_page(None), &listing);
            assert!(html.contains(offered), "{html}");
            assert_eq!(html.matches("<form").count(), 1, "{html}");
        }
    }
}
