//! A link as a QR code, with an identicon in its centre.
//!
//! # Guarantees
//! No other service learns of the link. The code stays readable: the identicon covers about 5 % of
//! it, and error correction at its highest level restores up to 30 %.

use protocol::RoomId;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::ui::identicon::{PRODUCT_DIGITS, svg_cells};

/// The QR code of a text as an SVG file, with the identicon of a room, or of the product, over its
/// centre. Returns nothing if the text is too long for a QR code.
pub fn qr_code(text: &str, id: Option<RoomId>) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::High).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    // A quiet zone of four modules. The identicon has an odd width like the code, so that it covers
    // whole modules.
    let whole = size + 8;
    let identicon = (size / 5) | 1;
    let centre = (size - identicon) / 2;
    Some(format!(
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {whole} {whole}" shape-rendering="crispEdges">"##,
            r##"<path d="M-4-4h{whole}v{whole}h-{whole}z" fill="#fff"/>"##,
            r##"<path d="{path}" fill="#111"/><path d="M{centre} {centre}h{identicon}v{identicon}h-{identicon}z" fill="#fff"/>"##,
            r##"<svg x="{centre}" y="{centre}" width="{identicon}" height="{identicon}" viewBox="-.4 -.4 4.8 4.8">{cells}</svg></svg>"##
        ),
        whole = whole,
        path = path,
        centre = centre,
        identicon = identicon,
        cells = svg_cells(id.map_or(PRODUCT_DIGITS, RoomId::digits)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_the_identicon_in_its_centre() {
        let id = "0123456789abcdef".parse().ok();
        let svg = qr_code("https://chat.example/rooms/0123456789abcdef/", id).unwrap();
        assert!(svg.matches("h1v1h-1z").count() > 300);
        assert_eq!(svg.matches("<rect").count(), 16);
    }

    #[test]
    fn text_that_is_too_long_has_no_code() {
        assert!(qr_code(&"x".repeat(5_000), None).is_none());
    }
}
