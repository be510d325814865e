//! The address of an event stream.

use crate::browser::cookies;

/// The address of a stream, topic by topic.
pub struct StreamAddress {
    address: String,
    /// The rooms, separated by commas.
    rooms: String,
    /// The cursor of each room, separated by commas.
    cursors: String,
}

impl StreamAddress {
    /// A stream without topics, for this display name.
    pub fn new(name: &str) -> Self {
        Self {
            address: "/stream?beat=on&username=".to_owned() + &cookies::percent_encode(name),
            rooms: String::new(),
            cursors: String::new(),
        }
    }

    /// Adds the list of public rooms.
    pub fn add_public_rooms(&mut self) {
        self.address.push_str("&list=on");
    }

    /// Adds the visitor's own rooms, and the rooms that the browser remembers.
    pub fn add_overview(&mut self, visits: &str) {
        self.address.push_str("&overview=on&also=");
        self.address.push_str(visits);
    }

    /// Adds a room after a cursor.
    pub fn add_room(&mut self, room: &str, cursor: &str) {
        if !self.rooms.is_empty() {
            self.rooms.push(',');
            self.cursors.push(',');
        }
        self.rooms.push_str(room);
        self.cursors.push_str(cursor);
    }

    /// The address.
    pub fn finish(self) -> String {
        let mut address = self.address;
        if !self.rooms.is_empty() {
            address.push_str("&rooms=");
            address.push_str(&self.rooms);
            address.push_str("&after=");
            address.push_str(&self.cursors);
        }
        address
    }
}
