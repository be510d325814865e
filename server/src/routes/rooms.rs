//! `/rooms/` and `/rooms/{id}/`: creating, listing and showing rooms.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{Person, RoomsPage};
use protocol::schema::RoomName;
use protocol::{NewRoom, Problem, Refusal, Room, RoomId, Time, text};

use crate::error::Error;
use crate::extract::accept;
use crate::extract::accept::{EVENTS, HTML, JSON};
use crate::extract::caller::Caller;
use crate::extract::cookies::name_cookie;
use crate::extract::payload::{Fields, LIMIT_MAX, Query};
use crate::extract::room_path::RoomPath;
use crate::limit::Action;
use crate::openapi::responses::{BodyRefused, RoomRefused};
use crate::respond::{form_page, page};
use crate::routes::room_settings::access;
use crate::state::AppState;
use crate::stream::sse;

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
pub(crate) async fn list_rooms(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query,
) -> Result<Response, Error> {
    if accept::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        return Ok(sse::rooms(state.chat.watch_public_rooms()));
    }
    let limit = query.number("limit", 1, LIMIT_MAX)?.unwrap_or(100);
    let after = query.text("cursor")?.map(parse_cursor).transpose()?;
    let page = RoomsPage {
        after,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let rooms = state.chat.list_public_rooms(page).await?;
    let next = rooms
        .last()
        .filter(|_| rooms.len() == page.limit)
        .map(|last| next_page(last, limit));
    let mut response = accept::json(rooms);
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
pub(crate) async fn create_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Error> {
    let form = accept::prefers_html(&headers);
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
    state.limits.check_caller(Action::Rooms, &by, None)?;
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
pub(crate) async fn show_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    room: Result<RoomPath, Error>,
    request: Request,
) -> Result<Response, Error> {
    if accept::prefers_html(request.headers()) {
        return Ok(page::render(&state, &by, request).await);
    }
    let room = state.chat.find_room(&by, &room?.0).await?;
    if accept::choose(request.headers(), &[HTML, JSON]) == HTML {
        return Ok(page::render(&state, &by, request).await);
    }
    Ok(accept::json(room))
}

/// Ends a room now, in the way in which rooms end; only its owner can.
#[utoipa::path(delete, path = "/rooms/{id}/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 202, description = "It is closed, and about to be archived and deleted"),
        (status = 303, description = "To what is left of it, for clients that ask for pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn close_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    headers: HeaderMap,
    fields: Result<Fields, Error>,
) -> Result<Response, Error> {
    state.chat.close_room(&by, &room).await?;
    if accept::prefers_html(&headers) {
        return Ok(form_page::on(
            fields.ok().as_ref(),
            &format!("/rooms/{room}/"),
        ));
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
pub(crate) async fn open_named_room(
    State(state): State<AppState>,
    caller: Result<Caller, Error>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Query(query): Query,
    request: Request,
) -> Result<Response, Error> {
    let nobody = Person::Anonymous;
    let by = caller.as_ref().map_or(&nobody, |Caller(by)| by);
    let room = of_name(&state, by, peer, query.required("room")?).await?;
    if accept::choose(request.headers(), &[HTML, JSON]) == HTML {
        return Ok(page::draw(&state, &caller?.0, app::Route::Room(room.id), request).await);
    }
    Ok(accept::json(room))
}

/// The room of a name. Where it is created by that, it counts as any other that is.
pub(crate) async fn of_name(
    state: &AppState,
    by: &Person,
    peer: SocketAddr,
    name: &str,
) -> Result<Room, Error> {
    if let Some(room) = state.chat.find_room_by_name(name).await? {
        return Ok(room);
    }
    state.limits.check_address(Action::Rooms, peer.ip())?;
    state.limits.check_caller(Action::Rooms, by, None)?;
    Ok(state.chat.find_or_create_room_by_name(name).await?)
}
