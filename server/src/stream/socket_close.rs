//! Opens WebSockets and closes them.
//!
//! # Guarantees
//! Both sides close the WebSocket before the server closes the connection, unless the client does
//! not respond ([RFC 6455, section 7](https://www.rfc-editor.org/rfc/rfc6455#section-7)). At
//! shutdown, the server waits for that.

use std::time::Duration;

use axum::extract::ws::{
    CloseCode, CloseFrame, Message as Packet, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code,
};
use axum::response::Response;
use chat::StreamCut;
use tokio::time::timeout;

use crate::limit::stream_places::StreamPlace;
use crate::state::AppState;
use crate::stream::socket_end::SocketEnd;
use crate::stream::socket_frames::send;

/// How long the server waits for the client's close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest frame that is accepted, in bytes; as large as the body of a request.
const FRAME_MAX: usize = 64 * 1024;

/// Upgrades the connection and runs `talk` on the WebSocket in its place, then closes it. The shutdown of the
/// server waits for that.
pub(super) fn upgrade_and_run<F>(
    state: &AppState,
    upgrade: WebSocketUpgrade,
    place: StreamPlace,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = (WebSocket, SocketEnd)> + Send + 'static,
{
    let open = state.sockets.token();
    let upgrade = upgrade
        .max_message_size(FRAME_MAX)
        .max_frame_size(FRAME_MAX);
    upgrade.on_upgrade(async move |socket| {
        let (socket, end) = talk(socket).await;
        match end {
            SocketEnd::Unread => place.count_cut(StreamCut::Slow),
            SocketEnd::Silent => place.count_cut(StreamCut::Silent),
            SocketEnd::Close(..) | SocketEnd::ClosedByClient | SocketEnd::Lost => {}
        }
        close(socket, end).await;
        drop((open, place));
    })
}

async fn close(mut socket: WebSocket, end: SocketEnd) {
    let is_connected = match end {
        SocketEnd::Close(code, reason) => send_close(&mut socket, code, reason).await,
        SocketEnd::Silent => {
            send_close(&mut socket, close_code::POLICY, "no response to pings").await
        }
        SocketEnd::ClosedByClient => true,
        SocketEnd::Lost | SocketEnd::Unread => false,
    };
    if is_connected {
        // Reading to the end answers the client's close frame, or waits for it. If the server
        // closed the connection with unread bytes, the client might lose the close frame.
        let read_to_end = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(CLOSE_TIMEOUT, read_to_end).await;
    }
}

/// Sends a close frame. Returns whether the client is still there.
async fn send_close(socket: &mut WebSocket, code: CloseCode, reason: &'static str) -> bool {
    let reason = Utf8Bytes::from_static(reason);
    let frame = CloseFrame { code, reason };
    send(socket, Packet::Close(Some(frame))).await.is_ok()
}
