//! The text of a message on the page.
//!
//! # Guarantees
//! Text is never interpreted as HTML.
//!
//! # Not here
//! What is drawn (`marked_text`). Line breaks and wrapping, which are styles.

use crate::ui::drawn_element::DrawnElement;
use crate::ui::element_tree::{Element, Part};

/// The element with the text of one message, in the size that suits the text.
pub fn draw_body(text: &str, parts: Vec<Part>) -> DrawnElement {
    let class = if is_only_emoji(text) {
        "body emoji-only"
    } else {
        "body"
    };
    DrawnElement(Element::new(
        "div",
        &[("class", class), ("dir", "auto")],
        parts,
    ))
}

/// Whether a text consists of up to 12 emoji and white space; such a text is shown larger.
fn is_only_emoji(text: &str) -> bool {
    let mut emoji = 0;
    for c in text.chars() {
        match c {
            '\u{1f3fb}'..='\u{1f3ff}' | '\u{200d}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}' => {}
            _ if c.is_whitespace() => {}
            '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' => {
                emoji += 1
            }
            _ => return false,
        }
    }
    (1..=12).contains(&emoji)
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "ssr")]
    use leptos::prelude::RenderHtml;

    use super::*;

    #[test]
    fn only_texts_of_one_to_twelve_emoji_are_shown_larger() {
        for text in ["👍", "👩‍🚀 🚀", "❤️", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert!(is_only_emoji(text), "{text}");
        }
        for text in ["", " ", "1", "👍 ok", "a", &"👍".repeat(13)] {
            assert!(!is_only_emoji(text), "{text}");
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn text_and_attributes_are_escaped_in_html() {
        let link = protocol::Mark::new(protocol::MarkKind::Link, 2, 24);
        let body = "< https://a.example/?a&\"b=\" <b>";
        let parts = crate::room::timeline::marked_text::draw(body, &[link], &[]);
        let html = draw_body(body, parts).to_html();
        assert!(
            html.starts_with(
                r#"<div class="body" dir="auto">&lt; <a href="https://a.example/?a&amp;&quot;""#
            ),
            "{html}"
        );
        assert!(html.ends_with("b=&quot; &lt;b&gt;</div>"), "{html}");
    }
}
