//! What a file is, by its bytes.
//!
//! # Guarantees
//! - What a client says about a file does not matter.
//! - Only kinds that a browser shows without running anything are shown inside a page.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use file_format::FileFormat;
use protocol::{PICTURE_TYPES, SOUND_TYPES, VIDEO_TYPES};

/// Other names of kinds that may be shown.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("audio/vnd.wave", "audio/wav"),
    ("audio/x-m4a", "audio/mp4"),
    ("audio/opus", "audio/ogg"),
    ("video/x-m4v", "video/mp4"),
    ("application/octet-stream", UNKNOWN),
];

/// A file that is nothing known.
const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file. It names what the file looks like, and promises nothing.
pub(super) fn sniff(path: &Path) -> io::Result<String> {
    let format = FileFormat::from_reader(BufReader::new(File::open(path)?))?;
    Ok(common_name(format.media_type()).to_owned())
}

fn common_name(kind: &str) -> &str {
    let mut names = OTHER_NAMES.iter();
    names
        .find(|(other, _)| *other == kind)
        .map_or(kind, |(_, name)| name)
}

/// Whether a file of this kind may be shown inside a page.
pub(super) fn is_inline(kind: &str) -> bool {
    let inline = [&PICTURE_TYPES[..], &SOUND_TYPES, &VIDEO_TYPES];
    inline.iter().any(|types| types.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniff_bytes(bytes: &[u8]) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        sniff(file.path()).unwrap()
    }

    #[test]
    fn kind_follows_from_the_bytes_and_markup_is_never_inline() {
        let wav = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0";
        for (bytes, kind, inline) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "image/png", true),
            (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg", true),
            (b"GIF89a\x01\0\x01\0", "image/gif", true),
            (wav, "audio/wav", true),
            (b"%PDF-1.7\n", "application/pdf", false),
            (b"<svg onload=alert(1)></svg>", "image/svg+xml", false),
            (b"<!DOCTYPE html><p>", "text/html", false),
            (b"hello", "text/plain", false),
            (b"\x01\x02\x03", UNKNOWN, false),
            (b"", "application/x-empty", false),
        ] {
            let found = sniff_bytes(bytes);
            assert_eq!((found.as_str(), is_inline(&found)), (kind, inline));
        }
    }
}
