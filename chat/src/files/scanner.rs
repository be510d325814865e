//! Asks clamd about a file, by its command `INSTREAM` (clamd(8)).
//!
//! # Guarantees
//! - A file is clean only if clamd has said so about all of its bytes. No answer, another answer, or
//!   a limit of clamd is no such word.
//! - The memory is one block of the file.

use std::path::Path;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::Scanner;

/// How many bytes are sent at once.
const BLOCK: usize = 64 * 1024;

/// The longest answer in bytes.
const ANSWER_MAX: u64 = 4_096;

/// How long clamd may take to accept the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How the name of what was found begins if a limit of clamd was passed, so that not everything was
/// looked at.
const LIMIT: &str = "Heuristics.Limits.Exceeded";

/// What clamd says about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Clean,
    /// It contains what has this name.
    Harmful(String),
    /// It was not checked, or not as a whole, for this reason.
    Unchecked(String),
    /// clamd does not answer, for this reason.
    Away(String),
}

impl Scanner {
    /// Asks about a file, which takes at most `patience`.
    pub(super) async fn scan(&self, file: &Path, patience: Duration) -> Verdict {
        match timeout(patience, self.ask(file)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Unchecked(format!("clamd took longer than {patience:?}")),
        }
    }

    async fn ask(&self, file: &Path) -> Verdict {
        let file = match File::open(file).await {
            Ok(file) => file,
            Err(error) => return Verdict::Unchecked(format!("the file cannot be read: {error}")),
        };
        match self {
            Self::Tcp(address) => match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => converse(stream, file).await,
                Ok(Err(error)) => away(&error),
                Err(_) => Verdict::Away("clamd does not accept the connection".to_owned()),
            },
            #[cfg(unix)]
            Self::Socket(path) => {
                let connected = tokio::net::UnixStream::connect(path);
                match timeout(CONNECT, connected).await {
                    Ok(Ok(stream)) => converse(stream, file).await,
                    Ok(Err(error)) => away(&error),
                    Err(_) => Verdict::Away("clamd does not accept the connection".to_owned()),
                }
            }
            #[cfg(not(unix))]
            Self::Socket(_) => Verdict::Away("this system has no such sockets".to_owned()),
        }
    }
}

fn away(error: &std::io::Error) -> Verdict {
    Verdict::Away(format!("clamd does not answer: {error}"))
}

/// Sends a file over a connection, and reads the answer.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, file: File) -> Verdict {
    // If clamd ends the connection early, its answer says why.
    let sent = send(&mut stream, file).await;
    let mut answer = Vec::new();
    let read = (&mut stream)
        .take(ANSWER_MAX)
        .read_to_end(&mut answer)
        .await;
    match (sent, read) {
        (Ok(()), Ok(_)) => verdict_of(&answer, true),
        (Err(_), Ok(_)) if !answer.is_empty() => verdict_of(&answer, false),
        (Err(error), _) | (_, Err(error)) => away(&error),
    }
}

/// Sends a file in blocks, each after its length, and then a block without bytes.
async fn send(stream: &mut (impl AsyncWrite + Unpin), mut file: File) -> std::io::Result<()> {
    stream.write_all(b"zINSTREAM\0").await?;
    let mut block = vec![0; BLOCK];
    loop {
        let length = file.read(&mut block).await?;
        let number = u32::try_from(length).unwrap_or_default();
        stream.write_all(&number.to_be_bytes()).await?;
        if length == 0 {
            return stream.flush().await;
        }
        stream.write_all(&block[..length]).await?;
    }
}

/// What an answer means. Without `is_complete` clamd has not received the whole file.
fn verdict_of(answer: &[u8], is_complete: bool) -> Verdict {
    let answer = answer.strip_suffix(b"\0").unwrap_or(answer);
    let answer = String::from_utf8_lossy(answer);
    let found = answer
        .strip_prefix("stream: ")
        .and_then(|rest| rest.strip_suffix(" FOUND"));
    match (found, answer.as_ref()) {
        (Some(name), _) if !name.starts_with(LIMIT) => Verdict::Harmful(name.to_owned()),
        (None, "stream: OK") if is_complete => Verdict::Clean,
        (None, "") => Verdict::Away("clamd has ended the connection".to_owned()),
        (_, answer) => Verdict::Unchecked(format!("clamd says: {answer}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_answer_means_that_a_file_is_clean() {
        assert_eq!(verdict_of(b"stream: OK\0", true), Verdict::Clean);
        assert_eq!(verdict_of(b"stream: OK", true), Verdict::Clean);
        let harmful = Verdict::Harmful("Eicar-Test-Signature".to_owned());
        for is_complete in [true, false] {
            let found = verdict_of(b"stream: Eicar-Test-Signature FOUND\0", is_complete);
            assert_eq!(found, harmful);
        }
        assert!(matches!(
            verdict_of(b"stream: OK\0", false),
            Verdict::Unchecked(_)
        ));
        for answer in [
            &b"INSTREAM size limit exceeded. ERROR\0"[..],
            b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
            b"stream: OK ERROR\0",
            b"stream: OK\0stream: OK\0",
            b"OK\0",
            b"stream: ok\0",
            b"UNKNOWN COMMAND\0",
            b"\xff\0",
        ] {
            let verdict = verdict_of(answer, true);
            assert!(matches!(verdict, Verdict::Unchecked(_)), "{verdict:?}");
        }
        assert!(matches!(verdict_of(b"", true), Verdict::Away(_)));
        assert!(matches!(verdict_of(b"\0", true), Verdict::Away(_)));
    }
}
