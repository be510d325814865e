//! `/healthz` and `/readyz`: for whoever watches over the process.

use axum::extract::State;
use protocol::Problem;

use crate::error::Error;
use crate::state::AppState;

/// Says that the process is up.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, description = "It is", body = String, content_type = "text/plain; charset=utf-8")))]
pub(crate) async fn report_health() -> &'static str {
    "ok\n"
}

/// Says whether requests can be served: the database answers, and the server is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, description = "They can", body = String, content_type = "text/plain; charset=utf-8"),
        (status = 500, description = "The database does not answer", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The server is about to stop", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn report_readiness(State(state): State<AppState>) -> Result<&'static str, Error> {
    state.chat.check_database().await?;
    Ok("ready\n")
}
