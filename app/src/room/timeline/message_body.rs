//! The text of a message on the page.
//!
//! # Guarantees
//! - Text is never interpreted as HTML.
//! - An element stays on the page as long as what it shows stays the same, and with it selection and
//!   focus.
//!
//! # Not here
//! What is drawn (`marked_text`). Line breaks and wrapping, which are styles.

use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::renderer::{CastFrom, Rndr};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

use crate::ui::element_tree::{Element as Drawn, Part, replace_content};

/// The element with the text of one message.
pub struct MessageBody(Drawn);

impl MessageBody {
    /// The element with these parts, in the size that suits the text.
    pub fn new(text: &str, parts: Vec<Part>) -> Self {
        let class = if is_only_emoji(text) {
            "body emoji-only"
        } else {
            "body"
        };
        Self(Drawn::new(
            "div",
            &[("class", class), ("dir", "auto")],
            parts,
        ))
    }
}

/// The element on the page, and what it shows.
pub struct ShownBody {
    element: Element,
    drawn: Drawn,
}

impl Mountable for ShownBody {
    fn unmount(&mut self) {
        self.element.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        Rndr::insert_node(parent, &self.element, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.element.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        vec![self.element.clone()]
    }
}

impl Render for MessageBody {
    type State = ShownBody;

    fn build(self) -> ShownBody {
        ShownBody {
            element: self.0.build(),
            drawn: self.0,
        }
    }

    fn rebuild(self, shown: &mut ShownBody) {
        if shown.drawn != self.0 {
            for (name, value) in &self.0.attributes {
                Rndr::set_attribute(&shown.element, name, value);
            }
            replace_content(&shown.element, &self.0.parts);
            shown.drawn = self.0;
        }
    }
}

impl AddAnyAttr for MessageBody {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for MessageBody {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        _: bool,
        _: bool,
        _: Vec<AnyAttribute>,
    ) {
        #[cfg(feature = "ssr")]
        self.0.write_html(html);
        #[cfg(not(feature = "ssr"))]
        let _ = html;
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(
        self,
        cursor: &Cursor,
        position: &PositionState,
    ) -> ShownBody {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        position.set(Position::NextChild);
        let element = Element::cast_from(cursor.current());
        ShownBody {
            element: element.unwrap_or_else(|| self.0.build()),
            drawn: self.0,
        }
    }

    fn into_owned(self) -> Self {
        self
    }
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
        let html = MessageBody::new(body, parts).to_html();
        assert!(
            html.starts_with(
                r#"<div class="body" dir="auto">&lt; <a href="https://a.example/?a&amp;&quot;""#
            ),
            "{html}"
        );
        assert!(html.ends_with("b=&quot; &lt;b&gt;</div>"), "{html}");
    }
}
