//! A message with files as a form: `multipart/form-data`
//! ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)).
//!
//! # Guarantees
//! - A file goes to the disk while it arrives.
//! - A message that is refused leaves no files.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use chat::{IdempotencyKey, NewFiles, Person};
use multer::{Field, Multipart};
use protocol::{FILES_MAX, File, FileId, Message, NewMessage, Refusal, RoomId};
use texts::refusal;
use utoipa::ToSchema;

use crate::error::Error;
use crate::extract::body_pieces::pieces;
use crate::extract::payload::{BODY_MAX, parse_flag};
use crate::limit::Action;
use crate::respond::negotiated::Format;
use crate::routes::messages::{idempotency_key, posted};
use crate::state::AppState;

/// A message with files.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes the form")]
pub(crate) struct FileForm {
    /// The name of the author; a caller with an account can leave it out.
    username: Option<String>,
    /// The text, which may be empty.
    body: Option<String>,
    /// Whether pictures stay as they are, with their metadata. The field comes before the files.
    original: Option<bool>,
    /// The files.
    #[schema(value_type = Vec<String>, format = Binary, max_items = 10)]
    file: Vec<Vec<u8>>,
}

/// The sender of files.
pub(super) struct Sender<'a> {
    pub state: &'a AppState,
    pub by: Person,
    pub room: RoomId,
    pub address: Option<IpAddr>,
}

/// The fields of a form that has arrived.
#[derive(Debug, Default)]
struct ReceivedForm {
    username: Option<String>,
    body: String,
    is_original: bool,
    files: Vec<File>,
}

/// The boundary between the fields of a form; `None` if the body is none.
///
/// # Errors
/// [`Refusal::Malformed`] if the form has no boundary.
pub(super) fn boundary(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_form = kind
        .get(..10)
        .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_form {
        return Ok(None);
    }
    multer::parse_boundary(kind)
        .map(Some)
        .map_err(|_| Refusal::UnsupportedMediaType)
}

/// Sends a message with the files of a form.
///
/// # Errors
/// The refusals of uploads and messages.
pub(super) async fn send_message(
    sender: &Sender<'_>,
    format: Format,
    boundary: String,
    request: Request,
) -> Result<Response, Error> {
    let key = idempotency_key(request.headers())?.map(str::to_owned);
    let limits = &sender.state.limits;
    limits.check_caller(Action::Messages, &sender.by, Some(sender.room))?;
    let place = sender.state.uploads.enter(sender.address, &sender.by)?;
    let mut form = ReceivedForm::default();
    let form_read = sender.receive(&mut form, boundary, request).await;
    drop(place);
    let sent = match form_read {
        Ok(()) => sender.post(&form, key.as_deref()).await,
        Err(error) => Err(error),
    };
    // A repeated form has the files of the first one.
    let kept = sent.as_ref().map(Message::files).unwrap_or_default();
    for file in &form.files {
        if !kept.contains(file) {
            sender.delete(file.id).await;
        }
    }
    Ok(posted(format, &sender.by, sent?))
}

impl Sender<'_> {
    /// Receives the fields of a form.
    async fn receive(
        &self,
        form: &mut ReceivedForm,
        boundary: String,
        request: Request,
    ) -> Result<(), Error> {
        let mut fields = Multipart::new(pieces(request.into_body()), boundary);
        while let Some(field) = fields.next_field().await.map_err(refusal_of)? {
            match field.name() {
                Some("username") => form.username = Some(read_text(field).await?),
                Some("body") => form.body = read_text(field).await?,
                Some("original") => form.is_original = read_flag("original", field).await?,
                Some("file") => form.files.extend(self.receive_file(form, field).await?),
                _ => skip(field).await?,
            }
        }
        Ok(())
    }

    /// Receives a file. A browser sends a field without a name and bytes where no file was chosen.
    async fn receive_file(
        &self,
        form: &ReceivedForm,
        mut field: Field<'_>,
    ) -> Result<Option<File>, Error> {
        let name = field.file_name().unwrap_or_default().to_owned();
        let first = field.chunk().await.map_err(refusal_of)?;
        if name.is_empty() && first.as_ref().is_none_or(|first| first.is_empty()) {
            return Ok(None);
        }
        if form.files.len() >= FILES_MAX {
            let rule = refusal::RULE_FILES.fill([&FILES_MAX.to_string()]);
            return Err(Refusal::invalid("file", rule).into());
        }
        let chat = &self.state.chat;
        let mut upload = chat.begin_upload(&self.by, &self.room, &name, None).await?;
        if form.is_original {
            upload.keep_original().await?;
        }
        let mut next = first;
        while let Some(piece) = next {
            upload.write(&piece).await?;
            next = field.chunk().await.map_err(refusal_of)?;
        }
        Ok(Some(upload.finish().await?))
    }

    async fn post(&self, form: &ReceivedForm, key: Option<&str>) -> Result<Message, Error> {
        let own = || Some(self.by.account()?.username().to_owned());
        let username = form.username.clone().or_else(own);
        let message = NewMessage {
            username: username
                .ok_or_else(|| Refusal::invalid("username", refusal::RULE_MISSING.text()))?,
            body: form.body.clone(),
        };
        let state = self.state;
        state
            .limits
            .check_message(self.address, &self.by, self.room, &form.body)?;
        let ids: Vec<FileId> = form.files.iter().map(|file| file.id).collect();
        let digest = digest_of(&form.files);
        let files = NewFiles {
            ids: &ids,
            alts: &[],
            digest: Some(&digest),
        };
        let address = self.address;
        let key = key.map(|text| IdempotencyKey { text, address });
        let posted = state
            .chat
            .post_message_with_files(&self.by, &self.room, &message, files, key);
        Ok(posted.await?)
    }

    async fn delete(&self, file: FileId) {
        let deleted = self
            .state
            .chat
            .delete_file(&self.by, &self.room, file)
            .await;
        if let Err(error) = deleted {
            tracing::debug!(%error, "cannot delete a file that no message has");
        }
    }
}

/// What tells files from others: the digests of their bytes, and their names.
fn digest_of(files: &[File]) -> String {
    let digests = files
        .iter()
        .map(|file| format!("{}/{}/", file.sha256, file.name));
    digests.collect()
}

/// The text of a field.
async fn read_text(mut field: Field<'_>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(refusal_of)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > BODY_MAX {
            return Err(Refusal::ContentTooLarge(BODY_MAX).into());
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Refusal::Malformed("The fields are not UTF-8.".to_owned()).into())
}

/// The flag in a field: a box that is checked, or `false` in words.
async fn read_flag(name: &'static str, field: Field<'_>) -> Result<bool, Error> {
    let text = read_text(field).await?;
    let flag = parse_flag(text.trim());
    flag.ok_or_else(|| Refusal::invalid(name, "must be true or false").into())
}

async fn skip(mut field: Field<'_>) -> Result<(), Error> {
    while field.chunk().await.map_err(refusal_of)?.is_some() {}
    Ok(())
}

/// The refusal of a form that cannot be read.
fn refusal_of(error: multer::Error) -> Refusal {
    match error {
        multer::Error::StreamReadFailed(source) => match source.downcast::<Refusal>() {
            Ok(refusal) => *refusal,
            Err(source) => Refusal::Malformed(format!("The form is malformed: {source}.")),
        },
        error => Refusal::Malformed(format!("The form is malformed: {error}.")),
    }
}
