//! SQLite: one file, readers beside one writer.
//!
//! ```text
//! readers (4 connections)   SELECT … sees the last commit, waits for nobody (WAL)
//! writer  (1 connection)    BEGIN IMMEDIATE … COMMIT, one after the other, in the order they came
//! ```
//!
//! SQLite lets one transaction write at a time. Within this process writers queue for the one connection that writes,
//! so that none finds the file locked; a second process on the same file waits up to [`PATIENCE`] for its lock.
//! `BEGIN IMMEDIATE` takes the lock before the first statement: a transaction that reads first and wants to write
//! later could find that somebody else was faster, and fail.
//!
//! `synchronous = FULL` makes every commit wait until the log is on the disk. In WAL mode less (`NORMAL`) would survive
//! `kill -9`, because what was written is the operating system's by then, but not a power cut; and whoever was told
//! "paid" does not care which of the two it was.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Column as _, Row as _, SqlStr, Sqlite, SqlitePool, TypeInfo as _, ValueRef as _, query_with};

use super::super::{Boxed, OpenError, Reply, StoreError, count_statement, point_of_no_return};
use super::{Database, Row, SqlStore, Transaction, Value};

/// How long a write waits for another process's.
const PATIENCE: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

struct SqliteDatabase {
    readers: SqlitePool,
    writer: SqlitePool,
    /// For transactions that read first and write later, which only a mistake makes: not connected until then.
    lazy: SqlitePool,
}

/// Opens the file at `path`, makes it if there is none, and brings its schema up to date.
pub(in super::super) async fn open(path: &Path) -> Result<SqlStore, OpenError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE);
    let writer = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
    let writer = writer.connect_with(options.clone()).await?;
    let schema = Migration::new(
        1,
        "orders".into(),
        MigrationType::Simple,
        SqlStr::from_static(include_str!("sqlite.sql")),
        false,
    );
    Migrator::with_migrations(vec![schema]).run(&writer).await?;
    let lazy = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
    let lazy = lazy.connect_lazy_with(options.clone());
    let readers = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(PATIENCE);
    let readers = readers.connect_with(options.pragma("query_only", "on")).await?;
    Ok(SqlStore::on(SqliteDatabase { readers, writer, lazy }))
}

fn arguments(values: Vec<Value>) -> Result<SqliteArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::MaybeText(text) => arguments.add(text),
            // As text, which people can read in a shell.
            Value::Uuid(uuid) => arguments.add(uuid.to_string()),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Null => arguments.add(None::<String>),
        }
        .map_err(|_| StoreError::Unreadable)?;
    }
    Ok(arguments)
}

fn row(columns: &SqliteRow) -> Result<Row, StoreError> {
    let column = |index: usize| -> Result<Value, sqlx::Error> {
        let raw = columns.try_get_raw(index)?;
        Ok(match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "INTEGER" => Value::Integer(columns.try_get(index)?),
            "BLOB" => Value::Bytes(columns.try_get(index)?),
            _ => Value::Text(columns.try_get(index)?),
        })
    };
    let values = columns.columns().iter().map(|named| column(named.ordinal()));
    Ok(Row::new(values.collect::<Result<_, _>>().map_err(StoreError::from)?))
}

impl Database for SqliteDatabase {
    fn execute(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, u64> {
        Box::pin(async move {
            count_statement();
            let done = query_with(statement, arguments(values)?).execute(&self.writer).await?;
            Ok(done.rows_affected())
        })
    }

    fn query(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, Vec<Row>> {
        Box::pin(async move {
            count_statement();
            let rows = query_with(statement, arguments(values)?).fetch_all(&self.readers).await?;
            rows.iter().map(row).collect()
        })
    }

    fn begin(&self) -> Reply<'_, Box<dyn Transaction>> {
        Box::pin(async move {
            let begun = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            Ok(Box::new(begun) as Box<dyn Transaction>)
        })
    }

    /// `BEGIN` alone reads first, and asks for the one lock there is with its first write. Two that do so cannot both have
    /// it: what one has read is old as soon as the other has written, and SQLite fails its write at once (`SQLITE_BUSY`),
    /// whatever the time it would wait otherwise.
    fn begin_lazily(&self) -> Reply<'_, Box<dyn Transaction>> {
        Box::pin(async move {
            let begun = self.lazy.begin().await?;
            Ok(Box::new(begun) as Box<dyn Transaction>)
        })
    }

    /// There are no locks on rows.
    fn lock_restaurant(&self) -> &'static str {
        "SELECT id FROM restaurants WHERE id = $1"
    }

    /// The transaction has locked the whole file already.
    fn lock_order(&self) -> &'static str {
        select_orders!("WHERE o.id = $1")
    }

    fn restaurants_among(&self) -> &'static str {
        "SELECT id, name FROM restaurants WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id"
    }

    fn riders_among(&self) -> &'static str {
        "SELECT id, name FROM riders WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id"
    }
}

impl Transaction for sqlx::Transaction<'static, Sqlite> {
    fn execute(&mut self, statement: &'static str, values: Vec<Value>) -> Reply<'_, u64> {
        Box::pin(async move {
            count_statement();
            let done = query_with(statement, arguments(values)?).execute(&mut **self).await?;
            Ok(done.rows_affected())
        })
    }

    fn query(&mut self, statement: &'static str, values: Vec<Value>) -> Reply<'_, Vec<Row>> {
        Box::pin(async move {
            count_statement();
            let rows = query_with(statement, arguments(values)?).fetch_all(&mut **self).await?;
            rows.iter().map(row).collect()
        })
    }

    fn commit(self: Box<Self>) -> Reply<'static, ()> {
        Box::pin(async move {
            point_of_no_return();
            (*self).commit().await.map_err(StoreError::of_commit)
        })
    }

    fn rollback(self: Box<Self>) -> Boxed<'static, ()> {
        Box::pin(async move {
            let _ = (*self).rollback().await;
        })
    }
}
