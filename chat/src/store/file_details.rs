//! What is known of a file beside its bytes, as it is stored: JSON, so that a later version can know
//! more.

use protocol::File;
use serde::{Deserialize, Serialize};

/// What is known of a file beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FileDetails {
    /// Whether the bytes are to stay as the sender has sent them.
    #[serde(rename = "original", skip_serializing_if = "is_false")]
    pub is_original: bool,
    /// Whether the file may contain the place where it was taken.
    #[serde(rename = "metadata", skip_serializing_if = "is_false")]
    pub has_metadata: bool,
    /// The size of a picture, as it is shown.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<StoredDimensions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<StoredPreview>,
}

/// The size of a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredDimensions {
    pub width: u32,
    pub height: u32,
}

/// A small picture of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredPreview {
    #[serde(flatten)]
    pub dimensions: StoredDimensions,
    /// `None` in the row of a message, whose readers get only the size.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<PreviewBytes>,
}

/// The bytes of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PreviewBytes {
    /// Its media type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many there are.
    pub size: u64,
    /// Their digest in hexadecimal.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl FileDetails {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Reads what is stored. What cannot be read says nothing.
    pub fn decode(stored: Option<&str>) -> Self {
        let read = stored.and_then(|stored| serde_json::from_str(stored).ok());
        read.unwrap_or_default()
    }

    /// What is stored; `None` if nothing is known.
    pub fn encode(&self) -> Option<String> {
        if self.is_default() {
            return None;
        }
        // Strings and numbers always serialize.
        serde_json::to_string(self).ok()
    }

    /// What the readers of a file know.
    pub fn of_shown(file: &File) -> Self {
        let dimensions = file.width.zip(file.height);
        let preview = file.preview.as_ref().map(|preview| StoredPreview {
            dimensions: StoredDimensions {
                width: preview.width,
                height: preview.height,
            },
            bytes: None,
        });
        Self {
            is_original: false,
            has_metadata: file.metadata,
            dimensions: dimensions.map(|(width, height)| StoredDimensions { width, height }),
            preview,
        }
    }

    /// The bytes of the preview.
    pub fn preview_bytes(&self) -> Option<&PreviewBytes> {
        self.preview.as_ref()?.bytes.as_ref()
    }

    /// How many bytes a file counts for the limits beside its own.
    pub fn extra_size(&self) -> u64 {
        self.preview_bytes().map_or(0, |bytes| bytes.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_as_they_were_written_and_those_of_a_later_version_too() {
        let dimensions = StoredDimensions {
            width: 640,
            height: 480,
        };
        let preview = |bytes| StoredPreview { dimensions, bytes };
        let bytes = PreviewBytes {
            kind: "image/webp".to_owned(),
            size: 5,
            sha256: "00".to_owned(),
        };
        for details in [
            FileDetails::default(),
            FileDetails {
                is_original: true,
                has_metadata: true,
                ..FileDetails::default()
            },
            FileDetails {
                dimensions: Some(dimensions),
                preview: Some(preview(Some(bytes))),
                ..FileDetails::default()
            },
            FileDetails {
                preview: Some(preview(None)),
                ..FileDetails::default()
            },
        ] {
            assert_eq!(FileDetails::decode(details.encode().as_deref()), details);
        }
        let later = FileDetails::decode(Some(r#"{"original":true,"later":[1]}"#));
        assert!(later.is_original);
        assert!(FileDetails::decode(Some("no JSON")).is_default());
    }
}
