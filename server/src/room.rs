//! `/rooms/` and `/rooms/{id}/`: creating, listing and showing rooms.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Json, RequestPartsExt};
use chat::{Person, RoomsPage};
use protocol::schema::RoomName;
use protocol::{NewRoom, Problem, Refusal, Room, RoomChange, RoomId, Time, text};

use crate::caller::Caller;
use crate::error::Error;
use crate::fields::{Fields, Query};
use crate::limit::What;
use crate::message::name_cookie;
use crate::negotiate::{self, EVENTS, HTML, JSON};
use crate::refused::{BodyRefused, RoomRefused};
use crate::{AppState, form, page, settings, stream};

/// The most rooms or messages in one page.
pub(crate) const LIMIT_MAX: u64 = 1_000;

/// The room that an address names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InRoom(pub RoomId);

impl<S: Send + Sync> FromRequestParts<S> for InRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let id = parts
            .extract::<Path<String>>()
            .await
            .ok()
            .and_then(|Path(id)| id.parse().ok());
        Ok(Self(id.ok_or(Refusal::NotFound("room"))?))
    }
}

/// Lists the open public rooms, most recently active first.
///
/// As JSON one page; `Link: …; rel="next"` leads to the next one. As an event stream the first page at once, and again
/// whenever it changes.
#[utoipa::path(get, path = "/rooms/", tag = "rooms",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000, description = "At most so many; 100 if not given"),
        ("cursor" = Option<String>, Query, pattern = r"^[0-9]{1,15}\.[0-9a-f]{16}$",
            description = "Where the page begins, as the `Link` of the one before says"),
    ),
    responses(
        (status = 200, description = "The rooms", content((Vec<Room> = "application/json"), (String = "text/event-stream")),
            headers(("Link" = String, description = "The next page, if there is one"))),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid parameter", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn list(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    if negotiate::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        return Ok(stream::rooms(state.chat.watch()));
    }
    let limit = query.number("limit", 1, LIMIT_MAX)?.unwrap_or(100);
    let after = query.text("cursor")?.map(parse_cursor).transpose()?;
    let page = RoomsPage {
        after,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let rooms = state.chat.rooms(page).await?;
    let next = rooms
        .last()
        .filter(|_| rooms.len() == page.limit)
        .map(|last| next_page(last, limit));
    let mut response = negotiate::json(rooms);
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

fn next_page(last: &Room, limit: u64) -> HeaderValue {
    let link = format!(
        "</rooms/?cursor={}.{}&limit={limit}>; rel=\"next\"",
        last.last_active_at.millis(),
        last.id
    );
    // Digits and ASCII punctuation only.
    HeaderValue::from_str(&link).unwrap_or(HeaderValue::from_static(""))
}

fn parse_cursor(text: &str) -> Result<(Time, RoomId), Refusal> {
    let parsed = text
        .split_once('.')
        .and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?)));
    let (time, id) = parsed
        .ok_or_else(|| Refusal::invalid("cursor", "must be copied from the Link of a page"))?;
    Ok((Time::from_millis(time), id))
}

/// The wish for a new room as a form.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `create` reads field by field")]
pub(crate) struct NewRoomForm {
    /// What people call it.
    #[schema(required = false)]
    name: RoomName,
    /// Whether `GET /rooms/` lists it; not unless asked for.
    #[schema(required = false, pattern = "^(true|on|1|false|off|0|)$")]
    public: String,
    /// How long it may stay without a new message, like `30m`.
    #[schema(required = false, example = "30m")]
    timeout: String,
    /// Whether only its members may know of it; not unless asked for.
    #[schema(required = false, pattern = "^(true|on|1|false|off|0|)$")]
    private: String,
    /// The last two as one choice, which comes before them.
    #[schema(required = false, pattern = "^(link|public|private)$")]
    access: String,
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

/// Creates a room.
///
/// It belongs to whoever creates it with an account or a guest's key; a private one needs that.
/// The fields come as JSON, as a form, or not at all. Clients that ask for pages are sent on to the new room.
#[utoipa::path(post, path = "/rooms/", tag = "rooms",
    // By reference, because a body that is named by its type counts as required.
    request_body(
        content(
            (ref("#/components/schemas/NewRoom") = "application/json"),
            (ref("#/components/schemas/NewRoomForm") = "application/x-www-form-urlencoded"),
        ),
        description = "All fields may be left out, and so may the body"),
    responses(
        (status = 201, description = "The new room", body = Room, headers(("Location" = String, description = "Its address"))),
        (status = 303, description = "To the new room, for clients that ask for pages"),
        (status = 401, description = "The token is not good, or nobody in particular wants a private room", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        BodyRefused,
    ))]
pub(crate) async fn create(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = negotiate::prefers_html(&headers);
    // An empty field of a page's form is one that was left out.
    let given = |field| {
        fields
            .text(field)
            .map(|text| text.filter(|text| !(form && text.trim().is_empty())))
    };
    let (public, private) = access(&fields)?;
    let (name, timeout) = (
        given("name")?.map(str::to_owned),
        given("timeout")?.map(str::to_owned),
    );
    let wish = NewRoom {
        name,
        public,
        timeout,
        private,
    };
    state.limits.check(What::Rooms, &by, None)?;
    let room = state.chat.create_room(&by, &wish).await?;
    let location = format!("/rooms/{}/", room.id);
    if form {
        // The page's form says under which name its visitor is going to write.
        let name = fields
            .text("username")?
            .and_then(|name| text::username(name).ok());
        let cookie = name.map(|name| [(header::SET_COOKIE, name_cookie(&name))]);
        return Ok((cookie, Redirect::to(&location)).into_response());
    }
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(room),
    )
        .into_response())
}

/// Shows a room: as a page, or as JSON where that is preferred.
#[utoipa::path(get, path = "/rooms/{id}/", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200, description = "The room", content((String = "text/html"), (Room = "application/json"))),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Banned", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There never was such a room", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The room was deleted", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests for rooms that do not exist", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn show(
    State(state): State<AppState>,
    Caller(by): Caller,
    room: Result<InRoom, Error>,
    request: Request,
) -> Result<Response, Error> {
    if negotiate::prefers_html(request.headers()) {
        return Ok(page::render(&state, &by, request).await);
    }
    let room = state.chat.room(&by, &room?.0).await?;
    if negotiate::choose(request.headers(), &[HTML, JSON]) == HTML {
        return Ok(page::render(&state, &by, request).await);
    }
    Ok(negotiate::json(room))
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
pub(crate) async fn change(
    State(state): State<AppState>,
    caller: Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = negotiate::prefers_html(&headers);
    let changed = match wanted(&fields, form) {
        Ok(change) => state
            .chat
            .change_room(&caller.0, &room, &change)
            .await
            .map_err(Error::from),
        Err(refusal) => Err(refusal.into()),
    };
    match changed {
        Ok(_) if form => Ok(form::on(Some(&fields), &format!("/rooms/{room}/settings/"))),
        Ok(room) => Ok(negotiate::json(room)),
        Err(error) => {
            settings::again(&state, &caller, &headers, InRoom(room), &fields, error).await
        }
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

/// Ends a room now, in the way in which rooms end; only its owner can.
#[utoipa::path(delete, path = "/rooms/{id}/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 202, description = "It is closed, and about to be archived and deleted"),
        (status = 303, description = "To what is left of it, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn close(
    State(state): State<AppState>,
    Caller(by): Caller,
    InRoom(room): InRoom,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    state.chat.close_room(&by, &room).await?;
    if negotiate::prefers_html(&headers) {
        return Ok(form::on(fields.ok().as_ref(), &format!("/rooms/{room}/")));
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

/// The room of a name, which is created when it is first asked for: as a page, or as JSON where that is preferred.
#[utoipa::path(get, path = "/chat", tag = "rooms",
    params(("room" = RoomName, Query, description = "The room's name")),
    responses(
        (status = 200, description = "The room", content((String = "text/html"), (Room = "application/json"))),
        (status = 401, description = "The token is not good", body = Problem, content_type = "application/problem+json"),
        (status = 400, description = "Malformed query", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Invalid name", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many new rooms", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn named(
    State(state): State<AppState>,
    caller: Result<Caller, Error>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query,
    request: Request,
) -> Result<Response, Error> {
    let nobody = Person::Anyone;
    let by = caller.as_ref().map_or(&nobody, |Caller(by)| by);
    let room = of_name(&state, by, peer, query.required("room")?).await?;
    if negotiate::choose(request.headers(), &[HTML, JSON]) == HTML {
        return Ok(page::draw(&state, &caller?.0, app::Page::Room(room.id), request).await);
    }
    Ok(negotiate::json(room))
}

/// The room of a name. Where it is created by that, it counts as any other that is.
pub(crate) async fn of_name(
    state: &AppState,
    by: &Person,
    peer: SocketAddr,
    name: &str,
) -> Result<Room, Error> {
    if let Some(room) = state.chat.known_room(name).await? {
        return Ok(room);
    }
    state.limits.check_address(What::Rooms, peer.ip())?;
    state.limits.check(What::Rooms, by, None)?;
    Ok(state.chat.named_room(name).await?)
}
