//! A part of the page that the app takes over later than the rest.
//!
//! # Guarantees
//! The page is the same as without it. A part that the app draws itself is complete at once.
//!
//! # Not here
//! When a part is taken over (`browser/startup`).

#[cfg(feature = "ssr")]
use leptos::prelude::*;

/// A part with this number of elements at its top, which stay, and no other nodes there.
#[cfg(feature = "ssr")]
pub fn later<V: IntoView + 'static>(
    _elements: usize,
    view: impl FnOnce() -> V + Send + 'static,
) -> AnyView {
    view().into_any()
}

#[cfg(not(feature = "ssr"))]
pub use browser::later;

#[cfg(not(feature = "ssr"))]
mod browser {
    use std::any::Any;
    use std::cell::RefCell;
    use std::marker::PhantomData;
    use std::rc::Rc;

    use leptos::prelude::*;
    use leptos::tachys::html::attribute::Attribute;
    use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
    use leptos::tachys::hydration::Cursor;
    use leptos::tachys::renderer::Rndr;
    use leptos::tachys::renderer::types::{Element, Node};
    use leptos::tachys::view::add_attr::AddAnyAttr;
    use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

    use crate::browser::startup;
    use crate::ui::next_element::next_element;

    /// A part with this number of elements at its top, which stay, and no other nodes there.
    pub fn later<V: IntoView<State: 'static> + 'static>(
        elements: usize,
        view: impl FnOnce() -> V + Send + 'static,
    ) -> impl IntoView {
        Later {
            elements,
            view,
            drawn: PhantomData,
        }
    }

    /// The part, not on the page yet.
    struct Later<V, F> {
        elements: usize,
        view: F,
        drawn: PhantomData<fn() -> V>,
    }

    /// The part on the page.
    struct Shown {
        elements: Vec<Element>,
        /// What keeps it alive, once it was taken over.
        _state: Rc<RefCell<Option<Box<dyn Any>>>>,
    }

    impl Mountable for Shown {
        fn unmount(&mut self) {
            self.elements.iter_mut().for_each(Mountable::unmount);
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            for element in &self.elements {
                Rndr::insert_node(parent, element, marker);
            }
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            let first = self.elements.first();
            first.is_some_and(|first| first.insert_before_this(child))
        }

        fn elements(&self) -> Vec<Element> {
            self.elements.clone()
        }
    }

    impl<V: IntoView<State: 'static> + 'static, F: FnOnce() -> V + Send + 'static> Render
        for Later<V, F>
    {
        type State = Shown;

        fn build(self) -> Shown {
            let state = (self.view)().into_view().build();
            Shown {
                elements: state.elements(),
                _state: Rc::new(RefCell::new(Some(Box::new(state)))),
            }
        }

        fn rebuild(self, shown: &mut Shown) {
            let mut new = self.build();
            shown.insert_before_this(&mut new);
            shown.unmount();
            *shown = new;
        }
    }

    impl<V: IntoView<State: 'static> + 'static, F: FnOnce() -> V + Send + 'static> AddAnyAttr
        for Later<V, F>
    {
        type Output<A: Attribute> = Self;

        fn add_any_attr<A: Attribute>(self, _: A) -> Self::Output<A> {
            self
        }
    }

    impl<V: IntoView<State: 'static> + 'static, F: FnOnce() -> V + Send + 'static> RenderHtml
        for Later<V, F>
    {
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
            escape: bool,
            mark_branches: bool,
            attributes: Vec<AnyAttribute>,
        ) {
            let view = (self.view)().into_view();
            view.to_html_with_buf(html, position, escape, mark_branches, attributes);
        }

        fn hydrate<const FROM_SERVER: bool>(
            self,
            cursor: &Cursor,
            position: &PositionState,
        ) -> Shown {
            let Self { elements, view, .. } = self;
            let elements = skip_elements(elements, cursor, position);
            let state = Rc::new(RefCell::new(None));
            let taken = state.clone();
            let first = elements.first().cloned();
            startup::add_part(move || {
                let Some(first) = first else { return };
                let view = view().into_view();
                let view = view.hydrate_from_position::<FROM_SERVER>(&first, Position::Current);
                taken.replace(Some(Box::new(view) as Box<dyn Any>));
            });
            Shown {
                elements,
                _state: state,
            }
        }

        fn into_owned(self) -> Self {
            self
        }
    }

    /// Moves the cursor to the last of the next elements; returns them.
    fn skip_elements(count: usize, cursor: &Cursor, position: &PositionState) -> Vec<Element> {
        (0..count)
            .filter_map(|_| next_element(cursor, position))
            .collect()
    }
}
