//! The password of a database is in no output, whatever is wrong.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

/// The password, in two of the ways to write it.
const PASSWORD: &str = "hush-hush";
const ENCODED: &str = "hush%2Dhush";

/// Listens as a database that refuses every password. The thread ends with the test process.
fn refuse_passwords() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            // A client that leaves early has had its answer.
            let _ = refuse_password(client.unwrap());
        }
    });
    address
}

/// Asks for a password in clear text, and refuses it with its text
/// ([message formats](https://www.postgresql.org/docs/current/protocol-message-formats.html)).
fn refuse_password(mut client: TcpStream) -> std::io::Result<()> {
    const SSL_REQUEST: u32 = 80_877_103;
    let mut asks_for_tls = true;
    while asks_for_tls {
        let request = read_message(&mut client)?;
        asks_for_tls = request.starts_with(&SSL_REQUEST.to_be_bytes());
        if asks_for_tls {
            client.write_all(b"N")?;
        }
    }
    client.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
    client.read_exact(&mut [0])?;
    let answer = read_message(&mut client)?;
    assert!(answer.starts_with(PASSWORD.as_bytes()));
    let text = b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed\0\0";
    client.write_all(b"E")?;
    client.write_all(&u32::try_from(text.len() + 4).unwrap().to_be_bytes())?;
    client.write_all(text)
}

/// A message after its length.
fn read_message(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut message)?;
    Ok(message)
}

/// Runs webchat to its end. Returns its exit code and everything that it prints.
fn run(args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .current_dir(&dir)
        .args(args)
        .env("WEBCHAT_LOG", "trace")
        .env("RUST_BACKTRACE", "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [output.stderr, output.stdout].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

fn assert_no_password(text: &str) {
    for secret in [PASSWORD, ENCODED] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn database_that_cannot_be_used_is_refused_without_its_password() {
    let refusing = refuse_passwords();
    let usable = |server: &str| format!("postgres://ada:{PASSWORD}@{server}/chat");
    let encoded = format!("postgresql://ada:{ENCODED}@{refusing}/chat");
    let in_query = format!("postgres://{refusing}/chat?user=ada&password={PASSWORD}");
    let urls = [
        (usable("127.0.0.1:1"), 1, ""),
        (usable("missing.invalid"), 1, ""),
        (usable(&refusing.to_string()), 1, "authentication failed"),
        (encoded, 1, "authentication failed"),
        (in_query, 1, "authentication failed"),
        (usable("127.0.0.1:port"), 2, "write it like"),
        (usable("[::1"), 2, "write it like"),
        (format!("postgres://ada:{PASSWORD}"), 2, "write it like"),
        (
            format!("postgres://ada:1/{PASSWORD}@127.0.0.1/chat"),
            2,
            "%2F",
        ),
        (
            format!("postgres://127.0.0.1/chat?pasword={PASSWORD}"),
            2,
            "parameter",
        ),
        (
            format!("mysql://ada:{PASSWORD}@127.0.0.1/chat"),
            2,
            "write it like",
        ),
        (
            format!("Postgres://ada:{PASSWORD}@127.0.0.1/chat"),
            2,
            "write it like",
        ),
        (format!("ada:{PASSWORD}@127.0.0.1/chat"), 2, "write it like"),
    ];
    let file = "sqlite:other.db";
    let reachable = "postgres://ada@127.0.0.1:1/chat";
    for (url, expected, words) in &urls {
        let outcomes = [
            run(&["--database", url], &[]),
            run(&[&format!("--database={url}")], &[]),
            run(&[], &[("WEBCHAT_DATABASE", url)]),
            run(&["--database", reachable, "--database-direct", url], &[]),
            run(
                &["--database", reachable],
                &[("WEBCHAT_DATABASE_DIRECT", url)],
            ),
            run(&["--database", url, "admin", "grant", "ada"], &[]),
            run(&["copy", "--from", url, "--to", file], &[]),
            run(
                &["copy"],
                &[("WEBCHAT_COPY_FROM", url), ("WEBCHAT_COPY_TO", file)],
            ),
        ];
        for (code, text) in outcomes {
            assert_eq!(code, Some(*expected), "{text}");
            assert!(text.contains(words), "{words} is not in: {text}");
            assert_no_password(&text);
        }
    }
}

#[test]
fn other_outputs_do_not_have_the_password() {
    let url = format!("postgres://ada:{PASSWORD}@127.0.0.1:1/chat");
    let variables = [
        ("WEBCHAT_DATABASE", url.as_str()),
        ("WEBCHAT_DATABASE_DIRECT", &url),
        ("WEBCHAT_COPY_FROM", &url),
        ("WEBCHAT_COPY_TO", &url),
    ];
    for args in [
        &["--help"][..],
        &["-h"],
        &["copy", "--help"],
        &["help", "copy"],
        &["--version"],
        &["backup", "file"],
        &["restore", "file"],
        &[&url],
        &["--database", &url, "--database", &url],
        &["--data-base", &url],
        &[&format!("--data-base={url}")],
        &["admin", "grant", "ada", &url],
        &["--listen", "nowhere"],
    ] {
        assert_no_password(&run(args, &variables).1);
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join(".env"),
        format!("# comment\nWEBCHAT_DATABASE={url} x\n"),
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_webchat"))
        .current_dir(&dir)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("in line 2"), "{text}");
    assert_no_password(&text);
}
