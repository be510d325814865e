//! The next element of a page that is taken over.

use leptos::tachys::hydration::Cursor;
use leptos::tachys::renderer::CastFrom;
use leptos::tachys::renderer::types::Element;
use leptos::tachys::view::{Position, PositionState};

/// Moves the cursor to the next node, and returns it if it is an element.
pub fn next_element(cursor: &Cursor, position: &PositionState) -> Option<Element> {
    match position.get() {
        Position::FirstChild => cursor.child(),
        Position::Current => {}
        _ => cursor.sibling(),
    }
    position.set(Position::NextChild);
    Element::cast_from(cursor.current())
}
