//! Recognizes a picture by its first bytes.

/// How many bytes from the start of a file tell its content.
pub(super) const HEAD: u64 = 16;

/// The formats whose metadata is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    Gif,
    Webp,
}

/// What a file contains, as far as this is about its metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Picture(Format),
    /// A picture or a video in a format whose metadata is not removed.
    OtherMedia,
    /// No format that cameras write.
    Other,
}

impl Content {
    /// Recognizes the content by the first bytes of a file.
    pub(super) fn of(head: &[u8]) -> Self {
        let kind = head.get(8..12).unwrap_or_default();
        if head.starts_with(b"\xff\xd8\xff") {
            Self::Picture(Format::Jpeg)
        } else if head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Self::Picture(Format::Png)
        } else if head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a") {
            Self::Picture(Format::Gif)
        } else if head.starts_with(b"RIFF") && kind == b"WEBP" {
            Self::Picture(Format::Webp)
        } else if is_other_media(head) {
            Self::OtherMedia
        } else {
            Self::Other
        }
    }
}

/// Whether a file is of another kind that cameras and phones write: HEIC, AVIF, MP4, TIFF with the
/// raw formats that build on it, JPEG XL, JPEG 2000, Matroska, AVI.
fn is_other_media(head: &[u8]) -> bool {
    /// First bytes of raw pictures (TIFF, BigTIFF, Olympus, Panasonic, Fuji) and of others.
    const STARTS: [&[u8]; 15] = [
        b"II*\0",
        b"MM\0*",
        b"II+\0",
        b"MM\0+",
        b"IIRO\x08\0\0\0",
        b"IIRS\x08\0\0\0",
        b"MMOR\0\0\0\x08",
        b"IIU\0",
        b"FUJIFILMCCD-RAW",
        b"8BPS",
        b"\xff\x0a",
        b"\0\0\0\x0cJXL ",
        b"\0\0\0\x0cjP  ",
        b"\x1a\x45\xdf\xa3",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ];
    /// First boxes of files of the ISO base media format, and of `QuickTime` before it.
    const BOXES: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
    let kind = |range| head.get(range).unwrap_or_default();
    // The length of the first box begins with a byte that no text begins with.
    let is_box = head.first().is_some_and(|byte| *byte < b'\t') && BOXES.contains(&kind(4..8));
    STARTS.iter().any(|start| head.starts_with(start))
        || is_box
        || (head.starts_with(b"RIFF") && kind(8..12) == b"AVI ")
}
