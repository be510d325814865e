//! Fuzz targets for the parsers of everything that comes from outside: each example of this crate is one.
//!
//! `make fuzz` compiles webchat's crates with the counters that libFuzzer reads, and shares all
//! other crates with the tests. The feature `libfuzzer` needs a C++ compiler.
//!
//! # Guarantees
//! No input makes a parser panic, or take longer than 20 seconds. The properties that a parser also
//! has are in its target.
