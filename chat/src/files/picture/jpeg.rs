//! JPEG: a chain of segments, with the pixels between some of them.
//!
//! # Guarantees
//! - Of the segments that hold no part of the picture, three are kept: the density of JFIF without
//!   its thumbnail, the parts of an ICC profile, and Adobe's colour transform.
//! - The copy ends where the picture ends. What follows (the video of a motion photo, further
//!   pictures, gain maps) is not in it.
//! - The end of a picture that breaks off in its pixels is written, as decoders assume it.

use std::io::{self, Read, Seek, Write};

use super::Header;
use super::input::{Fault, Input, unless_malformed};
use super::orientation::Orientation;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP14: u8 = 0xee;

/// What a segment is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The size of the picture.
    Frame,
    /// Tables and parameters of the decoder.
    Table,
    /// Pixels follow.
    Scan,
    /// Applications write what they like, and only some of it is kept.
    Application,
    /// A marker alone, without a segment.
    Restart,
    End,
    /// Not in a picture that decoders know.
    Unknown,
}

impl Role {
    fn of(marker: u8) -> Self {
        match marker {
            0xc4 | 0xcc | 0xdb..=0xdd => Self::Table,
            0xc8 => Self::Unknown,
            0xc0..=0xcf => Self::Frame,
            0xd0..=0xd7 => Self::Restart,
            EOI => Self::End,
            SOS => Self::Scan,
            APP0..=0xef | 0xfe => Self::Application,
            _ => Self::Unknown,
        }
    }
}

pub(super) fn read_header<R: Read + Seek>(input: &mut Input<R>) -> Result<Header, Fault> {
    let mut frame = None;
    let mut orientation = None;
    // What comes before a fault is read: it is no reason not to know the size.
    unless_malformed(read_segments(input, &mut frame, &mut orientation))?;
    let frame = frame.ok_or(Fault::Malformed)?;
    Ok(Header {
        width: frame.width,
        height: frame.height,
        orientation: orientation.unwrap_or_default(),
    })
}

/// Reads the segments before the pixels.
fn read_segments<R: Read + Seek>(
    input: &mut Input<R>,
    frame: &mut Option<Frame>,
    orientation: &mut Option<Orientation>,
) -> Result<(), Fault> {
    input.skip(2)?;
    loop {
        let marker = next_marker(input)?.ok_or(Fault::Malformed)?;
        match Role::of(marker) {
            Role::Scan | Role::End => return Ok(()),
            Role::Unknown => return Err(Fault::Malformed),
            Role::Restart => {}
            Role::Frame if frame.is_none() => *frame = Frame::read(marker, &payload(input)?),
            Role::Frame => return Err(Fault::Malformed),
            Role::Application if marker == APP1 && orientation.is_none() => {
                let payload = payload(input)?;
                *orientation = payload
                    .strip_prefix(b"Exif\0\0")
                    .and_then(Orientation::read);
            }
            Role::Table | Role::Application => {
                let length = length(input)?;
                input.skip(length)?;
            }
        }
    }
}

/// Copies the picture without its metadata.
pub(super) fn strip<R: Read + Seek>(
    input: &mut Input<R>,
    orientation: Orientation,
    to: &mut impl Write,
) -> Result<(), Fault> {
    to.write_all(&[0xff, SOI])?;
    if let Some(exif) = orientation.to_exif() {
        write_segment(APP1, &[b"Exif\0\0", &exif[..]].concat(), to)?;
    }
    input.skip(2)?;
    let mut has_frame = false;
    let mut has_scan = false;
    let mut next = next_marker(input)?;
    while let Some(marker) = next {
        match Role::of(marker) {
            Role::End => break,
            Role::Unknown => return Err(Fault::Malformed),
            Role::Restart => {}
            Role::Application => copy_application(marker, input, to)?,
            Role::Frame if has_frame => return Err(Fault::Malformed),
            role => {
                has_frame |= role == Role::Frame;
                write_segment(marker, &payload(input)?, to)?;
            }
        }
        next = if marker == SOS {
            has_scan = has_frame;
            copy_pixels(input, to)?
        } else {
            next_marker(input)?
        };
    }
    if !has_scan {
        return Err(Fault::Malformed);
    }
    to.write_all(&[0xff, EOI])?;
    Ok(())
}

/// Copies a segment of an application, or what is kept of it.
fn copy_application<R: Read + Seek>(
    marker: u8,
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let payload = payload(input)?;
    match marker {
        APP0 if payload.starts_with(b"JFIF\0") && payload.len() >= 12 => {
            let without_thumbnail = [&payload[..12], &[0, 0]].concat();
            write_segment(marker, &without_thumbnail, to)?;
        }
        APP2 if payload.starts_with(b"ICC_PROFILE\0") && payload.len() >= 14 => {
            write_segment(marker, &payload, to)?;
        }
        APP14 if payload.starts_with(b"Adobe") && payload.len() >= 12 => {
            write_segment(marker, &payload[..12], to)?;
        }
        _ => {}
    }
    Ok(())
}

/// Copies the pixels up to the next marker and returns it; `None` at the end of the file.
fn copy_pixels<R: Read + Seek>(
    input: &mut Input<R>,
    to: &mut impl Write,
) -> Result<Option<u8>, Fault> {
    while input.copy_until(0xff, to)? {
        let mut fill = 1;
        let next = loop {
            match input.byte()? {
                Some(0xff) => fill += 1,
                next => break next,
            }
        };
        match next {
            // Pixels that have the value of a marker.
            Some(byte) if byte == 0 || Role::of(byte) == Role::Restart => {
                io::copy(&mut io::repeat(0xff).take(fill), to)?;
                to.write_all(&[byte])?;
            }
            marker => return Ok(marker),
        }
    }
    Ok(None)
}

/// What a decoder takes beside the pixels: the file and its own copy of it, and all coefficients if
/// they do not come block by block.
pub(super) fn decoder_memory<R: Read + Seek>(input: &mut Input<R>) -> Result<u64, Fault> {
    let mut frame = None;
    input.rewind()?;
    read_segments(input, &mut frame, &mut None)?;
    let frame = frame.ok_or(Fault::Malformed)?;
    // The header of a scan begins with the number of its components.
    let scan = payload(input)?;
    let has_all = scan.first().map(|number| usize::from(*number)) == Some(frame.samplings.len());
    let is_buffered = frame.is_progressive || !has_all;
    let coefficients = if is_buffered { frame.coefficients() } else { 0 };
    Ok(2 * input.length() + coefficients)
}

/// Goes past the next marker, and past what is between two segments; `None` at the end of the file.
fn next_marker<R: Read + Seek>(input: &mut Input<R>) -> Result<Option<u8>, Fault> {
    let mut previous = 0;
    while let Some(byte) = input.byte()? {
        if previous == 0xff && byte != 0xff && byte != 0 {
            return Ok(Some(byte));
        }
        previous = byte;
    }
    Ok(None)
}

fn length<R: Read + Seek>(input: &mut Input<R>) -> Result<u64, Fault> {
    let length = u64::from(u16::from_be_bytes(input.array()?));
    length.checked_sub(2).ok_or(Fault::Malformed)
}

fn payload<R: Read + Seek>(input: &mut Input<R>) -> Result<Vec<u8>, Fault> {
    let length = length(input)?;
    input.take(length, length)
}

/// Writes a segment with a payload that fits into one.
fn write_segment(marker: u8, payload: &[u8], to: &mut impl Write) -> Result<(), Fault> {
    let length = u16::try_from(payload.len() + 2).map_err(|_| Fault::Malformed)?;
    to.write_all(&[0xff, marker])?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(payload)?;
    Ok(())
}

/// The frame header.
struct Frame {
    width: u32,
    height: u32,
    is_progressive: bool,
    /// For each component, how many of its values there are in a row and in a column of a block.
    samplings: Vec<[u8; 2]>,
}

impl Frame {
    fn read(marker: u8, payload: &[u8]) -> Option<Self> {
        let side = |at| Some(u16::from_be_bytes(*payload.get(at..)?.first_chunk()?).into());
        let components = payload.get(6..)?.chunks_exact(3);
        Some(Self {
            width: side(3)?,
            height: side(1)?,
            is_progressive: marker == 0xc2,
            samplings: components
                .map(|component| [component[1] >> 4, component[1] & 0xf])
                .collect(),
        })
    }

    /// The bytes of the coefficients of all components, two for each.
    fn coefficients(&self) -> u64 {
        let max = |side: usize| self.samplings.iter().map(|sampling| sampling[side]).max();
        let full = u64::from(max(0).unwrap_or(1).max(1)) * u64::from(max(1).unwrap_or(1).max(1));
        let values = self
            .samplings
            .iter()
            .map(|[x, y]| u64::from(*x) * u64::from(*y));
        2 * u64::from(self.width) * u64::from(self.height) * values.sum::<u64>() / full
    }
}
