//! The files that a message names: an array of IDs, of which each may have a description beside it, or,
//! in a form, a text with commas.

use std::fmt;

use protocol::FileId;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use utoipa::ToSchema;

/// The files that a message names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileRefs {
    /// Their IDs.
    pub ids: Vec<FileId>,
    /// Their descriptions, in the same order; empty without one.
    pub alts: Vec<String>,
}

impl FileRefs {
    fn push(&mut self, file: FileRef) {
        self.ids.push(file.id);
        self.alts.push(file.alt);
    }
}

/// A file that a message names: its ID, or an object with it.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes the body")]
pub(crate) enum NamedFile {
    /// The file's ID.
    Id(String),
    /// The file's ID, and what it shows.
    Described(DescribedFile),
}

/// A file with a description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the body")]
pub(crate) struct DescribedFile {
    /// The file's ID.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    id: String,
    /// What the file shows, for people who do not see it: at most 500 characters.
    #[schema(value_type = Option<String>, nullable = false, max_length = 500, example = "a cat on a keyboard")]
    alt: Option<String>,
}

struct FileRefsVisitor;

impl<'de> Visitor<'de> for FileRefsVisitor {
    type Value = FileRefs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the IDs of files")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FileRefs, E> {
        let mut files = FileRefs::default();
        for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
            files.push(FileRefVisitor.visit_str(part)?);
        }
        Ok(files)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<FileRefs, A::Error> {
        let mut files = FileRefs::default();
        while let Some(file) = values.next_element()? {
            files.push(file);
        }
        Ok(files)
    }
}

/// A file that a message names.
struct FileRef {
    id: FileId,
    alt: String,
}

struct FileRefVisitor;

impl<'de> Visitor<'de> for FileRefVisitor {
    type Value = FileRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ID of a file")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FileRef, E> {
        let id = text.parse().map_err(|_| no_id())?;
        let alt = String::new();
        Ok(FileRef { id, alt })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<FileRef, A::Error> {
        let (mut id, mut alt) = (None, None);
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "id" => id = Some(fields.next_value::<String>()?),
                "alt" => alt = fields.next_value::<Option<String>>()?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        let named = self.visit_str(&id.unwrap_or_default())?;
        let alt = alt.unwrap_or_default();
        Ok(FileRef { alt, ..named })
    }
}

fn no_id<E: Error>() -> E {
    E::custom("must be an array of file IDs, each of 16 characters 0-9 or a-f")
}

impl<'de> Deserialize<'de> for FileRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileRefVisitor)
    }
}

impl<'de> Deserialize<'de> for FileRefs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FileRefsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use protocol::Refusal;
    use serde_json::{Value, json};

    use super::*;
    use crate::extract::payload::deserialize::from_fields;

    #[derive(Debug, Deserialize)]
    struct Fields {
        files: Option<FileRefs>,
    }

    fn read(files: Value) -> Result<Option<usize>, Refusal> {
        let fields = json!({ "files": files });
        let read: Fields = from_fields(fields.as_object().unwrap())?;
        Ok(read.files.map(|files| files.ids.len()))
    }

    #[test]
    fn ids_are_read_from_an_array_and_from_a_text() {
        let [one, two] = ["0123456789abcdef", "1123456789abcdef"];
        assert_eq!(read(json!([one, two])), Ok(Some(2)));
        assert_eq!(read(json!([])), Ok(Some(0)));
        assert_eq!(read(json!(format!("{one}, {two}"))), Ok(Some(2)));
        assert_eq!(read(json!("")), Ok(Some(0)));
        assert_eq!(read(json!(null)), Ok(None));
        assert_eq!(
            read(json!([one, {"id": two, "alt": "a cat", "later": {}}])),
            Ok(Some(2))
        );
        assert_eq!(read(json!([{"id": one, "alt": null}])), Ok(Some(1)));
        for wrong in [
            json!([{"alt": "x"}]),
            json!([{"id": one, "alt": 5}]),
            json!([1]),
            json!(["x"]),
            json!("x"),
            json!(5),
            json!({}),
        ] {
            let refusal = read(wrong.clone()).unwrap_err();
            assert!(
                matches!(refusal, Refusal::Invalid { field: "files", .. }),
                "{wrong}"
            );
        }
    }
}
