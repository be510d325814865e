//! The IDs of files: an array, or, in a form, a text with commas.

use std::fmt;

use protocol::FileId;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// The IDs of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileIds(pub Vec<FileId>);

struct FileIdsVisitor;

impl<'de> Visitor<'de> for FileIdsVisitor {
    type Value = FileIds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the IDs of files")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<FileIds, E> {
        let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
        let ids = parts.map(|part| part.parse().map_err(|_| no_id()));
        ids.collect::<Result<_, E>>().map(FileIds)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<FileIds, A::Error> {
        let mut ids = Vec::new();
        while let Some(text) = values.next_element::<String>()? {
            ids.push(text.parse().map_err(|_| no_id())?);
        }
        Ok(FileIds(ids))
    }
}

fn no_id<E: Error>() -> E {
    E::custom("must be an array of file IDs, each of 16 characters 0-9 or a-f")
}

impl<'de> Deserialize<'de> for FileIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FileIdsVisitor)
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
        files: Option<FileIds>,
    }

    fn read(files: Value) -> Result<Option<usize>, Refusal> {
        let fields = json!({ "files": files });
        let read: Fields = from_fields(fields.as_object().unwrap())?;
        Ok(read.files.map(|ids| ids.0.len()))
    }

    #[test]
    fn ids_are_read_from_an_array_and_from_a_text() {
        let [one, two] = ["0123456789abcdef", "1123456789abcdef"];
        assert_eq!(read(json!([one, two])), Ok(Some(2)));
        assert_eq!(read(json!([])), Ok(Some(0)));
        assert_eq!(read(json!(format!("{one}, {two}"))), Ok(Some(2)));
        assert_eq!(read(json!("")), Ok(Some(0)));
        assert_eq!(read(json!(null)), Ok(None));
        for wrong in [json!([1]), json!(["x"]), json!("x"), json!(5), json!({})] {
            let refusal = read(wrong.clone()).unwrap_err();
            assert!(
                matches!(refusal, Refusal::Invalid { field: "files", .. }),
                "{wrong}"
            );
        }
    }
}
