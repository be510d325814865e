//! Messages with files, which a script sends (`room/files`): the page loads it for the first file.
//!
//! # Guarantees
//! A message without files is not the script's.

use texts::app as t;

use crate::ui::drawn_element::DrawnElement;
use crate::ui::element_tree::{Element, Part};

/// The field for files, which only its label shows.
pub fn attach_field() -> DrawnElement {
    let field = [
        ("type", "file"),
        ("name", "file"),
        ("class", "visually-hidden"),
        ("multiple", ""),
        ("aria-label", t::ATTACH.text()),
    ];
    let field = Part::Element(Element::new("input", &field, Vec::new()));
    let sign = Part::Text("+".to_owned());
    let class = [("class", "icon-button attach")];
    DrawnElement(Element::new("label", &class, vec![field, sign]))
}

/// Whether the script takes the message in the form, with files that the visitor has chosen. It takes
/// the text out of the field, too.
#[cfg(target_arch = "wasm32")]
pub fn take_message() -> bool {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        // The page has it from the beginning (`shell`).
        #[wasm_bindgen(js_name = takeMessage)]
        fn take_message() -> bool;
    }
    take_message()
}

/// There is no script outside of a browser.
#[cfg(not(target_arch = "wasm32"))]
pub fn take_message() -> bool {
    false
}
