//! A list whose rows stay where they are.
//!
//! Promises: what stays in the list keeps its elements, and with them what is selected, what has the focus and what moves
//! there, however it is drawn by then, and also when it changes its place without passing another. Nothing is ever taken
//! out and put back. Leaves to others: the order of the items, by their places.

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

/// What stands in a list.
pub struct Item<P, T> {
    /// Where.
    pub place: P,
    /// Where it stood before, if that was elsewhere.
    pub was: Option<P>,
    /// What.
    pub what: T,
}

/// A list that follows what `items` follow; `draw` draws one of them.
pub fn list<P, T, V>(
    items: impl Fn() -> Vec<Item<P, T>> + Send + 'static,
    draw: impl Fn(T) -> V + Clone + Send + 'static,
) -> impl IntoView
where
    P: Ord + Send + 'static,
    T: Clone + PartialEq + Send + 'static,
    V: IntoView + 'static,
{
    // Each row has an owner of its own, and all are under one that does not end with a change of the list.
    let all = Owner::new();
    let draw = move |what| {
        let owner = all.with(Owner::new);
        let view = owner.with(|| draw(what));
        OwnedView::new_with_owner(view, owner)
    };
    move || Rows {
        items: items(),
        draw: draw.clone(),
    }
}

/// The list as it is to be.
struct Rows<P, T, F> {
    items: Vec<Item<P, T>>,
    draw: F,
}

/// The list as it is on the page.
struct Drawn<P, T, S> {
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
    type State = Drawn<P, T, <OwnedView<V> as Render>::State>;

    fn build(self) -> Self::State {
        let Self { items, draw } = self;
        let build =
            |Item { place, what, .. }: Item<P, T>| (place, what.clone(), draw(what).build());
        Drawn {
            rows: items.into_iter().map(build).collect(),
            end: Rndr::create_placeholder(),
        }
    }

    /// A merge of what is there with what is to be, both in the same order.
    fn rebuild(self, drawn: &mut Self::State) {
        let mut old = mem::take(&mut drawn.rows).into_iter().peekable();
        for Item { place, was, what } in self.items {
            let same = |held: &P| *held == place || was.as_ref() == Some(held);
            while let Some((.., mut gone)) = old.next_if(|(held, ..)| *held < place && !same(held))
            {
                gone.unmount();
            }
            let row = match old.next_if(|(held, ..)| same(held)) {
                Some((_, held, mut row)) => {
                    if held != what {
                        (self.draw)(what.clone()).rebuild(&mut row);
                    }
                    row
                }
                None => {
                    let mut row = (self.draw)(what.clone()).build();
                    match old.peek() {
                        Some((.., next)) => next.insert_before_this(&mut row),
                        None => drawn.end.insert_before_this(&mut row),
                    };
                    row
                }
            };
            drawn.rows.push((place, what, row));
        }
        old.for_each(|(.., mut gone)| gone.unmount());
    }
}

impl<P, T, S: Mountable> Mountable for Drawn<P, T, S> {
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
            (self.draw)(item.what).to_html_with_buf(
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
        let Self { items, draw } = self;
        let hydrate = |Item { place, what, .. }: Item<P, T>| {
            (
                place,
                what.clone(),
                draw(what).hydrate::<FROM_SERVER>(cursor, position),
            )
        };
        let rows = items.into_iter().map(hydrate).collect();
        Drawn {
            rows,
            end: cursor.next_placeholder(position),
        }
    }

    fn into_owned(self) -> Self {
        self
    }
}
