//! PostgreSQL: a pool of connections, and as many replicas of the service beside it as one likes.
//!
//! `synchronous_commit` stays what the server says, `on` unless somebody changed it: a commit is answered when it is on
//! the disk.

use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{
    Column as _, ConnectOptions as _, Connection as _, PgPool, Postgres, Row as _, SqlStr, TypeInfo as _,
    ValueRef as _, query_with,
};

use super::super::{Boxed, OpenError, Reply, StoreError, count_statement, point_of_no_return};
use super::{Database, Row, SqlStore, Transaction, Value};

/// How long a request waits for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Per replica. PostgreSQL allows 100 in all unless it is told otherwise.
const CONNECTIONS: u32 = 16;

/// A replica that stops in the middle of a transaction, without its connection breaking, holds its rows for so long at
/// most; and no statement runs for longer than a request may take.
const SESSION: [(&str, &str); 3] = [
    ("application_name", "quickeats-bench"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("statement_timeout", "30s"),
];

struct PostgresDatabase {
    pool: PgPool,
}

/// Connects, and brings the schema up to date: under a lock, so that replicas may start together.
pub(in super::super) async fn open(options: PgConnectOptions) -> Result<SqlStore, OpenError> {
    let options = options.options(SESSION);
    // Once without the pool, which would try again for a while and then say no more than that time is over.
    options.connect().await?.close().await?;
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE);
    let pool = pool.connect_with(options).await?;
    let schema = Migration::new(
        1,
        "orders".into(),
        MigrationType::Simple,
        SqlStr::from_static(include_str!("postgres.sql")),
        false,
    );
    Migrator::with_migrations(vec![schema]).run(&pool).await?;
    Ok(SqlStore::on(PostgresDatabase { pool }))
}

fn arguments(values: Vec<Value>) -> Result<PgArguments, StoreError> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::MaybeText(text) => arguments.add(text),
            Value::Uuid(uuid) => arguments.add(uuid),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Null => arguments.add(None::<String>),
        }
        .map_err(|_| StoreError::Unreadable)?;
    }
    Ok(arguments)
}

fn row(columns: &PgRow) -> Result<Row, StoreError> {
    let column = |index: usize| -> Result<Value, sqlx::Error> {
        let raw = columns.try_get_raw(index)?;
        Ok(match raw.type_info().name() {
            _ if raw.is_null() => Value::Null,
            "INT8" => Value::Integer(columns.try_get(index)?),
            "UUID" => Value::Uuid(columns.try_get(index)?),
            "BYTEA" => Value::Bytes(columns.try_get(index)?),
            _ => Value::Text(columns.try_get(index)?),
        })
    };
    let values = columns.columns().iter().map(|named| column(named.ordinal()));
    Ok(Row::new(values.collect::<Result<_, _>>().map_err(StoreError::from)?))
}

impl Database for PostgresDatabase {
    fn execute(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, u64> {
        Box::pin(async move {
            count_statement();
            let done = query_with(statement, arguments(values)?).execute(&self.pool).await?;
            Ok(done.rows_affected())
        })
    }

    fn query(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, Vec<Row>> {
        Box::pin(async move {
            count_statement();
            let rows = query_with(statement, arguments(values)?).fetch_all(&self.pool).await?;
            rows.iter().map(row).collect()
        })
    }

    fn begin(&self) -> Reply<'_, Box<dyn Transaction>> {
        Box::pin(async move {
            let begun = self.pool.begin().await?;
            Ok(Box::new(begun) as Box<dyn Transaction>)
        })
    }

    fn begin_lazily(&self) -> Reply<'_, Box<dyn Transaction>> {
        self.begin()
    }

    /// As an `UPDATE` of it would: orders can be placed with it meanwhile.
    fn lock_restaurant(&self) -> &'static str {
        "SELECT id FROM restaurants WHERE id = $1 FOR NO KEY UPDATE"
    }

    fn lock_order(&self) -> &'static str {
        select_orders!("WHERE o.id = $1 FOR UPDATE OF o")
    }

    fn restaurants_among(&self) -> &'static str {
        "SELECT id, name FROM restaurants WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY id"
    }

    fn riders_among(&self) -> &'static str {
        "SELECT id, name FROM riders WHERE id IN (SELECT jsonb_array_elements_text($1::jsonb)) ORDER BY id"
    }
}

impl Transaction for sqlx::Transaction<'static, Postgres> {
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
