//! The state that every handler can reach.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chat::{Chat, Person};
use ipnet::IpNet;
use protocol::{Refusal, RoomId};
use texts::{Language, refusal};
use tokio_util::task::TaskTracker;

use crate::auth::oidc_client::OidcClient;
use crate::config::Config;
use crate::limit::Limits;
use crate::limit::answer_budget::AnswerBudgets;
use crate::limit::stream_places::StreamPlaces;
use crate::limit::upload_places::UploadPlaces;
use crate::metrics::Answers;
use crate::openapi::ApiDocument;

/// The state that every handler can reach; cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState(Arc<Shared>);

/// The value behind an [`AppState`].
#[derive(Debug)]
pub struct Shared {
    /// Rooms and messages.
    pub chat: Chat,
    pub(crate) limits: Limits,
    /// The places for open streams.
    pub(crate) streams: StreamPlaces,
    /// The places for uploads under way.
    pub(crate) uploads: UploadPlaces,
    /// The budgets for unsent answers.
    pub(crate) budgets: AnswerBudgets,
    /// The numbers of answers.
    pub(crate) answers: Answers,
    /// How long a stream of the lobby lasts without a message.
    pub(crate) stream_timeout: Duration,
    /// Whether the server is stopping.
    pub(crate) draining: AtomicBool,
    /// The open WebSockets, which their HTTP connections no longer track.
    pub(crate) sockets: TaskTracker,
    /// The proxies whose headers name the client's address.
    pub(crate) proxies: Vec<IpNet>,
    /// The OpenID Connect provider by which people can sign in.
    pub(crate) provider: Option<OidcClient>,
    /// The address under which browsers reach this server, if the operator has configured it.
    pub(crate) public_url: Option<String>,
    /// The end of the names of this instance's cookies.
    pub(crate) cookie_suffix: String,
    /// The language for clients that accept none of the server's.
    pub(crate) language: Language,
    /// The description of the API.
    pub(crate) api: ApiDocument,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// The state of a server with this configuration.
    pub(crate) fn new(
        chat: Chat,
        config: &Config,
        streams: StreamPlaces,
        api: ApiDocument,
    ) -> Self {
        Self(Arc::new(Shared {
            cookie_suffix: format!("-{:08x}", chat.instance_id()),
            limits: Limits::new(config.rate_limit, chat.shared_attempts()),
            chat,
            language: config.language,
            streams,
            uploads: UploadPlaces::new(config.rate_limit),
            budgets: AnswerBudgets::new(config.rate_limit),
            answers: Answers::default(),
            stream_timeout: config.stream_timeout,
            draining: AtomicBool::new(false),
            sockets: TaskTracker::new(),
            proxies: config.trusted_proxies.clone(),
            provider: OidcClient::of(config),
            public_url: config.public_url.clone(),
            api,
        }))
    }

    /// The provider of sign-in.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if none is configured.
    pub(crate) fn provider(&self) -> Result<&OidcClient, Refusal> {
        self.provider
            .as_ref()
            .ok_or(Refusal::NotFound(refusal::NO_PROVIDER))
    }

    /// The provider's name for people, if one is configured.
    pub(crate) fn provider_name(&self) -> Option<&str> {
        self.provider.as_ref().map(OidcClient::name)
    }

    /// Those of these rooms that the caller may know of.
    ///
    /// A room that never existed counts as a guess of the caller's address; an address that has guessed too often
    /// learns of no further room.
    pub(crate) async fn known_rooms(
        &self,
        by: &Person,
        peer: Option<IpAddr>,
        ids: &[RoomId],
    ) -> Result<Vec<RoomId>, chat::Error> {
        let mut known = Vec::with_capacity(ids.len());
        for id in ids {
            if peer.is_some_and(|peer| self.limits.check_room_lookup(peer).is_err()) {
                break;
            }
            match (self.chat.find_room(by, id).await, peer) {
                (Ok(_), _) => known.push(*id),
                (Err(chat::Error::Refusal(Refusal::NotFound(_))), Some(peer)) => {
                    self.limits.record_missing_room(peer);
                }
                (Err(chat::Error::Refusal(_)), _) => {}
                (Err(fault), _) => return Err(fault),
            }
        }
        Ok(known)
    }
}
