//! Pictures: the input is a file.

#![no_main]

use std::io::Cursor;

use chat::files::picture::{Dimensions, Stripping, draw_preview, read_dimensions, strip_metadata};
use libfuzzer_sys::fuzz_target;

/// The largest picture that is drawn: decoders that are not optimised take long for many pixels.
const PIXELS_MAX: u64 = 65_536;

fuzz_target!(
    init: {
        // The hook of libFuzzer ends the process, also where a panic of a decoder is caught.
        drop(std::panic::take_hook());
    },
    |data: &[u8]| {
        let dimensions = read(data);
        let (stripping, copy) = strip(data);
        if stripping == Stripping::Done {
            check_copy(data, &copy);
            assert_eq!(read(&copy), dimensions, "a copy has the same size");
        }
        check_preview(data, dimensions);
    }
);

fn read(file: &[u8]) -> Option<Dimensions> {
    read_dimensions(Cursor::new(file)).expect("memory can be read")
}

fn strip(file: &[u8]) -> (Stripping, Vec<u8>) {
    let mut copy = Vec::new();
    let stripping = strip_metadata(Cursor::new(file), &mut copy);
    (stripping.expect("memory can be read and written"), copy)
}

/// A copy has nothing to remove, and is hardly longer: its orientation may be written in another
/// place, and its end may be added.
fn check_copy(file: &[u8], copy: &[u8]) {
    assert_eq!(strip(copy), (Stripping::Done, copy.to_vec()));
    assert!(copy.len() <= file.len() + 64);
}

/// A preview is a short picture, which is not larger than the one that it shows.
fn check_preview(file: &[u8], dimensions: Option<Dimensions>) {
    let Some(whole) = dimensions else {
        assert_eq!(draw_preview(Cursor::new(file)), None);
        return;
    };
    if u64::from(whole.width) * u64::from(whole.height) > PIXELS_MAX {
        return;
    }
    let Some(preview) = draw_preview(Cursor::new(file)) else {
        return;
    };
    let drawn = preview.dimensions;
    assert!(drawn.width <= whole.width && drawn.height <= whole.height);
    assert!(preview.bytes.len() <= 100_000);
    assert_eq!(read(&preview.bytes), Some(drawn));
    assert_eq!(strip(&preview.bytes), (Stripping::Done, preview.bytes));
}
