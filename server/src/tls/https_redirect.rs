//! The plain HTTP listener of an HTTPS server: it redirects every request to HTTPS.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Redirect, Response};
use protocol::Refusal;

use crate::error::Error;

/// The port of an `https://` URL that names none.
const HTTPS_PORT: u16 = 443;

/// A router that redirects every request to the same address over TLS, at this port.
pub(crate) fn router(port: u16) -> Router {
    Router::new().fallback(redirect).with_state(port)
}

async fn redirect(State(port): State<u16>, request: Request) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host else {
        return Error::from(Refusal::Malformed(
            "The header Host is missing, or is not a host.".to_owned(),
        ))
        .into_response();
    };
    let port = if port == HTTPS_PORT {
        String::new()
    } else {
        format!(":{port}")
    };
    // The target of `OPTIONS *` is no path.
    let path = request
        .uri()
        .path_and_query()
        .map(|path| path.as_str())
        .filter(|path| path.starts_with('/'));
    Redirect::permanent(&format!(
        "https://{}{port}{}",
        host.host(),
        path.unwrap_or("/")
    ))
    .into_response()
}
