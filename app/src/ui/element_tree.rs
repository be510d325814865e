//! A tree of elements as plain data, for what is drawn from data and not from a template.
//!
//! Each kind of element in a template adds code to the first visit; a tree needs one function for all.
//!
//! # Guarantees
//! Text is never interpreted as HTML.

use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::{Element as PageElement, Node};

/// A part of what is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A text.
    Text(String),
    /// An element.
    Element(Element),
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name of its tag.
    pub tag: &'static str,
    /// Its attributes.
    pub attributes: Vec<(&'static str, String)>,
    /// What is in it.
    pub parts: Vec<Part>,
}

impl Element {
    /// An element with these attributes.
    pub fn new(tag: &'static str, attributes: &[(&'static str, &str)], parts: Vec<Part>) -> Self {
        let attributes = attributes
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            tag,
            attributes: attributes.collect(),
            parts,
        }
    }

    /// Makes the element on the page.
    pub fn build(&self) -> PageElement {
        let element = Rndr::create_element(self.tag, None);
        for (name, value) in &self.attributes {
            Rndr::set_attribute(&element, name, value);
        }
        replace_content(&element, &self.parts);
        element
    }

    /// Appends the element as HTML.
    #[cfg(feature = "ssr")]
    pub fn write_html(&self, html: &mut String) {
        html.extend(["<", self.tag]);
        for (name, value) in &self.attributes {
            html.extend([" ", name, "=\"", &escape(value), "\""]);
        }
        html.push('>');
        for part in &self.parts {
            match part {
                Part::Text(text) => html.push_str(&escape(text)),
                Part::Element(inner) => inner.write_html(html),
            }
        }
        html.extend(["</", self.tag, ">"]);
    }
}

/// Replaces what is in an element of the page.
pub fn replace_content(element: &PageElement, parts: &[Part]) {
    Rndr::clear_children(element);
    for part in parts {
        let node: Node = match part {
            Part::Text(text) => Rndr::create_text_node(text).into(),
            Part::Element(inner) => inner.build().into(),
        };
        Rndr::insert_node(element, &node, None);
    }
}

#[cfg(feature = "ssr")]
fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    escaped.replace('>', "&gt;").replace('"', "&quot;")
}
