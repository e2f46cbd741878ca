//! The database: one door for both engines.
//!
//! A [`Store`] reads through [`Store::query`], [`Store::rows`], [`Store::rows_by`] and [`Store::stream`], and writes
//! through a [`Tx`] from [`Store::begin`]. Everything passes a narrow waist of three types of value
//! ([`crate::rows::ColType`]), so SQL is written once: `$1` placeholders, `bigint` microseconds, no dialect.
//! Statements that follow from a table's description alone are made in `text`.
//!
//! What this room never does: decide anything, read a clock, make an id, know a rule, or put a value into the text
//! of a statement. It knows columns only through [`crate::rows::tables`].
//!
//! How to add a query: write it where it is asked (a report, a list), with `$1` placeholders, without
//! `= any($1)`, `greatest`, `date_trunc`, `now()` or anything else that only one engine knows; cast a `sum` to
//! `bigint`; give the types of its columns; test it on both engines with `tests/common`.
//! How to add a table or column: see [`crate::rows`].
//!
//! Invariants: one writer connection on SQLite, `begin immediate`; a transaction that is dropped is rolled back and
//! its connection is clean before anyone else has it, or is closed; a transaction in which a statement failed cannot
//! be committed; a commit of unknown outcome has its own error; no connection is opened that may lose what it
//! acknowledged, unless [`Durability::Unsafe`] says so.

mod conn;
mod error;
mod head;
mod migrate;
mod options;
mod param;
mod postgres;
mod read;
mod retry;
mod sqlite;
mod tally;
mod text;
mod tx;
mod wake;
mod write;

pub use error::StoreError;
pub use head::{Head, HeadMove};
pub use options::{Durability, Migrations, Options};
pub use param::Param;
pub use read::Chunks;
pub use tally::Tally;
pub use tx::Tx;
pub use wake::{Listener, Wake};

use crate::domain::ids::CountyId;
use conn::Conn;
use futures_util::future::BoxFuture;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Which database stands behind a store.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Engine {
    /// One file, one process that writes.
    Sqlite,
    /// A server, any number of processes.
    Postgres,
}

/// A database, open. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// How new writer connections are made.
enum Source {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// What all clones share.
struct Inner {
    options: Options,
    source: Source,
    readers: read::Readers,
    /// One permit per writer connection that may be in use.
    permits: Arc<Semaphore>,
    /// Writer connections that are open, clean and free.
    idle: Mutex<Vec<Conn>>,
    /// Texts made from tables, by what they do.
    texts: Mutex<HashMap<TextKey, Arc<str>>>,
    wakes: wake::Wakes,
    tally: Mutex<Tally>,
    checkpoints: sqlite::Checkpoints,
    stop: CancellationToken,
}

/// What a made text is for: the operation, the table, the rows, and what else it depends on.
type TextKey = (&'static str, &'static str, usize, Cow<'static, str>);

impl Inner {
    fn engine(&self) -> Engine {
        match self.source {
            Source::Sqlite(_) => Engine::Sqlite,
            Source::Postgres(_) => Engine::Postgres,
        }
    }

    /// A text, made on first use.
    fn text(&self, key: TextKey, make: impl FnOnce() -> String) -> Arc<str> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.entry(key).or_insert_with(|| make().into()).clone()
    }

    /// A new writer connection.
    async fn connect(&self) -> Result<Conn, StoreError> {
        match &self.source {
            Source::Sqlite(options) => sqlite::connect(options).await,
            Source::Postgres(options) => postgres::connect(options).await,
        }
    }

    fn take_idle(&self) -> Option<Conn> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes back a connection that is clean.
    fn give_back(&self, conn: Conn) {
        if !self.stop.is_cancelled() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Store {
    /// Opens the database at `sqlite://PATH` or `postgres://...`, making the file if there is none, and brings it up
    /// to date unless `options` say otherwise.
    ///
    /// # Errors
    /// If the address is no such address, the database cannot be reached, is newer than this program, is older and
    /// may not be migrated, or can lose what it acknowledges.
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            return Self::open_sqlite(path, options).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, options).await;
        }
        Err(StoreError::BadUrl("must begin with sqlite:// or postgres://"))
    }

    async fn open_sqlite(path: &str, options: Options) -> Result<Self, StoreError> {
        let opened = sqlite::open(path, &options).await?;
        let store = Self::new(options, Source::Sqlite(Box::new(opened.writer)), opened.readers, 1);
        store.inner.give_back(opened.first);
        sqlite::start_checkpoints(&store.inner);
        Ok(store)
    }

    async fn open_postgres(url: &str, options: Options) -> Result<Self, StoreError> {
        let opened = postgres::open(url, &options).await?;
        let permits = options.write_connections.max(1);
        let store = Self::new(options, Source::Postgres(Box::new(opened.writer)), opened.readers, permits);
        store.inner.give_back(opened.first);
        wake::start_notifier(&store.inner);
        Ok(store)
    }

    fn new(options: Options, source: Source, readers: read::Readers, permits: usize) -> Self {
        let inner = Inner {
            options,
            source,
            readers,
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
            texts: Mutex::default(),
            wakes: wake::Wakes::default(),
            tally: Mutex::default(),
            checkpoints: sqlite::Checkpoints::default(),
            stop: CancellationToken::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The engine behind this store.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.inner.engine()
    }

    /// Opens a transaction that may write. On SQLite there is one at a time; on PostgreSQL as many as there are
    /// writer connections. Dropping it rolls it back.
    ///
    /// # Errors
    /// [`StoreError::Busy`] where no connection became free in time; otherwise if none could be made.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Tx::begin(&self.inner).await
    }

    /// Does some work in a transaction and commits it; does it again, a few times and after a pause, where another
    /// transaction was in the way. The work must have no effect but on the transaction.
    ///
    /// # Errors
    /// What the work answered, or the commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>>,
    {
        let mut attempt = 0;
        loop {
            match self.write_once(&work).await {
                Err(error) if error.is_retryable() && attempt < retry::ATTEMPTS => retry::pause(attempt).await,
                result => return result,
            }
            attempt += 1;
        }
    }

    async fn write_once<T, F>(&self, work: &F) -> Result<T, StoreError>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>>,
    {
        let mut tx = self.begin().await?;
        match work(&mut tx).await {
            Ok(value) => tx.commit().await.map(|_| value),
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Tells watchers, here and on other servers, that a county's journal has reached `seq`. Call it after the
    /// commit; it never waits and never fails: the journal carries the truth, this only wakes.
    pub fn notify(&self, county: &CountyId, seq: i64) {
        self.inner.wakes.notify(self.engine(), county, seq);
    }

    /// Wakes as they come, from now on. They may be missed (a broken connection says [`Wake::All`]), so a watcher
    /// also looks at the head from time to time.
    ///
    /// # Errors
    /// If the connection that listens cannot be made.
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        wake::listen(&self.inner).await
    }

    /// What this store's committed transactions have written so far, by table.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.inner.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the database for an answer.
    ///
    /// # Errors
    /// If there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query("select 1", &[], &[crate::rows::ColType::Int]).await.map(|_| ())
    }

    /// Closes all connections; on SQLite the log is copied into the file. A transaction still open is waited for.
    pub async fn close(&self) {
        self.inner.stop.cancel();
        let all = u32::try_from(self.inner.options.writers(self.engine())).unwrap_or(u32::MAX);
        let permits = self.inner.permits.acquire_many(all).await;
        self.inner.readers.close().await;
        while let Some(conn) = self.inner.take_idle() {
            conn.close().await;
        }
        self.inner.permits.close();
        drop(permits);
    }
}
