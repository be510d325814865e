//! Tests of the flags.

use super::*;
use crate::config::parse::tests::read;

#[test]
fn configuration_without_flags_has_the_documented_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config.timeout, Duration::from_secs(86_400));
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.data_dir, PathBuf::from("./webchat-data"));
    assert_eq!(
        (config.rate_limit, config.archive),
        (Switch::On, Switch::On)
    );
}

#[test]
fn health_command_accepts_listen_before_and_after_it() {
    for args in [
        ["--listen", "[::1]:1", "health"],
        ["health", "--listen", "[::1]:1"],
    ] {
        let config = read(&args).unwrap();
        assert_eq!(config.listen, "[::1]:1".parse().unwrap());
        assert!(matches!(config.command, Some(Command::Health)));
    }
}

#[test]
fn backup_command_accepts_data_dir_before_and_after_it() {
    for args in [
        ["--data-dir", "/d", "backup", "f"],
        ["backup", "f", "--data-dir", "/d"],
    ] {
        let config = read(&args).unwrap();
        assert_eq!(config.data_dir, PathBuf::from("/d"));
        assert!(matches!(config.command, Some(Command::Backup { file }) if *file == *"f"));
    }
}
