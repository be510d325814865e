//! The lock of transactions that write.

/// The key of the advisory lock of transactions that write. Advisory locks belong to a database, and
/// each of its schemas may have a webchat of its own.
macro_rules! write_lock {
    () => {
        "hashtextextended('webchat ' || current_schema(), 0)"
    };
}
pub(super) use write_lock;
