//! WebP: chunks in a RIFF container.
//!
//! # Guarantees
//! - The pixels, their frames and the colour profile are kept, also inside of the frames of an
//!   animation. EXIF data, XMP and unknown chunks are not, and the header says so.
//! - The copy ends with the container.

use std::io::{self, Read, Seek, Write};

use super::Header;
use super::input::{Fault, Input, unless_malformed};
use super::orientation::{EXIF_MAX, Orientation};

/// The bytes before the data of a chunk.
const CHUNK_HEAD: u64 = 8;

/// The length of the extended header, and of the header of an animation's frame.
const EXTENDED: u64 = 10;
const FRAME_HEAD: u64 = 16;

/// Flags of the extended header.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

const PIXELS: [&[u8; 4]; 3] = [b"VP8 ", b"VP8L", b"ALPH"];

/// The name of a chunk and the place of its data.
#[derive(Clone, Copy)]
struct Chunk {
    name: [u8; 4],
    from: u64,
    length: u64,
}

impl Chunk {
    /// Reads the head of the next chunk of a container that ends there; `None` after the last one.
    fn read<R: Read + Seek>(input: &mut Input<R>, end: u64) -> Result<Option<Self>, Fault> {
        if input.position() + CHUNK_HEAD > end {
            return Ok(None);
        }
        let name = input.array()?;
        let length = u64::from(u32::from_le_bytes(input.array()?));
        let from = input.position();
        if from + length > end {
            return Err(Fault::Malformed);
        }
        Ok(Some(Self { name, from, length }))
    }

    /// Where the next chunk begins: a chunk has an even length.
    fn next(&self) -> u64 {
        self.from + padded(self.length)
    }

    fn copy<R: Read + Seek>(&self, input: &mut Input<R>, to: &mut impl Write) -> Result<(), Fault> {
        write_head(self.name, self.length, to)?;
        input.copy(self.length, to)?;
        write_padding(self.length, to)
    }
}

fn padded(length: u64) -> u64 {
    length.next_multiple_of(2)
}

fn write_head(name: [u8; 4], length: u64, to: &mut impl Write) -> Result<(), Fault> {
    let length = u32::try_from(length).map_err(|_| Fault::Malformed)?;
    to.write_all(&name)?;
    to.write_all(&length.to_le_bytes())?;
    Ok(())
}

fn write_padding(length: u64, to: &mut impl Write) -> Result<(), Fault> {
    if length != padded(length) {
        to.write_all(&[0])?;
    }
    Ok(())
}

/// Reads the head of the container and returns where it ends.
fn read_start<R: Read + Seek>(input: &mut Input<R>) -> Result<u64, Fault> {
    input.seek(4)?;
    let end = CHUNK_HEAD + u64::from(u32::from_le_bytes(input.array()?));
    input.skip(4)?;
    if end > input.length() {
        return Err(Fault::Malformed);
    }
    Ok(end)
}

pub(super) fn read_header<R: Read + Seek>(input: &mut Input<R>) -> Result<Header, Fault> {
    let end = read_start(input)?;
    let first = Chunk::read(input, end)?.ok_or(Fault::Malformed)?;
    if first.name != *b"VP8X" {
        return read_sides(first, input);
    }
    let [flags, _, _, _, sides @ ..]: [u8; EXTENDED as usize] = input.array()?;
    let [width, height] = [&sides[..3], &sides[3..]]
        .map(|side| u32::from(side[0]) | u32::from(side[1]) << 8 | u32::from(side[2]) << 16);
    input.seek(first.next())?;
    let mut orientation = None;
    if flags & HAS_EXIF != 0 {
        // What comes before a fault is read: it is no reason not to know the size.
        orientation = unless_malformed(find_orientation(input, end))?.flatten();
    }
    Ok(Header {
        width: width + 1,
        height: height + 1,
        orientation: orientation.unwrap_or_default(),
    })
}

/// Reads the size of a chunk of pixels from its start.
fn read_sides<R: Read + Seek>(chunk: Chunk, input: &mut Input<R>) -> Result<Header, Fault> {
    let start = input.take(chunk.length, 10)?;
    let (width, height) = match (&chunk.name, &start[..]) {
        (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, a, b, c, d]) => {
            let side = |low, high| u32::from(u16::from_le_bytes([low, high])) & 0x3fff;
            (side(*a, *b), side(*c, *d))
        }
        (b"VP8L", [0x2f, a, b, c, d, ..]) => {
            let sides = u32::from_le_bytes([*a, *b, *c, *d]);
            ((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1)
        }
        _ => return Err(Fault::Malformed),
    };
    Ok(Header {
        width,
        height,
        orientation: Orientation::default(),
    })
}

fn find_orientation<R: Read + Seek>(
    input: &mut Input<R>,
    end: u64,
) -> Result<Option<Orientation>, Fault> {
    while let Some(chunk) = Chunk::read(input, end)? {
        if chunk.name == *b"EXIF" {
            return Ok(Orientation::read(&input.take(chunk.length, EXIF_MAX)?));
        }
        input.seek(chunk.next())?;
    }
    Ok(None)
}

/// Copies the picture without its metadata.
pub(super) fn strip<R: Read + Seek>(
    input: &mut Input<R>,
    orientation: Orientation,
    to: &mut impl Write,
) -> Result<(), Fault> {
    // The length of the container comes before what is in it.
    let mut length = Length(0);
    copy_chunks(input, orientation, &mut length)?;
    write_head(*b"RIFF", 4 + length.0, to)?;
    to.write_all(b"WEBP")?;
    copy_chunks(input, orientation, to)
}

fn copy_chunks<R: Read + Seek>(
    input: &mut Input<R>,
    orientation: Orientation,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let end = read_start(input)?;
    let first = Chunk::read(input, end)?.ok_or(Fault::Malformed)?;
    match &first.name {
        // A picture without an extended header is one chunk.
        b"VP8 " | b"VP8L" => first.copy(input, to),
        b"VP8X" if first.length == EXTENDED => copy_extended(input, end, orientation, to),
        _ => Err(Fault::Malformed),
    }
}

fn copy_extended<R: Read + Seek>(
    input: &mut Input<R>,
    end: u64,
    orientation: Orientation,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let exif = orientation.to_exif();
    let mut header: [u8; EXTENDED as usize] = input.array()?;
    header[0] &= !(HAS_EXIF | HAS_XMP);
    if exif.is_some() {
        header[0] |= HAS_EXIF;
    }
    write_head(*b"VP8X", EXTENDED, to)?;
    to.write_all(&header)?;
    let mut has_pixels = false;
    while let Some(chunk) = Chunk::read(input, end)? {
        match &chunk.name {
            b"ANMF" => copy_frame(chunk, input, to)?,
            b"ICCP" | b"ANIM" => chunk.copy(input, to)?,
            name if PIXELS.contains(&name) => chunk.copy(input, to)?,
            _ => {}
        }
        has_pixels |= [*b"VP8 ", *b"VP8L", *b"ANMF"].contains(&chunk.name);
        input.seek(chunk.next())?;
    }
    if !has_pixels {
        return Err(Fault::Malformed);
    }
    if let Some(exif) = exif {
        write_head(*b"EXIF", exif.len() as u64, to)?;
        to.write_all(&exif)?;
    }
    Ok(())
}

/// Copies a frame of an animation, which is a container again.
fn copy_frame<R: Read + Seek>(
    frame: Chunk,
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let mut length = Length(0);
    copy_frame_data(frame, input, &mut length)?;
    input.seek(frame.from)?;
    write_head(frame.name, length.0, to)?;
    copy_frame_data(frame, input, to)
}

/// Copies the data of a frame. Its chunks have an even length, and so has the frame.
fn copy_frame_data<R: Read + Seek>(
    frame: Chunk,
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    if frame.length < FRAME_HEAD {
        return Err(Fault::Malformed);
    }
    input.copy(FRAME_HEAD, to)?;
    let end = frame.from + frame.length;
    while let Some(chunk) = Chunk::read(input, end)? {
        if PIXELS.contains(&&chunk.name) {
            chunk.copy(input, to)?;
        }
        input.seek(chunk.next())?;
    }
    Ok(())
}

/// What a decoder takes beside the pixels that it returns: pixels in other forms, a
/// copy of a part of the file, and tables.
pub(super) fn decoder_memory<R: Read + Seek>(input: &mut Input<R>) -> Result<u64, Fault> {
    let header = read_header(input)?;
    let end = read_start(input)?;
    let pixels = u64::from(header.width) * u64::from(header.height);
    let mut costs = Costs::default();
    add_costs(input, end, &header, &mut costs)?;
    let tables = costs.coded * CODES_FACTOR;
    Ok(input.length() + pixels * costs.bytes_per_pixel() + tables)
}

/// How much larger than their part of a file the tables can be that decoding it takes: tables of
/// four kilobytes, from eleven bytes each.
const CODES_FACTOR: u64 = 400;

/// What the chunks of a picture cost.
#[derive(Default)]
struct Costs {
    is_animated: bool,
    is_lossless: bool,
    has_alpha: bool,
    /// The length of the longest chunk that has tables of its own.
    coded: u64,
}

impl Costs {
    /// The bytes for each pixel: planes of colours or all four channels, those of the alpha channel,
    /// and the canvas and the frame of an animation.
    fn bytes_per_pixel(&self) -> u64 {
        let pixels = if self.is_lossless { 4 } else { 2 };
        let alpha = if self.has_alpha { 5 } else { 0 };
        let animation = if self.is_animated { 8 } else { 0 };
        pixels + alpha + animation
    }
}

/// Adds the costs of the chunks up to a position, none of which may be larger than the picture.
fn add_costs<R: Read + Seek>(
    input: &mut Input<R>,
    end: u64,
    header: &Header,
    costs: &mut Costs,
) -> Result<(), Fault> {
    while let Some(chunk) = Chunk::read(input, end)? {
        match &chunk.name {
            b"ANMF" => {
                costs.is_animated = true;
                input.skip(FRAME_HEAD)?;
                continue;
            }
            b"VP8 " | b"VP8L" => {
                let sides = read_sides(chunk, input)?;
                if sides.width > header.width || sides.height > header.height {
                    return Err(Fault::Malformed);
                }
            }
            _ => {}
        }
        costs.has_alpha |= chunk.name == *b"ALPH";
        costs.is_lossless |= chunk.name == *b"VP8L";
        if [*b"VP8L", *b"ALPH"].contains(&chunk.name) {
            costs.coded = costs.coded.max(chunk.length);
        }
        input.seek(chunk.next())?;
    }
    Ok(())
}

/// Counts what is written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
