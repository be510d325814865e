//! `/healthz` and `/readyz`: the state of the process, for the programs that supervise it.

use axum::extract::State;
use protocol::Refusal;

use crate::error::Error;
use crate::openapi::responses::{HealthRefused, ReadinessRefused};
use crate::state::AppState;

const FAILED: &str = "A part of the server has failed for good. The server is stopping.";

/// Reports that the process is running and no part of it has failed for good.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses(
        (status = 200,
            description = "The process is running", body = String, content_type = "text/plain; charset=utf-8"),
        HealthRefused,
    ))]
pub(crate) async fn report_health(State(state): State<AppState>) -> Result<&'static str, Error> {
    match state.chat.supervisor().given_up_task() {
        None => Ok("ok\n"),
        Some(_) => Err(Refusal::NotReady(FAILED.to_owned()).into()),
    }
}

/// Reports whether the server can answer requests and store messages: all its parts run, the
/// database can be read and written, and the server is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses(
        (status = 200,
            description = "The server can answer requests and store messages",
            body = String, content_type = "text/plain; charset=utf-8"),
        ReadinessRefused,
    ))]
pub(crate) async fn report_readiness(State(state): State<AppState>) -> Result<&'static str, Error> {
    state.chat.check_readiness().await?;
    Ok("ready\n")
}
