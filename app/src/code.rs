//! A link as a QR code, for the camera of whoever stands beside.
//!
//! Promises: drawn here, nobody else learns of the link; it stays readable with the seal in its middle.

use protocol::RoomId;
use qrcodegen::{QrCode, QrCodeEcc};

use crate::seal::{OWN, cells};

/// The QR code of a text as an SVG file, with the seal of a room (or the product's own) over its middle; nothing if the
/// text is too long. The seal covers about a twentieth of it; error correction at its highest level restores up to
/// three tenths.
pub fn code(text: &str, id: Option<RoomId>) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::High).ok()?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        for x in (0..size).filter(|x| code.get_module(*x, y)) {
            path.push_str(&format!("M{x} {y}h1v1h-1z"));
        }
    }
    // Four modules of quiet around it, and a seal of odd width like the code, to sit on whole modules.
    let (whole, seal) = (size + 8, (size / 5) | 1);
    let middle = (size - seal) / 2;
    Some(format!(
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 {whole} {whole}" shape-rendering="crispEdges">"##,
            r##"<path d="M-4-4h{whole}v{whole}h-{whole}z" fill="#fff"/>"##,
            r##"<path d="{path}" fill="#111"/><path d="M{middle} {middle}h{seal}v{seal}h-{seal}z" fill="#fff"/>"##,
            r##"<svg x="{middle}" y="{middle}" width="{seal}" height="{seal}" viewBox="-.4 -.4 4.8 4.8">{cells}</svg></svg>"##
        ),
        whole = whole,
        path = path,
        middle = middle,
        seal = seal,
        cells = cells(id.map_or(OWN, RoomId::digits)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_becomes_a_code_with_the_seal_in_its_middle() {
        let id = "0123456789abcdef".parse().ok();
        let svg = code("https://chat.example/rooms/0123456789abcdef/", id).unwrap();
        assert!(svg.matches("h1v1h-1z").count() > 300);
        assert_eq!(svg.matches("<rect").count(), 16);
    }

    #[test]
    fn what_is_too_long_for_a_code_is_none() {
        assert!(code(&"x".repeat(5_000), None).is_none());
    }
}
