//! Where a test takes place: on which store, and with how many services. One suite, told once, runs at every venue.

use http::Version;
use quickeats_bench::service::{KeyStoreChoice, StoreChoice, Strategy};
use tempfile::TempDir;

use crate::real_parts;

/// A kind of store, and how many services share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Venue {
    Memory,
    /// In memory as well, and asked over HTTP/2. Everywhere else it is HTTP/1.1.
    Http2,
    Sqlite,
    Postgres,
    /// The same stores, with the order locked while it is judged.
    MemoryLocked,
    SqliteLocked,
    PostgresLocked,
    /// Two services on one database, of different strategies; each request goes to the other one than the request before.
    TwoReplicas,
    /// The same, with the keys in Redis.
    Redis,
}

/// A fresh store, gone with what it takes when dropped.
pub(crate) struct Props {
    pub(crate) store: StoreChoice,
    pub(crate) key_store: KeyStoreChoice,
    /// One for each service.
    pub(crate) strategies: Vec<Strategy>,
    /// Of HTTP, that callers speak.
    pub(crate) version: Version,
    _folder: Option<TempDir>,
}

impl Venue {
    /// Whether all that it takes is installed here. If not, it is said that `test` is left out.
    pub(crate) fn is_ready(self, test: &str) -> bool {
        match self {
            Self::Memory | Self::Http2 | Self::MemoryLocked | Self::Sqlite | Self::SqliteLocked => true,
            Self::Postgres | Self::PostgresLocked | Self::TwoReplicas => real_parts::has_postgres(test),
            Self::Redis => real_parts::has_postgres(test) && real_parts::has_redis(test),
        }
    }

    /// A fresh store of this kind.
    pub(crate) fn props(self) -> Props {
        let (store, folder) = match self {
            Self::Memory | Self::Http2 | Self::MemoryLocked => (StoreChoice::Memory, None),
            Self::Sqlite | Self::SqliteLocked => {
                let folder = tempfile::tempdir().unwrap();
                (StoreChoice::Sqlite(folder.path().join("orders.db")), Some(folder))
            }
            Self::Postgres | Self::PostgresLocked | Self::TwoReplicas | Self::Redis => {
                (real_parts::postgres().parse().unwrap(), None)
            }
        };
        let strategies = match self {
            Self::Memory | Self::Http2 | Self::Sqlite | Self::Postgres => vec![Strategy::Optimistic],
            Self::MemoryLocked | Self::SqliteLocked | Self::PostgresLocked => vec![Strategy::Pessimistic],
            Self::TwoReplicas | Self::Redis => Strategy::ALL.to_vec(),
        };
        let key_store = match self {
            Self::Redis => real_parts::redis().parse().unwrap(),
            _ => KeyStoreChoice::Same,
        };
        let version = if self == Self::Http2 { Version::HTTP_2 } else { Version::HTTP_11 };
        Props { store, key_store, strategies, version, _folder: folder }
    }
}

/// Runs each of the named tests at each of the venues. (A test that is not named here is dead code, which the compiler
/// tells.)
macro_rules! on_venues {
    ($module:ident: $venue:ident => $($test:ident),+ $(,)?) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let venue = $crate::venue::Venue::$venue;
                    if venue.is_ready(concat!(module_path!(), "::", stringify!($test))) {
                        super::$test(venue).await;
                    }
                }
            )+
        }
    };
    // What holds of every store, however many services share it.
    (everywhere: $($test:ident),+ $(,)?) => {
        on_venues!(memory: Memory => $($test),+);
        on_venues!(http2: Http2 => $($test),+);
        on_venues!(sqlite: Sqlite => $($test),+);
        on_venues!(postgres: Postgres => $($test),+);
        on_venues!(memory_locked: MemoryLocked => $($test),+);
        on_venues!(sqlite_locked: SqliteLocked => $($test),+);
        on_venues!(postgres_locked: PostgresLocked => $($test),+);
        on_venues!(two_replicas: TwoReplicas => $($test),+);
        on_venues!(redis: Redis => $($test),+);
    };
    // What is about one process on its own: its connections, or its mistake.
    (one process: $($test:ident),+ $(,)?) => {
        on_venues!(alone_in_memory: Memory => $($test),+);
        on_venues!(alone_over_http2: Http2 => $($test),+);
        on_venues!(alone_on_sqlite: Sqlite => $($test),+);
        on_venues!(alone_on_postgres: Postgres => $($test),+);
    };
    // What is about one process, with the order locked while it is judged and without.
    (each strategy: $($test:ident),+ $(,)?) => {
        on_venues!(unlocked_in_memory: Memory => $($test),+);
        on_venues!(unlocked_on_sqlite: Sqlite => $($test),+);
        on_venues!(unlocked_on_postgres: Postgres => $($test),+);
        on_venues!(locked_in_memory: MemoryLocked => $($test),+);
        on_venues!(locked_on_sqlite: SqliteLocked => $($test),+);
        on_venues!(locked_on_postgres: PostgresLocked => $($test),+);
    };
}
pub(crate) use on_venues;
