//! The connection of the writer, and its transactions.
//!
//! A statement for each row would cost a round trip each. So a transaction reads what a batch refers
//! to before the decision, keeps what the batch appends, and writes it before the commit: the number
//! of round trips is the same for one message and for hundreds.
//!
//! # Guarantees
//! - The rooms of a batch are locked in the order of their IDs, so two writers never wait for each
//!   other in a circle.
//! - A connection on which anything has failed is not used again.
//! - The writer's thread itself waits for the database, so the tasks of the server delay no commit.
//!
//! # Not here
//! - The statements that read: `loaded`. Those that write: `appended`.

use std::sync::Arc;

use protocol::{Change, FileId, Message, Role, RoomEnd, RoomId};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::runtime::{self, Runtime};

use super::appended::AppendedRows;
use super::loaded::LoadedRows;
use super::location::PostgresLocation;
use super::write_lock::write_lock;
use crate::Error;
use crate::store::file_rows::FileRow;
use crate::store::log_connection::{
    AppendRows, BatchRows, LogConnection, LogTransaction, WantedRows,
};
use crate::store::log_sql::IS_TAKEN;
use crate::store::rows::key;
use crate::store::sql::{Source, query_as};
use crate::store::{
    AccountSession, EarlierMessage, KeyDigests, NameClaim, OpenRoom, RowChange, StoredMessage,
    WritePolicy,
};

/// The connection of the writer, which connects when it is needed.
#[derive(Debug)]
pub(crate) struct PostgresLog {
    location: PostgresLocation,
    /// The connection of the transaction before, if that was committed.
    connection: Option<PgConnection>,
    /// What the connection runs on, once there is one.
    runtime: Option<Arc<Runtime>>,
}

impl PostgresLog {
    pub fn new(location: &PostgresLocation) -> Self {
        Self {
            location: location.clone(),
            connection: None,
            runtime: None,
        }
    }

    /// A runtime of the thread that calls this, which must be the writer's.
    fn runtime(&mut self) -> Result<Arc<Runtime>, Error> {
        if let Some(runtime) = &self.runtime {
            return Ok(runtime.clone());
        }
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(self.runtime.insert(Arc::new(runtime)).clone())
    }

    /// A connection with a transaction that shares the lock of the transactions that write.
    async fn begin_transaction(&mut self) -> Result<PgConnection, Error> {
        if let Some(mut connection) = self.connection.take()
            && begin(&mut connection).await.is_ok()
        {
            return Ok(connection);
        }
        // The connection of the last transaction may have ended since, without harm.
        let mut connection = self.location.options().connect().await?;
        begin(&mut connection).await?;
        Ok(connection)
    }
}

async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    let sql = concat!(
        "begin; select pg_advisory_xact_lock_shared(",
        write_lock!(),
        ")"
    );
    sqlx::raw_sql(sql).execute(connection).await?;
    Ok(())
}

impl LogConnection for PostgresLog {
    fn begin(&mut self) -> Result<Box<dyn LogTransaction + '_>, Error> {
        let runtime = self.runtime()?;
        let connection = runtime.block_on(self.begin_transaction())?;
        Ok(Box::new(PostgresLogTransaction {
            log: self,
            runtime,
            connection,
            loaded: LoadedRows::default(),
            appended: AppendedRows::default(),
        }))
    }
}

/// A transaction that appends to logs. It is rolled back if it is dropped, with its connection.
struct PostgresLogTransaction<'a> {
    log: &'a mut PostgresLog,
    runtime: Arc<Runtime>,
    connection: PgConnection,
    loaded: LoadedRows,
    appended: AppendedRows,
}

impl BatchRows for PostgresLogTransaction<'_> {
    fn prefetch(&mut self, now: i64, wanted: &dyn Fn() -> WantedRows) -> Result<(), Error> {
        let load = LoadedRows::load(&mut self.connection, now, wanted());
        self.loaded = self.runtime.block_on(load)?;
        Ok(())
    }

    fn find_open_room(&self, id: RoomId, _: i64) -> Result<Option<OpenRoom>, Error> {
        Ok(self.loaded.open_room(id))
    }

    fn find_end(&self, id: RoomId, person: i64) -> Result<Option<RoomEnd>, Error> {
        Ok(self.loaded.author(id, person)?.end)
    }

    fn load_policy(&self, room: RoomId, person: i64, _: i64) -> Result<WritePolicy, Error> {
        Ok(self.loaded.author(room, person)?.policy)
    }

    fn load_role(&self, room: RoomId, person: i64) -> Result<Option<Role>, Error> {
        Ok(self.loaded.author(room, person)?.role)
    }

    fn find_by_key(
        &self,
        _: i64,
        room: RoomId,
        author: i64,
        key: &KeyDigests,
    ) -> Result<Option<EarlierMessage>, Error> {
        Ok(self.loaded.earlier_message(room, author, key))
    }

    fn find_message(&self, room: RoomId, _: i64, seq: u64) -> Result<Option<StoredMessage>, Error> {
        Ok(self.loaded.target(room, seq))
    }

    fn find_file(&self, id: FileId) -> Result<Option<FileRow>, Error> {
        Ok(self.loaded.file(id))
    }

    fn load_claims(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error> {
        Ok(self.loaded.claims(room, lowercase, cased))
    }

    fn is_name_registered(&self, lowercase: &str, cased: &str) -> Result<bool, Error> {
        Ok(self.loaded.is_registered(lowercase, cased))
    }

    fn find_name_of_session(&self, session: AccountSession) -> Result<Option<String>, Error> {
        Ok(self.loaded.name_of_session(session))
    }

    fn load_lobby_names(
        &self,
        room: RoomId,
        lowercase: &str,
        cased: &str,
    ) -> Result<Vec<NameClaim>, Error> {
        Ok(self.loaded.lobby_names(room, lowercase, cased))
    }
}

impl AppendRows for PostgresLogTransaction<'_> {
    fn insert_message(
        &mut self,
        number: i64,
        author: i64,
        key: Option<&KeyDigests>,
        message: &Message,
    ) -> Result<(), Error> {
        self.appended.insert_message(number, author, key, message);
        Ok(())
    }

    fn insert_change(
        &mut self,
        number: i64,
        person: i64,
        now: i64,
        change: &Change,
    ) -> Result<(), Error> {
        self.appended.insert_change(number, person, now, change);
        Ok(())
    }

    fn save_room(&mut self, id: RoomId, room: &OpenRoom) -> Result<(), Error> {
        self.appended.save_room(id, *room);
        Ok(())
    }

    fn insert_room_author(&mut self, room: RoomId, account: i64) -> Result<(), Error> {
        self.appended.insert_room_author(room, account);
        Ok(())
    }

    fn keep_room(&mut self, room: RoomId, person: i64, now: i64) -> Result<(), Error> {
        self.appended.keep_room(room, person, now);
        Ok(())
    }

    fn change_row(&mut self, now: i64, change: &RowChange) -> Result<(), Error> {
        self.appended.change_row(now, change);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let appended = std::mem::take(&mut self.appended);
        Ok(self
            .runtime
            .block_on(appended.write(&mut self.connection))?)
    }

    fn is_name_taken(
        &mut self,
        room: RoomId,
        person: i64,
        lowercase: &str,
        cased: &str,
    ) -> Result<bool, Error> {
        let is_taken = query_as(IS_TAKEN)
            .bind(key(room))
            .bind(person)
            .bind(lowercase)
            .bind(cased)
            .fetch_one(Source::Postgres(&mut self.connection));
        Ok(self.runtime.block_on(is_taken)?)
    }

    fn commit(mut self: Box<Self>) -> Result<(), Error> {
        self.flush()?;
        let commits = self.log.location.commits();
        let (count, number) = commits.next();
        // Both in one round trip.
        let sql = AssertSqlSafe(format!("{count}; commit"));
        let commit = sqlx::raw_sql(sql).execute(&mut self.connection);
        self.runtime.block_on(commit)?;
        commits.note(number);
        self.log.connection = Some(self.connection);
        Ok(())
    }
}
