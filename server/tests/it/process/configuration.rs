//! Flags, the environment and the `.env` file.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

#[test]
fn env_file_applies_unless_the_environment_overrides_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    std::fs::write(&file, "WEBCHAT_TIMEOUT=soon\n").unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let error_output = |environment: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_webchat"));
        let output = command
            .current_dir(dir.path())
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(error_output(&[]).contains(r#""soon""#));
    assert!(error_output(&[("WEBCHAT_TIMEOUT", "later")]).contains(r#""later""#));
    std::fs::write(&file, "not a line of it\n").unwrap();
    assert!(error_output(&[]).contains(".env"));
}

#[test]
fn env_file_that_others_can_write_is_refused_by_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".env");
    std::fs::write(&file, "WEBCHAT_DATA_DIR=planted\n").unwrap();
    let commands: [&[&str]; 5] = [
        // It would be refused for its own reason, so no server runs.
        &["--timeout", "0s"],
        &["admin", "grant", "ada"],
        &["backup", "copy.db"],
        &["restore", "copy.db"],
        &["health"],
    ];
    for mode in [0o666, 0o646] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        for command in commands {
            let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
                .current_dir(dir.path())
                .args(command)
                .output()
                .unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                (output.status.code(), text.lines().count()),
                (Some(2), 1),
                "{text}"
            );
            assert!(
                text.contains(".env") && text.contains("chmod go-w"),
                "{text}"
            );
        }
    }
    assert!(!dir.path().join("planted").exists());
    // A pipe would be waited for.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .current_dir(dir.path())
        .output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

#[test]
fn unusable_flag_value_exits_with_code_2_and_one_line() {
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .args(["--timeout", "0s"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("--timeout") && text.contains("0s") && text.contains("1h30m"),
        "{text}"
    );
}

#[test]
fn database_that_cannot_last_exits_with_code_2_and_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let directory = format!("sqlite:{}", dir.path().display());
    for url in ["sqlite::memory:", "sqlite:", "sqlite:/dev/full", &directory] {
        for variable in [false, true] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_webchat"));
            command.arg("--data-dir").arg(dir.path().join("data"));
            if variable {
                command.env("WEBCHAT_DATABASE", url);
            } else {
                command.args(["--database", url]);
            }
            let output = command.output().unwrap();
            assert_eq!(output.status.code(), Some(2), "{url}");
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(text.lines().count(), 1, "{text}");
            for part in ["--database", url, "sqlite:/var/lib/webchat/webchat.db"] {
                assert!(text.contains(part), "{part} is not in: {text}");
            }
        }
    }
}
