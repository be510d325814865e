//! Copying a block of code.
//!
//! # Guarantees
//! The button says whether the code was copied, also to screen readers.

use texts::app as t;
use web_sys::Element;

use crate::browser::clipboard::copy_and_report;

/// Copies the code below a button. A style shows its short label.
pub fn copy_code(button: Element) {
    let code = button
        .next_element_sibling()
        .and_then(|code| code.text_content())
        .unwrap_or_default();
    let code = code.strip_suffix('\n').unwrap_or(&code).to_owned();
    copy_and_report(code, move |report| {
        let live = if report.is_some() { "polite" } else { "off" };
        // Setting an attribute does not fail.
        let _ = button.set_attribute("aria-live", live);
        let _ = button.set_attribute("aria-label", report.unwrap_or_else(|| t::COPY_CODE.text()));
        let _ = button.set_attribute("data-label", report.unwrap_or_else(|| t::COPY.text()));
    });
}
