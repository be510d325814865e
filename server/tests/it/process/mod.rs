//! The program as an operator runs it: configuration, signals, restarts.

mod configuration;
mod durability;
mod health;
mod restart;
mod shutdown;
