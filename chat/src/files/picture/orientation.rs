//! How a picture is turned before it is shown, as its EXIF data says.

/// The tag of the orientation, and the type of its value: a 16-bit number.
const TAG: u16 = 0x0112;
const SHORT: u16 = 3;

/// The bytes of an entry of a directory.
const ENTRY: usize = 12;

/// How many bytes of EXIF data are read at most. The orientation is in the first directory, which
/// writers put at the start; a JPEG has no room for more.
pub(super) const EXIF_MAX: u64 = 64 * 1024;

/// One of the eight orientations of EXIF. 1 is upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(u8);

impl Default for Orientation {
    fn default() -> Self {
        Self(1)
    }
}

impl Orientation {
    /// Reads the orientation from EXIF data, which is a TIFF file.
    pub(super) fn read(exif: &[u8]) -> Option<Self> {
        // Some writers of WebP leave the prefix there that EXIF data has in a JPEG.
        let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
        let numbers = match tiff.get(..4)? {
            b"II*\0" => Numbers { little: true, tiff },
            b"MM\0*" => Numbers {
                little: false,
                tiff,
            },
            _ => return None,
        };
        let directory = usize::try_from(numbers.u32(4)?).ok()?;
        let entries = usize::from(numbers.u16(directory)?);
        let entries = (0..entries).map(|index| directory.checked_add(2 + index * ENTRY));
        for entry in entries {
            let entry = entry?;
            if numbers.u16(entry)? == TAG {
                let is_one_number =
                    numbers.u16(entry + 2)? == SHORT && numbers.u32(entry + 4)? == 1;
                let value = u8::try_from(numbers.u16(entry + 8)?).ok()?;
                return (is_one_number && (1..=8).contains(&value)).then_some(Self(value));
            }
        }
        None
    }

    /// EXIF data with the orientation alone; `None` if the picture is upright without it.
    pub(super) fn to_exif(self) -> Option<[u8; 26]> {
        let mut exif = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
        exif[19] = self.0;
        (self != Self::default()).then_some(exif)
    }

    /// The number that EXIF has for it.
    pub(super) fn number(self) -> u8 {
        self.0
    }

    /// Whether the picture is shown turned by a quarter, so that its height becomes its width.
    pub(super) fn swaps_sides(self) -> bool {
        self.0 >= 5
    }
}

/// The numbers of a TIFF file.
struct Numbers<'a> {
    little: bool,
    tiff: &'a [u8],
}

impl Numbers<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.array(at)?;
        Some(match self.little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.array(at)?;
        Some(match self.little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        })
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.tiff.get(at..)?.first_chunk().copied()
    }
}
