//! PostgreSQL: a server, any number of processes.

use super::conn::{Conn, Statement, written};
use super::read::Readers;
use super::{Durability, Engine, Options, StoreError, migrate};
use crate::rows::{Cell, ColType};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use std::str::FromStr as _;
use std::time::Duration;

/// Statements kept ready per connection.
const STATEMENTS: usize = 512;

/// What opening gives.
pub(super) struct Opened {
    pub writer: PgConnectOptions,
    pub first: Conn,
    pub readers: Readers,
}

pub(super) async fn open(url: &str, options: &Options) -> Result<Opened, StoreError> {
    let base = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::BadUrl("is no address of a PostgreSQL database"))?
        .application_name("detainerd")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging();
    let mut migrator = connect(&base).await?;
    check(&mut migrator, options).await?;
    migrate::bring_up_to_date(&mut migrator, options.migrations).await?;
    migrator.close().await;
    let writer = limited(&base, options, options.statement_timeout);
    let first = connect(&writer).await?;
    let reader = |timeout| limited(&base, options, timeout).options([("default_transaction_read_only", "on")]);
    let short = pool(options, options.read_connections).connect_lazy_with(reader(options.statement_timeout));
    let long = pool(options, options.stream_connections).connect_lazy_with(reader(options.stream_timeout));
    Ok(Opened { writer, first, readers: Readers::Postgres { short, long } })
}

/// The limits the server itself keeps for a session. Compiling queries takes longer than ours run.
fn limited(base: &PgConnectOptions, options: &Options, statement_timeout: Duration) -> PgConnectOptions {
    let ms = |limit: Duration| format!("{}ms", limit.as_millis().max(1));
    base.clone().options([
        ("statement_timeout", ms(statement_timeout)),
        ("lock_timeout", ms(options.lock_timeout)),
        ("idle_in_transaction_session_timeout", ms(options.idle_timeout)),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("jit", "off".to_owned()),
    ])
}

/// A connection that broke while it lay idle is found by the query that meets it, which is done again.
fn pool(options: &Options, connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections.max(1))
        .test_before_acquire(false)
        .acquire_timeout(options.begin_timeout)
        .idle_timeout(Some(Duration::from_mins(5)))
        .after_release(|conn, _| {
            Box::pin(async move {
                // Reads open no transaction; should one be open all the same, nobody inherits it.
                use sqlx::Executor as _;
                if conn.is_in_transaction() {
                    conn.execute("rollback").await?;
                }
                Ok(true)
            })
        })
}

/// A connection as described.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<Conn, StoreError> {
    Ok(Conn::Postgres(PgConnection::connect_with(options).await?))
}

/// Refuses a server that may lose what it acknowledges.
async fn check(conn: &mut Conn, options: &Options) -> Result<(), StoreError> {
    if options.durability == Durability::Unsafe {
        return Ok(());
    }
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let statement = Statement::new(Engine::Postgres, written("select current_setting($1)".into()), &[setting.into()])?;
        let rows = conn.fetch(statement, &[ColType::Text]).await?;
        let found = rows.first().and_then(|row| row.first()).and_then(Cell::as_text).unwrap_or("unknown").to_owned();
        if found == "off" {
            return Err(StoreError::Unsafe { setting, found, wanted: "on" });
        }
    }
    Ok(())
}
