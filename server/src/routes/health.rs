//! `/healthz` and `/readyz`: the state of the process, for the programs that supervise it.

use axum::extract::State;

use crate::error::Error;
use crate::openapi::responses::ReadinessRefused;
use crate::state::AppState;

/// Reports that the process is running.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses(
        (status = 200,
            description = "The process is running", body = String, content_type = "text/plain; charset=utf-8"),
    ))]
pub(crate) async fn report_health() -> &'static str {
    "ok\n"
}

/// Reports whether the server can answer requests: the database answers, and the server is not
/// stopping.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses(
        (status = 200,
            description = "The server can answer requests",
            body = String, content_type = "text/plain; charset=utf-8"),
        ReadinessRefused,
    ))]
pub(crate) async fn report_readiness(State(state): State<AppState>) -> Result<&'static str, Error> {
    state.chat.check_database().await?;
    Ok("ready\n")
}
