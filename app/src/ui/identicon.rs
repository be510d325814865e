//! A room's identicon: the sixteen digits of its ID as a square of four by four coloured cells.
//!
//! # Guarantees
//! - It depends on the ID alone, and is the same on the page, as the tab's icon and in the QR code.
//! - Each digit has a colour of its own within the room's palette.
//!
//! # Not here
//! Its size and its round corners, which are styles.

use std::fmt::Write;

use leptos::prelude::*;
use protocol::RoomId;

use crate::browser::cookies::percent_encode;

/// The digits of the product's own identicon.
pub const PRODUCT_DIGITS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The identicon of a room, or of the product without a room.
#[component]
pub fn Identicon(#[prop(optional_no_strip)] id: Option<RoomId>) -> impl IntoView {
    view! { <svg class="identicon" viewBox="0 0 4 4" aria-hidden="true" inner_html=svg_cells(digits(id))></svg> }
}

/// The identicon as a data URL for an icon link, with a dot if something is unread.
pub fn identicon_url(id: Option<RoomId>, has_unread: bool) -> String {
    let dot = if has_unread { UNREAD_DOT } else { "" };
    let file = svg_file(digits(id), dot);
    format!("data:image/svg+xml,{}", percent_encode(&file))
}

/// A dot in the upper right corner, with an edge that sets it off from any cell.
const UNREAD_DOT: &str =
    r##"<circle cx="3.1" cy=".9" r=".75" fill="#d22" stroke="#fff" stroke-width=".3"/>"##;

/// The identicon as an SVG file, with another element in front.
fn svg_file(digits: [u8; 16], front: &str) -> String {
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">"#,
            r#"<clipPath id="c"><rect width="4" height="4" rx=".8"/></clipPath><g clip-path="url(#c)">{}</g>{}</svg>"#
        ),
        svg_cells(digits),
        front
    )
}

/// The sixteen cells as SVG elements.
pub fn svg_cells(digits: [u8; 16]) -> String {
    let base = hue(digits);
    digits
        .into_iter()
        .enumerate()
        .fold(String::new(), |mut svg, (cell, digit)| {
            // Slightly larger than its cell, so that no background shows between two cells.
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
    id.map_or(PRODUCT_DIGITS, RoomId::digits)
}

/// The room's main hue, in degrees. The digits are hashed, so that similar IDs have different hues.
fn hue(digits: [u8; 16]) -> u32 {
    let mixed = digits.iter().fold(2_166_136_261_u32, |mix, digit| {
        (mix ^ u32::from(*digit)).wrapping_mul(16_777_619)
    });
    ((mixed >> 16) ^ mixed) % 360
}

/// Two bits of a digit choose one of four lightnesses, the other two one of four hues around the
/// main one.
fn colour(base: u32, digit: u8) -> String {
    let shade = usize::from(digit & 3);
    let lightness = [38, 56, 74, 90][shade];
    let chroma = [9, 14, 12, 6][shade];
    let turn = [0, 32, 338, 74][usize::from(digit >> 2 & 3)];
    format!("oklch({lightness}% .{chroma:02} {})", (base + turn) % 360)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_digit_has_its_own_colour() {
        let colours: std::collections::HashSet<_> =
            PRODUCT_DIGITS.map(|digit| colour(0, digit)).into();
        assert_eq!(colours.len(), 16);
    }

    #[test]
    fn similar_ids_have_different_hues() {
        let hues: Vec<_> = (0..16_u8)
            .map(|last| {
                let mut digits = PRODUCT_DIGITS;
                digits[15] = last;
                hue(digits)
            })
            .collect();
        let spread: std::collections::HashSet<_> = hues.iter().map(|hue| hue / 30).collect();
        assert!(spread.len() > 5, "{hues:?}");
    }

    #[test]
    fn icon_file_is_the_products_identicon() {
        assert_eq!(
            include_str!("../../../public/icon.svg").trim_end(),
            svg_file(PRODUCT_DIGITS, "")
        );
    }

    #[test]
    fn identicon_has_sixteen_cells() {
        assert_eq!(svg_cells(PRODUCT_DIGITS).matches("<rect").count(), 16);
        assert!(identicon_url(None, false).starts_with("data:image/svg+xml,%3Csvg"));
    }
}
