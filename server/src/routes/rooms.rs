//! `/rooms/` and `/rooms/{id}/`: creating, listing, showing and closing rooms. `/chat`: a room by
//! its name.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chat::{Person, RoomsPage};
use protocol::schema::RoomName;
use protocol::{NewRoom, Refusal, Room, RoomId, Time, text};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::accept::{self, EVENTS, HTML, JSON};
use crate::extract::caller::Caller;
use crate::extract::client_address::ClientAddress;
use crate::extract::cookies::name_cookie;
use crate::extract::next::Next;
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::extract::room_path::RoomPath;
use crate::limit::Action;
use crate::middleware::csrf::Navigation;
use crate::openapi::responses::{
    BodyRefused, NamedRoomRefused, QueryRefused, RateLimited, RoomRefused, StorageRefused,
    StreamRefused, TokenRefused,
};
use crate::respond::negotiated::{self, Format};
use crate::respond::page;
use crate::routes::room_settings::{Access, Visibility};
use crate::state::AppState;
use crate::stream::sse;

/// Lists the open public rooms, most recently active first.
///
/// As JSON one page; `Link: …; rel="next"` leads to the next one. As an event stream the first page
/// at once, and again whenever it changes.
#[utoipa::path(get, path = "/rooms/", tag = "rooms",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "The largest number of rooms; 100 by default"),
        ("cursor" = Option<String>, Query, pattern = r"^[0-9]{1,15}\.[0-9a-f]{16}$",
            description = "The start of the page, from the `Link` of the page before"),
    ),
    responses(
        (status = 200,
            description = "The rooms",
            content((Vec<Room> = "application/json"), (String = "text/event-stream")),
            headers(("Link" = String, description = "The next page, if there is one"))),
        QueryRefused,
        StreamRefused,
    ))]
pub(crate) async fn list_rooms(
    State(state): State<AppState>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    if accept::choose(&headers, &[JSON, EVENTS]) == EVENTS {
        let place = state.streams.enter(address, &Person::Anonymous)?;
        return Ok(sse::rooms(state.chat.watch_public_rooms(), place));
    }
    let page = RoomsPage {
        limit: query.limit(100)?,
        after: query.text("cursor").map(parse_cursor).transpose()?,
    };
    let rooms = state.chat.list_public_rooms(page).await?;
    let next = rooms
        .last()
        .filter(|_| rooms.len() == page.limit)
        .map(|last| next_page(last, page.limit));
    let mut response = negotiated::json(rooms);
    if let Some(next) = next {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

fn next_page(last: &Room, limit: usize) -> HeaderValue {
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

/// A new room. Every field is optional.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CreateRoom {
    /// Whether `GET /rooms/` lists the room; false by default.
    public: Option<bool>,
    /// Whether only members can see the room; false by default.
    private: Option<bool>,
    /// `public` and `private` as one choice, which takes precedence over them.
    access: Option<Access>,
    /// The room's name.
    #[schema(value_type = Option<RoomName>)]
    name: Option<String>,
    /// How long the room stays open without a new message, like `30m`: at most the server's own limit,
    /// which is the default.
    #[schema(example = "30m")]
    timeout: Option<String>,
}

/// Creates a room.
///
/// The room belongs to the caller, if the caller has an account or a guest's key; a private room
/// needs one of both. The fields come as JSON, as a form, or not at all. Clients that prefer pages
/// are redirected to the new room.
#[utoipa::path(post, path = "/rooms/", tag = "rooms",
    // By reference, because a body that is named by its type counts as required.
    request_body(
        content(
            (ref("#/components/schemas/CreateRoom") = "application/json"),
            (ref("#/components/schemas/CreateRoom") = "application/x-www-form-urlencoded"),
        ),
        description = "Every field is optional, and so is the body"),
    responses(
        (status = 201,
            description = "The new room",
            body = Room, headers(("Location" = String, description = "The room's address"))),
        (status = 303, description = "To the new room, for clients that prefer pages"),
        TokenRefused,
        RateLimited,
        BodyRefused,
        StorageRefused,
    ))]
pub(crate) async fn create_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    format: Format,
    payload: Payload<CreateRoom>,
) -> Result<Response, Error> {
    let wish = match format {
        Format::Html => payload.read_form(&["name", "timeout"])?,
        Format::Json => payload.read()?,
    };
    // The page's form also sends the name under which its visitor is going to write.
    let entered = payload
        .raw("username")
        .filter(|name| format.is_html() && !name.trim().is_empty());
    let username = entered.map(text::parse_username).transpose()?;
    let visibility = Visibility::of(wish.access, wish.public, wish.private);
    let new_room = NewRoom {
        name: wish.name,
        public: visibility.public,
        timeout: wish.timeout,
        private: visibility.private,
    };
    state.limits.check_caller(Action::Rooms, &by, None)?;
    let room = state.chat.create_room(&by, &new_room).await?;
    let location = format!("/rooms/{}/", room.id);
    if format.is_html() {
        let cookie = username.map(|name| [(header::SET_COOKIE, name_cookie(&name))]);
        return Ok((cookie, Redirect::to(&location)).into_response());
    }
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, Json(room)).into_response())
}

/// Shows a room: as a page, or as JSON where the client prefers JSON.
#[utoipa::path(get, path = "/rooms/{id}/", tag = "rooms",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 200,
            description = "The room", content((String = "text/html"), (Room = "application/json"))),
        RoomRefused,
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
    Ok(negotiated::json(room))
}

/// Closes a room now, as an expired room closes; only its owner can.
#[utoipa::path(delete, path = "/rooms/{id}/", tag = "order",
    params(("id" = String, Path, description = "The room's ID", pattern = "^[0-9a-f]{16}$")),
    responses(
        (status = 202,
            description = "The room is closed; it is archived and deleted in the background"),
        (status = 303, description = "To the closed room, for clients that prefer pages"),
        RoomRefused,
    ), security((), ("token" = [])))]
pub(crate) async fn close_room(
    State(state): State<AppState>,
    Caller(by): Caller,
    RoomPath(room): RoomPath,
    format: Format,
    Next(next): Next,
) -> Result<Response, Error> {
    state.chat.close_room(&by, &room).await?;
    let page = format!("/rooms/{room}/");
    Ok(format.done(next.as_deref(), &page, || {
        StatusCode::ACCEPTED.into_response()
    }))
}

/// Shows the room of a name, and creates it for the first request: as a page, or as JSON where the
/// client prefers JSON.
///
/// A link of another site may lead here; a part of its page, like an image or a frame, is refused.
#[utoipa::path(get, path = "/chat", tag = "rooms",
    params(("room" = RoomName, Query, description = "The room's name")),
    responses(
        (status = 200,
            description = "The room", content((String = "text/html"), (Room = "application/json"))),
        TokenRefused,
        NamedRoomRefused,
        QueryRefused,
        RateLimited,
        StorageRefused,
    ))]
pub(crate) async fn open_named_room(
    State(state): State<AppState>,
    _: Navigation,
    caller: Result<Caller, Error>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    query: Query,
    request: Request,
) -> Result<Response, Error> {
    let anyone = Person::Anonymous;
    let by = caller.as_ref().map_or(&anyone, |Caller(by)| by);
    let room = find_or_create_room(&state, by, peer, query.required("room")?).await?;
    if accept::choose(request.headers(), &[HTML, JSON]) == HTML {
        return Ok(page::draw(&state, &caller?.0, app::Route::Room(room.id), request).await);
    }
    // The name leads to the room, but does not say whether the caller may see it.
    Ok(negotiated::json(state.chat.find_room(by, &room.id).await?))
}

/// The room of a name. A room that this creates counts against the limit of new rooms.
pub(crate) async fn find_or_create_room(
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
