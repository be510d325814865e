//! Why a WebSocket ends.

use axum::extract::ws::{CloseCode, close_code};
use tokio_tungstenite::tungstenite;

/// Why a WebSocket ends.
pub(super) enum SocketEnd {
    /// The server closes it, with a code and a reason.
    Close(CloseCode, &'static str),
    /// The client has closed it.
    ClosedByClient,
    /// The connection is lost.
    Lost,
    /// The client has left a frame unread for too long.
    Unread,
    /// The client sends nothing, not even pongs.
    Silent,
}

impl SocketEnd {
    /// The end after a fault of the server.
    pub const FAULT: Self = Self::Close(close_code::ERROR, "internal error");

    /// The end after a frame that cannot be read.
    pub fn after_error(error: axum::Error) -> Self {
        tracing::debug!(%error, "a WebSocket failed");
        match error.into_inner().downcast_ref() {
            Some(tungstenite::Error::Capacity(_)) => {
                Self::Close(close_code::SIZE, "the frame is too large")
            }
            Some(tungstenite::Error::Utf8(_)) => {
                Self::Close(close_code::INVALID, "text must be UTF-8")
            }
            Some(tungstenite::Error::Protocol(_)) => {
                Self::Close(close_code::PROTOCOL, "the frame is invalid")
            }
            _ => Self::Lost,
        }
    }
}
