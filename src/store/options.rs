//! What an operator, or a test, may choose about a store. Every limit is here.

use super::Engine;
use std::time::Duration;

/// Whether acknowledged records survive a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// They do, or the store does not open: `synchronous=FULL`, `fsync=on`, `synchronous_commit` not `off`.
    #[default]
    Full,
    /// They may not. For tests.
    Unsafe,
}

/// What opening does about migrations that the database lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Migrations {
    /// Runs them.
    #[default]
    Run,
    /// Refuses to open.
    Refuse,
}

/// The choices.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// See [`Durability`].
    pub durability: Durability,
    /// See [`Migrations`].
    pub migrations: Migrations,
    /// Connections for short reads.
    pub read_connections: u32,
    /// Connections for [`super::Store::stream`]; further streams wait.
    pub stream_connections: u32,
    /// Connections that write at the same time; SQLite always has one.
    pub write_connections: usize,
    /// How long a transaction waits for a connection, or a lock of another process on SQLite.
    pub begin_timeout: Duration,
    /// How long one statement may take (PostgreSQL).
    pub statement_timeout: Duration,
    /// How long the statement behind a stream may take (PostgreSQL).
    pub stream_timeout: Duration,
    /// How long a statement waits for a lock (PostgreSQL).
    pub lock_timeout: Duration,
    /// How long a transaction may stay idle (PostgreSQL).
    pub idle_timeout: Duration,
    /// How long a stream waits for its reader to take a part.
    pub reader_timeout: Duration,
    /// Pages in the write-ahead log after which they are copied into the file (SQLite).
    pub checkpoint_pages: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            migrations: Migrations::Run,
            read_connections: 4,
            stream_connections: 4,
            write_connections: 8,
            begin_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(30),
            stream_timeout: Duration::from_mins(10),
            lock_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15),
            reader_timeout: Duration::from_mins(1),
            checkpoint_pages: 16_000,
        }
    }
}

impl Options {
    /// Connections that may write at the same time.
    pub(super) fn writers(&self, engine: Engine) -> usize {
        match engine {
            Engine::Sqlite => 1,
            Engine::Postgres => self.write_connections.max(1),
        }
    }
}
