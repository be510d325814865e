//! `webchat copy`: copies a database into another one, and prints what was compared.

use std::io::Write;
use std::path::PathBuf;

use chat::{CopiedTable, CopyEnd};

use crate::config::Config;

/// Copies the database `from` into the empty database `to`.
///
/// # Errors
/// One line with the reason why the copy is not complete. No password is in it.
#[tokio::main(flavor = "current_thread")]
pub async fn copy(config: &Config, from: &str, to: &str) -> Result<(), String> {
    let end = |url: &str, data_dir: Option<PathBuf>| CopyEnd {
        url: url.to_owned(),
        data_dir,
    };
    let files = [from, to].into_iter().filter(|url| !chat::is_postgres(url));
    let data_dir = config.chosen_data_dir();
    if files.count() == 2 && data_dir.is_some() {
        return Err(
            "cannot copy: each of two SQLite files has a data directory of its own, the one \
             that it is in; leave --data-dir (WEBCHAT_DATA_DIR) out"
                .to_owned(),
        );
    }
    let (source, target) = (end(from, data_dir.clone()), end(to, data_dir));
    let copied = chat::copy_database(&source, &target)
        .await
        .map_err(|error| format!("cannot copy: {error}"))?;
    let text = format!("{}\n{}", table_text(&copied), next_steps(from, to));
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("the copy is complete, but the result cannot be printed: {error}"))
}

/// The tables with their numbers of rows, one a line.
fn table_text(copied: &[CopiedTable]) -> String {
    let widest = copied.iter().map(|table| table.name.len()).max();
    let width = widest.unwrap_or_default();
    let mut text = format!("{:width$}  {:>10}\n", "table", "rows");
    for CopiedTable { name, rows } in copied {
        text += &format!("{name:width$}  {rows:>10}  digest ok\n");
    }
    text
}

fn next_steps(from: &str, to: &str) -> String {
    let archives = match (chat::is_postgres(from), chat::is_postgres(to)) {
        (_, true) => {
            "Archives are files and were not copied: move the directory archive/ of the data \
             directory to a place that all nodes reach, and start them with --archive-url \
             file:///PATH. A single node may keep it where it is."
        }
        (true, false) => {
            "Archives are files and were not copied: move the directory of --archive-url to \
             archive/ in the data directory, or keep --archive-url file:///PATH."
        }
        (false, false) => {
            "Archives are files and were not copied: copy the directory archive/ of the data \
             directory too."
        }
    };
    format!(
        "The copy is complete. Start servers with the target only: what is written to the source \
         from now on is not in it.\n{archives}\n"
    )
}
