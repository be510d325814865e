//! The files of a message: pictures, players, and a row for each other file.
//!
//! # Guarantees
//! - The server draws the files of its page, with the space of each picture, so they are there without a
//!   script and nothing moves.
//! - The app passes the files of other messages on, and knows nothing of them.
//!
//! # Not here
//! Drawing the files of other messages, and showing pictures large: the script in `room/files`. It draws
//! the same.

use protocol::Message;

use crate::ui::element_tree::{Element, Part};

/// The element with the files of a message, if it has any. The script draws what is missing in it.
pub fn draw_files(message: &Message) -> Option<Part> {
    let json = files_as_json(message);
    let attributes = [("data-files", &*json)];
    (!json.is_empty()).then(|| {
        let parts = draw_all(message);
        Part::Element(Element::new("message-files", &attributes, parts))
    })
}

#[cfg(target_arch = "wasm32")]
fn files_as_json(message: &Message) -> String {
    message.files().to_owned()
}

#[cfg(not(target_arch = "wasm32"))]
fn files_as_json(message: &Message) -> String {
    if message.files().is_empty() {
        return String::new();
    }
    // Serialising fails only for maps whose keys are no strings; there are none.
    serde_json::to_string(message.files()).unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn draw_all(_: &Message) -> Vec<Part> {
    Vec::new()
}

#[cfg(feature = "ssr")]
use server::draw_all;

#[cfg(feature = "ssr")]
mod server {
    use protocol::{File, Message, PICTURE_TYPES, SOUND_TYPES, VIDEO_TYPES};
    use texts::files as f;

    use super::{Element, Part};
    use crate::ui::file_size::format_size;

    /// How large a picture may be on the page, in pixels.
    const WIDTH_MAX: u64 = 640;
    const HEIGHT_MAX: u64 = 360;

    /// Draws the files of a message.
    pub fn draw_all(message: &Message) -> Vec<Part> {
        message.files().iter().flat_map(draw_file).collect()
    }

    fn draw_file(file: &File) -> Vec<Part> {
        let kind = file.kind.as_str();
        let note = file.metadata.then(draw_note);
        if let Some((width, height)) = dimensions(file).filter(|_| PICTURE_TYPES.contains(&kind)) {
            let picture = draw_picture(file, width, height);
            return [picture].into_iter().chain(note).collect();
        }
        let player = match kind {
            _ if SOUND_TYPES.contains(&kind) => Some(draw_player("audio", file)),
            _ if VIDEO_TYPES.contains(&kind) => Some(draw_player("video", file)),
            _ => None,
        };
        let row = [draw_row(file)];
        player.into_iter().chain(row).chain(note).collect()
    }

    /// The hint that a file may contain the place where it was taken.
    fn draw_note() -> Part {
        let text = Part::Text(f::MAY_HAVE_PLACE.text().to_owned());
        element("span", &[("class", "file-note")], vec![text])
    }

    /// The dimensions in which a picture is shown, if they are known: in the proportion of what is shown
    /// of it.
    fn dimensions(file: &File) -> Option<(u64, u64)> {
        let preview = file.preview.as_ref();
        let of_preview = preview.map(|preview| (preview.width, preview.height));
        let (width, height) = of_preview.or_else(|| file.width.zip(file.height))?;
        fit(width.into(), height.into())
    }

    /// Fits a picture into the space that it may have. Of its sides, one is a whole number that is not too
    /// large, and the other follows from it, so that the picture has the space when it has loaded.
    pub(super) fn fit(width: u64, height: u64) -> Option<(u64, u64)> {
        if width == 0 || height == 0 {
            return None;
        }
        if height * WIDTH_MAX > width * HEIGHT_MAX && height > HEIGHT_MAX {
            let shown = (width * HEIGHT_MAX / height).max(1);
            return Some((
                shown,
                ((shown * height + width / 2) / width).min(HEIGHT_MAX),
            ));
        }
        if width > WIDTH_MAX {
            let shown = (height * WIDTH_MAX / width).max(1);
            return Some((
                ((shown * width + height / 2) / height).min(WIDTH_MAX),
                shown,
            ));
        }
        Some((width, height))
    }

    fn draw_picture(file: &File, width: u64, height: u64) -> Part {
        let shown = file
            .preview
            .as_ref()
            .map_or(&file.url, |preview| &preview.url);
        let picture = Element::new(
            "img",
            &[
                ("alt", file.alt.as_ref().unwrap_or(&file.name)),
                ("width", &width.to_string()),
                ("height", &height.to_string()),
                ("loading", "lazy"),
                ("decoding", "async"),
                ("src", shown),
            ],
            Vec::new(),
        );
        let attributes = [
            ("class", "picture"),
            ("href", &*file.url),
            ("rel", "external"),
        ];
        element("a", &attributes, vec![Part::Element(picture)])
    }

    fn draw_player(tag: &'static str, file: &File) -> Part {
        let attributes = [
            ("src", &*file.url),
            ("controls", ""),
            ("preload", "none"),
            ("aria-label", &*file.name),
        ];
        element(tag, &attributes, Vec::new())
    }

    /// The row of a file: its kind, its name, its size, and the link that saves it.
    fn draw_row(file: &File) -> Part {
        let texts = [
            ("span", [("class", "file-kind")], extension(&file.name)),
            ("bdi", [("class", "file-name")], file.name.clone()),
            ("span", [("class", "file-size")], format_size(file.size)),
        ];
        let texts = texts
            .into_iter()
            .map(|(tag, class, text)| element(tag, &class, vec![Part::Text(text)]));
        let link = [("href", &*file.url), ("download", ""), ("rel", "external")];
        let link = element("a", &link, vec![Part::Text(f::DOWNLOAD.text().to_owned())]);
        element(
            "span",
            &[("class", "file")],
            texts.chain([link]).collect::<Vec<_>>(),
        )
    }

    /// What a name says of its file's kind.
    pub(super) fn extension(name: &str) -> String {
        let end = name.rsplit_once('.').map(|(_, end)| end);
        let is_short = |end: &&str| {
            (1..=4).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        end.filter(is_short)
            .map_or_else(|| f::FILE.text().to_owned(), str::to_ascii_uppercase)
    }

    fn element(tag: &'static str, attributes: &[(&'static str, &str)], parts: Vec<Part>) -> Part {
        Part::Element(Element::new(tag, attributes, parts))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::server::{extension, fit};

    #[test]
    fn picture_fits_into_its_space_in_its_own_proportion() {
        for ((width, height), shown) in [
            ((100, 50), (100, 50)),
            ((4_000, 3_000), (480, 360)),
            ((3_000, 4_000), (270, 360)),
            ((4_000, 500), (640, 80)),
            ((1_400, 100), (630, 45)),
            ((10_000, 1), (640, 1)),
            ((1, 10_000), (1, 360)),
            ((36, 485), (26, 350)),
        ] {
            assert_eq!(fit(width, height), Some(shown));
        }
        assert_eq!(fit(0, 7), None);
    }

    #[test]
    fn kind_is_a_short_extension() {
        for (name, kind) in [
            ("a.pdf", "PDF"),
            ("a.tar.gz", "GZ"),
            ("a", "File"),
            ("a.", "File"),
            ("a.sketch", "File"),
            ("a.\u{e9}", "File"),
        ] {
            assert_eq!(extension(name), kind);
        }
    }
}
