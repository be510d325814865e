//! The program as an operator runs it: configuration, signals, restarts.

mod configuration;
mod durability;
mod health;
mod log_output;
mod restart;
mod shutdown;
mod signals;
