//! Which store: as it is written on a command line, and opened.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use sqlx::postgres::PgConnectOptions;

use super::super::defect::Unsuited;
use super::redis::{RedisKeys, RedisUrl};
use super::{Beside, Careless, MemoryStore, sql};

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

/// Where idempotency keys are kept.
///
/// ```
/// use quickeats_bench::service::KeyStoreChoice;
///
/// let keys: KeyStoreChoice = "redis://:secret@cache.example/2".parse().unwrap();
/// assert_eq!(keys.to_string(), "redis://cache.example:6379/2");
/// ```
#[derive(Clone, Debug, Default)]
pub enum KeyStoreChoice {
    /// With the orders: an answer is stored by the transaction that makes its effect.
    #[default]
    Same,
    /// In a Redis, which several services may share.
    Redis(Box<RedisUrl>),
}

impl fmt::Display for KeyStoreChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("same"),
            Self::Redis(url) => url.fmt(f),
        }
    }
}

/// The text names no store for keys. It may hold a password, so that it is not repeated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a store of idempotency keys is `same` or `redis://USER:PASSWORD@HOST:PORT/DATABASE`")]
pub struct UnknownKeyStore;

impl FromStr for KeyStoreChoice {
    type Err = UnknownKeyStore;

    fn from_str(text: &str) -> Result<Self, UnknownKeyStore> {
        match text {
            "same" => Ok(Self::Same),
            url if url.starts_with("redis://") => {
                RedisUrl::parse(url).map(|url| Self::Redis(Box::new(url))).ok_or(UnknownKeyStore)
            }
            _ => Err(UnknownKeyStore),
        }
    }
}

/// Why a store cannot be opened. What the database said is kept as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be reached, or does not let us in.
    #[error("the database cannot be opened: {0}")]
    Database(String),
    /// The store of idempotency keys cannot be reached, or does not let us in.
    #[error("Redis cannot be opened: {0}")]
    Keys(String),
    /// The service cannot make the mistake that it is to make, or forget orders as it is to.
    #[error(transparent)]
    Unsuited(#[from] Unsuited),
    /// The schema cannot be brought up to date.
    #[error("the schema of the database cannot be brought up to date: {0}")]
    Schema(String),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl From<RedisError> for OpenError {
    fn from(error: RedisError) -> Self {
        Self::Keys(error.to_string())
    }
}

impl From<sqlx::migrate::MigrateError> for OpenError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Schema(error.to_string())
    }
}

impl StoreChoice {
    /// The store, which forgets orders after `retention` if it is one in memory.
    pub(in super::super) async fn open(&self, retention: Option<Duration>) -> Result<Arc<dyn Careless>, OpenError> {
        Ok(match self {
            Self::Memory => Arc::new(MemoryStore::new(retention)),
            Self::Sqlite(path) => Arc::new(sql::sqlite::open(path).await?),
            Self::Postgres(url) => Arc::new(sql::postgres::open(url.options.clone()).await?),
        })
    }
}

impl KeyStoreChoice {
    /// `orders`, with its keys kept here.
    pub(in super::super) async fn open(&self, orders: Arc<dyn Careless>) -> Result<Arc<dyn Careless>, OpenError> {
        Ok(match self {
            Self::Same => orders,
            Self::Redis(url) => Arc::new(Beside::new(orders, RedisKeys::open((**url).clone()).await?)),
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
    fn keys_are_kept_with_the_orders_or_in_redis() {
        for text in ["same", "redis://h:6380/1"] {
            assert_eq!(text.parse::<KeyStoreChoice>().unwrap().to_string(), text);
        }
        for text in ["", "other", "redis://", "rediss://h", "http://h"] {
            assert!(text.parse::<KeyStoreChoice>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_names_no_store_is_told_the_forms() {
        for text in ["", "Memory", "sqlite:", "sqlite::memory:", "redis://h", "postgres://h:x/d"] {
            let message = text.parse::<StoreChoice>().unwrap_err().to_string();
            assert!(message.contains("sqlite:PATH"), "{message}");
        }
    }
}
