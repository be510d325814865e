//! Files that people send in a room.
//!
//! # Not here
//! The bytes, and who may read them (crate `chat`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::RoomId;

/// The most files of one message.
pub const FILES_MAX: usize = 10;

/// The media types of the pictures that a page shows.
pub const PICTURE_TYPES: [&str; 5] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
];

/// The media types of the sounds that a page plays.
pub const SOUND_TYPES: [&str; 6] = [
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "audio/flac",
];

/// The media types of the videos that a page plays.
pub const VIDEO_TYPES: [&str; 2] = ["video/mp4", "video/webm"];

/// A file's ID in URLs: 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId([u8; 8]);

impl FileId {
    /// Returns the ID with these eight bytes. Take them from the operating system's random source
    /// for a new file.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Returns the eight bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The error for text that is not 16 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseFileIdError;

impl fmt::Display for ParseFileIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file ID is 16 characters, each 0-9 or a-f")
    }
}

impl std::error::Error for ParseFileIdError {}

impl FromStr for FileId {
    type Err = ParseFileIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.as_bytes().iter().all(hex) {
            return Err(ParseFileIdError);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| ParseFileIdError)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for FileId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// A file of a room, as clients see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct File {
    /// The file's ID.
    #[cfg_attr(feature = "schema", schema(value_type = String, pattern = "^[0-9a-f]{16}$", example = "89abcdef01234567"))]
    pub id: FileId,
    /// The name under which it is saved: one part of a path, without direction controls.
    #[cfg_attr(feature = "schema", schema(min_length = 1, example = "photo.jpg"))]
    pub name: String,
    /// What the file is by its content, as a media type. It says nothing about whether the file is
    /// harmless.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schema(example = "image/jpeg"))]
    pub kind: String,
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 of the bytes, in hexadecimal.
    #[cfg_attr(feature = "schema", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The path of the bytes on this server.
    pub url: String,
    /// A small picture of the file; `null` if there is none.
    pub preview: Option<FilePreview>,
    /// What the file shows, for people who do not see it; absent if its sender has not said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false, max_length = 500))]
    pub alt: Option<String>,
    /// The width of a picture in pixels, as it is shown. Missing if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub width: Option<u32>,
    /// The height of a picture in pixels, as it is shown. Missing if it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub height: Option<u32>,
    /// `true` if the file may contain the place where it was taken, the time and more: it is an
    /// original, a video, or a picture whose metadata cannot be removed. Missing otherwise.
    #[serde(default, skip_serializing_if = "is_false")]
    pub metadata: bool,
    /// `true` if the file was not checked yet for what is harmful: until then no one can download it,
    /// and no message can have it. Missing otherwise.
    #[serde(default, skip_serializing_if = "is_false")]
    pub scanning: bool,
}

/// A small picture of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FilePreview {
    /// The path of the picture on this server.
    pub url: String,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The last part of the path of a preview.
const PREVIEW: &str = "preview";

/// The path of a file's preview.
pub fn preview_path(room: RoomId, file: FileId) -> String {
    format!("/rooms/{room}/files/{file}/{PREVIEW}")
}

/// The path of a file's bytes, which ends in its name: a program that saves what it finds there uses
/// the end of the path.
pub fn file_path(room: RoomId, file: FileId, name: &str) -> String {
    let mut path = format!("/rooms/{room}/files/{file}/");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path += &format!("%{byte:02X}");
        }
    }
    if name == PREVIEW {
        // That path is taken, and any other name leads to the file as well.
        path.push('_');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_of_a_file_has_its_name_as_one_part() {
        let (room, file) = (RoomId::from_bytes([1; 8]), FileId::from_bytes([2; 8]));
        let path = file_path(room, file, "a b/\u{e9}?#.txt");
        let expected = "/rooms/0101010101010101/files/0202020202020202/a%20b%2F%C3%A9%3F%23.txt";
        assert_eq!(path, expected);
        assert_ne!(file_path(room, file, "preview"), preview_path(room, file));
    }

    #[test]
    fn only_sixteen_lower_case_hex_digits_parse_as_an_id() {
        let id: FileId = "0123456789abcdef".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef");
        for wrong in [
            "",
            "0123456789ABCDEF",
            "0123456789abcde",
            "+123456789abcdef",
        ] {
            assert_eq!(wrong.parse::<FileId>(), Err(ParseFileIdError), "{wrong}");
        }
    }
}
