//! What can go wrong between this program and its database.
//!
//! No message carries SQL, a stored value or a password: the engines' own texts may quote any of them, so only
//! codes, tables, columns and keys go on.

use crate::rows::BadRow;
use sqlx::postgres::PgDatabaseError;
use std::time::Duration;

/// Why the store did not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database cannot be used.
    #[error("the database's address {0}")]
    BadUrl(&'static str),
    /// The database cannot be reached, or the connection broke. Nothing of a transaction that met this is kept.
    #[error("the database cannot be reached ({0})")]
    Disconnected(String),
    /// The database was migrated by a later version of this program.
    #[error("the database was written by a newer version of this program (migration {0}); use that version or a later one")]
    NewerDatabase(i64),
    /// The database lacks migrations and this store was told not to run them.
    #[error("the database lacks migration {0}; run `detainerd migrate`")]
    OlderDatabase(i64),
    /// A migration that was run is not the one this program knows under that number.
    #[error("migration {0} of the database is not the one this program knows")]
    ForeignMigration(i64),
    /// A migration failed; nothing of it is kept.
    #[error("the database could not be migrated ({0})")]
    Migration(String),
    /// The database may lose what it acknowledged.
    #[error("the database's setting {setting} is {found}, which can lose acknowledged records: {wanted} is needed")]
    Unsafe {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// Another transaction was in the way: a lock, a serialization failure, a deadlock. Trying again may work.
    #[error("another transaction was in the way ({0})")]
    Contended(String),
    /// No connection was free within the time allowed.
    #[error("no connection to the database was free within {} ms", .0.as_millis())]
    Busy(Duration),
    /// The database took longer than allowed.
    #[error("the database took longer than allowed")]
    Timeout,
    /// A county's head is not where the caller thought: somebody else wrote.
    #[error("{moved} of {expected} heads are no longer at the expected sequence")]
    HeadMoved {
        /// Heads that were to be moved.
        expected: u64,
        /// Those that stood elsewhere.
        moved: u64,
    },
    /// A statement changed another number of rows than it had to.
    #[error("{table}: {found} rows were changed where {expected} had to be")]
    WrongCount {
        /// The table.
        table: &'static str,
        /// Rows that had to be changed.
        expected: u64,
        /// Rows that were.
        found: u64,
    },
    /// A row with this key is there already.
    #[error("{0} already has a row with this key")]
    Duplicate(String),
    /// A row does not fit its table; nothing was sent.
    #[error(transparent)]
    BadRow(#[from] BadRow),
    /// A stored row cannot be read.
    #[error("row {id} of {table} cannot be read: {column} {why}")]
    Unreadable {
        /// The table, or the first table a query reads.
        table: String,
        /// The column.
        column: String,
        /// The key as far as it was read, or the row's place in the answer.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A statement names another number of columns than the caller expects.
    #[error("a query on {table} answers with {found} columns where {expected} are read")]
    WrongShape {
        /// The first table the query reads.
        table: String,
        /// Columns expected.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// The commit was sent, and nobody knows whether it was done: look at the head on a new connection.
    #[error("it is not known whether the transaction was committed")]
    CommitUnknown,
    /// An earlier statement of this transaction failed, so it can only be rolled back.
    #[error("an earlier statement of this transaction failed")]
    Spent,
    /// The reader of a long answer fell too far behind and was let go.
    #[error("the reader of a long answer took longer than {} s for a part of it", .0.as_secs())]
    ReaderTooSlow(Duration),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// There is no room left. What was acknowledged is safe; make room and go on.
    #[error("the database has no room left")]
    Full,
    /// The file or a page of it cannot be read as a database.
    #[error("the database is damaged (code {0})")]
    Damaged(String),
    /// The engine refused for a reason that has no name here.
    #[error("the database refused (code {0})")]
    Engine(String),
}

impl StoreError {
    /// Whether the same work, done again from the start, may succeed. Never true after a commit of unknown
    /// outcome.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Contended(_) | Self::Disconnected(_) | Self::HeadMoved { .. })
    }

    /// Whether the connection itself is in doubt.
    pub(super) fn breaks_connection(&self) -> bool {
        matches!(self, Self::Disconnected(_) | Self::Timeout | Self::CommitUnknown)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) => match db.try_downcast_ref::<PgDatabaseError>() {
                Some(pg) => of_postgres(pg),
                None => of_sqlite(db.code().as_deref().unwrap_or("none"), db.message()),
            },
            sqlx::Error::Io(io) => Self::Disconnected(io.kind().to_string()),
            sqlx::Error::Tls(_) => Self::Disconnected("no TLS connection could be made".to_owned()),
            sqlx::Error::Protocol(_) => Self::Disconnected("the connection is out of step".to_owned()),
            sqlx::Error::PoolTimedOut => Self::Disconnected("no connection was free in time".to_owned()),
            sqlx::Error::WorkerCrashed => Self::Disconnected("the database's thread has ended".to_owned()),
            sqlx::Error::PoolClosed => Self::Closed,
            _ => Self::Engine("sqlx".to_owned()),
        }
    }
}

/// By SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn of_postgres(error: &PgDatabaseError) -> StoreError {
    let code = error.code();
    match code {
        "40001" | "40P01" | "55P03" => StoreError::Contended(code.to_owned()),
        "57014" => StoreError::Timeout,
        "23505" => StoreError::Duplicate(error.table().unwrap_or("a table").to_owned()),
        // Idle in transaction for too long, shut down, starting up, too many connections, connection trouble.
        "25P03" | "57P01" | "57P02" | "57P03" | "57P05" | "53300" => StoreError::Disconnected(code.to_owned()),
        "53100" => StoreError::Full,
        "XX001" | "XX002" => StoreError::Damaged(code.to_owned()),
        _ if code.starts_with("08") => StoreError::Disconnected(code.to_owned()),
        _ => StoreError::Engine(code.to_owned()),
    }
}

/// By extended result code: <https://www.sqlite.org/rescode.html>.
fn of_sqlite(code: &str, message: &str) -> StoreError {
    let number: i64 = code.parse().unwrap_or(0);
    match number & 0xff {
        // BUSY, LOCKED.
        5 | 6 => StoreError::Contended(code.to_owned()),
        13 => StoreError::Full,
        // CORRUPT, NOTADB.
        11 | 26 => StoreError::Damaged(code.to_owned()),
        // PRIMARYKEY, UNIQUE: the message is "UNIQUE constraint failed: table.column, ...".
        19 if matches!(number, 1555 | 2067 | 2579) => {
            let table = message.rsplit_once(": ").and_then(|(_, columns)| columns.split('.').next());
            StoreError::Duplicate(table.unwrap_or("a table").to_owned())
        }
        _ => StoreError::Engine(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqlite_says_is_understood() {
        let cases = [
            ("5", "database is locked", StoreError::Contended("5".into())),
            ("517", "database is locked", StoreError::Contended("517".into())),
            ("1555", "UNIQUE constraint failed: journal.county, journal.seq", StoreError::Duplicate("journal".into())),
            ("2067", "UNIQUE constraint failed: holds.county", StoreError::Duplicate("holds".into())),
            ("1299", "NOT NULL constraint failed: holds.county", StoreError::Engine("1299".into())),
            ("13", "database or disk is full", StoreError::Full),
            ("26", "file is not a database", StoreError::Damaged("26".into())),
        ];
        for (code, message, expected) in cases {
            assert_eq!(of_sqlite(code, message), expected, "{code} {message}");
        }
    }

    #[test]
    fn a_commit_of_unknown_outcome_is_never_simply_tried_again() {
        assert!(!StoreError::CommitUnknown.is_retryable());
        assert!(StoreError::Contended("40001".into()).is_retryable());
        assert!(!StoreError::Duplicate("journal".into()).is_retryable());
    }
}
