//! The program as an operator runs it: configuration, signals, restarts.

mod archive_check;
mod configuration;
mod copy;
mod database_passwords;
mod durability;
mod file_modes;
mod health;
mod log_output;
mod metrics;
mod restart;
mod scanner;
mod secrets;
mod shutdown;
mod signals;
