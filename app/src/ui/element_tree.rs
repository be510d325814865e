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

    /// Appends the element as HTML. Pictures and fields have no end tag.
    #[cfg(feature = "ssr")]
    pub fn write_html(&self, html: &mut String) {
        html.extend(["<", self.tag]);
        for (name, value) in &self.attributes {
            html.extend([" ", name, "=\"", &escape(value), "\""]);
        }
        html.push('>');
        if matches!(self.tag, "img" | "input") {
            return;
        }
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
        insert_part(element, part, None);
    }
}

/// Changes what is in an element of the page from some parts to others. A part that stays, behind the
/// same parts or fewer, keeps its node.
pub fn update_content(element: &PageElement, mut old: &[Part], new: &[Part]) {
    if element.child_element_count() as usize != old.len() {
        // Something else has changed the page.
        return replace_content(element, new);
    }
    let mut node = element.first_child();
    let remove_first = |node: &mut Option<Node>| {
        if let Some(gone) = node.take() {
            *node = gone.next_sibling();
            Rndr::remove(&gone);
        }
    };
    for part in new {
        match old.iter().position(|held| held == part) {
            Some(before) => {
                (0..before).for_each(|_| remove_first(&mut node));
                old = &old[before + 1..];
                node = node.and_then(|kept| kept.next_sibling());
            }
            None => insert_part(element, part, node.as_ref()),
        }
    }
    old.iter().for_each(|_| remove_first(&mut node));
}

fn insert_part(element: &PageElement, part: &Part, before: Option<&Node>) {
    let node: Node = match part {
        Part::Text(text) => Rndr::create_text_node(text).into(),
        Part::Element(inner) => inner.build().into(),
    };
    Rndr::insert_node(element, &node, before);
}

#[cfg(feature = "ssr")]
fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    escaped.replace('>', "&gt;").replace('"', "&quot;")
}
