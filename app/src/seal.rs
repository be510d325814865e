//! A room's face: its sixteen digits as a tile of four by four cells.
//!
//! Promises: drawn from the ID alone, the same on the server, in the browser, as the tab's icon and inside the QR
//! code; every digit has its own colour within the room's palette. Leaves to others: its size and its round corners.

use std::fmt::Write;

use leptos::prelude::*;
use protocol::RoomId;

use crate::cookie::encode;

/// The product's own face.
pub const OWN: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The seal of a room, or of the product when no room is named.
#[component]
pub fn Seal(#[prop(optional_no_strip)] id: Option<RoomId>) -> impl IntoView {
    view! { <svg class="seal" viewBox="0 0 4 4" aria-hidden="true" inner_html=cells(digits(id))></svg> }
}

/// The seal as an address that an icon link can carry.
pub fn icon(id: Option<RoomId>) -> String {
    format!("data:image/svg+xml,{}", encode(&drawing(digits(id))))
}

/// The seal as a file of its own.
fn drawing(digits: [u8; 16]) -> String {
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">"#,
            r#"<clipPath id="c"><rect width="4" height="4" rx=".8"/></clipPath><g clip-path="url(#c)">{}</g></svg>"#
        ),
        cells(digits)
    )
}

/// The sixteen cells, as SVG.
pub fn cells(digits: [u8; 16]) -> String {
    let base = hue(digits);
    digits
        .into_iter()
        .enumerate()
        .fold(String::new(), |mut svg, (cell, digit)| {
            // A hair wider than its cell, so that no background shines through between two.
            let _ = write!(
                svg,
                r#"<rect x="{}" y="{}" width="1.02" height="1.02" fill="{}"/>"#,
                cell % 4,
                cell / 4,
                colour(base, digit)
            );
            svg
        })
}

fn digits(id: Option<RoomId>) -> [u8; 16] {
    id.map_or(OWN, RoomId::digits)
}

/// The room's main hue, in degrees. Neighbouring IDs must not be neighbours in colour, so the digits are mixed first.
fn hue(digits: [u8; 16]) -> u32 {
    let mixed = digits.iter().fold(2_166_136_261_u32, |mix, digit| {
        (mix ^ u32::from(*digit)).wrapping_mul(16_777_619)
    });
    ((mixed >> 16) ^ mixed) % 360
}

/// Two bits of the digit choose one of four lightnesses, two choose one of four hues around the main one.
fn colour(base: u32, digit: u8) -> String {
    let (lightness, chroma) = [(38, 9), (56, 14), (74, 12), (90, 6)][usize::from(digit & 3)];
    let turn = [0, 32, 338, 74][usize::from(digit >> 2 & 3)];
    format!("oklch({lightness}% .{chroma:02} {})", (base + turn) % 360)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digit_has_its_own_colour() {
        let colours: std::collections::HashSet<_> = OWN.map(|digit| colour(0, digit)).into();
        assert_eq!(colours.len(), 16);
    }

    #[test]
    fn neighbours_do_not_look_alike() {
        let hues: Vec<_> = (0..16_u8)
            .map(|last| {
                let mut digits = OWN;
                digits[15] = last;
                hue(digits)
            })
            .collect();
        let spread: std::collections::HashSet<_> = hues.iter().map(|hue| hue / 30).collect();
        assert!(spread.len() > 5, "{hues:?}");
    }

    #[test]
    fn the_products_icon_is_its_own_seal() {
        assert_eq!(
            include_str!("../../public/icon.svg").trim_end(),
            drawing(OWN)
        );
    }

    #[test]
    fn a_seal_is_sixteen_cells() {
        assert_eq!(cells(OWN).matches("<rect").count(), 16);
        assert!(icon(None).starts_with("data:image/svg+xml,%3Csvg"));
    }
}
