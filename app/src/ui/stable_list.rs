//! A list whose rows keep their elements.
//!
//! # Guarantees
//! - A row that stays in the list keeps its elements, and with them selection, focus and
//!   animations, also when its content changes, and when its key changes without passing another
//!   row.
//! - No element is removed and inserted again.
//!
//! # Not here
//! The order of the items: they come sorted by their keys.

use std::mem;

use leptos::prelude::*;
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::reactive_graph::OwnedView;
use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::{Element, Node, Placeholder};
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};

/// An item of a list.
pub struct ListItem<P, T> {
    /// Its key, which orders the list.
    pub key: P,
    /// Its key before, if that has changed.
    pub previous_key: Option<P>,
    /// Its content.
    pub content: T,
}

/// A list of what `items` returns, which may follow signals; `render` renders one item.
pub fn stable_list<P, T, V>(
    items: impl Fn() -> Vec<ListItem<P, T>> + Send + 'static,
    render: impl Fn(T) -> V + Clone + Send + 'static,
) -> impl IntoView
where
    P: Ord + Send + 'static,
    T: Clone + PartialEq + Send + 'static,
    V: IntoView + 'static,
{
    // Each row has its own owner; their common parent outlives changes of the list.
    let parent = Owner::new();
    let render = move |content| {
        let owner = parent.with(Owner::new);
        let view = owner.with(|| render(content));
        OwnedView::new_with_owner(view, owner)
    };
    move || Rows {
        items: items(),
        render: render.clone(),
    }
}

/// The new list.
struct Rows<P, T, F> {
    items: Vec<ListItem<P, T>>,
    render: F,
}

/// The list on the page.
struct Rendered<P, T, S> {
    rows: Vec<(P, T, S)>,
    end: Placeholder,
}

impl<P, T, V, F> Render for Rows<P, T, F>
where
    P: Ord + 'static,
    T: Clone + PartialEq + 'static,
    V: Render,
    F: Fn(T) -> OwnedView<V>,
{
    type State = Rendered<P, T, <OwnedView<V> as Render>::State>;

    fn build(self) -> Self::State {
        let Self { items, render } = self;
        let build = |ListItem { key, content, .. }: ListItem<P, T>| {
            (key, content.clone(), render(content).build())
        };
        Rendered {
            rows: items.into_iter().map(build).collect(),
            end: Rndr::create_placeholder(),
        }
    }

    /// Merges the list on the page with the new one; both have the same order.
    fn rebuild(self, rendered: &mut Self::State) {
        let mut old = mem::take(&mut rendered.rows).into_iter().peekable();
        for ListItem {
            key,
            previous_key,
            content,
        } in self.items
        {
            let same = |held: &P| *held == key || previous_key.as_ref() == Some(held);
            while let Some((.., mut gone)) = old.next_if(|(held, ..)| *held < key && !same(held)) {
                gone.unmount();
            }
            let row = match old.next_if(|(held, ..)| same(held)) {
                Some((_, held, mut row)) => {
                    if held != content {
                        (self.render)(content.clone()).rebuild(&mut row);
                    }
                    row
                }
                None => {
                    let mut row = (self.render)(content.clone()).build();
                    match old.peek() {
                        Some((.., next)) => next.insert_before_this(&mut row),
                        None => rendered.end.insert_before_this(&mut row),
                    };
                    row
                }
            };
            rendered.rows.push((key, content, row));
        }
        old.for_each(|(.., mut gone)| gone.unmount());
    }
}

impl<P, T, S: Mountable> Mountable for Rendered<P, T, S> {
    fn unmount(&mut self) {
        self.rows.iter_mut().for_each(|(.., row)| row.unmount());
        self.end.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.rows
            .iter_mut()
            .for_each(|(.., row)| row.mount(parent, marker));
        self.end.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self.rows.first() {
            Some((.., row)) => row.insert_before_this(child),
            None => self.end.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<Element> {
        self.rows
            .iter()
            .flat_map(|(.., row)| row.elements())
            .collect()
    }
}

impl<P, T, V, F> AddAnyAttr for Rows<P, T, F>
where
    P: Ord + Send + 'static,
    T: Clone + PartialEq + Send + 'static,
    V: RenderHtml + 'static,
    F: Fn(T) -> OwnedView<V> + Send + 'static,
{
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self::Output<A> {
        self
    }
}

impl<P, T, V, F> RenderHtml for Rows<P, T, F>
where
    P: Ord + Send + 'static,
    T: Clone + PartialEq + Send + 'static,
    V: RenderHtml + 'static,
    F: Fn(T) -> OwnedView<V> + Send + 'static,
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
        for item in self.items {
            (self.render)(item.content).to_html_with_buf(
                html,
                position,
                escape,
                mark_branches,
                attributes.clone(),
            );
            *position = Position::NextChild;
        }
        html.push_str("<!>");
        *position = Position::NextChild;
    }

    fn hydrate<const FROM_SERVER: bool>(
        self,
        cursor: &Cursor,
        position: &PositionState,
    ) -> Self::State {
        let Self { items, render } = self;
        let hydrate = |ListItem { key, content, .. }: ListItem<P, T>| {
            (
                key,
                content.clone(),
                render(content).hydrate::<FROM_SERVER>(cursor, position),
            )
        };
        let rows = items.into_iter().map(hydrate).collect();
        Rendered {
            rows,
            end: cursor.next_placeholder(position),
        }
    }

    fn into_owned(self) -> Self {
        self
    }
}
