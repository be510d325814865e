//! Building blocks for components that keep the app small.
//!
//! Each type of closure that tracks signals adds code to the first visit. The functions here return
//! one type for each kind of value.
//!
//! # Guarantees
//! The same markup and the same behaviour as without them.

#[cfg(not(feature = "ssr"))]
use std::any::Any;
#[cfg(not(feature = "ssr"))]
use std::cell::RefCell;
use std::marker::PhantomData;
#[cfg(not(feature = "ssr"))]
use std::rc::Rc;

use leptos::prelude::*;

/// Erases the type of a view on the server: the types of whole pages are too deep for the compiler.
#[cfg(feature = "ssr")]
pub fn erase_type(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

/// Keeps the type of a view in the browser: erased views would make the app a third larger.
#[cfg(not(feature = "ssr"))]
pub fn erase_type<V: IntoView + 'static>(view: V) -> impl IntoView + use<V> {
    view
}

/// A value that a component owns and its closures change; dropped when the component is unmounted.
/// On the server it holds nothing: closures do not run there, and a page may be dropped on another
/// thread.
#[cfg(not(feature = "ssr"))]
pub struct BrowserCell<T>(
    StoredValue<Rc<dyn Any>, LocalStorage>,
    PhantomData<fn() -> T>,
);

/// The same on the server, without a value.
#[cfg(feature = "ssr")]
pub struct BrowserCell<T>(PhantomData<fn() -> T>);

#[cfg(feature = "ssr")]
impl<T> BrowserCell<T> {
    /// Drops the value.
    pub fn new(_: T) -> Self {
        Self(PhantomData)
    }

    /// Does nothing.
    pub fn with<R>(self, _: impl FnOnce(&mut T) -> R) -> Option<R> {
        None
    }
}

#[cfg(not(feature = "ssr"))]
impl<T: 'static> BrowserCell<T> {
    /// Gives a value to the current component.
    pub fn new(value: T) -> Self {
        Self(
            StoredValue::new_local(Rc::new(RefCell::new(value))),
            PhantomData,
        )
    }

    /// Reads or changes the value; returns `None` if it was dropped. The closure must not use the
    /// same cell.
    pub fn with<R>(self, action: impl FnOnce(&mut T) -> R) -> Option<R> {
        let value = self.value()?;
        let value = value.downcast_ref::<RefCell<T>>()?;
        Some(action(&mut value.borrow_mut()))
    }

    #[inline(never)]
    fn value(self) -> Option<Rc<dyn Any>> {
        self.0.try_get_value()
    }
}

impl<T> Clone for BrowserCell<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for BrowserCell<T> {}

/// A string that follows signals.
pub fn text_signal(text: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(text)
}

/// A boolean that follows signals.
pub fn bool_signal(value: impl Fn() -> bool + Send + Sync + 'static) -> Signal<bool> {
    Signal::derive(value)
}

/// An error message beside what it is about; empty if there is none.
#[component]
pub fn ErrorText(
    #[prop(optional)] id: &'static str,
    #[prop(into)] text: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <p class="error" id=id role="alert">
            {text}
        </p>
    }
}
