//! One connection of either engine, and one statement ready to run on it.

use super::param::{Args, Param, TooLarge, postgres_args, sqlite_args};
use super::text::first_table;
use super::{Engine, StoreError};
use crate::rows::{Cell, ColType};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqlSafeStr as _, SqlStr};
use std::borrow::Cow;
use std::sync::Arc;

/// A text with its encoded values.
pub(super) struct Statement {
    pub sql: SqlStr,
    pub args: Args,
}

impl From<TooLarge> for StoreError {
    fn from(_: TooLarge) -> Self {
        Self::Engine("a value is too large".to_owned())
    }
}

/// A text written by hand. It never holds a value: those are parameters.
pub(super) fn written(sql: Cow<'static, str>) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

/// A text made from a table's description.
pub(super) fn made(sql: Arc<str>) -> SqlStr {
    AssertSqlSafe(sql).into_sql_str()
}

impl Statement {
    /// A text with single values.
    pub fn new(engine: Engine, sql: SqlStr, params: &[Param]) -> Result<Self, StoreError> {
        let args = match engine {
            Engine::Sqlite => sqlite_args(params.iter())?,
            Engine::Postgres => postgres_args(params.iter())?,
        };
        Ok(Self { sql, args })
    }
}

/// An open connection.
pub(super) enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Conn {
    /// Runs a text without values and without preparing it.
    pub async fn raw(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(conn) => sqlx::raw_sql(sql).execute(conn).await.map(|_| ())?,
            Self::Postgres(conn) => sqlx::raw_sql(sql).execute(conn).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Runs a statement; answers with the number of rows it changed.
    pub async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        let Statement { sql, args } = statement;
        match (self, args) {
            (Self::Sqlite(conn), Args::Sqlite(args)) => Ok(sqlx::query_with(sql, args).execute(conn).await?.rows_affected()),
            (Self::Postgres(conn), Args::Postgres(args)) => Ok(sqlx::query_with(sql, args).execute(conn).await?.rows_affected()),
            _ => Err(other_engine()),
        }
    }

    /// Runs a query; answers with its rows.
    pub async fn fetch(&mut self, statement: Statement, types: &[ColType]) -> Result<Vec<Vec<Cell>>, StoreError> {
        let Statement { sql, args } = statement;
        let shape = Shape::new(&sql, types);
        match (self, args) {
            (Self::Sqlite(conn), Args::Sqlite(args)) => {
                let rows = sqlx::query_with(sql, args).fetch_all(conn).await?;
                rows.iter().enumerate().map(|(at, row)| shape.sqlite(row, at)).collect()
            }
            (Self::Postgres(conn), Args::Postgres(args)) => {
                let rows = sqlx::query_with(sql, args).fetch_all(conn).await?;
                rows.iter().enumerate().map(|(at, row)| shape.postgres(row, at)).collect()
            }
            _ => Err(other_engine()),
        }
    }

    /// Takes leave of the engine.
    pub async fn close(self) {
        // Whether the goodbye arrives makes no difference: nothing is open on this connection.
        let _ = match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(conn) => conn.close().await,
        };
    }
}

/// A statement encoded for one engine met a connection of the other: a defect of this room.
pub(super) fn other_engine() -> StoreError {
    StoreError::Engine("a statement for the other engine".to_owned())
}

/// What the rows of an answer look like.
#[derive(Clone)]
pub(super) struct Shape {
    table: String,
    types: Vec<ColType>,
}

macro_rules! cells {
    ($self:ident, $row:ident, $at:ident, $int:expr) => {{
        if $row.len() != $self.types.len() {
            return Err(StoreError::WrongShape { table: $self.table.clone(), expected: $self.types.len(), found: $row.len() });
        }
        let mut cells = Vec::with_capacity($self.types.len());
        for (column, ty) in $self.types.iter().enumerate() {
            let cell = match ty {
                ColType::Int => $int($row, column).map(Cell::from),
                ColType::Text => $row.try_get::<Option<&str>, _>(column).map(Cell::from),
                ColType::Bytes => $row.try_get::<Option<&[u8]>, _>(column).map(Cell::from),
            };
            match cell {
                Ok(cell) => cells.push(cell),
                Err(_) => return Err($self.unreadable(column, $at, &cells, *ty)),
            }
        }
        Ok(cells)
    }};
}

impl Shape {
    pub fn new(sql: &SqlStr, types: &[ColType]) -> Self {
        Self { table: first_table(sql.as_str()).to_owned(), types: types.to_vec() }
    }

    pub fn sqlite(&self, row: &SqliteRow, at: usize) -> Result<Vec<Cell>, StoreError> {
        cells!(self, row, at, |row: &SqliteRow, column: usize| row.try_get::<Option<i64>, _>(column))
    }

    pub fn postgres(&self, row: &PgRow, at: usize) -> Result<Vec<Cell>, StoreError> {
        cells!(self, row, at, postgres_int)
    }

    fn unreadable(&self, column: usize, at: usize, before: &[Cell], ty: ColType) -> StoreError {
        let id = if before.is_empty() { format!("number {}", at + 1) } else { crate::rows::id_of(before) };
        let why = match ty {
            ColType::Int => "is not a number",
            ColType::Text => "is not text",
            ColType::Bytes => "is not bytes",
        };
        StoreError::Unreadable { table: self.table.clone(), column: format!("column {}", column + 1), id, why }
    }
}

/// Any whole number: a literal is `int4` on PostgreSQL, a comparison `bool`.
fn postgres_int(row: &PgRow, column: usize) -> Result<Option<i64>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column)
        .or_else(|_| row.try_get::<Option<i32>, _>(column).map(|n| n.map(i64::from)))
        .or_else(|_| row.try_get::<Option<bool>, _>(column).map(|n| n.map(i64::from)))
}
