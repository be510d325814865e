//! `/rooms/{id}/settings/`: the page on which an owner changes a room. `PATCH /rooms/{id}/`: the
//! change itself.

use app::RoomSettingsPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chat::Person;
use protocol::schema::{NewDescription, NewRoomName};
use protocol::{Room, RoomChange, RoomId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::caller::Caller;
use crate::extract::payload::{Number, Payload, parse_flag, parse_number};
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, QueryRefused, RoomRefused};
use crate::respond::form_page;
use crate::respond::negotiated::{self, Format};
use crate::state::AppState;

/// The access to a room as the one choice of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Access {
    /// Everyone with the link.
    Link,
    /// Everyone; `GET /rooms/` lists the room.
    Public,
    /// Members only.
    Private,
}

/// The access to a room as its two fields; a field that is not given does not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visibility {
    /// Whether `GET /rooms/` lists the room.
    pub public: Option<bool>,
    /// Whether only members can see the room.
    pub private: Option<bool>,
}

impl Visibility {
    /// The fields of a request: the one choice takes precedence over the two fields.
    pub fn of(access: Option<Access>, public: Option<bool>, private: Option<bool>) -> Self {
        match access {
            Some(access) => Self {
                public: Some(access == Access::Public),
                private: Some(access == Access::Private),
            },
            None => Self { public, private },
        }
    }
}

/// Shows the page of a room's settings: a form for its owner, the settings for other callers.
#[utoipa::path(get, path = "/rooms/{id}/settings/", tag = "pages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("saved" = Option<String>, Query,
            description = "Present if the settings were just changed; the page shows that"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        QueryRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_settings(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let settings = RoomSettingsPage {
        room: state.chat.find_room(&by, &room).await?,
        timeout: String::new(),
        longest: state.chat.room_timeout(),
        saved: query.text("saved").is_some(),
    };
    let sheet = form_page::room_sheet(&state, &by, &headers, room).await?;
    Ok(form_page::show(app::room_settings_page(&sheet, &settings)))
}

/// A change of a room. A field that is not given does not change.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChangeRoom {
    /// Whether `GET /rooms/` lists the room.
    public: Option<bool>,
    /// Whether only members can see the room.
    private: Option<bool>,
    /// `public` and `private` as one choice, which takes precedence over them.
    access: Option<Access>,
    /// The room's name; empty for none.
    #[schema(value_type = Option<NewRoomName>)]
    name: Option<String>,
    /// The room's topic; empty for none.
    #[schema(value_type = Option<NewDescription>)]
    description: Option<String>,
    /// How long the room stays open without a new message, like `30m`.
    #[schema(example = "30m")]
    timeout: Option<String>,
    /// Whether only moderators can write.
    read_only: Option<bool>,
    /// How many seconds other members wait between two messages; 0 for none.
    #[schema(value_type = Option<u64>, maximum = 3600)]
    slow_mode: Option<Number<0, 3_600>>,
}

impl From<ChangeRoom> for RoomChange {
    fn from(wish: ChangeRoom) -> Self {
        let visibility = Visibility::of(wish.access, wish.public, wish.private);
        Self {
            name: wish.name,
            description: wish.description,
            public: visibility.public,
            private: visibility.private,
            timeout: wish.timeout,
            read_only: wish.read_only,
            slow_mode: wish.slow_mode.map(|Number(seconds)| seconds),
        }
    }
}

/// Changes the settings of a room; only its owner can.
///
/// A page's form posts to the same address with `?method=PATCH`. Wherever a route changes or
/// deletes something, a form can ask for it by `?method=PATCH` or `?method=DELETE`; its field
/// `next` names the page that follows.
#[utoipa::path(patch, path = "/rooms/{id}/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(
        content(
            (ref("#/components/schemas/ChangeRoom") = "application/json"),
            (ref("#/components/schemas/ChangeRoom") = "application/x-www-form-urlencoded"),
        ),
        description = "A field that is not given does not change"),
    responses(
        (status = 200, description = "The changed room", body = Room),
        (status = 303, description = "Back to the settings, for clients that prefer pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn change_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    headers: HeaderMap,
    payload: Payload<ChangeRoom>,
) -> Result<Response, Error> {
    let changed = apply_change(&state, &by, room, format, &payload).await;
    let page = format!("/rooms/{room}/settings/");
    format
        .answer(
            changed,
            |_| negotiated::redirect(payload.next(), &page),
            negotiated::json,
            async |error| rerender_settings(&state, &by, &headers, room, &payload, error).await,
        )
        .await
}

async fn apply_change(
    state: &AppState,
    by: &Person,
    room: RoomId,
    format: Format,
    payload: &Payload<ChangeRoom>,
) -> Result<Room, Error> {
    let wish = match format {
        Format::Html => payload.read_form(&["timeout"])?,
        Format::Json => payload.read()?,
    };
    Ok(state
        .chat
        .change_room_settings(by, &room, &wish.into())
        .await?)
}

/// The page with the values that the client sent, and the error beside its field.
async fn rerender_settings(
    state: &AppState,
    by: &Person,
    headers: &HeaderMap,
    id: RoomId,
    payload: &Payload<ChangeRoom>,
    error: Error,
) -> Result<Response, Error> {
    // A caller who may not see the room learns nothing else about it.
    let Ok(room) = state.chat.find_room(by, &id).await else {
        return Err(error);
    };
    let settings = RoomSettingsPage {
        room: with_sent_values(room, payload),
        timeout: payload.raw_text("timeout").to_owned(),
        longest: state.chat.room_timeout(),
        saved: false,
    };
    let place = |field: Option<&str>| match field {
        Some("name") => "name",
        Some("description") => "description",
        _ => "",
    };
    let sheet = form_page::room_sheet(state, by, headers, id).await?;
    form_page::rerender_with_error(error, place, |wrong| {
        app::room_settings_page(&sheet.with_errors(wrong), &settings)
    })
}

/// The room with the values that the client sent, valid or not.
fn with_sent_values(room: Room, payload: &Payload<ChangeRoom>) -> Room {
    let sent = |field| payload.raw(field);
    let access = match payload.raw_text("access") {
        "link" => Some(Access::Link),
        "public" => Some(Access::Public),
        "private" => Some(Access::Private),
        _ => None,
    };
    let flag = |field| sent(field).and_then(parse_flag);
    let visibility = Visibility::of(access, flag("public"), flag("private"));
    let slow_mode = sent("slow_mode").and_then(parse_number);
    Room {
        name: sent("name").map(str::to_owned).or(room.name),
        description: sent("description").map(str::to_owned).or(room.description),
        public: visibility.public.unwrap_or(room.public),
        private: visibility.private.unwrap_or(room.private),
        read_only: flag("read_only").unwrap_or(room.read_only),
        slow_mode: slow_mode.unwrap_or(room.slow_mode),
        ..room
    }
}
