//! Sees that the program is compiled again when the files it embeds have changed, and says so when they are missing.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_EMBED").is_none() {
        return;
    }
    println!("cargo::rerun-if-changed=../target/site");
    if !Path::new("../target/site/pkg").is_dir() {
        println!(
            "cargo::error=the feature `embed` needs the built site in target/site: run `make build` instead"
        );
    }
}
