//! Limits on how much one user, address or room may do.

mod rate_limits;
mod room_probes;
