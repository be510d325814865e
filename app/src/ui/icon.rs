//! The icons of the interface.
//!
//! # Guarantees
//! An icon has the colour and the size of the text around it, and is hidden from screen readers: a
//! button with only an icon needs a label.

use leptos::prelude::*;

/// An icon on a grid of 24 × 24 units.
#[derive(Clone, Copy, Debug)]
pub enum Icon {
    /// Back to the previous page.
    #[cfg(feature = "ssr")]
    Back,
    /// Share the room.
    Share,
    /// Open a menu.
    More,
    /// Send the message.
    Send,
    /// To the newest message.
    Down,
    /// To the first unread message.
    Up,
    /// Light theme.
    Sun,
    /// The system's theme.
    Screen,
    /// Dark theme.
    Moon,
    /// Close the dialog.
    Cross,
    /// A text that can be changed.
    Pencil,
    /// Create a room.
    Plus,
    /// A list of rooms.
    List,
}

impl Icon {
    /// The icon as an SVG element.
    pub fn view(self) -> impl IntoView {
        view! {
            <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
                <path d=self.path()></path>
            </svg>
        }
    }

    fn path(self) -> &'static str {
        match self {
            #[cfg(feature = "ssr")]
            Self::Back => "M15 5l-7 7 7 7",
            Self::Share => {
                "M12 15V4M8 7.5L12 3.5l4 4M5 12.5V19a1.5 1.5 0 0 0 1.5 1.5h11A1.5 1.5 0 0 0 19 19v-6.5"
            }
            Self::More => "M5 12h.01M12 12h.01M19 12h.01",
            Self::Send => "M12 19.5V5M5.5 11.5L12 5l6.5 6.5",
            Self::Down => "M12 5v14M5.5 12.5L12 19l6.5-6.5",
            Self::Up => "M12 19V5M5.5 11.5L12 5l6.5 6.5",
            Self::Sun => {
                "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 \
                 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4"
            }
            Self::Screen => "M4.5 5h15v10.5h-15zM9 19.5h6",
            Self::Moon => "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Pencil => "M5 19l1-4L16 5l3 3L9 18z",
            Self::Plus => "M12 5v14M5 12h14",
            Self::List => "M4.5 7h15M4.5 12h15M4.5 17h15",
        }
    }
}
