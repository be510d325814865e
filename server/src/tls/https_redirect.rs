//! The plain HTTP listener of an HTTPS server: it redirects every request to HTTPS.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Redirect;

use crate::error::Error;
use crate::middleware::one_host;

/// The port of an `https://` URL that names none.
const HTTPS_PORT: u16 = 443;

/// A router that redirects every request to the same address over TLS, at this port.
pub(crate) fn router(port: u16) -> Router {
    Router::new().fallback(redirect).with_state(port)
}

async fn redirect(State(port): State<u16>, mut request: Request) -> Result<Redirect, Error> {
    let host = one_host::require(&mut request)?;
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
    let target = format!("https://{}{port}{}", host.name(), path.unwrap_or("/"));
    Ok(Redirect::permanent(&target))
}
