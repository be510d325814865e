//! Tests of the copy. With a database of `PostgreSQL` it goes there and back, otherwise from file to
//! file.

mod filled;

use std::path::Path;

use protocol::{NewRoom, Start};
use rusqlite::Connection;
use rusqlite::types::Value;

use self::filled::{fill, write_one};
use super::*;
use crate::faults::Faults;
use crate::testing::{TestChat, new_database};
use crate::{Chat, Config, FollowEvent};

/// Tables that no rule fills.
const EMPTY: [&str; 1] = ["old_idempotency_key"];

/// All rows of all tables of a file, as its driver shows them.
fn dump(file: &Path) -> Vec<(String, Vec<String>)> {
    let database = Connection::open(file).unwrap();
    let sql = "select name from sqlite_master where type = 'table' and name not like '%sqlx%'
               and name not like 'sqlite%' order by name";
    let mut tables = database.prepare(sql).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let rows_of = |table: String| {
        let mut statement = database.prepare(&format!("select * from {table}")).unwrap();
        let count = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let values = (0..count).map(|column| row.get::<_, Value>(column));
                Ok(format!("{:?}", values.collect::<Result<Vec<_>, _>>()?))
            })
            .unwrap();
        let rows: Vec<_> = rows.map(Result::unwrap).collect();
        (table, rows)
    };
    tables.map(|table| rows_of(table.unwrap())).collect()
}

fn file_end(dir: &Path) -> CopyEnd {
    CopyEnd {
        url: format!("sqlite:{}", dir.join("webchat.db").display()),
        data_dir: None,
    }
}

/// A closed chat with rows in all tables.
async fn filled() -> TestChat {
    let test = TestChat::in_file(|_| {}).await;
    fill(&test).await;
    test.chat.close().await;
    test
}

/// An empty database of `PostgreSQL`, beside the data directory of its only node.
fn new_server(dir: &Path) -> Option<CopyEnd> {
    Some(CopyEnd {
        url: new_database(&Faults::default())?,
        data_dir: Some(dir.to_owned()),
    })
}

#[tokio::test]
async fn copy_there_and_back_has_the_same_rows_and_signing_key() {
    let test = filled().await;
    let source = file_end(&test.config.data_dir);
    let before = dump(&test.config.data_dir.join("webchat.db"));
    for (table, rows) in &before {
        assert_eq!(rows.is_empty(), EMPTY.contains(&table.as_str()), "{table}");
    }
    let dir = tempfile::tempdir().unwrap();
    let target = file_end(dir.path());
    let copied = match new_server(dir.path()) {
        Some(server) => {
            let there = copy_database(&source, &server).await.unwrap();
            let back = copy_database(&server, &target).await.unwrap();
            let count = |tables: &[CopiedTable], name: &str| {
                tables
                    .iter()
                    .find(|table| table.name == name)
                    .map(|table| table.rows)
            };
            for table in &back {
                assert_eq!(
                    count(&there, &table.name),
                    Some(table.rows),
                    "{}",
                    table.name
                );
            }
            back
        }
        None => copy_database(&source, &target).await.unwrap(),
    };
    assert_eq!(dump(&dir.path().join("webchat.db")), before);
    for (name, rows) in before.iter().filter(|(_, rows)| !rows.is_empty()) {
        let table = copied.iter().find(|table| table.name == *name);
        let count = table.map(|table| table.rows as usize);
        assert_eq!(count, Some(rows.len()), "{name}");
    }
    let key = |dir: &Path| std::fs::read_to_string(dir.join("jwt.key")).unwrap();
    assert_eq!(key(dir.path()), key(&test.config.data_dir));
}

/// What a chat on the target knows of a chat on the source, and whether it can go on writing.
#[tokio::test]
async fn chat_on_the_copy_honours_cursors_tokens_and_keys_and_writes_on() {
    let test = TestChat::in_file(|config| config.archive = false).await;
    let ada = test.register("ada").await;
    let room = test
        .chat
        .create_room(&ada, &NewRoom::default())
        .await
        .unwrap()
        .id;
    let first = write_one(&test.chat, &ada, room, "first").await;
    let follower = test
        .chat
        .follow_room(&ada, &room, Start::Latest)
        .await
        .unwrap();
    let cursor = follower.cursor().unwrap();
    let credentials = protocol::Credentials {
        username: "ada".to_owned(),
        password: "secret".to_owned(),
    };
    let token = test.chat.sign_in(&credentials, None).await.unwrap().token;
    drop(follower);
    test.chat.close().await;
    let dir = tempfile::tempdir().unwrap();
    let target = new_server(dir.path()).unwrap_or_else(|| file_end(dir.path()));
    copy_database(&file_end(&test.config.data_dir), &target)
        .await
        .unwrap();
    let config = Config {
        database: Some(target.url),
        archive: false,
        ..Config::new(dir.path())
    };
    let chat = Chat::open(config).await.unwrap();
    let ada = chat.authenticate_token(&token).await.unwrap();
    assert_eq!(write_one(&chat, &ada, room, "first").await, first);
    assert_eq!(write_one(&chat, &ada, room, "second").await, first + 1);
    chat.create_room(&ada, &NewRoom::default()).await.unwrap();
    let mut follower = chat
        .follow_room(&ada, &room, Start::Cursor(cursor))
        .await
        .unwrap();
    match follower.next().await.unwrap() {
        FollowEvent::Messages(frames) => assert_eq!(frames.last(), first + 1),
        other => panic!("{other:?}"),
    }
    drop(follower);
    chat.close().await;
}

async fn refusal(from: &CopyEnd, to: &CopyEnd) -> String {
    copy_database(from, to).await.unwrap_err().to_string()
}

#[tokio::test]
async fn target_must_be_empty_and_another_database_than_the_source() {
    let test = filled().await;
    let source = file_end(&test.config.data_dir);
    assert!(
        refusal(&source, &source)
            .await
            .contains("the same database")
    );
    let dir = tempfile::tempdir().unwrap();
    let target = new_server(dir.path()).unwrap_or_else(|| file_end(dir.path()));
    let missing = file_end(&dir.path().join("missing"));
    assert!(
        refusal(&missing, &target)
            .await
            .contains("there is no database at")
    );
    copy_database(&source, &target).await.unwrap();
    let again = refusal(&source, &target).await;
    assert!(
        again.contains("the target: the database is not empty"),
        "{again}"
    );
    assert!(
        refusal(&target, &target)
            .await
            .contains("the same database")
    );
}

#[tokio::test]
async fn database_that_a_server_uses_is_neither_source_nor_target() {
    let test = filled().await;
    let idle = file_end(&test.config.data_dir);
    let used = TestChat::new(|_| {}).await;
    let used_end = match &used.config.database {
        Some(url) => CopyEnd {
            url: url.clone(),
            data_dir: None,
        },
        None => file_end(&used.config.data_dir),
    };
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [(&used_end, &file_end(dir.path())), (&idle, &used_end)] {
        let refused = refusal(from, to).await;
        assert!(refused.contains("copy again"), "{refused}");
    }
    // The lock of another data directory says nothing about the file.
    if used.config.database.is_none() {
        std::fs::remove_file(used.config.data_dir.join("webchat.lock")).unwrap();
        let refused = refusal(&used_end, &file_end(dir.path())).await;
        assert!(refused.contains("a server uses this database"), "{refused}");
    }
    used.chat.close().await;
}

/// Makes a copy look interrupted: some rows and the marks are there, and not the epoch.
async fn interrupt(target: &CopyEnd, origin: Origin) {
    let mut end = End::connect(target).await.unwrap();
    end.lock().await.unwrap();
    end.execute("delete from meta where name <> 'last_room_number'")
        .await;
    end.execute("delete from message where key > (select min(key) from message)")
        .await;
    end.execute("delete from sanction").await;
    end.mark(origin).await.unwrap();
    end.close().await.unwrap();
}

#[tokio::test]
async fn interrupted_copy_is_refused_by_servers_and_goes_on_with_the_same_source() {
    let test = filled().await;
    let source = file_end(&test.config.data_dir);
    let dir = tempfile::tempdir().unwrap();
    let target = new_server(dir.path()).unwrap_or_else(|| file_end(dir.path()));
    let first = copy_database(&source, &target).await.unwrap();
    let origin = {
        let mut end = End::connect(&source).await.unwrap();
        end.lock().await.unwrap();
        end.check_source().await.unwrap()
    };
    interrupt(&target, origin).await;
    let config = Config {
        database: Some(target.url.clone()),
        ..Config::new(dir.path())
    };
    let refused = Chat::open(config).await.unwrap_err().to_string();
    assert!(
        refused.contains("webchat copy --from URL --to URL"),
        "{refused}"
    );
    let other = filled().await;
    let refused = refusal(&file_end(&other.config.data_dir), &target).await;
    assert!(
        refused.contains("a part of a copy of another database"),
        "{refused}"
    );
    let second = copy_database(&source, &target).await.unwrap();
    let counts = |tables: &[CopiedTable]| -> Vec<_> {
        tables
            .iter()
            .map(|table| (table.name.clone(), table.rows))
            .collect()
    };
    assert_eq!(counts(&second), counts(&first));
}

#[tokio::test]
async fn difference_is_an_error_that_names_the_table() {
    let test = filled().await;
    let source = file_end(&test.config.data_dir);
    let dir = tempfile::tempdir().unwrap();
    let target = new_server(dir.path()).unwrap_or_else(|| file_end(dir.path()));
    copy_database(&source, &target).await.unwrap();
    let mut end = End::connect(&source).await.unwrap();
    end.lock().await.unwrap();
    let origin = end.check_source().await.unwrap();
    end.execute("update audit_log set action = 'forged' where seq = 1")
        .await;
    end.close().await.unwrap();
    interrupt(&target, origin).await;
    let refused = refusal(&source, &target).await;
    assert!(
        refused.starts_with("the table audit_log differs"),
        "{refused}"
    );
    let refused = refusal(&target, &file_end(&dir.path().join("x"))).await;
    assert!(refused.contains("a copy that is not complete"), "{refused}");
}

/// A migration that was added for one kind of database only, or a column whose numbers the database
/// draws itself, which a copy would have to set.
#[tokio::test]
async fn both_kinds_of_database_have_the_same_tables_and_columns() {
    /// A table that only one kind has, and why.
    const DIFFERENCES: [(&str, &str); 4] = [
        ("old_idempotency_key", "only older files have such keys"),
        ("signing_key", "a file has it beside it"),
        ("log_position", "a file does not lose commits"),
        ("node_commits", "a file does not lose commits"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let Some(server) = new_server(dir.path()) else {
        return;
    };
    let mut tables = Vec::new();
    for end in [file_end(dir.path()), server] {
        let mut end = End::connect(&end).await.unwrap();
        end.lock().await.unwrap();
        end.migrate().await.unwrap();
        let mut found = end.tables().await.unwrap();
        found.retain(|table| !DIFFERENCES.iter().any(|(name, _)| *name == table.name));
        tables.push(found);
        if let End::Postgres(end) = &mut end {
            assert_eq!(end.generated_columns().await, Vec::<String>::new());
        }
        end.close().await.unwrap();
    }
    assert_eq!(tables[0], tables[1]);
    assert!(tables[0].iter().all(|table| !table.key.is_empty()));
}
