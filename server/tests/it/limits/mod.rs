//! Limits on how much one user, address or room may do.

mod connections;
mod disk_space;
mod file_memory;
mod rate_limits;
mod room_probes;
mod shared_guesses;
mod unread_answers;
