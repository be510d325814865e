//! Event streams over WebSocket, for those whom they reach in no other way.
//!
//! Some proxies keep an event stream back, or cut it, and pass WebSocket on. Each text frame is a piece of the stream, one
//! event or several just as they are written there: nobody encodes or takes anything apart for it. Promises: something
//! that a page can see comes at least every [`HEARTBEAT`]; a client that stops reading or answering is cut. Leaves to
//! others: what is told (`several`).

use std::convert::Infallible;

use axum::extract::ws::{Message as Packet, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::net::sse_takeover::HEARTBEAT;
use crate::state::AppState;
use crate::stream::websocket::{End, SILENCE, accept, send};

/// The events, once the client has upgraded; `beat` is what is said only to be heard.
pub(crate) fn respond(
    state: &AppState,
    upgrade: WebSocketUpgrade,
    events: BoxStream<'static, Bytes>,
    beat: &'static [u8],
) -> Response {
    accept(state, upgrade, async move |mut socket| {
        let Err(end) = carry(&mut socket, events, beat).await;
        (socket, end)
    })
}

/// Carries the events to their end.
async fn carry(
    socket: &mut WebSocket,
    mut events: BoxStream<'static, Bytes>,
    beat: &'static [u8],
) -> Result<Infallible, End> {
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Packet::Close(_))) => return Err(End::Heard),
                Some(Err(error)) => return Err(End::of(error)),
                None => return Err(End::Broken),
                // What is said here is heard by nobody.
                Some(Ok(_)) => heard = Instant::now(),
            },
            piece = events.next() => match piece {
                Some(piece) => send(socket, text(piece)?).await?,
                None => return Err(End::Said(close_code::NORMAL, "that was all")),
            },
            _ = beats.tick() => {
                if heard.elapsed() > SILENCE {
                    return Err(End::Said(close_code::POLICY, "no answer to pings"));
                }
                send(socket, Packet::Ping(Bytes::new())).await?;
                send(socket, text(Bytes::from_static(beat))?).await?;
            }
        }
    }
}

fn text(piece: Bytes) -> Result<Packet, End> {
    // The events of a stream are texts.
    Ok(Packet::Text(Utf8Bytes::try_from(piece).map_err(|_| {
        End::Said(close_code::ERROR, "internal error")
    })?))
}
