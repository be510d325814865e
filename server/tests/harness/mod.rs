//! What the tests share: servers, the clients that use them, and the checks of responses.
//!
//! Each test has a server of its own on a port of its own, so tests run at the same time.

mod browser;
mod database;
mod event_reader;
mod process;
mod raw_event_reader;
mod responses;
mod server;
mod socket;
mod time;
mod tls;
mod user;

pub use self::server::TestServer;
pub use browser::{
    CookieJar, cookie_header, set_cookie_headers, set_cookie_pairs, submit_form_with_cookie,
    username_of_cookie,
};
pub use database::{config_of, database_of, file_in};
pub use event_reader::{Event, EventReader};
pub use process::{
    LogReader, MessagePoster, ServerProcess, allow_connections, run_health_check, size_from_env,
};
pub use raw_event_reader::{RawEventReader, open_stalled_reader};
pub use responses::{assert_says_why, expect_envelope, expect_json, expect_problem};
pub use socket::TestSocket;
pub use time::{
    TEST_TIMEOUT, let_server_run, next_event_advancing_clock, read_until_closed,
    within_virtual_seconds,
};
pub use tls::{HSTS, TestCertificate, read_until_frame, tcp_connect};
pub use user::TestUser;
