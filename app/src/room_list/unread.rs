//! How much is unread, and how titles say it.

use std::ops::Add;

use protocol::{NotificationLevel, Overview, RoomId};

/// A number of unread messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// All of them.
    pub messages: u64,
    /// Those that mention the visitor.
    pub mentions: u64,
}

impl Unread {
    /// What is unread in the visitor's rooms and chats, without the muted ones and the room that is
    /// open.
    pub fn of(own: &Overview, open: Option<RoomId>) -> Self {
        let chats = own.chats.iter();
        let chats = chats.map(|chat| (chat.room, chat.level, chat.unread, 0));
        let rooms = own.rooms.iter();
        let rooms = rooms.map(|room| (room.id, room.level, room.unread, room.mentions));
        let counted = chats
            .chain(rooms)
            .filter(|(id, level, ..)| Some(*id) != open && *level != NotificationLevel::None);
        counted.fold(Self::default(), |sum, (_, _, messages, mentions)| {
            sum + Self { messages, mentions }
        })
    }

    /// The title behind the numbers, if anything is unread.
    pub(crate) fn before(self, title: &str) -> String {
        match (self.messages, self.mentions) {
            (0, _) => title.to_owned(),
            (count, 0) => format!("({count}) {title}"),
            (count, mentions) => format!("({count}, @{mentions}) {title}"),
        }
    }
}

impl Add for Unread {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            mentions: self.mentions + other.mentions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_stands_before_the_title() {
        let title = |messages, mentions| Unread { messages, mentions }.before("Tea");
        assert_eq!(title(0, 0), "Tea");
        assert_eq!(title(3, 0), "(3) Tea");
        assert_eq!(title(3, 1), "(3, @1) Tea");
    }
}
