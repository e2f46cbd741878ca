//! Reads outside a transaction: short ones, and long ones in parts.

use super::conn::{Shape, Statement, made, other_engine, written};
use super::param::{Args, Grid, Param, postgres_grids, sqlite_grid};
use super::{Engine, Inner, Store, StoreError, text};
use crate::rows::{Cell, ColType, Column, Row, Table, Version};
use futures_util::{Stream, TryStreamExt as _};
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{PgPool, SqlStr, SqlitePool};
use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Rows in one part of a long answer.
const CHUNK_ROWS: usize = 512;
/// Keys looked up by one statement.
const CHUNK_KEYS: usize = 256;

/// The connections that read.
pub(super) enum Readers {
    Sqlite { short: SqlitePool, long: SqlitePool },
    Postgres { short: PgPool, long: PgPool },
}

impl Readers {
    pub async fn close(&self) {
        match self {
            Self::Sqlite { short, long } => {
                short.close().await;
                long.close().await;
            }
            Self::Postgres { short, long } => {
                short.close().await;
                long.close().await;
            }
        }
    }

    async fn fetch(&self, statement: Statement, types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let Statement { sql, args } = statement;
        let shape = Shape::new(&sql, types);
        match (self, args) {
            (Self::Sqlite { short, .. }, Args::Sqlite(args)) => {
                let rows = sqlx::query_with(sql, args).fetch_all(short).await?;
                rows.iter().enumerate().map(|(at, row)| shape.sqlite(row, at)).collect()
            }
            (Self::Postgres { short, .. }, Args::Postgres(args)) => {
                let rows = sqlx::query_with(sql, args).fetch_all(short).await?;
                rows.iter().enumerate().map(|(at, row)| shape.postgres(row, at)).collect()
            }
            _ => Err(other_engine()),
        }
    }
}

impl Store {
    /// Reads rows of cells. `types` are those of the columns; placeholders are `$1`, `$2`, ...
    ///
    /// A connection that broke while it lay idle is replaced, once.
    ///
    /// # Errors
    /// If the database cannot answer, or a value is not of the type given.
    pub async fn query(
        &self,
        sql: impl Into<Cow<'static, str>>,
        params: &[Param],
        types: &[ColType],
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        self.fetch(&written(sql.into()), params, types).await
    }

    async fn fetch(&self, sql: &SqlStr, params: &[Param], types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let statement = || Statement::new(self.engine(), sql.clone(), params);
        match self.inner.readers.fetch(statement()?, types).await {
            Err(StoreError::Disconnected(_)) => self.inner.readers.fetch(statement()?, types).await,
            answer => answer,
        }
    }

    /// Reads rows of a table, which the text calls `t`: `tail` begins with `where`.
    ///
    /// Rows of tables without versions come as versions from 0 on.
    ///
    /// # Errors
    /// If the database cannot answer, or a row does not fit its table.
    pub async fn rows(&self, table: &'static Table, tail: &'static str, params: &[Param]) -> Result<Vec<Version>, StoreError> {
        let sql = rows_text(&self.inner, table, tail);
        versions(table, self.fetch(&sql, params, &text::types(table.stored_columns())).await?)
    }

    /// Reads the rows of a table whose columns `by` have one of the given combinations of values. The text calls the
    /// table `t`; `tail` begins with `and` or `order by`. Beyond 256 combinations the order holds only in parts.
    ///
    /// # Errors
    /// If the database cannot answer, or a row does not fit its table.
    pub async fn rows_by(
        &self,
        table: &'static Table,
        by: &[&'static str],
        keys: &[Vec<Cell>],
        tail: &'static str,
    ) -> Result<Vec<Version>, StoreError> {
        let mut found = Vec::new();
        for statement in by_statements(&self.inner, table, by, keys, tail)? {
            found.extend(self.inner.readers.fetch(statement, &text::types(table.stored_columns())).await?);
        }
        versions(table, found)
    }

    /// Reads a long answer in parts of at most 512 rows. Parts are made as they are taken; dropping the stream ends
    /// the query. A reader that lets a part wait for too long ends with [`StoreError::ReaderTooSlow`].
    ///
    /// # Errors
    /// If a value cannot be sent; later ones come in the stream.
    pub fn stream(&self, sql: impl Into<Cow<'static, str>>, params: &[Param], types: &[ColType]) -> Result<Chunks, StoreError> {
        let statement = Statement::new(self.engine(), written(sql.into()), params)?;
        let shape = Shape::new(&statement.sql, types);
        let (sender, parts) = mpsc::channel(1);
        let (finish, end) = oneshot::channel();
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let outlet = Outlet { sender, patience: inner.options.reader_timeout };
            let result = pump(&inner.readers, statement, &shape, &outlet).await;
            // The end is known before the parts stop coming. An error says that nobody listens.
            let _ = finish.send(result);
        });
        Ok(Chunks { parts, end: Some(end) })
    }
}

/// The parts of a long answer. An answer that was cut short never looks like a whole one: its last item is an error.
pub struct Chunks {
    parts: mpsc::Receiver<Vec<Vec<Cell>>>,
    /// How it ended; taken once that was said.
    end: Option<oneshot::Receiver<Result<(), StoreError>>>,
}

impl Chunks {
    /// The next part, if there is one.
    pub async fn next(&mut self) -> Option<Result<Vec<Vec<Cell>>, StoreError>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl Stream for Chunks {
    type Item = Result<Vec<Vec<Cell>>, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(part) = ready!(self.parts.poll_recv(context)) {
            return Poll::Ready(Some(Ok(part)));
        }
        let Some(end) = self.end.as_mut() else { return Poll::Ready(None) };
        let result = ready!(Pin::new(end).poll(context)).unwrap_or(Err(StoreError::Closed));
        self.end = None;
        Poll::Ready(result.err().map(Err))
    }
}

/// Where parts go.
struct Outlet {
    sender: mpsc::Sender<Vec<Vec<Cell>>>,
    patience: Duration,
}

impl Outlet {
    /// Hands on a part.
    async fn part(&self, rows: &mut Vec<Vec<Cell>>) -> Result<(), StoreError> {
        match tokio::time::timeout(self.patience, self.sender.send(std::mem::take(rows))).await {
            Ok(Ok(())) => Ok(()),
            // The reader went away, or fell behind: either way the query ends here.
            Ok(Err(_)) | Err(_) => Err(StoreError::ReaderTooSlow(self.patience)),
        }
    }
}

macro_rules! pump_rows {
    ($conn:expr, $sql:ident, $args:ident, $outlet:ident, $decode:expr) => {{
        let mut rows = sqlx::query_with($sql, $args).fetch($conn);
        let mut part = Vec::with_capacity(CHUNK_ROWS);
        let mut at = 0;
        while let Some(row) = rows.try_next().await? {
            part.push($decode(&row, at)?);
            at += 1;
            if part.len() == CHUNK_ROWS {
                $outlet.part(&mut part).await?;
            }
        }
        if !part.is_empty() {
            $outlet.part(&mut part).await?;
        }
        Ok(())
    }};
}

async fn pump_sqlite(
    conn: &mut SqliteConnection,
    sql: SqlStr,
    args: SqliteArguments,
    shape: &Shape,
    outlet: &Outlet,
) -> Result<(), StoreError> {
    pump_rows!(conn, sql, args, outlet, |row, at| shape.sqlite(row, at))
}

async fn pump_postgres(
    conn: &mut PgConnection,
    sql: SqlStr,
    args: PgArguments,
    shape: &Shape,
    outlet: &Outlet,
) -> Result<(), StoreError> {
    pump_rows!(conn, sql, args, outlet, |row, at| shape.postgres(row, at))
}

/// Reads an answer and hands it on, part by part. A connection whose answer was not read to its end is closed: the
/// next borrower would have to read the rest.
async fn pump(readers: &Readers, statement: Statement, shape: &Shape, outlet: &Outlet) -> Result<(), StoreError> {
    let Statement { sql, args } = statement;
    match (readers, args) {
        (Readers::Sqlite { long, .. }, Args::Sqlite(args)) => {
            let mut conn = long.acquire().await?;
            let result = pump_sqlite(&mut conn, sql, args, shape, outlet).await;
            if result.is_err() {
                conn.close_on_drop();
            }
            result
        }
        (Readers::Postgres { long, .. }, Args::Postgres(args)) => {
            let mut conn = long.acquire().await?;
            let result = pump_postgres(&mut conn, sql, args, shape, outlet).await;
            if result.is_err() {
                conn.close_on_drop();
            }
            result
        }
        _ => Err(other_engine()),
    }
}

/// `select ... from table t tail`.
pub(super) fn rows_text(inner: &Inner, table: &'static Table, tail: &'static str) -> SqlStr {
    let make = || format!("select {} from {} t {tail}", text::select_list(table), table.name);
    made(inner.text(("rows", table.name, 0, tail.into()), make))
}

/// The statements that look up rows by values of some columns. The same combination twice is looked up once.
pub(super) fn by_statements(
    inner: &Inner,
    table: &'static Table,
    by: &[&'static str],
    keys: &[Vec<Cell>],
    tail: &'static str,
) -> Result<Vec<Statement>, StoreError> {
    let columns = by.iter().map(|name| column(table, name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(key) = keys.iter().find(|key| key.len() != columns.len()) {
        return Err(StoreError::WrongShape { table: table.name.to_owned(), expected: columns.len(), found: key.len() });
    }
    let types: Vec<ColType> = columns.iter().map(|c| c.ty).collect();
    let mut rows: Vec<Vec<&Cell>> = keys.iter().map(|key| key.iter().collect()).collect();
    rows.sort_unstable();
    rows.dedup();
    let mut statements = Vec::new();
    for chunk in rows.chunks(CHUNK_KEYS) {
        let grid = Grid { types: &types, rows: chunk };
        // SQLite: rows of nothing fill up to a power of four, for they match nothing and few texts serve all counts.
        let (padded, args) = match inner.engine() {
            Engine::Sqlite => {
                let padded = [1, 4, 16, 64, CHUNK_KEYS].into_iter().find(|size| *size >= chunk.len()).unwrap_or(CHUNK_KEYS);
                (padded, sqlite_grid(grid, padded)?)
            }
            Engine::Postgres => (0, postgres_grids([grid].into_iter())?),
        };
        let what = format!("{} {tail}", by.join(","));
        let make = || text::select_by(inner.engine(), table, &columns, tail, padded);
        statements.push(Statement { sql: made(inner.text(("by", table.name, padded, what.into()), make)), args });
    }
    Ok(statements)
}

fn column(table: &'static Table, name: &'static str) -> Result<&'static Column, StoreError> {
    table.stored_columns().find(|c| c.name == name).ok_or_else(|| StoreError::Unreadable {
        table: table.name.to_owned(),
        column: name.to_owned(),
        id: "any".to_owned(),
        why: "does not exist",
    })
}

/// Rows of a table, as they were selected by `text::select_list`.
pub(super) fn versions(table: &'static Table, rows: Vec<Vec<Cell>>) -> Result<Vec<Version>, StoreError> {
    rows.into_iter().map(|cells| version(table, cells)).collect()
}

fn version(table: &'static Table, mut cells: Vec<Cell>) -> Result<Version, StoreError> {
    let missing = table.stored_columns().zip(&cells).find(|(column, cell)| cell.is_null() && !column.nullable);
    if let Some((column, _)) = missing {
        let id = crate::rows::id_of(cells.get(..table.key.len()).unwrap_or(&cells));
        return Err(StoreError::Unreadable {
            table: table.name.to_owned(),
            column: column.name.to_owned(),
            id,
            why: "is empty and may not be",
        });
    }
    let (mut from_seq, mut to_seq) = (0, None);
    if text::is_versioned(table) {
        to_seq = cells.pop().and_then(|cell| cell.as_int());
        from_seq = cells.pop().and_then(|cell| cell.as_int()).unwrap_or(0);
    }
    let body = cells.split_off(table.key.len().min(cells.len()));
    Ok(Version { row: Row::new(table, cells, body), from_seq, to_seq })
}
