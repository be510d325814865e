//! The parsers of requests, for the fuzz targets in `fuzz/`.
//!
//! # Not here
//! The properties that the targets check.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, Uri};
use bytes::Bytes;
use chat::{Frame, Frames};
use ipnet::IpNet;
use protocol::{NewMessage, Refusal, RoomId, Start};
use serde_json::{Map, Value};

use crate::extract::host::Host;
use crate::extract::https::Https;
use crate::extract::payload::Payload;
use crate::extract::query::Query;
use crate::extract::{accept, cookies, next, payload, resume_point};
use crate::middleware::instance_cookies::Names;
use crate::middleware::{client_ip, csrf, method_override, one_host};
use crate::stream::multi_room::{self, Cursors};
use crate::stream::socket_frames;

/// The names and the qualities, in thousandths, in a header with quality values.
pub fn preferences(headers: &HeaderMap, name: HeaderName) -> Vec<(String, u16)> {
    let preferences = accept::preferences(headers, name).into_iter();
    preferences
        .map(|preference| (preference.name, preference.quality))
        .collect()
}

/// The media type that the client prefers.
pub fn choose<'a>(headers: &HeaderMap, offers: &[&'a str]) -> &'a str {
    accept::choose(headers, offers)
}

/// The value of a cookie.
pub fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    cookies::read_cookie(headers, name)
}

/// The cookie of a visitor's name, as the server sets it.
pub fn name_cookie(username: &str) -> String {
    cookies::name_cookie(username)
}

/// A cookie with a value that a browser has sent, as the server sets it again.
pub fn known_cookie(name: &str, value: &str) -> Option<String> {
    cookies::known_cookie(name, value).map(|cookie| cookie.to_string())
}

/// The cookies of this instance under their plain names.
pub fn own_cookies(headers: &HeaderMap, suffix: &str, is_https: bool) -> Vec<(String, String)> {
    Names { suffix, is_https }.split_cookies(headers).0
}

/// The address of the client behind the proxies.
pub fn client_address(proxies: &[IpNet], peer: IpAddr, headers: HeaderMap) -> Option<IpAddr> {
    let mut request = Request::default();
    *request.headers_mut() = headers;
    let connection = ConnectInfo(SocketAddr::new(peer, 0));
    request.extensions_mut().insert(connection);
    client_ip::apply_forwarded(proxies, &mut request);
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    connection.map(|ConnectInfo(client)| client.ip())
}

/// The origin of a site at a host.
pub fn origin(host: &str, scheme: &str) -> Option<String> {
    Host::parse(host).map(|host| host.origin(scheme))
}

/// The origin of the one host of a request.
///
/// # Errors
/// [`Refusal::Malformed`] if there is not exactly one.
pub fn origin_of_request(request: &mut Request, scheme: &str) -> Result<String, Refusal> {
    one_host::require(request).map(|host| host.origin(scheme))
}

/// Refuses a request from a page of another site, where it is known or not whether the client came
/// over TLS.
///
/// # Errors
/// [`Refusal::Forbidden`].
pub fn check_origin(mut request: Request, https: Option<bool>) -> Result<(), Refusal> {
    if let Some(https) = https {
        request.extensions_mut().insert(Https(https));
    }
    csrf::guard(&request)
}

/// The request with the method that its form names.
pub fn override_method(request: Request) -> Request {
    method_override::apply(request)
}

/// The message in the body of a request.
///
/// # Errors
/// The refusal as text.
pub async fn read_message(request: Request) -> Result<NewMessage, String> {
    let payload = Payload::<NewMessage>::from_request(request, &()).await;
    let payload = payload.map_err(|error| format!("{error:?}"))?;
    payload.read().map_err(|refusal| refusal.to_string())
}

/// The fields of a form.
///
/// # Errors
/// [`Refusal::Malformed`].
pub fn decode_form(text: &str) -> Result<Map<String, Value>, Refusal> {
    payload::decode_form(text)
}

/// A whole number as forms write it.
pub fn parse_number(text: &str) -> Option<u64> {
    payload::parse_number(text)
}

/// Where a follower starts.
///
/// # Errors
/// [`Refusal::Malformed`] for a query that is not UTF-8.
pub fn start(headers: &HeaderMap, uri: &Uri) -> Result<Start, Refusal> {
    Ok(resume_point::start(headers, &Query::parse(uri)?))
}

/// The cursors of several rooms, printed again.
pub fn reprint_cursors(text: &str) -> String {
    Cursors::parse(text).text()
}

/// Where a follower of a room starts, by the cursors of several rooms.
pub fn start_in(text: &str, room: RoomId) -> Start {
    Cursors::parse(text).start(room)
}

/// The path of this site that `next` names.
pub fn local_path(next: Option<&str>) -> &str {
    next::local_path(next)
}

/// Messages on the stream of several rooms.
pub fn multi_room_events(frames: &Frames, room: RoomId) -> Bytes {
    multi_room::message_events(frames, room, &mut Cursors::default())
}

/// A message as a text frame of a WebSocket.
pub fn frame_text(frame: Frame) -> Bytes {
    socket_frames::frame_text(frame)
}
