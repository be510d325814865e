//! The structure of a page: a digest of its elements, texts and comments.
//!
//! The server computes it from the HTML that it sends, and the browser (`page.js`) from the nodes
//! that it finds. Attributes and the content of texts do not count.
//!
//! # Guarantees
//! HTML as Leptos renders it and the nodes that a browser makes of it have the same digest.

/// What counts of a node that is no element: the value of the DOM's `nodeType`, and the end of an element.
const TEXT: u32 = 3;
const COMMENT: u32 = 8;
const END: u32 = 0;

/// The element whose content is a text to a browser that runs scripts.
const NOSCRIPT: &str = "noscript";

/// Elements without an end tag.
const VOID: [&str; 5] = ["input", "img", "br", "hr", "wbr"];

/// The digest of HTML that Leptos has rendered.
pub fn digest(html: &str) -> u32 {
    let mut digest = Digest::new();
    let mut rest = html;
    while !rest.is_empty() {
        rest = digest.read_node(rest);
    }
    digest.0
}

/// An [FNV-1a](https://www.rfc-editor.org/rfc/rfc9923) hash of numbers.
struct Digest(u32);

impl Digest {
    fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn add(&mut self, code: u32) {
        self.0 = (self.0 ^ code).wrapping_mul(0x0100_0193);
    }

    /// Reads a tag, a comment or a text at the beginning of `html`; returns what follows it.
    fn read_node<'a>(&mut self, html: &'a str) -> &'a str {
        if let Some(rest) = html.strip_prefix("</") {
            self.add(END);
            after(rest, ">")
        } else if let Some(comment) = html.strip_prefix("<!--") {
            self.add(COMMENT);
            after(comment, "-->")
        } else if let Some(comment) = html.strip_prefix("<!") {
            self.add(COMMENT);
            after(comment, ">")
        } else if let Some(tag) = html.strip_prefix('<') {
            self.read_start_tag(tag)
        } else {
            self.add(TEXT);
            html.find('<').map_or("", |end| &html[end..])
        }
    }

    /// Reads a start tag from its name on; returns what follows the tag.
    fn read_start_tag<'a>(&mut self, tag: &'a str) -> &'a str {
        let end = tag.find([' ', '/', '>']).unwrap_or(tag.len());
        let (name, mut rest) = tag.split_at(end);
        let mut code = Self::new();
        name.chars().for_each(|letter| code.add(letter as u32));
        self.add(code.0);
        // A quoted value may contain the character that ends a tag.
        while let Some(at) = rest.find(['"', '>']) {
            let is_end = rest[at..].starts_with('>');
            let is_closed = rest[..at].ends_with('/');
            rest = &rest[at + 1..];
            if is_end {
                if is_closed || VOID.contains(&name) {
                    self.add(END);
                }
                if name == NOSCRIPT && !rest.starts_with("</") {
                    self.add(TEXT);
                    rest = &rest[rest.find("</noscript").unwrap_or(rest.len())..];
                }
                return rest;
            }
            rest = after(rest, "\"");
        }
        ""
    }
}

/// What follows the first `end` in a text.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_texts_and_comments_count_and_nothing_else() {
        let page = digest("<p class=\"a>b\">one<!><b>two</b></p><input value=\"x\"><br>");
        for same in [
            "<p>1<!----><b id=\"two\" title=\"&quot;>\">2</b></p><input><br/>",
            "<p >other<!--text--><b>words</b ></p><input/><br>",
        ] {
            assert_eq!(digest(same), page, "{same}");
        }
        for other in [
            "<p>one<b>two</b></p><input><br>",
            "<p>one<!><b>two</b></p><br><input>",
            "<p>one<!><b></b></p><input><br>",
            "<p>one<!><b>two</b></p><input><br> ",
            "<p>one<!><i>two</i></p><input><br>",
            "<p>one<!></p><b>two</b><input><br>",
            "<div></div><p>one<!><b>two</b></p><input><br>",
            "<p><a>one</a><!><b>two</b></p><input><br>",
        ] {
            assert_ne!(digest(other), page, "{other}");
        }
    }

    #[test]
    fn content_of_noscript_is_a_text() {
        let page = digest("<noscript hidden><p>one</p><p>two</p></noscript><b></b>");
        assert_eq!(digest("<noscript>text</noscript><b></b>"), page);
        assert_ne!(digest("<noscript></noscript><b></b>"), page);
        assert_ne!(digest("<noscript>text</noscript>"), page);
    }

    #[test]
    fn incomplete_html_ends() {
        for html in [
            "<noscript>",
            "<noscript><p>",
            "<",
            "<p",
            "<p class=\"",
            "</",
            "<!",
            "<!--",
            "text",
        ] {
            digest(html);
        }
    }
}
