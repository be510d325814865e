//! All files of a room.
//!
//! # Guarantees
//! The newest are first, each with the message that has it.

use leptos::prelude::*;
use protocol::{File, Message, RoomId, Time};
use texts::{files as f, page as p};

use crate::pages::form::{FormPage, isolated};
use crate::time::duration_text;
use crate::time::local_time::LocalTime;
use crate::ui::file_size::format_size;

/// How many messages with files one page shows.
pub const FILE_LIST_SIZE: u64 = 50;

/// How high a picture is in the list, in pixels.
const PICTURE_HEIGHT: u32 = 48;

/// The data of a page of the list.
#[derive(Clone, Debug)]
pub struct FileListPage {
    /// The room.
    pub room: RoomId,
    /// The messages that have files, the newest first.
    pub messages: Vec<Message>,
    /// Whether there may be earlier ones.
    pub is_full: bool,
    /// The server's time.
    pub now: Time,
}

/// Renders a page of the list.
pub fn file_list_page(page: &FormPage, list: &FileListPage) -> String {
    let content = match list.messages.last() {
        None => view! { <p class="hint">{f::NONE.text()}</p> }.into_any(),
        Some(last) => {
            let earlier = list.is_full.then(|| {
                let link = format!("/rooms/{}/files/?before={}", list.room, last.id);
                view! { <p class="row"><a class="button" data-panel href=link>{p::EARLIER.text()}</a></p> }
            });
            let rows = list.messages.iter().flat_map(|message| {
                let row = |file| draw_row(list, message, file);
                message.files().iter().map(row)
            });
            view! {
                <ul class="audit-log">{rows.collect_view()}</ul>
                {earlier}
            }
            .into_any()
        }
    };
    page.render(f::IN_ROOM.text(), content)
}

fn draw_row(list: &FileListPage, message: &Message, file: &File) -> AnyView {
    let at = message.sent_at;
    let full = format!("{} UTC", LocalTime::new(at, 0).full());
    let ago = duration_text::format_ago(list.now.since(at));
    let address = format!("/rooms/{}/#m{}", list.room, message.id);
    let author = isolated(message.shown_name().to_owned());
    view! {
        <li>
            {draw_picture(file)}
            <a href=file.url.clone() download rel="external"><bdi>{file.name.clone()}</bdi></a>
            <span class="hint">
                " · " {format_size(file.size)} " · " {author} " · "
                <a href=address><time datetime=at.to_string() title=full>{ago}</time></a>
            </span>
        </li>
    }
    .into_any()
}

fn draw_picture(file: &File) -> Option<AnyView> {
    let preview = file.preview.as_ref().filter(|preview| preview.height > 0)?;
    let width = preview.width.saturating_mul(PICTURE_HEIGHT) / preview.height;
    Some(
        view! {
            <img src=preview.url.clone() alt="" width=width.clamp(1, 4 * PICTURE_HEIGHT) height=PICTURE_HEIGHT loading="lazy"/>
            " "
        }
        .into_any(),
    )
}
