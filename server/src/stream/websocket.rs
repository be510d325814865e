//! A room over WebSocket, in both directions
//! ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)).
//!
//! Each text frame from the client is a message. Each text frame to the client is a message as JSON,
//! in the same bytes as in the event stream, or an event with its name in the field `event`. A
//! message that is refused is answered with problem details, and the WebSocket stays open.
//!
//! # Guarantees
//! A client that does not read, or does not respond to pings, is disconnected.
//!
//! # Not here
//! How a WebSocket is closed (`socket_close`), how frames are sent (`socket_frames`), and the
//! protection against pages of other sites (`csrf`).

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message as Packet, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use bytes::Bytes;
use chat::{FollowEvent, Follower, Frame, Frames, Person};
use protocol::{EventName, NewMessage, Refusal, RoomId};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::error::{Error, problem};
use crate::limit::Action;
use crate::state::AppState;
use crate::stream::socket_close::upgrade_and_run;
use crate::stream::socket_end::SocketEnd;
use crate::stream::socket_frames::{
    SILENCE_MAX, frame_text, named_event, problem_frame, send, send_all, send_direct,
};

/// How often the server sends a ping.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The upgrade of a request to a WebSocket, if it asks for one.
pub(crate) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// What a WebSocket carries besides the client's own messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Messages, changes and events. Presence and typing only with `presence`.
    Room { presence: bool },
    /// Messages only.
    Named,
    /// Messages of a direct chat, in a format of their own.
    Direct,
}

/// The connection of one WebSocket to a room.
pub(crate) struct Talk {
    pub state: AppState,
    /// The person who reads and writes.
    pub by: Person,
    pub room: RoomId,
    /// The name under which the person writes; without one, the WebSocket only reads.
    pub username: Option<String>,
    pub peer: SocketAddr,
    pub dialect: Dialect,
}

impl Talk {
    /// Upgrades the connection, and serves the WebSocket until it ends.
    ///
    /// # Errors
    /// [`Refusal::UpgradeRequired`] for a request that is not for a WebSocket,
    /// [`Refusal::TooManyStreams`].
    pub fn open(self, follower: Follower, upgrade: Upgrade) -> Result<Response, Error> {
        let upgrade = upgrade.map_err(|_| Refusal::UpgradeRequired)?;
        let state = self.state.clone();
        let place = state.streams.enter(Some(self.peer.ip()), &self.by)?;
        Ok(upgrade_and_run(&state, upgrade, place, move |socket| {
            self.run(socket, follower)
        }))
    }

    async fn run(self, mut socket: WebSocket, mut follower: Follower) -> (WebSocket, SocketEnd) {
        let mut ping = interval(PING_INTERVAL);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_received = Instant::now();
        loop {
            let done = tokio::select! {
                frame = socket.recv() => {
                    last_received = Instant::now();
                    self.handle_frame(&mut socket, frame).await
                }
                event = follower.next() => self.deliver(&mut socket, event).await,
                _ = ping.tick() => {
                    if last_received.elapsed() > SILENCE_MAX {
                        Err(SocketEnd::Silent)
                    } else {
                        send(&mut socket, Packet::Ping(Bytes::new())).await
                    }
                }
            };
            if let Err(end) = done {
                return (socket, end);
            }
        }
    }

    /// Handles a frame from the client.
    async fn handle_frame(
        &self,
        socket: &mut WebSocket,
        frame: Option<Result<Packet, axum::Error>>,
    ) -> Result<(), SocketEnd> {
        match frame {
            Some(Ok(Packet::Text(body))) => match self.post_message(body.as_str()).await {
                Ok(()) => Ok(()),
                Err(error) => send(socket, problem_frame(&problem(error))).await,
            },
            Some(Ok(Packet::Pong(payload))) => {
                self.move_read_marker(&payload).await;
                Ok(())
            }
            Some(Ok(Packet::Ping(_))) => Ok(()),
            Some(Ok(Packet::Binary(_))) => Err(SocketEnd::Close(
                close_code::UNSUPPORTED,
                "messages must be text frames",
            )),
            Some(Ok(Packet::Close(_))) => Err(SocketEnd::ClosedByClient),
            Some(Err(error)) => Err(SocketEnd::after_error(error)),
            None => Err(SocketEnd::Lost),
        }
    }

    /// Moves the read marker of a direct chat to the sequence number in a pong, if it has one: the
    /// client has received the messages up to there.
    async fn move_read_marker(&self, payload: &[u8]) {
        if self.dialect != Dialect::Direct {
            return;
        }
        let Ok(seq) = payload.try_into().map(u64::from_be_bytes) else {
            return;
        };
        let chat = &self.state.chat;
        if let Err(error) = chat.move_read_marker(&self.by, &self.room, seq).await {
            tracing::debug!(%error, "the client will receive these messages again");
        }
    }

    async fn post_message(&self, body: &str) -> Result<(), chat::Error> {
        let Some(username) = self.username.clone() else {
            let problem = "is required in the socket's address for sending messages";
            return Err(Refusal::invalid("username", problem).into());
        };
        let limits = &self.state.limits;
        limits.check_address(Action::Messages, self.peer.ip())?;
        limits.check_message(Some(self.peer.ip()), &self.by, self.room, body)?;
        let message = NewMessage {
            username,
            body: body.to_owned(),
        };
        let chat = &self.state.chat;
        chat.post_message(&self.by, &self.room, &message, None)
            .await?;
        Ok(())
    }

    /// Sends an event of the follower to the client, as far as the dialect has it.
    async fn deliver(
        &self,
        socket: &mut WebSocket,
        event: Result<FollowEvent, chat::Error>,
    ) -> Result<(), SocketEnd> {
        match event {
            Ok(FollowEvent::Messages(frames)) => self.send_messages(socket, &frames).await,
            Ok(FollowEvent::Ephemeral(event)) => {
                if self.dialect == (Dialect::Room { presence: true }) {
                    let data = event.json();
                    let data = String::from_utf8_lossy(&data);
                    self.send_event(socket, event.name(), &data).await
                } else {
                    Ok(())
                }
            }
            Ok(FollowEvent::Reset) => self.send_event(socket, EventName::Reset, "{}").await,
            Ok(FollowEvent::Closing(at)) => {
                let data = format!(r#"{{"expires_at":"{at}"}}"#);
                self.send_event(socket, EventName::Closing, &data).await
            }
            Ok(FollowEvent::Closed(_)) => {
                Err(SocketEnd::Close(close_code::NORMAL, "the room was deleted"))
            }
            Ok(FollowEvent::Removed(_)) => Err(SocketEnd::Close(
                close_code::POLICY,
                "you no longer have access to the room",
            )),
            Ok(FollowEvent::SignedOut) => Err(SocketEnd::Close(
                close_code::POLICY,
                "you are no longer signed in",
            )),
            Ok(FollowEvent::Draining) => Err(SocketEnd::Close(
                close_code::RESTART,
                "the server is restarting",
            )),
            Err(error) => {
                tracing::error!(room = %self.room, %error, "a WebSocket ended early");
                Err(SocketEnd::FAULT)
            }
        }
    }

    async fn send_messages(
        &self,
        socket: &mut WebSocket,
        frames: &Frames,
    ) -> Result<(), SocketEnd> {
        if self.dialect == Dialect::Direct {
            return send_direct(socket, frames).await;
        }
        let has_changes = self.dialect != Dialect::Named;
        let is_sent = |frame: &Frame| has_changes || frame.is_message;
        let texts = frames.frames().filter(is_sent).map(frame_text);
        send_all(socket, texts).await
    }

    async fn send_event(
        &self,
        socket: &mut WebSocket,
        event: EventName,
        data: &str,
    ) -> Result<(), SocketEnd> {
        match self.dialect {
            Dialect::Room { .. } => {
                send(socket, Packet::Text(named_event(event, data).into())).await
            }
            Dialect::Named | Dialect::Direct => Ok(()),
        }
    }
}
