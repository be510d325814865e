//! Pictures: removes their metadata, reads their size, draws previews.
//!
//! # Guarantees
//! - Of a JPEG, PNG, GIF or WebP, nothing is kept that is not known to belong to the picture: no
//!   place, time, camera, text, thumbnail or further picture. The orientation and the colour profile
//!   survive, and the pixels are copied as they are.
//! - Metadata and sizes of a file of any length and content are read in bounded memory, without a
//!   panic, in time that is linear in its length. A file that is not well-formed is no fault.
//! - What is written has no metadata to remove: removing it again gives the same bytes.
//! - Everything is synchronous and reads and writes nothing but what it is given.
//!
//! # Not here
//! - What a file is called and how it is served.
//! - Data that is hidden in the pixels or in the colour profile.

mod format;
mod gif;
mod input;
mod jpeg;
mod orientation;
mod png;
mod preview;
#[cfg(test)]
mod tests;
mod webp;

use std::io::{self, BufWriter, Read, Seek, Write};

use self::format::{Content, Format, HEAD};
use self::input::{Fault, Input, unless_malformed};
use self::orientation::Orientation;
pub use self::preview::{PREVIEW_MAX, Preview, PreviewFormat, draw_preview};

/// What became of the metadata of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stripping {
    /// The copy is complete, and is the picture without metadata.
    Done,
    /// The file begins like a picture, but is not well-formed. The copy is of no use.
    Malformed,
    /// The file is a picture or a video in a format whose metadata is not removed. Nothing was
    /// copied.
    Unsupported,
    /// The file is neither a picture nor a video, as far as is known. Nothing was copied.
    NotMedia,
}

impl Stripping {
    /// Whether the file can contain the place where it was taken, if it is kept as it is.
    pub fn may_contain_place(self) -> bool {
        matches!(self, Self::Malformed | Self::Unsupported)
    }
}

/// The size at which a picture is shown, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// What a picture says before its pixels.
#[derive(Clone, Copy, Debug)]
struct Header {
    /// The size before the picture is turned.
    width: u32,
    height: u32,
    orientation: Orientation,
}

impl Header {
    /// Reads the header of a picture from the start of a file.
    fn read<R: Read + Seek>(format: Format, input: &mut Input<R>) -> Result<Self, Fault> {
        input.rewind()?;
        match format {
            Format::Jpeg => jpeg::read_header(input),
            Format::Png => png::read_header(input),
            Format::Gif => gif::read_header(input),
            Format::Webp => webp::read_header(input),
        }
    }

    /// The size at which the picture is shown; `None` if there is nothing to show.
    fn dimensions(&self) -> Option<Dimensions> {
        let (mut width, mut height) = (self.width, self.height);
        if self.orientation.swaps_sides() {
            std::mem::swap(&mut width, &mut height);
        }
        (width > 0 && height > 0).then_some(Dimensions { width, height })
    }
}

/// Copies a picture without its metadata. The file is read from its start.
///
/// # Errors
/// A fault of reading or writing. A file that is no picture is none.
pub fn strip_metadata<R: Read + Seek, W: Write>(file: R, copy: W) -> io::Result<Stripping> {
    let mut input = Input::new(file)?;
    let format = match read_content(&mut input)? {
        Content::Picture(format) => format,
        Content::OtherMedia => return Ok(Stripping::Unsupported),
        Content::Other => return Ok(Stripping::NotMedia),
    };
    let mut copy = BufWriter::new(copy);
    let stripped = unless_malformed(strip(format, &mut input, &mut copy))?;
    copy.flush()?;
    Ok(stripped.map_or(Stripping::Malformed, |()| Stripping::Done))
}

fn strip<R: Read + Seek>(
    format: Format,
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let Header { orientation, .. } = Header::read(format, input)?;
    input.rewind()?;
    match format {
        Format::Jpeg => jpeg::strip(input, orientation, to),
        Format::Png => png::strip(input, orientation, to),
        Format::Gif => gif::strip(input, to),
        Format::Webp => webp::strip(input, orientation, to),
    }
}

/// Reads the size of a picture from its header; `None` if it is unknown. The file is read from its
/// start.
///
/// # Errors
/// A fault of reading.
pub fn read_dimensions<R: Read + Seek>(file: R) -> io::Result<Option<Dimensions>> {
    let mut input = Input::new(file)?;
    let Content::Picture(format) = read_content(&mut input)? else {
        return Ok(None);
    };
    let header = unless_malformed(Header::read(format, &mut input))?;
    Ok(header.and_then(|header| header.dimensions()))
}

/// Whether a file can contain the place where it was taken, if it is kept as it is. The file is read
/// from its start.
///
/// # Errors
/// A fault of reading.
pub fn may_contain_place<R: Read + Seek>(file: R) -> io::Result<bool> {
    let content = read_content(&mut Input::new(file)?)?;
    Ok(content != Content::Other)
}

/// Recognizes a file by its first bytes.
fn read_content<R: Read + Seek>(input: &mut Input<R>) -> io::Result<Content> {
    let length = input.length().min(HEAD);
    let head = unless_malformed(input.take(length, length))?;
    Ok(Content::of(&head.unwrap_or_default()))
}
