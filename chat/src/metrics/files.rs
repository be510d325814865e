//! The numbers of files.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// How many files of a state there are that no message has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileCounts {
    /// What all files count for the limit, in bytes.
    pub bytes: i64,
    /// Those whose bytes are arriving.
    pub receiving: i64,
    /// Those that are complete, and not published yet.
    pub received: i64,
    /// Those that are published.
    pub ready: i64,
    /// Those whose bytes are to be deleted.
    pub deleting: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UploadLabels {
    state: &'static str,
}

/// The labels of a series that stands alone, and can be absent.
type NoLabels = [(&'static str, &'static str); 0];

const NO_LABELS: NoLabels = [];

/// The numbers of files. A series that is not known is absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileMetrics {
    bytes: Family<NoLabels, Gauge>,
    uploads: Family<UploadLabels, Gauge>,
    free: Family<NoLabels, Gauge>,
}

impl FileMetrics {
    /// Sets the numbers of the database.
    pub fn set_counts(&self, counts: Option<FileCounts>) {
        let Some(counts) = counts else {
            self.bytes.clear();
            self.uploads.clear();
            return;
        };
        self.bytes.get_or_create(&NO_LABELS).set(counts.bytes);
        for (state, count) in [
            ("receiving", counts.receiving),
            ("received", counts.received),
            ("ready", counts.ready),
            ("deleting", counts.deleting),
        ] {
            self.uploads
                .get_or_create(&UploadLabels { state })
                .set(count);
        }
    }

    /// Sets the free space of the disk.
    pub fn set_free_space(&self, bytes: Option<u64>) {
        match bytes {
            Some(bytes) => {
                let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
                self.free.get_or_create(&NO_LABELS).set(bytes);
            }
            None => self.free.clear(),
        }
    }

    /// Puts the numbers into a registry.
    pub fn register(&self, registry: &mut Registry) {
        let help = "What all files and their previews count for the limit";
        registry.register_with_unit("files", help, Unit::Bytes, self.bytes.clone());
        let help = "Files that no message has, by their state";
        registry.register("uploads", help, self.uploads.clone());
        let help = "Free space of the fullest disk that has data";
        registry.register_with_unit("disk_free", help, Unit::Bytes, self.free.clone());
    }
}
