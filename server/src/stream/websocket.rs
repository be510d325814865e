//! WebSocket: a room both ways over one connection ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)).
//!
//! Each text frame that comes in is a message, each that goes out is one message as JSON, the same bytes as in the
//! event stream. What cannot be taken, or is too much, is answered with problem details, and the socket stays. Promises: a
//! client that stops reading or answering is cut, and holds nothing; every end of a socket is said, and a farewell is
//! answered; a page of another site gets no socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{
    CloseFrame, Message as Packet, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code,
};

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use chat::{Ephemeral, FollowEvent, Follower, Frame, Frames, Person};
use futures_util::SinkExt;

use protocol::{Message, NewMessage, Problem, Refusal, RoomId};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite;

use crate::error::{Error, problem};
use crate::limit::Action;
use crate::middleware::csrf;
use crate::state::AppState;

/// How often a silent client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);

/// How long a client may stay silent, or leave unread what it is sent.
pub(crate) const SILENCE: Duration = Duration::from_secs(60);

/// How long a client may take for its part of a farewell.
const FAREWELL: Duration = Duration::from_secs(3);

/// The largest frame that is taken, in bytes; as large as the body of a request.
const FRAME_MAX: usize = 64 * 1024;

pub(crate) type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Opens a socket when the client has upgraded, for as long as `talk` goes on, and says farewell; the server does not stop
/// before.
pub(crate) fn accept<F>(
    state: &AppState,
    upgrade: WebSocketUpgrade,
    talk: impl FnOnce(WebSocket) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = (WebSocket, End)> + Send + 'static,
{
    let open = state.sockets.token();
    let upgrade = upgrade
        .max_message_size(FRAME_MAX)
        .max_frame_size(FRAME_MAX);
    upgrade.on_upgrade(async move |socket| {
        let (socket, end) = talk(socket).await;
        part(socket, end).await;
        drop(open);
    })
}

/// Says farewell as [RFC 6455, section 7](https://www.rfc-editor.org/rfc/rfc6455#section-7) has it: both sides do, and
/// then the server hangs up. Whoever is gone does not hear it.
async fn part(mut socket: WebSocket, end: End) {
    let hears = match end {
        End::Said(code, reason) => {
            let farewell = CloseFrame {
                code,
                reason: Utf8Bytes::from_static(reason),
            };
            send(&mut socket, Packet::Close(Some(farewell)))
                .await
                .is_ok()
        }
        End::Heard => true,
        End::Broken => false,
    };
    if hears {
        // Sends the answer to the client's farewell, or waits for the one to ours: to hang up on what is still on its way
        // would keep the client from reading it.
        let rest = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(FAREWELL, rest).await;
    }
}

/// How a client of a socket is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Messages as everywhere, and events; who is here and who types only if `presence`.
    Room { presence: bool },
    /// Messages as everywhere, and nothing else.
    Named,
    /// Messages between two people, and nothing else.
    Direct,
}

/// One open socket.
pub(crate) struct Talk {
    pub state: AppState,
    pub by: Person,
    pub room: RoomId,
    pub username: Option<String>,
    pub peer: SocketAddr,
    pub dialect: Dialect,
}

/// Why a socket is at its end.
pub(crate) enum End {
    /// The server says so, with a code and the reason.
    Said(u16, &'static str),
    /// The client has said so.
    Heard,
    /// Nobody listens any longer.
    Broken,
}

impl End {
    /// What follows from a frame that cannot be read.
    pub fn of(error: axum::Error) -> Self {
        tracing::debug!(%error, "a socket broke");
        match error.into_inner().downcast_ref() {
            Some(tungstenite::Error::Capacity(_)) => {
                Self::Said(close_code::SIZE, "the frame is too large")
            }
            Some(tungstenite::Error::Utf8(_)) => {
                Self::Said(close_code::INVALID, "text must be UTF-8")
            }
            Some(tungstenite::Error::Protocol(_)) => {
                Self::Said(close_code::PROTOCOL, "the frame cannot be read")
            }
            _ => Self::Broken,
        }
    }
}

impl Talk {
    /// Begins when the client has upgraded.
    pub fn open(
        self,
        follow: Follower,
        headers: &HeaderMap,
        upgrade: Upgrade,
    ) -> Result<Response, Error> {
        csrf::check(headers)?;
        let upgrade = upgrade.map_err(|_| Refusal::UpgradeRequired)?;
        let state = self.state.clone();
        Ok(accept(&state, upgrade, move |socket| {
            self.run(socket, follow)
        }))
    }

    async fn run(self, mut socket: WebSocket, mut follow: Follower) -> (WebSocket, End) {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let done = tokio::select! {
                frame = socket.recv() => {
                    heard = Instant::now();
                    self.take(&mut socket, frame).await
                }
                news = follow.next() => self.tell(&mut socket, news).await,
                _ = ping.tick() => match heard.elapsed() {
                    silent if silent > SILENCE => Err(End::Said(close_code::POLICY, "no answer to pings")),
                    _ => send(&mut socket, Packet::Ping(Bytes::new())).await,
                }
            };
            if let Err(end) = done {
                return (socket, end);
            }
        }
    }

    /// Takes what the client sent.
    async fn take(
        &self,
        socket: &mut WebSocket,
        frame: Option<Result<Packet, axum::Error>>,
    ) -> Result<(), End> {
        match frame {
            Some(Ok(Packet::Text(body))) => match self.post(body.as_str()).await {
                Ok(()) => Ok(()),
                Err(error) => send(socket, Packet::Text(json(&problem(error)).into())).await,
            },
            Some(Ok(Packet::Pong(payload))) => self.confirm(&payload).await,
            Some(Ok(Packet::Ping(_))) => Ok(()),
            Some(Ok(Packet::Binary(_))) => Err(End::Said(close_code::UNSUPPORTED, "send text")),
            Some(Ok(Packet::Close(_))) => Err(End::Heard),
            Some(Err(error)) => Err(End::of(error)),
            None => Err(End::Broken),
        }
    }

    /// Takes a pong: if it is that of a run of messages between two people, they have come.
    async fn confirm(&self, payload: &[u8]) -> Result<(), End> {
        let (Dialect::Direct, Ok(seq)) = (self.dialect, payload.try_into().map(u64::from_be_bytes))
        else {
            return Ok(());
        };
        if let Err(error) = self
            .state
            .chat
            .move_read_marker(&self.by, &self.room, seq)
            .await
        {
            tracing::debug!(%error, "what has come to a socket is told again");
        }
        Ok(())
    }

    async fn post(&self, body: &str) -> Result<(), chat::Error> {
        let listens = Refusal::invalid("username", "must be in the socket's address to write");
        let username = self.username.clone().ok_or(listens)?;
        self.state
            .limits
            .check_address(Action::Messages, self.peer.ip())?;
        self.state
            .limits
            .check_caller(Action::Messages, &self.by, Some(self.room))?;
        self.state
            .chat
            .post_message(
                &self.by,
                &self.room,
                &NewMessage {
                    username,
                    body: body.to_owned(),
                },
                None,
            )
            .await?;
        Ok(())
    }

    /// Tells the client what happened.
    async fn tell(
        &self,
        socket: &mut WebSocket,
        news: Result<FollowEvent, chat::Error>,
    ) -> Result<(), End> {
        let event = match news {
            Ok(FollowEvent::Messages(frames)) if self.dialect == Dialect::Direct => {
                return send_direct(socket, &frames).await;
            }
            Ok(FollowEvent::Messages(frames)) => {
                let known =
                    |frame: &Frame| self.dialect != Dialect::Named || frame.change.is_none();
                return send_all(
                    socket,
                    frames.frames().filter(known).map(|frame| frame.json),
                )
                .await;
            }
            Ok(FollowEvent::Ephemeral(_)) if self.dialect != (Dialect::Room { presence: true }) => {
                return Ok(());
            }
            Ok(FollowEvent::Ephemeral(event)) => marked(&event),
            Ok(FollowEvent::Reset) => r#"{"event":"reset"}"#.to_owned(),
            Ok(FollowEvent::Closing(at)) => format!(r#"{{"event":"closing","expires_at":"{at}"}}"#),
            Ok(FollowEvent::Closed) => {
                return Err(End::Said(close_code::NORMAL, "the room was deleted"));
            }
            Ok(FollowEvent::Removed) => {
                return Err(End::Said(
                    close_code::POLICY,
                    "you may not be here any longer",
                ));
            }
            Ok(FollowEvent::SignedOut) => {
                return Err(End::Said(close_code::POLICY, "you are no longer signed in"));
            }
            Ok(FollowEvent::Draining) => {
                return Err(End::Said(close_code::RESTART, "the server is restarting"));
            }
            Err(error) => {
                tracing::error!(room = %self.room, %error, "a socket ends early");
                return Err(End::Said(close_code::ERROR, "internal error"));
            }
        };
        match self.dialect {
            Dialect::Room { .. } => send(socket, Packet::Text(event.into())).await,
            Dialect::Named | Dialect::Direct => Ok(()),
        }
    }
}

/// The data of an event, with the event's name as its first field.
fn marked(event: &Ephemeral) -> String {
    let json = event.json();
    let fields = String::from_utf8_lossy(&json);
    format!(
        r#"{{"event":"{}",{}"#,
        event.name(),
        fields.trim_start_matches('{')
    )
}

fn json(problem: &Problem) -> String {
    // Strings and a number always serialise.
    serde_json::to_string(problem).unwrap_or_default()
}

/// Sends a run of messages, as one write where it fits.
async fn send_all(
    socket: &mut WebSocket,
    messages: impl Iterator<Item = Bytes>,
) -> Result<(), End> {
    let all = async {
        for json in messages {
            socket
                .feed(Packet::Text(
                    Utf8Bytes::try_from(json).map_err(axum::Error::new)?,
                ))
                .await?;
        }
        socket.flush().await
    };
    match timeout(SILENCE, all).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Broken),
    }
}

/// A message between two people.
#[derive(Serialize)]
struct Between<'a> {
    from: &'a str,
    body: &'a str,
    /// Seconds since the Unix epoch.
    sent_at: i64,
}

/// Sends a run of messages between two people, and asks for the pong that says that they have come.
async fn send_direct(socket: &mut WebSocket, frames: &Frames) -> Result<(), End> {
    let messages: Vec<Message> = frames.messages().collect();
    let between = messages.iter().map(|message| {
        let between = Between {
            from: &message.username,
            body: &message.body,
            sent_at: message.sent_at.millis() / 1_000,
        };
        // Texts and a number always serialise.
        Bytes::from(serde_json::to_vec(&between).unwrap_or_default())
    });
    send_all(socket, between).await?;
    send(
        socket,
        Packet::Ping(frames.last().to_be_bytes().to_vec().into()),
    )
    .await
}

/// Sends one frame; a client that does not take it in time is given up.
pub(crate) async fn send(socket: &mut WebSocket, frame: Packet) -> Result<(), End> {
    match timeout(SILENCE, socket.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Broken),
    }
}
