//! SQLite: one file, write-ahead log, full durability, one writer, readers beside it.

use super::conn::Conn;
use super::read::Readers;
use super::{Durability, Engine, Inner, Options, StoreError, migrate};
use crate::rows::{Cell, ColType};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Statements kept ready per connection: every table at every size, and what readers ask.
const STATEMENTS: usize = 1_024;
/// Kibibytes of pages a writer keeps; a reader keeps an eighth.
const CACHE_KIB: i64 = 32_768;
/// Bytes of log that stay on disk once it starts over.
const LOG_BYTES: u64 = 128 << 20;

/// What opening gives.
pub(super) struct Opened {
    pub writer: SqliteConnectOptions,
    pub first: Conn,
    pub readers: Readers,
}

pub(super) async fn open(path: &str, options: &Options) -> Result<Opened, StoreError> {
    if path.is_empty() || path.contains(":memory:") || path.contains('?') {
        return Err(StoreError::BadUrl("must be sqlite://PATH, a path to a file, without parameters"));
    }
    make_private(Path::new(path))?;
    let base = base(path, options);
    let writer = writer(&base, options);
    let mut first = connect(&writer).await?;
    check(&mut first, options).await?;
    migrate::bring_up_to_date(&mut first, options.migrations).await?;
    let reader = base.read_only(true).pragma("cache_size", (-CACHE_KIB / 8).to_string()).pragma("query_only", "on");
    let short =
        pool(options.read_connections).min_connections(options.read_connections.max(1)).connect_with(reader.clone()).await?;
    let long: SqlitePool = pool(options.stream_connections).connect_lazy_with(reader);
    Ok(Opened { writer, first, readers: Readers::Sqlite { short, long } })
}

/// Makes the file, readable by its owner only, if there is none; the log and its index follow its mode.
///
/// A file that is there is not opened: closing it again would drop the locks that other connections of this process
/// hold on it.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut open = std::fs::OpenOptions::new();
    open.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    match open.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::Disconnected(format!("its file: {}", error.kind())))
        }
        _ => Ok(()),
    }
}

fn base(path: &str, options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(options.begin_timeout)
        .foreign_keys(false)
        .pragma("temp_store", "memory")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

fn writer(base: &SqliteConnectOptions, options: &Options) -> SqliteConnectOptions {
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Unsafe => SqliteSynchronous::Off,
    };
    base.clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("cache_size", (-CACHE_KIB).to_string())
        .pragma("journal_size_limit", LOG_BYTES.to_string())
        // The writer itself copies the log only if the task that should has been kept from it for long.
        .pragma("wal_autocheckpoint", (options.checkpoint_pages * 8).to_string())
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections.max(1)).test_before_acquire(false).idle_timeout(None).max_lifetime(None)
}

/// A connection as described.
pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<Conn, StoreError> {
    Ok(Conn::Sqlite(SqliteConnection::connect_with(options).await?))
}

/// Looks at what the file system made of our wishes: some have no shared memory and silently keep another journal.
async fn check(conn: &mut Conn, options: &Options) -> Result<(), StoreError> {
    if options.durability == Durability::Unsafe {
        return Ok(());
    }
    let mode = pragma(conn, "select journal_mode from pragma_journal_mode", ColType::Text).await?;
    if mode.as_text() != Some("wal") {
        return Err(StoreError::Unsafe { setting: "journal_mode", found: format!("{mode:?}"), wanted: "wal" });
    }
    let synchronous = pragma(conn, "select synchronous from pragma_synchronous", ColType::Int).await?;
    if synchronous.as_int().is_none_or(|level| level < 2) {
        return Err(StoreError::Unsafe { setting: "synchronous", found: format!("{synchronous:?}"), wanted: "2 (full)" });
    }
    Ok(())
}

async fn pragma(conn: &mut Conn, sql: &'static str, ty: ColType) -> Result<Cell, StoreError> {
    let statement = super::conn::Statement::new(Engine::Sqlite, super::conn::written(sql.into()), &[])?;
    let rows = conn.fetch(statement, &[ty]).await?;
    Ok(rows.into_iter().flatten().next().unwrap_or(Cell::Null))
}

/// How much was written since the log was last copied into the file, and the bell for the task that copies it.
#[derive(Default)]
pub(super) struct Checkpoints {
    /// Rows, and four for each commit.
    work: AtomicU64,
    /// The work after which the log is about as long as it should get.
    enough: AtomicU64,
    bell: Arc<Notify>,
}

impl Checkpoints {
    /// Notes a commit.
    pub fn wrote(&self, rows: u64) {
        let work = self.work.fetch_add(rows + 4, Ordering::Relaxed) + rows + 4;
        if work >= self.enough.load(Ordering::Relaxed) {
            self.bell.notify_one();
        }
    }
}

/// Pages a unit of work is thought to add to the log until that has been seen.
const PAGES_PER_WORK: f64 = 2.0;

/// Starts the task that copies the log into the file, off the writer's path.
pub(super) fn start_checkpoints(inner: &Arc<Inner>) {
    let super::Source::Sqlite(options) = &inner.source else { return };
    let options = options.clone();
    let pages = inner.options.checkpoint_pages;
    inner.checkpoints.enough.store(work_for(pages, PAGES_PER_WORK), Ordering::Relaxed);
    // The task must not keep the store alive.
    let (weak, stop, bell) = (Arc::downgrade(inner), inner.stop.clone(), inner.checkpoints.bell.clone());
    tokio::spawn(async move {
        let mut conn = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = bell.notified() => {}
            }
            let Some(inner) = weak.upgrade() else { break };
            // A failure is left to the next bell, and in the end to the writer's own checkpoint.
            let _ = checkpoint(&inner, &options, &mut conn, pages).await;
        }
        if let Some(conn) = conn {
            Conn::close(conn).await;
        }
    });
}

/// Copies what is in the log; then, if more came meanwhile, the rest while no transaction is open here, so that the
/// log can start over.
async fn checkpoint(
    inner: &Inner,
    options: &SqliteConnectOptions,
    conn: &mut Option<Conn>,
    pages: u64,
) -> Result<(), StoreError> {
    let conn = match conn {
        Some(conn) => conn,
        None => conn.insert(connect(options).await?),
    };
    let work = inner.checkpoints.work.swap(0, Ordering::Relaxed);
    let (log, copied) = copy_log(conn).await?;
    if work > 0 && log > 0 {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let per_work = (log as f64 / work as f64).clamp(0.05, 16.0);
        inner.checkpoints.enough.store(work_for(pages, per_work), Ordering::Relaxed);
    }
    if copied < log {
        let permit = inner.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        copy_log(conn).await?;
        drop(permit);
    }
    Ok(())
}

/// Pages in the log, and how many of them were copied.
async fn copy_log(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    let statement =
        super::conn::Statement::new(Engine::Sqlite, super::conn::written("pragma wal_checkpoint(passive)".into()), &[])?;
    let rows = conn.fetch(statement, &[ColType::Int; 3]).await?;
    let number = |at: usize| rows.first().and_then(|row| row.get(at)).and_then(Cell::as_int).unwrap_or(0);
    Ok((number(1), number(2)))
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
fn work_for(pages: u64, per_work: f64) -> u64 {
    (pages as f64 / per_work) as u64
}
