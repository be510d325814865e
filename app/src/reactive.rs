//! What parts of a page are made of, in as few types as possible.
//!
//! Every type of a closure that follows a signal brings machinery of its own into what a first visit loads. Here they
//! become one type for each kind of value. Promises: the same markup and the same behaviour as without.

#[cfg(not(feature = "ssr"))]
use std::any::Any;
#[cfg(not(feature = "ssr"))]
use std::cell::RefCell;
use std::marker::PhantomData;
#[cfg(not(feature = "ssr"))]
use std::rc::Rc;

use leptos::prelude::*;

/// A part of a page, on the server, where its type is forgotten: the types of whole pages are too long for compilers.
#[cfg(feature = "ssr")]
pub fn erase_type(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

/// A part of a page, in the browser, where its type is kept: to forget it costs a third of what is loaded.
#[cfg(not(feature = "ssr"))]
pub fn erase_type<V: IntoView + 'static>(view: V) -> impl IntoView + use<V> {
    view
}

/// Something that belongs to a part of a page and is changed from its closures; gone when the part goes. On the server,
/// where nothing is changed and a page may end on another thread than it began on, it holds nothing.
#[cfg(not(feature = "ssr"))]
pub struct BrowserCell<T>(
    StoredValue<Rc<dyn Any>, LocalStorage>,
    PhantomData<fn() -> T>,
);

/// The same on the server: nothing.
#[cfg(feature = "ssr")]
pub struct BrowserCell<T>(PhantomData<fn() -> T>);

#[cfg(feature = "ssr")]
impl<T> BrowserCell<T> {
    /// Lets go of it.
    pub fn new(_: T) -> Self {
        Self(PhantomData)
    }

    /// Nothing.
    pub fn with<R>(self, _: impl FnOnce(&mut T) -> R) -> Option<R> {
        None
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: 'static> BrowserCell<T> {
    /// Hands it to the part of the page that is being made.
    pub fn new(value: T) -> Self {
        Self(
            StoredValue::new_local(Rc::new(RefCell::new(value))),
            PhantomData,
        )
    }

    /// Looks at it or changes it; nothing if it is gone. What this does must not come back to it.
    pub fn with<R>(self, action: impl FnOnce(&mut T) -> R) -> Option<R> {
        let own = self.own()?;
        let own = own.downcast_ref::<RefCell<T>>()?;
        Some(action(&mut own.borrow_mut()))
    }

    #[inline(never)]
    fn own(self) -> Option<Rc<dyn Any>> {
        self.0.try_get_value()
    }
}

impl<T> Clone for BrowserCell<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BrowserCell<T> {}

/// A text that changes.
pub fn text_signal(words: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(words)
}

/// A yes or no that changes.
pub fn bool_signal(is: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(is)
}

/// What is wrong, said where it is wrong; nothing if all is well.
#[component]
pub fn ErrorText(
    #[prop(optional)] id: &'static str,
    #[prop(into)] words: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <p class="error" id=id role="alert">
            {words}
        </p>
    }
}
