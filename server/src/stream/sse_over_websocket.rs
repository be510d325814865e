//! Event streams over WebSocket, for clients behind a proxy that buffers or cuts event streams.
//!
//! Each text frame is a piece of the stream, whole events or lines between them, in the format of
//! the stream. Nothing is encoded or parsed for it.
//!
//! # Guarantees
//! A heartbeat is sent at least every [`HEARTBEAT`]. A client that does not read, or does not
//! respond to pings, is disconnected.
//!
//! # Not here
//! The events (`multi_room`).

use std::convert::Infallible;

use axum::extract::ws::{Message as Packet, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::limit::stream_places::StreamPlace;
use crate::net::sse_takeover::HEARTBEAT;
use crate::state::AppState;
use crate::stream::socket_close::upgrade_and_run;
use crate::stream::socket_end::SocketEnd;
use crate::stream::socket_frames::{SILENCE_MAX, send};

/// Sends the events over a WebSocket; `beat` is the heartbeat of the stream.
pub(crate) fn respond(
    state: &AppState,
    upgrade: WebSocketUpgrade,
    events: BoxStream<'static, Bytes>,
    beat: &'static [u8],
    place: StreamPlace,
) -> Response {
    upgrade_and_run(state, upgrade, place, async move |mut socket| {
        let Err(end) = send_events(&mut socket, events, beat).await;
        (socket, end)
    })
}

/// Sends events until the stream or the WebSocket ends.
async fn send_events(
    socket: &mut WebSocket,
    mut events: BoxStream<'static, Bytes>,
    beat: &'static [u8],
) -> Result<Infallible, SocketEnd> {
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_received = Instant::now();
    loop {
        tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Packet::Close(_))) => return Err(SocketEnd::ClosedByClient),
                Some(Err(error)) => return Err(SocketEnd::after_error(error)),
                None => return Err(SocketEnd::Lost),
                // The content of a frame is ignored: a client has nothing to send here.
                Some(Ok(_)) => last_received = Instant::now(),
            },
            piece = events.next() => match piece {
                Some(piece) => send(socket, text_frame(piece)?).await?,
                None => return Err(SocketEnd::Close(close_code::NORMAL, "the stream has ended")),
            },
            _ = beats.tick() => {
                if last_received.elapsed() > SILENCE_MAX {
                    return Err(SocketEnd::Silent);
                }
                send(socket, Packet::Ping(Bytes::new())).await?;
                send(socket, text_frame(Bytes::from_static(beat))?).await?;
            }
        }
    }
}

fn text_frame(piece: Bytes) -> Result<Packet, SocketEnd> {
    // A stream is always UTF-8.
    let text = Utf8Bytes::try_from(piece).map_err(|_| SocketEnd::FAULT)?;
    Ok(Packet::Text(text))
}
