//! A tree of elements as a part of a template.
//!
//! # Guarantees
//! An element stays on the page as long as what it shows stays the same, and with it selection and
//! focus.
//!
//! # Not here
//! Making elements of the tree (`element_tree`).

use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::{Element, Node};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

use crate::ui::element_tree::{Element as Drawn, replace_content};
use crate::ui::next_element::next_element;

/// An element of a template, with all that is in it.
pub struct DrawnElement(pub Drawn);

/// The element on the page, and what it shows.
pub struct ShownElement {
    element: Element,
    drawn: Drawn,
}

impl Mountable for ShownElement {
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

impl Render for DrawnElement {
    type State = ShownElement;

    fn build(self) -> ShownElement {
        ShownElement {
            element: self.0.build(),
            drawn: self.0,
        }
    }

    fn rebuild(self, shown: &mut ShownElement) {
        if shown.drawn != self.0 {
            for (name, value) in &self.0.attributes {
                Rndr::set_attribute(&shown.element, name, value);
            }
            replace_content(&shown.element, &self.0.parts);
            shown.drawn = self.0;
        }
    }
}

impl AddAnyAttr for DrawnElement {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for DrawnElement {
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
    ) -> ShownElement {
        let element = next_element(cursor, position);
        ShownElement {
            element: element.unwrap_or_else(|| self.0.build()),
            drawn: self.0,
        }
    }

    fn into_owned(self) -> Self {
        self
    }
}
