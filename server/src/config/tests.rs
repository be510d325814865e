//! Tests of the flags.

use chat::Scanner;

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

#[test]
fn scanner_is_an_address_or_a_socket() {
    for (text, scanner) in [
        (
            "clamd:127.0.0.1:3310",
            Scanner::Tcp("127.0.0.1:3310".to_owned()),
        ),
        ("clamd:[::1]:3310", Scanner::Tcp("[::1]:3310".to_owned())),
        ("clamd:clamav:3310", Scanner::Tcp("clamav:3310".to_owned())),
        (
            "clamd:/run/clamav/clamd.ctl",
            Scanner::Socket(PathBuf::from("/run/clamav/clamd.ctl")),
        ),
    ] {
        assert_eq!(read(&["--scan", text]).unwrap().storage.scan, Some(scanner));
    }
}
