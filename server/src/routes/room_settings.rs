//! `/rooms/{id}/settings/`: the page on which an owner changes what a room is like.

use app::RoomSettingsPage;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::{Problem, Refusal, Room, RoomChange};

use crate::error::Error;
use crate::extract::accept;
use crate::extract::caller::Caller;
use crate::extract::payload::{Fields, Query};
use crate::extract::room_path::RoomPath;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::form_page;
use crate::state::AppState;

/// The page of a room's settings: a form for its owner, what it is like for everybody else.
#[utoipa::path(get, path = "/rooms/{id}/settings/", tag = "pages",
    params(
        ("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$"),
        ("saved" = Option<String>, Query, description = "Says that they have just been changed"),
    ),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn show_settings(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    let settings = RoomSettingsPage {
        room: state.chat.find_room(&by, &room).await?,
        timeout: String::new(),
        longest: state.chat.room_timeout(),
        saved: query.text("saved")?.is_some(),
    };
    Ok(form_page::fresh(app::room_settings_page(
        &form_page::of_room(&headers, room),
        &settings,
    )))
}

/// The page again, with what was typed and what is wrong with it.
pub(crate) async fn again(
    state: &AppState,
    Caller(by): &Caller,
    headers: &HeaderMap,
    RoomPath(id): RoomPath,
    fields: &Fields,
    error: Error,
) -> Result<Response, Error> {
    // Whoever may not know of the room is told nothing else about it.
    let Ok(room) = state.chat.find_room(by, &id).await else {
        return Err(error);
    };
    let typed = |field| {
        fields
            .text(field)
            .map(|text| text.unwrap_or_default().to_owned())
    };
    let settings = RoomSettingsPage {
        room: with(room, fields)?,
        timeout: typed("timeout")?,
        longest: state.chat.room_timeout(),
        saved: false,
    };
    let at = |field: Option<&str>| match field {
        Some("name") => "name",
        Some("description") => "description",
        _ => "",
    };
    let sheet = form_page::of_room(headers, id);
    form_page::again(headers, error, at, |wrong| {
        app::room_settings_page(&sheet.with_error(wrong), &settings)
    })
}

/// The room as it would be with these fields, right or wrong.
fn with(room: Room, fields: &Fields) -> Result<Room, Refusal> {
    let text = |field, so_far: Option<String>| {
        Ok::<_, Refusal>(fields.text(field)?.map(str::to_owned).or(so_far))
    };
    let (public, private) = access(fields).unwrap_or_default();
    Ok(Room {
        name: text("name", room.name)?,
        description: text("description", room.description)?,
        public: public.unwrap_or(room.public),
        private: private.unwrap_or(room.private),
        read_only: fields
            .flag("read_only")
            .ok()
            .flatten()
            .unwrap_or(room.read_only),
        slow_mode: fields
            .number("slow_mode", 0, u64::MAX)
            .ok()
            .flatten()
            .unwrap_or(room.slow_mode),
        ..room
    })
}

/// What is to be different about a room; what is left out stays.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `change` reads field by field")]
pub(crate) struct Change {
    /// What people call it; empty for no name.
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]{0,80}$")]
    name: Option<String>,
    /// What it is about; empty for nothing.
    #[schema(pattern = r"^[^\x00-\x1f\x7f-\x9f]{0,500}$")]
    description: Option<String>,
    /// Whether `GET /rooms/` lists it.
    public: Option<bool>,
    /// Whether only its members may know of it.
    private: Option<bool>,
    /// How long it may stay without a new message, like `30m`.
    #[schema(example = "30m")]
    timeout: Option<String>,
    /// Whether only its moderators may write.
    read_only: Option<bool>,
    /// How many seconds each of the others waits between two messages; 0 for none.
    #[schema(maximum = 3600)]
    slow_mode: Option<u64>,
}

/// The same as a form.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `change` reads field by field")]
pub(crate) struct ChangeForm {
    /// What people call it; empty for no name.
    #[schema(required = false, pattern = r"^[^\x00-\x1f\x7f-\x9f]{0,80}$")]
    name: String,
    /// What it is about; empty for nothing.
    #[schema(required = false, pattern = r"^[^\x00-\x1f\x7f-\x9f]{0,500}$")]
    description: String,
    /// Who may come: `public` and `private` as one choice, which comes before them.
    #[schema(required = false, pattern = "^(link|public|private)$")]
    access: String,
    /// How long it may stay without a new message, like `30m`.
    #[schema(required = false, example = "30m")]
    timeout: String,
    /// Whether only its moderators may write.
    #[schema(required = false, pattern = "^(true|on|1|false|off|0|)$")]
    read_only: String,
    /// How many seconds each of the others waits between two messages; 0 for none.
    #[schema(required = false, maximum = 3600)]
    slow_mode: u64,
}

/// Changes what a room is like; only its owner can.
///
/// A page's form posts to the same address with `?method=PATCH`, as everywhere where there is something to change, or
/// with `?method=DELETE`; then its field `next` says where to go on.
#[utoipa::path(patch, path = "/rooms/{id}/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    request_body(
        content(
            (ref("#/components/schemas/Change") = "application/json"),
            (ref("#/components/schemas/ChangeForm") = "application/x-www-form-urlencoded"),
        ),
        description = "What is left out stays"),
    responses(
        (status = 200, description = "The room as it is now", body = Room),
        (status = 303, description = "Back to its settings, for clients that ask for pages"),
        BodyRefused,
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn change_room(
    State(state): State<AppState>,
    caller: Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = accept::prefers_html(&headers);
    let changed = match wanted(&fields, form) {
        Ok(change) => state
            .chat
            .change_room_settings(&caller.0, &room, &change)
            .await
            .map_err(Error::from),
        Err(refusal) => Err(refusal.into()),
    };
    match changed {
        Ok(_) if form => Ok(form_page::on(
            Some(&fields),
            &format!("/rooms/{room}/settings/"),
        )),
        Ok(room) => Ok(accept::json(room)),
        Err(error) => again(&state, &caller, &headers, RoomPath(room), &fields, error).await,
    }
}

fn wanted(fields: &Fields, form: bool) -> Result<RoomChange, Refusal> {
    let text = |field| Ok::<_, Refusal>(fields.text(field)?.map(str::to_owned));
    let (public, private) = access(fields)?;
    Ok(RoomChange {
        name: text("name")?,
        description: text("description")?,
        public,
        private,
        // On a page, no choice is to leave it as it is.
        timeout: text("timeout")?.filter(|text| !(form && text.is_empty())),
        read_only: fields.flag("read_only")?,
        slow_mode: fields.number("slow_mode", 0, 3_600)?,
    })
}

/// Who may come: whether it is `public` and whether it is `private`, as two fields or as the one choice of a form.
pub(crate) fn access(fields: &Fields) -> Result<(Option<bool>, Option<bool>), Refusal> {
    let flags = (fields.flag("public")?, fields.flag("private")?);
    match fields.text("access")? {
        None => Ok(flags),
        Some("link") => Ok((Some(false), Some(false))),
        Some("public") => Ok((Some(true), Some(false))),
        Some("private") => Ok((Some(false), Some(true))),
        Some(_) => Err(Refusal::invalid(
            "access",
            "must be link, public or private",
        )),
    }
}
