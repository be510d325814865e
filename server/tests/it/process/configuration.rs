//! Flags, the environment and the `.env` file.

use std::process::Command;

#[test]
fn env_file_applies_unless_the_environment_overrides_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), "WEBCHAT_TIMEOUT=soon\n").unwrap();
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
    std::fs::write(dir.path().join(".env"), "not a line of it\n").unwrap();
    assert!(error_output(&[]).contains(".env"));
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
