//! The event streams of the tabs, and the server behind them.

use super::*;

impl Browser {
    pub(super) fn state_of(&self, at: usize, stream: Option<usize>) -> ConnectionState {
        let Some(stream) = stream.and_then(|stream| self.tabs[at].streams.get(stream)) else {
            return ConnectionState::Connecting;
        };
        let is_open = stream.connection.as_ref().is_some_and(|now| now.is_open);
        match stream.state {
            ConnectionState::Live if !is_open => ConnectionState::Connecting,
            state => state,
        }
    }

    pub(super) fn open_stream(&mut self, at: usize, index: usize) {
        while self.tabs[at].streams.len() <= index {
            self.tabs[at].streams.push(Stream {
                state: ConnectionState::Connecting,
                is_wanted: false,
                connection: None,
                retry_at: None,
                failures: 0,
            });
        }
        self.tabs[at].streams[index].is_wanted = true;
        self.tabs[at].streams[index].failures = 0;
        self.connect(at, index);
    }

    pub(super) fn connect(&mut self, at: usize, index: usize) {
        let id = self.new_id();
        let address = self.tabs[at].leader.address(index, &String::new);
        let is_online = self.is_online;
        let stream = &mut self.tabs[at].streams[index];
        stream.retry_at = None;
        stream.connection = is_online.then(|| Connection {
            id,
            is_open: false,
            is_silent: false,
            noticed_at: 0,
            rooms: read_address(&address),
        });
        if !is_online {
            self.set_stream_state(at, index, ConnectionState::Offline);
        }
    }

    pub(super) fn set_stream_state(&mut self, at: usize, index: usize, state: ConnectionState) {
        self.tabs[at].streams[index].state = state;
        let actions = self.tabs[at].leader.on_stream_state(index, state);
        self.perform_leader(at, actions);
    }

    pub(super) fn on_network_change(&mut self, at: usize) {
        for index in 0..self.tabs[at].streams.len() {
            let stream = &mut self.tabs[at].streams[index];
            if !stream.is_wanted {
                continue;
            }
            if self.is_online {
                self.open_stream(at, index);
            } else {
                stream.connection = None;
                stream.retry_at = None;
                self.set_stream_state(at, index, ConnectionState::Offline);
            }
        }
    }

    pub(super) fn is_current(&self, at: usize, connected: Connected) -> bool {
        let stream = self.tabs[at].streams.get(connected.stream);
        let connection = stream.and_then(|stream| stream.connection.as_ref());
        connection.is_some_and(|connection| connection.id == connected.connection)
    }

    pub(super) fn lose_connection(&mut self, at: usize, index: usize) {
        let stream = &mut self.tabs[at].streams[index];
        stream.connection = None;
        stream.failures += 1;
        let retry_at = self.now + (1_000 << stream.failures.min(5));
        stream.retry_at = Some(retry_at);
        let waiting = ConnectionState::Waiting(Time::from_millis(retry_at));
        self.set_stream_state(at, index, waiting);
    }

    /// The server sends the next event of a connection, if there is one.
    pub(super) fn serve(&mut self, at: usize, index: usize) {
        let newest = self.newest;
        let Some(connection) = &mut self.tabs[at].streams[index].connection else {
            return;
        };
        if connection.is_silent {
            return;
        }
        let connected = Connected {
            stream: index,
            connection: connection.id,
        };
        if !connection.is_open {
            connection.is_open = true;
            return self.tabs[at]
                .inbox
                .push_back(Input::StreamOpened(connected));
        }
        let behind = |place: &&mut RoomPosition| place.seq < newest[place.room];
        let Some(next) = connection.rooms.iter_mut().find(behind) else {
            return;
        };
        next.seq += 1;
        let data = next.seq.to_string();
        let topic = ROOMS[next.room].to_owned();
        let cursors = connection.rooms.iter();
        let cursors: Vec<String> = cursors
            .map(|place| format!("{}-e.{}", ROOMS[place.room], place.seq))
            .collect();
        let event = StreamEvent {
            name: EventName::Message,
            data,
            id: cursors.join("_"),
        };
        self.tabs[at].inbox.push_back(Input::StreamEvent {
            connected,
            topic,
            event,
        });
    }
}

/// The rooms in the address of a stream, with the sequences after which they start.
fn read_address(address: &str) -> Vec<RoomPosition> {
    let field = |name: &str| {
        let fields = address.split(['?', '&']);
        let mut values = fields.filter_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        values
            .next()
            .unwrap_or_else(|| panic!("{name} in {address}"))
    };
    let rooms = field("rooms").split(',');
    let after = field("after").split(',');
    rooms
        .zip(after)
        .map(|(room, cursor)| RoomPosition {
            room: ROOMS.iter().position(|known| *known == room).unwrap(),
            seq: cursor.rsplit('.').next().unwrap().parse().unwrap(),
        })
        .collect()
}
