//! Which store: as it is written on a command line, and opened.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::{Careless, MemoryStore, sql};

/// Where orders are kept.
///
/// ```
/// use quickeats_bench::service::StoreChoice;
///
/// let store: StoreChoice = "postgres://bench:secret@db.example/orders".parse().unwrap();
/// assert_eq!(store.to_string(), "postgres://db.example:5432/orders"); // never the password
/// assert!("mysql://db.example".parse::<StoreChoice>().is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub enum StoreChoice {
    /// In this process: gone when it ends.
    #[default]
    Memory,
    /// In a file.
    Sqlite(PathBuf),
    /// In a PostgreSQL database, which several services may share.
    Postgres(Box<PostgresUrl>),
}

/// Where a PostgreSQL database is, and how to get in. Shown without the password, which is nobody's business.
#[derive(Clone)]
pub struct PostgresUrl {
    options: PgConnectOptions,
    /// PostgreSQL's database of last resort is the one called like the user.
    shown: String,
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&url.shown),
        }
    }
}

/// The text names no store. It may hold a password, so that it is not repeated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store is `memory`, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`{0}")]
pub struct UnknownStore(&'static str);

impl FromStr for StoreChoice {
    type Err = UnknownStore;

    fn from_str(text: &str) -> Result<Self, UnknownStore> {
        if text == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            return match path {
                "" => Err(UnknownStore("; the path is missing")),
                ":memory:" => Err(UnknownStore("; for orders in memory say `memory`")),
                path => Ok(Self::Sqlite(path.into())),
            };
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(UnknownStore(""));
        }
        let options: PgConnectOptions = text.parse().map_err(|_| UnknownStore("; this URL cannot be read"))?;
        let database = options.get_database().unwrap_or(options.get_username());
        let shown = format!("postgres://{}:{}/{database}", options.get_host(), options.get_port());
        Ok(Self::Postgres(Box::new(PostgresUrl { options, shown })))
    }
}

/// Why a store cannot be opened. What the database said is kept as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be reached, or does not let us in.
    #[error("the database cannot be opened: {0}")]
    Database(String),
    /// The schema cannot be brought up to date.
    #[error("the schema of the database cannot be brought up to date: {0}")]
    Schema(String),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<sqlx::migrate::MigrateError> for OpenError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Schema(error.to_string())
    }
}

impl StoreChoice {
    pub(in super::super) async fn open(&self) -> Result<Arc<dyn Careless>, OpenError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new()),
            Self::Sqlite(path) => Arc::new(sql::sqlite::open(path).await?),
            Self::Postgres(url) => Arc::new(sql::postgres::open(url.options.clone()).await?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_named_by_its_kind_and_place() {
        for text in ["memory", "sqlite:/tmp/orders.db", "sqlite:orders.db", "postgres://h:6543/d"] {
            assert_eq!(text.parse::<StoreChoice>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let store: StoreChoice = "postgresql://ann:hunter2@h/d?sslmode=require".parse().unwrap();
        assert!(!format!("{store} {store:?}").contains("hunter2"));
        let unknown = "postgre://ann:hunter2@h/d".parse::<StoreChoice>().unwrap_err();
        assert!(!unknown.to_string().contains("hunter2"));
    }

    #[test]
    fn what_names_no_store_is_told_the_forms() {
        for text in ["", "Memory", "sqlite:", "sqlite::memory:", "redis://h", "postgres://h:x/d"] {
            let message = text.parse::<StoreChoice>().unwrap_err().to_string();
            assert!(message.contains("sqlite:PATH"), "{message}");
        }
    }
}
