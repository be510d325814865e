//! What the size of files is limited for.

use texts::refusal;

/// What the size of files is limited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSpace {
    /// One file.
    File,
    /// The files of one room together.
    Room,
    /// The files of all rooms together.
    Server,
}

impl FileSpace {
    /// Says that there may be no more bytes than this.
    pub(crate) fn say_limit(self, limit: u64) -> String {
        let text = match self {
            Self::File => refusal::FILE_TOO_LARGE,
            Self::Room => refusal::ROOM_FILES_FULL,
            Self::Server => refusal::ALL_FILES_FULL,
        };
        text.fill([&limit.to_string()])
    }
}
