//! What the decisions of `leader` and `subscriber` ask of the browser.

use protocol::EventName;

use crate::connection::sharing::stream_event::ConnectionState;
use crate::connection::sharing::tab_message::TabMessage;

/// What the browser is to do for the leader, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderAction {
    /// Send this to all tabs, this one included.
    Send(TabMessage),
    /// Send what this stream is doing, or `Connecting` if there is none yet, for a topic.
    SendState {
        stream: Option<usize>,
        topic: String,
    },
    /// Wait for the lock of this tab, to notice its end.
    WatchTab(String),
    /// No longer wait for the lock of this tab.
    UnwatchTab(String),
    /// No longer wait for the lock of any tab.
    UnwatchAllTabs,
    /// Call `Leader::assign_streams` in a moment.
    AssignSoon,
    /// Open this stream now, again if it is open.
    OpenStream(usize),
    /// Close this stream.
    CloseStream(usize),
}

/// What the browser is to do for a tab, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriberAction {
    /// Send the subscription of this part, from the cursor that it has by now.
    Subscribe(u32),
    /// Send this to all tabs, this one included.
    Send(TabMessage),
    /// Start waiting for an answer of the leader, again if it waits.
    AwaitAnswer,
    /// The leader has answered: stop waiting.
    StopWaiting,
    /// Take the lock of the leader.
    StealLead,
    /// Reload the page in a moment.
    ReloadSoon,
    /// The connection behind the page is doing this now.
    SetState(ConnectionState),
    /// Pass this on to a part.
    Deliver(u32, FeedEvent),
}

/// What happened to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedEvent {
    /// An event: its name, its data and the cursor after it.
    Event(EventName, String, String),
    /// The connection was lost or refused; the reason is not known here.
    Lost,
    /// The outbox of the room has changed, by the message with this client ID, which a tab of this
    /// browser wrote.
    OutboxChanged(String),
}
