//! The numbers of this process for Prometheus, on a listener of their own
//! ([OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/)).
//!
//! # Guarantees
//! - The number of series is fixed: no label has an ID, a name or a path.
//!
//! # Not here
//! - What is counted in rooms and streams: `chat::Metrics`.

#[cfg(target_os = "linux")]
mod process;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chat::Chat;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::limit::stream_places::StreamPlaces;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    status: &'static str,
}

impl AnswerLabels {
    fn of(status: StatusCode) -> Self {
        let status = match status.as_u16() {
            ..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            500.. => "5xx",
        };
        Self { status }
    }
}

/// The answers to requests. It is cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers(Family<AnswerLabels, Counter>);

impl Answers {
    /// Counts an answer.
    pub fn count(&self, status: StatusCode) {
        self.0.get_or_create(&AnswerLabels::of(status)).inc();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    node: String,
}

/// What is read at `/metrics`.
#[derive(Debug)]
struct Numbers {
    chat: Chat,
    registry: Registry,
}

/// The router of the listener.
pub(crate) fn router(chat: Chat, node: &str, answers: &Answers, streams: &StreamPlaces) -> Router {
    let mut registry = Registry::default();
    let webchat = registry.sub_registry_with_prefix("webchat");
    let labels = BuildLabels {
        version: env!("CARGO_PKG_VERSION"),
        node: node.to_owned(),
    };
    webchat.register("build", "This server", Info::new(labels));
    let help = "Answers to requests, by the class of their status";
    webchat.register("answers", help, answers.0.clone());
    let help = "Open event streams and WebSockets";
    webchat.register("streams", help, streams.count().clone());
    chat.metrics().register(webchat);
    #[cfg(target_os = "linux")]
    registry.register_collector(Box::new(process::ProcessCollector));
    let numbers = Arc::new(Numbers { chat, registry });
    Router::new()
        .route("/metrics", get(show_metrics))
        .with_state(numbers)
}

async fn show_metrics(State(numbers): State<Arc<Numbers>>) -> Response {
    numbers.chat.update_metrics().await;
    let mut text = String::new();
    match encode(&mut text, &numbers.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
