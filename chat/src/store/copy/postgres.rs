//! A copied database on a `PostgreSQL` server.

use sqlx::postgres::{PgArguments, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres, Row};

use super::Origin;
use super::page::{Key, KeyPart, Page, Values};
use super::table::{Described, Table, quote};
use crate::Error;
use crate::store::postgres::{Membership, PostgresLocation, migrate};
use crate::store::unfinished_copy;

/// A database on a server, which no server of webchat uses meanwhile.
#[derive(Debug)]
pub(super) struct PostgresEnd {
    location: PostgresLocation,
    connection: PgConnection,
    /// The connection that keeps servers away.
    guard: Option<PgConnection>,
}

impl PostgresEnd {
    pub async fn connect(location: PostgresLocation) -> Result<Self, Error> {
        let mut connection = location.options().connect().await?;
        // A large batch on a busy disk may take longer than the statements of requests. All batches
        // are durable with the last one.
        let sql = "set statement_timeout = 0; set synchronous_commit = off";
        sqlx::raw_sql(sql).execute(&mut connection).await?;
        Ok(Self {
            location,
            connection,
            guard: None,
        })
    }

    /// What only this database on this server has.
    pub async fn identity(&mut self) -> Result<String, Error> {
        let sql = "select concat_ws(' ', (select system_identifier from pg_control_system()),
                   (select oid from pg_database where datname = current_database()),
                   current_schema()::regnamespace::oid)";
        let identity = sqlx::query_scalar(sql);
        Ok(identity.fetch_one(&mut self.connection).await?)
    }

    /// Keeps servers away from the database.
    pub async fn lock(&mut self) -> Result<(), Error> {
        self.guard = Some(Membership::exclude_others(&self.location).await?);
        Ok(())
    }

    /// Checks that servers are still kept away.
    async fn check_guard(&mut self) -> Result<(), Error> {
        if let Some(guard) = &mut self.guard {
            sqlx::raw_sql("select 1").execute(guard).await?;
        }
        Ok(())
    }

    /// The number of this name.
    pub async fn number(&mut self, name: &str) -> Result<Option<i64>, Error> {
        let sql = "select to_regclass('meta') is not null";
        let has_table: bool = sqlx::query_scalar(sql)
            .fetch_one(&mut self.connection)
            .await?;
        if !has_table {
            return Ok(None);
        }
        let number = sqlx::query_scalar("select value from meta where name = $1").bind(name);
        Ok(number.fetch_optional(&mut self.connection).await?)
    }

    /// Brings the database to the schema of this version.
    pub async fn migrate(&mut self) -> Result<(), Error> {
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect_with(self.location.options().clone()).await?;
        let migrated = migrate::run(&pool, &self.location, None).await;
        pool.close().await;
        migrated
    }

    pub async fn tables(&mut self) -> Result<Vec<Table>, Error> {
        let sql = "select class.relname::text, attribute.attname::text,
                       format_type(attribute.atttypid, null),
                       coalesce(array_position(key.indkey::int2[], attribute.attnum) + 1, 0)::bigint
                   from pg_class as class
                   join pg_attribute as attribute on attribute.attrelid = class.oid
                       and attribute.attnum > 0 and not attribute.attisdropped
                   left join pg_index as key on key.indrelid = class.oid and key.indisprimary
                   where class.relkind = 'r' and class.relpersistence = 'p'
                   and class.relnamespace = current_schema()::regnamespace
                   and class.relname not like '\\_sqlx\\_%'
                   order by class.relname collate \"C\"";
        let rows = sqlx::query(sql).fetch_all(&mut self.connection).await?;
        let columns = rows.iter().map(|row| {
            let described = Described {
                name: row.try_get(1)?,
                kind: row.try_get(2)?,
                key: row.try_get(3)?,
            };
            Ok((row.try_get(0)?, described))
        });
        Table::group(columns.collect::<sqlx::Result<Vec<_>>>()?)
    }

    pub async fn read(
        &mut self,
        table: &Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Page, Error> {
        self.check_guard().await?;
        let sql = table.select('$', after.is_some(), limit);
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for part in after.into_iter().flatten() {
            query = match part {
                KeyPart::Integer(number) => query.bind(number),
                KeyPart::Text(text) => query.bind(text),
            };
        }
        self.read_rows(query, table).await
    }

    pub async fn last_key(&mut self, table: &Table) -> Result<Option<Key>, Error> {
        let query = sqlx::query(AssertSqlSafe(table.select_last()));
        Ok(self.read_rows(query, table).await?.last_key(table))
    }

    async fn read_rows(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
        table: &Table,
    ) -> Result<Page, Error> {
        let rows = query.fetch_all(&mut self.connection).await?;
        let mut page = Page::new(table);
        for (position, values) in page.columns.iter_mut().enumerate() {
            for row in &rows {
                read_value(row, position, values)?;
            }
        }
        Ok(page)
    }

    pub async fn insert(&mut self, table: &Table, page: &Page) -> Result<(), Error> {
        let arrays = table.columns.iter().enumerate().map(|(position, column)| {
            format!("${}::{}[]", position + 1, column.kind.in_postgres())
        });
        let sql = format!(
            "insert into {} ({}) select * from unnest({})",
            quote(&table.name),
            table.column_list(),
            arrays.collect::<Vec<_>>().join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for column in &page.columns {
            query = match column {
                Values::Integers(values) => query.bind(values),
                Values::Booleans(values) => query.bind(values),
                Values::Texts(values) => query.bind(values),
            };
        }
        query.execute(&mut self.connection).await.map_err(|error| {
            Error::fault(format!("cannot write rows of {}: {error}", table.name))
        })?;
        Ok(())
    }

    /// Notes which content is copied.
    pub async fn mark(&mut self, origin: Origin) -> Result<(), Error> {
        let sql = "insert into meta (name, value) values ($1, $2), ($3, $4) on conflict do nothing";
        sqlx::query(sql)
            .bind(unfinished_copy::EPOCH)
            .bind(origin.epoch)
            .bind(unfinished_copy::INSTANCE)
            .bind(origin.instance)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub async fn meta(&mut self) -> Result<Vec<(String, i64)>, Error> {
        let sql = "select name, value from meta order by name";
        Ok(sqlx::query_as(sql).fetch_all(&mut self.connection).await?)
    }

    pub async fn signing_key(&mut self) -> Result<Option<String>, Error> {
        let sql = "select key from signing_key where name = 'tokens'";
        let key = sqlx::query_scalar(sql).fetch_optional(&mut self.connection);
        Ok(key.await?)
    }

    pub async fn finish(&mut self, meta: &[(String, i64)], key: Option<&str>) -> Result<(), Error> {
        self.check_guard().await?;
        let (names, values): (Vec<&String>, Vec<i64>) =
            meta.iter().map(|(name, value)| (name, value)).unzip();
        let mut tx = self.connection.begin().await?;
        sqlx::raw_sql("set local synchronous_commit = on; delete from meta")
            .execute(&mut *tx)
            .await?;
        let sql = "insert into meta (name, value) select * from unnest($1::text[], $2::bigint[])";
        let insert = sqlx::query(sql).bind(names).bind(values);
        insert.execute(&mut *tx).await?;
        if let Some(key) = key {
            let sql = "insert into signing_key (name, key) values ('tokens', $1)
                       on conflict do nothing";
            sqlx::query(sql).bind(key).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        // The plans of the first statements would be those of empty tables.
        sqlx::raw_sql("analyze")
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    #[cfg(test)]
    pub async fn execute(&mut self, sql: &'static str) {
        let executed = sqlx::query(sql).execute(&mut self.connection);
        executed.await.unwrap();
    }

    /// The columns whose values the database draws itself.
    #[cfg(test)]
    pub async fn generated_columns(&mut self) -> Vec<String> {
        let sql = "select table_name || '.' || column_name from information_schema.columns
                   where table_schema = current_schema() and table_name not like '%sqlx%'
                   and (is_identity = 'YES' or column_default like 'nextval%')";
        let columns = sqlx::query_scalar(sql).fetch_all(&mut self.connection);
        columns.await.unwrap()
    }

    pub async fn close(self) -> Result<(), Error> {
        Ok(self.connection.close().await?)
    }
}

fn read_value(row: &PgRow, position: usize, values: &mut Values) -> Result<(), Error> {
    match values {
        Values::Integers(values) => values.push(row.try_get(position)?),
        Values::Booleans(values) => values.push(row.try_get(position)?),
        Values::Texts(values) => values.push(row.try_get(position)?),
    }
    Ok(())
}
